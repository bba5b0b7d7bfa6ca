"""The event loop that a server has: uvloop's, where there is one for the system."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

try:
    from uvloop import new_event_loop
except ImportError:
    from asyncio import new_event_loop

T = TypeVar("T")


def runner() -> asyncio.Runner:
    return asyncio.Runner(loop_factory=new_event_loop)


def run(main: Coroutine[Any, Any, T]) -> T:
    """As `asyncio.run`."""
    with runner() as once:
        return once.run(main)
