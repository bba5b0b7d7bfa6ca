"""Use cases of those who want to know what happened."""

from promograph.domain.events import Event
from promograph.store import events
from promograph.store.database import Database
from promograph.store.events import EventQuery
from promograph.store.listing import Page, Slice


class Happenings:
    """Events, as they were written with what they tell of."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, query: EventQuery, part: Slice) -> Page:
        """`Event`s, the latest first."""
        return await self._database.read(lambda connection: events.page(connection, query, part))

    async def get(self, id_: int) -> Event | None:
        return await self._database.read(lambda connection: events.by_id(connection, id_))
