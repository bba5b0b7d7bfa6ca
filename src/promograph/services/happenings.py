"""Use cases of those who want to know what happened, and how well it went."""

from promograph.domain.clock import Clock
from promograph.domain.events import Event
from promograph.domain.performing import By, Group
from promograph.domain.promotions import Promotion
from promograph.store import events, performance
from promograph.store.databases.database import Database
from promograph.store.events import EventQuery
from promograph.store.listing import Page, Slice


class Happenings:
    """Events as they were written with what they tell of, and sums over what was issued and used."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def page(self, query: EventQuery, part: Slice) -> Page:
        """`Event`s, the latest first."""
        return await self._database.read(lambda connection: events.page(connection, query, part))

    async def get(self, id_: int) -> Event | None:
        return await self._database.read(lambda connection: events.by_id(connection, id_))

    async def performance(self, promotion: Promotion, by: By) -> list[Group]:
        """Every group, all of them of one moment; BadInput (TOO_MANY) where there are over 1,000."""
        now = self._clock()
        return await self._database.snapshot(lambda connection: performance.read(connection, promotion, by, now))
