"""Who uses a connection next, where more want one than there are."""

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

Place = tuple[int, int]
"""In the queue: whose is lower goes first."""


class Turns:
    """So many turns at a time; each who comes is to be done with after as many more as they have to do.

    A lone message need not wait for a handful of a large send, nor does anybody wait for ever. And of two handfuls of
    one send the first ends while the second has hardly begun: side by side they would end together, and the line would
    be idle while their answers are written down and the next ones are made.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._taken = 0
        self._serials = count()
        self._waiting: list[tuple[Place, int, asyncio.Future[None]]] = []

    def place(self, count: int) -> Place:
        """Of somebody who comes now, with so many things to do."""
        return self._taken + count, next(self._serials)

    @asynccontextmanager
    async def taken(self, place: Place) -> AsyncIterator[None]:
        """Wait for a turn and have it, for one thing after another while `is_next`."""
        await self._take(place)
        try:
            yield
        finally:
            self._pass_on()

    def is_next(self, place: Place) -> bool:
        """Whether nobody waits who goes before; counts what is done then."""
        if self._waiting and self._waiting[0][0] < place:
            return False
        self._taken += 1
        return True

    async def _take(self, place: Place) -> None:
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (place, next(self._serials), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self._pass_on()  # it had just come
            raise

    def _pass_on(self) -> None:
        while self._waiting:
            *_, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
