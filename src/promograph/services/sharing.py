"""Those who ask the same thing at the same moment share one reading of it."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Sharing(Generic[K, V]):
    """Hands out what `read` gives, which nobody may change.

    A reading that had begun before somebody asked is not for them: they wait for it, and share the next one with all
    who come meanwhile. So everybody is told of whatever was durable when they asked. What `read` raises, all get.
    """

    def __init__(self, read: Callable[[K], Awaitable[V]]) -> None:
        self._read = read
        self._begun: dict[K, asyncio.Task[V]] = {}
        self._next: dict[K, asyncio.Task[V]] = {}

    async def get(self, key: K) -> V:
        reading = self._next.get(key)
        if reading is None:
            reading = self._next[key] = asyncio.create_task(self._in_turn(key))
        # Who goes away takes nothing from the others.
        return await asyncio.shield(reading)

    async def _in_turn(self, key: K) -> V:
        before = self._begun.get(key)
        if before is not None:
            with suppress(Exception):
                await before
        reading = self._begun[key] = self._next.pop(key)
        try:
            return await self._read(key)
        finally:
            if self._begun[key] is reading:
                del self._begun[key]
