"""What the ways out have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from promograph import Delivery


@dataclass(frozen=True, slots=True)
class Letter:
    """A message ready to be handed over."""

    key: str
    message_id: str
    to: str
    content: bytes


class Post(Protocol):
    """A way out: a server, or a folder."""

    async def post(self, letters: Sequence[Letter]) -> list[Delivery]: ...

    async def close(self) -> None: ...
