"""Making the next thing while the last one is being used."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from time import monotonic
from typing import TypeVar

from promograph.services.pacing import Pace

T = TypeVar("T")


async def ahead(items: Iterator[T], pace: Pace) -> AsyncGenerator[T, None]:
    """The items, each made in a thread while the one before it is being used: making one takes tens of milliseconds.

    While others ask, it is made only when it is wanted: what is made during a load's rest would not be rested from.
    """

    def make() -> tuple[T | None, float]:
        began = monotonic()
        return next(items, None), monotonic() - began

    coming = asyncio.ensure_future(asyncio.to_thread(make))
    try:
        while True:
            item, seconds = await asyncio.shield(coming)
            pace.worked(seconds)
            if item is None:
                return
            is_early = not pace.gives_way
            if is_early:
                coming = asyncio.ensure_future(asyncio.to_thread(make))
            yield item
            if not is_early:
                coming = asyncio.ensure_future(asyncio.to_thread(make))
    finally:
        # A thread cannot be stopped: what it is yet making is for nobody, and so is what it may complain about.
        await asyncio.wait([coming])
        coming.exception()
