"""The event loop that a server has: uvloop's, where there is one for the system."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

try:
    import uvloop
except ImportError:
    _new: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
else:
    _new = uvloop.new_event_loop

T = TypeVar("T")


def runner() -> asyncio.Runner:
    return asyncio.Runner(loop_factory=_new)


def run(main: Coroutine[Any, Any, T]) -> T:
    """As `asyncio.run`."""
    with runner() as once:
        return once.run(main)
