"""How a long load gives way: while others ask, it rests several times as long as it works.

A load takes the processor from requests in three places at once: here, in the store and, with threads, in Python's own
lock. So it is its time that counts, whatever it was spent on, and not only what it holds. While nobody asks it never
rests.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from promograph.store.databases.database import Database, T, Work

_LONGEST = 0.5
"""A piece may have taken long because it had to wait: for the store's one writer, say."""

_GLANCE = 0.02


class Pace:
    """One load's. Whatever it does is counted, and `rest` comes after each piece."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._worked = 0.0

    @property
    def gives_way(self) -> bool:
        """Whether others ask just now: the load had better do one thing at a time, and little of it."""
        return self._database.is_wanted

    @contextmanager
    def working(self) -> Iterator[None]:
        """Count what is done inside."""
        began = monotonic()
        try:
            yield
        finally:
            self.worked(monotonic() - began)

    def worked(self, seconds: float) -> None:
        """Count what was done elsewhere, in a thread."""
        self._worked += seconds

    async def rest(self) -> None:
        """Let the others go first, until they ask no more or have had their share."""
        if self._worked and self.gives_way:
            with self.working():
                await self._database.settle()
        left, self._worked = min(self._database.rests * self._worked, _LONGEST), 0.0
        await asyncio.sleep(0)
        while left > 0 and self.gives_way:
            await asyncio.sleep(min(left, _GLANCE))
            left -= _GLANCE

    async def write(self, work: Work[T]) -> T:
        """One piece in a transaction of its own, and a rest."""
        with self.working():
            answer = await self._database.write(work, heavy=True)
        await self.rest()
        return answer
