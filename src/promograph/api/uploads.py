"""Files in the variables of a request."""

from collections.abc import Iterator
from typing import Any

_CHUNK = 1 << 20


def chunks_of(file: Any) -> Iterator[bytes]:
    """An upload's bytes; it lies in memory or in a temporary file, so that reading never waits for the client."""
    while chunk := file.file.read(_CHUNK):
        yield chunk
