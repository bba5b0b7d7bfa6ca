"""What the conformance kits have in common: a case is run on a stage, before somebody who does as they are told."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from types import TracebackType
from typing import Self, TypeVar

_PATIENCE_SECONDS = 120.0


class Fault(StrEnum):
    """What a provider does to every message, or a shop to every change, until it is told otherwise."""

    NONE = "NONE"
    BUSY = "BUSY"
    """It takes nothing and says that it is busy: HTTP 429, SMTP 451."""
    BROKEN = "BROKEN"
    """It fails without taking anything: HTTP 500, a connection closed."""
    GARBAGE = "GARBAGE"
    """It takes the message, and answers something that means nothing."""
    LOST_ANSWER = "LOST_ANSWER"
    """It takes the message, and its answer never arrives."""
    SLOW = "SLOW"
    """It takes longer to answer than the channel waits; the stage sets the channel's patience to a second or less."""


class BareStage:
    """Entered before a case and left after it."""

    secrets: Sequence[str] = ()
    """What the channel was told and must not show."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give back what was opened."""


class FaultyStage(BareStage, ABC):
    """One on which things go wrong, and no longer once it is left."""

    @abstractmethod
    def behave(self, fault: Fault) -> None:
        """From now on."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give back what was opened."""
        self.behave(Fault.NONE)


S = TypeVar("S", bound=BareStage)


def run(case: Callable[[S], Awaitable[None]], stage: Callable[[], S]) -> None:
    """Run one case on a new stage; AssertionError where what is on it does not stand the case."""

    async def main() -> None:
        async with asyncio.timeout(_PATIENCE_SECONDS), stage() as made:
            await case(made)

    asyncio.run(main())
