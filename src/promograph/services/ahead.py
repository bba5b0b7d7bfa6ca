"""Making the next thing while the last one is being used."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from typing import TypeVar

T = TypeVar("T")


async def ahead(items: Iterator[T]) -> AsyncGenerator[T, None]:
    """The items, each made in a thread while the one before it is being used: making one takes tens of milliseconds."""
    coming = asyncio.ensure_future(asyncio.to_thread(next, items, None))
    try:
        while (item := await asyncio.shield(coming)) is not None:
            coming = asyncio.ensure_future(asyncio.to_thread(next, items, None))
            yield item
    finally:
        # A thread cannot be stopped: what it is yet making is for nobody, and so is what it may complain about.
        await asyncio.wait([coming])
        coming.exception()
