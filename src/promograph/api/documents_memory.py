"""Documents that were read once and found good, kept by their text."""

import sys
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

from graphql import DocumentNode
from strawberry.types.graphql import OperationType

from promograph.api.scopes import Needed

_BYTES_PER_TOKEN = 550
"""What the parsed form of a token takes, with the nodes around it (measured: 300 to 550)."""


@dataclass(frozen=True, slots=True)
class KnownOperation:
    """One operation of a document: query, mutation or subscription, and the rights that it needs."""

    type: OperationType
    needs: Needed


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
        size = sys.getsizeof(text) + known.document.token_count * _BYTES_PER_TOKEN
        with self._lock:
            _, replaced = self._known.pop(text, (None, 0))
            self._known[text] = (known, size)
            self._bytes += size - replaced
            while len(self._known) > self._max_documents or self._bytes > self._max_bytes:
                _, (_, freed) = self._known.popitem(last=False)
                self._bytes -= freed
