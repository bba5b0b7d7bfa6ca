"""What the acts of the demo share: who asks, where they speak, and how many do a thing at once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from promograph.cli.client import Api
from promograph.cli.demo_stage import Stage

T = TypeVar("T")

TILLS = 32
"""How many checkouts work at the same time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A stage and the API as four parties see it, each with a token of its own."""

    stage: Stage
    admin: Api
    channel: Api
    checkout: Api
    screen: Api


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What the demo itself has counted of a promotion, to be compared with the lobby."""

    handle: str
    total: int
    issued: int
    redemptions: int
    fallback_active: bool = False


def member(number: int) -> str:
    """The id of a member; the first is 1."""
    return f"member-{number}"


async def at_all_tills(things: Iterable[T], use: Callable[[T], Awaitable[None]]) -> None:
    """Do `use` for each thing, as many at once as there are tills; the first failure ends all."""
    waiting = iter(things)

    async def till() -> None:
        for thing in waiting:
            await use(thing)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(TILLS):
                group.create_task(till())
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
