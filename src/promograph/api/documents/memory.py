"""Documents that were read once and found good, kept by their text."""

import sys
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock

from graphql import DocumentNode
from strawberry.types.graphql import OperationType

from promograph.api.scopes import Needed
from promograph.domain.access import Scope
from strawberry_compiled import Compiled

_BYTES_PER_TOKEN = 550
"""What the parsed form of a token takes, with the nodes around it (measured: 300 to 550)."""


_BYTES_PER_COMPILED_TOKEN = 1_200
"""What it takes besides when an operation is compiled (measured: 700 to 1,200)."""


@dataclass(slots=True)
class KnownOperation:
    """One operation of a document: query, mutation or subscription, and the rights that it needs.

    `compiled` is the operation as a callable; `is_judged` once it was tried, `seen` counts how often it came before.
    `met_by` are the scopes of callers who were found to have what it needs.
    """

    type: OperationType
    needs: Needed
    compiled: Compiled | None = None
    is_judged: bool = False
    seen: int = 0
    met_by: set[frozenset[Scope]] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class KnownDocument:
    """A valid document within the limits; its operations by name, one without a name by None."""

    document: DocumentNode
    operations: Mapping[str | None, KnownOperation]

    def chosen(self, name: str | None) -> KnownOperation | None:
        """The operation that a caller means who gives `name`: without one, the only operation, if it is."""
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        return self.operations.get(name)


class DocumentMemory:
    """The documents used last, bounded in number and in bytes: a flood of new ones pushes the oldest out."""

    def __init__(self, *, max_documents: int, max_bytes: int) -> None:
        self._max_documents = max_documents
        self._max_bytes = max_bytes
        self._known: OrderedDict[str, tuple[KnownDocument, int]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._known)

    @property
    def size(self) -> int:
        """About how many bytes the kept documents take."""
        return self._bytes

    def get(self, text: str) -> KnownDocument | None:
        with self._lock:
            entry = self._known.get(text)
            if entry is None:
                return None
            self._known.move_to_end(text)
            return entry[0]

    def put(self, text: str, known: KnownDocument) -> None:
        self._keep(text, known, sys.getsizeof(text) + known.document.token_count * _BYTES_PER_TOKEN)

    def grow(self, text: str, known: KnownDocument) -> None:
        """An operation of this document was compiled."""
        with self._lock:
            entry = self._known.get(text)
        if entry is not None and entry[0] is known:
            self._keep(text, known, entry[1] + known.document.token_count * _BYTES_PER_COMPILED_TOKEN)

    def _keep(self, text: str, known: KnownDocument, size: int) -> None:
        with self._lock:
            _, replaced = self._known.pop(text, (None, 0))
            self._known[text] = (known, size)
            self._bytes += size - replaced
            while len(self._known) > self._max_documents or self._bytes > self._max_bytes:
                _, (_, freed) = self._known.popitem(last=False)
                self._bytes -= freed
