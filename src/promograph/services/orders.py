"""Orders of shops: what is said of them redeems codes and rolls back, whatever comes twice, late or out of order."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from promograph.domain.clock import Clock
from promograph.domain.orders.fitting import fitting
from promograph.domain.orders.news import OrderNews
from promograph.domain.orders.reports import OrderReport
from promograph.errors import BadInput
from promograph.services.quietly import quietly
from promograph.services.telling import Telling
from promograph.store.databases.database import Connection, Database
from promograph.store.listing import Page, Slice
from promograph.store.orders import files, finding, working
from promograph.store.orders.finding import OrderQuery
from promograph.store.orders.working import Worked

logger = logging.getLogger("promograph.orders")

_AT_ONCE = 200
_FEW = 8  # of them the loop's own thread takes care, as of any small transaction
_LOOK_SECONDS = 10.0
_DROPPED_AT_ONCE = 1_000


class Orders:
    """A sale has happened, so that nothing here is turned down: what cannot be counted is kept, shown, tried again."""

    def __init__(self, database: Database, clock: Clock, telling: Telling) -> None:
        self._database = database
        self._clock = clock
        self._telling = telling
        self._kept: timedelta | None = None

    def keep_for(self, length: timedelta) -> None:
        """Forget orders without a code of ours of which nothing was heard for so long."""
        self._kept = length

    async def report(self, channel: str, news: Sequence[OrderNews]) -> list[OrderReport | None]:
        """How each order stands then, in the order of the news; None for one without a code of ours, or without ids."""
        fit = [_fitting(one) for one in news]
        wanted = [one for one in fit if one is not None]
        reports: list[OrderReport | None] = []
        for start in range(0, len(wanted), _AT_ONCE):
            reports += (await self._hear(channel, wanted[start : start + _AT_ONCE])).reports
        made = iter(reports)
        return [None if one is None else next(made) for one in fit]

    async def retry(self, ids: Sequence[int]) -> list[OrderReport]:
        """Try at once what was refused in these orders; those that are there, in the order of their ids."""
        worked = await self._again(ids)
        return [report for report in worked.reports if report is not None]

    async def retry_due(self) -> int:
        """Try what was refused and is due to be tried again; how many orders that were."""
        now = self._clock()
        count = 0
        while ids := await self._database.read(lambda connection: finding.due(connection, now, most=_AT_ONCE)):
            await self._again(ids)
            count += len(ids)
        return count

    async def serve(self) -> None:
        """Try again what is due, until cancelled."""
        while True:
            await quietly(self.retry_due(), logger, "trying again what was refused in orders")
            await quietly(self.prune(), logger, "forgetting orders without codes")
            await asyncio.sleep(_LOOK_SECONDS)

    async def prune(self) -> int:
        """Forget a thousand at the most of what is old enough; how many."""
        if self._kept is None:
            return 0
        before = self._clock() - self._kept
        if not await self._database.read(lambda connection: files.is_any_passed(connection, before)):
            return 0
        return await self._database.write(
            lambda connection: files.drop_passed(connection, before, most=_DROPPED_AT_ONCE), heavy=True
        )

    async def page(self, query: OrderQuery, part: Slice) -> Page:
        """`OrderReport`s, the latest first."""
        return await self._database.read(lambda connection: finding.page(connection, query, part))

    async def get(self, id_: int) -> OrderReport | None:
        return await self._database.read(lambda connection: finding.by_id(connection, id_))

    async def _hear(self, channel: str, news: Sequence[OrderNews]) -> Worked:
        work = partial(_heard, channel, news, self._clock)
        worked = await self._database.write(work, heavy=len(news) > _FEW)
        self._telling.redeemed(worked.redeemed)
        # In a transaction of its own, since it locks other orders. The news comes again should we crash before it.
        freed = worked.freed
        ids = await self._database.read(lambda connection: finding.refused_uses(connection, freed, most=_AT_ONCE))
        if ids:
            await self._again(ids)
        return worked

    async def _again(self, ids: Sequence[int]) -> Worked:
        now = self._clock()
        worked = await self._database.write(
            lambda connection: working.again(connection, ids, now), heavy=len(ids) > _FEW
        )
        self._telling.redeemed(worked.redeemed)
        return worked


def _heard(channel: str, news: Sequence[OrderNews], clock: Clock, connection: Connection) -> Worked:
    return working.hear(connection, channel, news, clock())


def _fitting(news: OrderNews) -> OrderNews | None:
    try:
        return fitting(news)
    except BadInput as problem:
        logger.warning("an order of the shop %r cannot be told from others: %s", news.shop[:64], problem)
        return None
