"""A load: codes put at the end of a promotion's line piece by piece, and shown all at once."""

from collections.abc import Iterator, Sequence
from uuid import uuid4

from promograph.domain.batches import Added, AddReport
from promograph.domain.clock import Clock
from promograph.store import load_orders, loading
from promograph.store.database import Connection, Database
from promograph.store.load_orders import Order
from promograph.store.loading import Load

_SEEN_EVERY = 20
"""Pieces between two signs of life: far less than a minute's worth."""


class Loader:
    """One load into one promotion. Use as `async with`: leaving it without `publish` undoes it."""

    def __init__(self, database: Database, clock: Clock, order: Order) -> None:
        self._database = database
        self._clock = clock
        self._order = order
        self._load: Load | None = None
        self._next = 0
        self._pieces = 0
        self._published = False
        self.added = 0

    async def __aenter__(self) -> "Loader":
        now, name = self._clock(), str(uuid4())
        self._load = await self._database.write(
            lambda connection: load_orders.begin(connection, self._order, name, now), heavy=True
        )
        self._next = self._load.first
        return self

    async def __aexit__(self, *_: object) -> None:
        load = self._load
        if load is not None and not self._published:
            await self._database.write(lambda connection: loading.abandon(connection, load), heavy=True)

    async def put(self, texts: Sequence[str], keys: Sequence[str]) -> dict[str, int]:
        """Add codes in this order; of the keys, those that were codes already, with the promotion that has them."""
        taken: dict[str, int] = {}
        for start, stop in self._pieces_of(len(texts)):
            found = await self._put(texts[start:stop], keys[start:stop])
            self._next += stop - start - len(found)
            self.added += stop - start - len(found)
            taken |= found
        return taken

    def _pieces_of(self, count: int) -> Iterator[tuple[int, int]]:
        start = 0
        while start < count:
            stop = min(start + self._database.piece, count)
            yield start, stop
            start = stop

    async def _put(self, texts: Sequence[str], keys: Sequence[str]) -> dict[str, int]:
        load, first = self._claimed(), self._next

        def work(connection: Connection) -> dict[str, int]:
            # Here, and not outside: a store that has threads for heavy work makes the rows in one of them.
            piece = [
                (first + place, key, None if key == text else text)
                for place, (text, key) in enumerate(zip(texts, keys, strict=True))
            ]
            return loading.put(connection, load, piece)

        taken = await self._database.write(work, heavy=True)
        self._pieces += 1
        if self._pieces % _SEEN_EVERY == 0:
            now = self._clock()
            await self._database.write(lambda connection: loading.seen(connection, load, now))
        await self._database.breathe()
        return taken

    async def publish(self, order: Order, report: AddReport) -> Added:
        """Show the codes, and keep the answer for the order's key."""
        load, last, now = self._claimed(), self._next - 1, self._clock()
        added = await self._database.write(
            lambda connection: load_orders.fulfil(connection, load, order, report, last=last, now=now), heavy=True
        )
        self._published = True
        return added

    def _claimed(self) -> Load:
        assert self._load is not None, "a load begins with `async with`"
        return self._load
