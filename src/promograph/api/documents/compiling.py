"""When an operation is compiled: when it comes a second time, and never so many that compiling holds others up."""

import time
from collections.abc import Callable

import strawberry

import strawberry_compiled
from promograph.api.documents.memory import DocumentMemory, KnownDocument, KnownOperation

_BEFORE_COMPILING = 1
"""So often an operation takes the usual way: whoever writes values into their documents sends each but once."""

_A_SECOND = 20.0
_AT_ONCE = 100.0
"""Compiling takes milliseconds, in which nobody else is answered."""


class OperationCompiler:
    """Compiles the operations of remembered documents; what is compiled is forgotten with its document."""

    def __init__(self, memory: DocumentMemory, clock: Callable[[], float] = time.monotonic) -> None:
        self._memory = memory
        self._clock = clock
        self._allowed = _AT_ONCE
        self._counted_at = clock()

    def compiled(
        self, schema: strawberry.Schema, text: str, known: KnownDocument, operation: KnownOperation, name: str | None
    ) -> strawberry_compiled.Compiled | None:
        """The operation as a callable, if it is, or now becomes, one."""
        if operation.compiled is not None or operation.is_judged:
            return operation.compiled
        if operation.seen < _BEFORE_COMPILING or not self._may_compile():
            operation.seen += 1
            return None
        operation.is_judged = True
        operation.compiled = strawberry_compiled.compile(schema, known.document, name)
        if operation.compiled is not None:
            self._memory.grow(text, known)
        return operation.compiled

    def _may_compile(self) -> bool:
        now = self._clock()
        self._allowed = min(_AT_ONCE, self._allowed + (now - self._counted_at) * _A_SECOND)
        self._counted_at = now
        if self._allowed < 1:
            return False
        self._allowed -= 1
        return True
