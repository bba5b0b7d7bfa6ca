"""A load: codes put at the end of a promotion's line piece by piece, and shown all at once."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

from promograph.domain.clock import Clock
from promograph.domain.stock.batches import Added, AddReport
from promograph.services.pacing import Pace
from promograph.store import load_orders, loading, pieces
from promograph.store.databases.database import Connection, Database
from promograph.store.databases.failures import Unconfirmed
from promograph.store.load_orders import Order
from promograph.store.loading import Load
from promograph.store.pieces import Codes, Filled

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
        codes = Codes(texts=texts, keys=keys)
        taken: dict[str, int] = {}
        start = 0
        while start < len(keys):
            filled = await self._fill(codes, start)
            self.added += filled.next - self._next
            self._next = filled.next
            taken |= filled.taken
            start = filled.stop
        return taken

    async def _fill(self, codes: Codes, start: int) -> Filled:
        """One transaction's worth of them from `start` on."""
        load, database = self._claimed(), self._database

        def work(connection: Connection) -> Filled:
            loading.check_held(connection, load)
            return pieces.fill(connection, database, load.promotion_id, self._next, codes, start)

        with self.pace.working():
            filled = await database.write(work, heavy=True)
        await self._be_seen()
        await self.pace.rest()
        return filled

    async def _be_seen(self) -> None:
        # By itself: in the transaction above, the mark would keep whoever issues waiting for all of it.
        load, now = self._claimed(), self._clock()
        if now - self._seen_at >= _SEEN_EVERY:
            self._seen_at = now
            await self._database.write(lambda connection: loading.seen(connection, load, now), heavy=True)

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
