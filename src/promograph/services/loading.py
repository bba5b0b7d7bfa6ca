"""A load: codes put at the end of a promotion's line piece by piece, and shown all at once."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

from promograph.domain.clock import Clock
from promograph.domain.stock.batches import Added, AddReport
from promograph.services.pacing import Pace
from promograph.store import load_orders, loading
from promograph.store.databases.database import Connection, Database
from promograph.store.databases.failures import Unconfirmed
from promograph.store.load_orders import Order
from promograph.store.loading import Load

_SEEN_EVERY = timedelta(seconds=3)
"""Between two signs of life: far less than the minute after which a load counts as dead."""


class Loader:
    """One load into one promotion. Use as `async with`: leaving it without `publish` undoes it."""

    def __init__(self, database: Database, clock: Clock, order: Order) -> None:
        self._database = database
        self._clock = clock
        self._order = order
        self._load: Load | None = None
        self._next = 0
        self._seen_at = clock()
        self._published = False
        self.pace = Pace(database)
        self.added = 0

    async def __aenter__(self) -> "Loader":
        name = str(uuid4())
        beginning = asyncio.create_task(self._begin(name))
        try:
            self._load = await asyncio.shield(beginning)
        except (asyncio.CancelledError, Unconfirmed):
            # It cannot be stopped half-way, and may be done though nobody heard so: what it claims is given back, lest
            # the next load wait for it to look dead.
            await asyncio.shield(asyncio.create_task(self._unclaim(beginning, name)))
            raise
        self._next = self._load.first
        return self

    async def _begin(self, name: str) -> Load:
        now = self._clock()
        return await self._database.write(
            lambda connection: load_orders.begin(connection, self._order, name, now), heavy=True
        )

    async def _unclaim(self, beginning: asyncio.Task[Load], name: str) -> None:
        await asyncio.wait([beginning])
        with suppress(Exception):
            await self._abandon(Load(promotion_id=self._order.promotion_id, loader=name, first=0))

    async def __aexit__(self, *_: object) -> None:
        load = self._load
        if load is not None and not self._published:
            await asyncio.shield(asyncio.create_task(self._abandon(load)))  # however often its caller is told to go

    async def _abandon(self, load: Load) -> None:
        await self._database.write(lambda connection: loading.abandon(connection, load), heavy=True)

    async def put(self, texts: Sequence[str], keys: Sequence[str]) -> dict[str, int]:
        """Add codes in this order; of the keys, those that were codes already, with the promotion that has them."""
        taken: dict[str, int] = {}
        start = 0
        while start < len(texts):
            stop, found = await self._put(texts, keys, start)
            self._next += stop - start - len(found)
            self.added += stop - start - len(found)
            taken |= found
            start = stop
        return taken

    async def _put(self, texts: Sequence[str], keys: Sequence[str], start: int) -> tuple[int, dict[str, int]]:
        """One transaction's worth of them from `start` on: where it stopped, and which keys were codes already."""
        load, database = self._claimed(), self._database

        def work(connection: Connection) -> tuple[int, dict[str, int]]:
            loading.check_held(connection, load)
            taken: dict[str, int] = {}
            stop, number = start, self._next
            while stop < len(texts):
                piece = slice(stop, min(stop + database.piece, len(texts)))
                found = loading.put(connection, load, number, texts[piece], keys[piece])
                number += piece.stop - stop - len(found)
                stop = piece.stop
                taken |= found
                if database.is_wanted:
                    break
            return stop, taken

        with self.pace.working():
            put = await database.write(work, heavy=True)
        await self._be_seen()
        await self.pace.rest()
        return put

    async def _be_seen(self) -> None:
        # By itself: in the transaction above, the mark would keep whoever issues waiting for all of it.
        load, now = self._claimed(), self._clock()
        if now - self._seen_at >= _SEEN_EVERY:
            self._seen_at = now
            await self._database.write(lambda connection: loading.seen(connection, load, now))

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
