"""Whatever a test asks of the API is compiled at once; and what only reads is asked of the engine too."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import pytest
from graphql import GraphQLError, parse
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from promograph.api.documents import compiling as documents_compiling
from promograph.api.documents.compiling import OperationCompiler
from promograph.api.documents.schema import Schema

_INCIDENT = re.compile(rb"incident( |\":\")\w+")


@contextmanager
def both_ways(*, checking: bool = True) -> Iterator[None]:
    usual: Any = Schema.execute

    async def execute(self: Schema, query: str | None, *others: Any, **more: Any) -> ExecutionResult:
        _remember(self, query or "")
        found: ExecutionResult = await usual(self, query, *others, **more)
        if not checking or not _is_compiled_query(self, query or "", more.get("operation_name")):
            return found
        compiler, self._compiler = self._compiler, None
        try:
            wanted = await usual(self, query, *others, **more)
        finally:
            self._compiler = compiler
        # Somebody else may have written in between.
        assert _shown(found) == _shown(wanted) or _shown(await usual(self, query, *others, **more)) == _shown(wanted)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(documents_compiling, "_BEFORE_COMPILING", 0)
        patch.setattr(OperationCompiler, "_may_compile", lambda _: True)
        patch.setattr(Schema, "execute", execute)
        yield


def _remember(schema: Schema, text: str) -> None:
    """Read the document before it is asked, so that the first answer comes from the compiled operation already."""
    documents = schema._documents
    if documents.recall(schema, text) is not None:
        return
    limits = documents.limits
    try:
        document = parse(text, max_tokens=limits.tokens, max_source_length=limits.text)
    except GraphQLError:
        return
    documents.judge(schema, text, document)


def _is_compiled_query(schema: Schema, text: str, name: str | None) -> bool:
    known = schema._documents.recall(schema, text)
    operation = known.chosen(name) if known else None
    return operation is not None and operation.compiled is not None and operation.type is OperationType.QUERY


def _shown(result: ExecutionResult) -> bytes:
    errors = [error.formatted for error in result.errors or ()]
    return _INCIDENT.sub(b"incident", orjson.dumps([result.data, errors], default=repr))
