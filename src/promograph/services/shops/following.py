"""Keeping shops in step by themselves: what changes here after a push is pushed too, within seconds."""

import asyncio
import logging
from datetime import timedelta

from promograph.domain.clock import Clock
from promograph.errors import BadInput
from promograph.services.quietly import quietly
from promograph.services.shops import Shops
from promograph.store import promotions
from promograph.store.databases.database import Connection, Database
from promograph.store.shops import pushes

logger = logging.getLogger("promograph.shops")

_LOOK_SECONDS = 5.0
_TRIED_AGAIN = timedelta(hours=1)
"""Where the shop turned us down: somebody may have mended that there."""


class Following:
    """A look at a few numbers of each promotion that was pushed, whatever the number of its codes."""

    def __init__(self, database: Database, clock: Clock, shops: Shops) -> None:
        self._database = database
        self._clock = clock
        self._shops = shops

    async def serve(self) -> None:
        """Where there is a shop, until cancelled."""
        while self._shops.shops:
            await quietly(self.look(), logger, "following promotions in shops")
            await asyncio.sleep(_LOOK_SECONDS)

    async def look(self) -> int:
        """Begin to tell whatever a shop does not know yet; how many jobs that makes."""
        behind = await self._database.read(self._behind)
        begun = 0
        for promotion_id, shop in behind:
            try:
                await self._shops.push(promotion_id, shop, again=False)
                begun += 1
            except BadInput:
                pass  # another server was quicker, or it can be told no more: `pushes` says so
        return begun

    def _behind(self, connection: Connection) -> list[tuple[int, str]]:
        now = self._clock()
        known = [push for push in pushes.resting(connection) if push.shop in self._shops.shops]
        ids = sorted({push.promotion_id for push in known})
        stamps, facts = pushes.stock_stamps(connection, ids, now), promotions.by_id(connection, ids)
        behind = []
        for push in known:
            id_, shop = push.promotion_id, self._shops.shops[push.shop]
            is_due = push.error is not None and push.tried_at is not None and push.tried_at <= now - _TRIED_AGAIN
            if is_due or push.stamp != self._shops.stamp(facts[id_], shop, stamps[id_], now):
                behind.append((id_, push.shop))
        return behind
