"""A load: codes put at the end of a promotion's line piece by piece, and shown all at once."""

from collections.abc import Iterator, Sequence
from uuid import uuid4

from promograph.domain.batches import Added, AddReport
from promograph.domain.clock import Clock
from promograph.store import load_orders, loading
from promograph.store.database import Database
from promograph.store.load_orders import Order
from promograph.store.loading import Load, NewCode

_SEEN_EVERY = 20
"""Pieces between two signs of life: far less than a minute's worth."""


class Loader:
    """One load into one promotion. Use as `async with`: leaving it without `publish` undoes it."""

    def __init__(self, database: Database, clock: Clock, promotion_id: int) -> None:
        self._database = database
        self._clock = clock
        self._promotion_id = promotion_id
        self._load: Load | None = None
        self._next = 0
        self._pieces = 0
        self._published = False
        self.added = 0

    async def __aenter__(self) -> "Loader":
        now, name = self._clock(), str(uuid4())
        self._load = await self._database.write(
            lambda connection: loading.claim(connection, self._promotion_id, name, now), heavy=True
        )
        self._next = self._load.first
        return self

    async def __aexit__(self, *_: object) -> None:
        load = self._load
        if load is not None and not self._published:
            await self._database.write(lambda connection: loading.abandon(connection, load), heavy=True)

    async def existing(self, keys: Sequence[str]) -> dict[str, int]:
        """Of these keys, those that are codes already, with the promotion that has them."""
        return await self._database.read(lambda connection: loading.existing(connection, keys), heavy=True)

    async def put(self, texts: Sequence[str], keys: Sequence[str]) -> int:
        """Add codes that are probably new, in this order; how many were."""
        added = 0
        for start, stop in self._pieces_of(len(texts)):
            piece = [
                (seq, key, None if key == text else text)
                for seq, text, key in zip(
                    range(self._next, self._next + stop - start), texts[start:stop], keys[start:stop], strict=True
                )
            ]
            self._next += len(piece)
            added += await self._put(piece)
        self.added += added
        return added

    def _pieces_of(self, count: int) -> Iterator[tuple[int, int]]:
        start = 0
        while start < count:
            stop = min(start + self._database.piece, count)
            yield start, stop
            start = stop

    async def _put(self, piece: Sequence[NewCode]) -> int:
        load = self._claimed()
        added = await self._database.write(lambda connection: loading.put(connection, load, piece), heavy=True)
        self._pieces += 1
        if self._pieces % _SEEN_EVERY == 0:
            now = self._clock()
            await self._database.write(lambda connection: loading.seen(connection, load, now))
        await self._database.breathe()
        return added

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
