"""Looking one thing up, for staff."""

from dataclasses import replace
from typing import Any

from promograph.domain.clock import Clock
from promograph.domain.codes import normalise
from promograph.domain.codes.states import CodeStanding, CodeState
from promograph.domain.decisions import SHARED_SEQ
from promograph.domain.issuing import Issuance
from promograph.domain.redeeming import Redemption, Rollback
from promograph.domain.stock.events import CodeEvent
from promograph.domain.storable import is_storable
from promograph.store import histories, listing, rolling_back
from promograph.store.codes import events as code_events
from promograph.store.databases.database import Database


class Lookup:
    """Codes, by their text or by their place (promotion and number there), and what happened to them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def code(self, text: str) -> CodeStanding | None:
        key = normalise(text)
        if not is_storable(key):
            return None
        return await self._database.read(lambda connection: histories.by_key(connection, key))

    async def code_at(self, promotion_id: int, seq: int) -> CodeStanding | None:
        return await self._database.read(lambda connection: histories.by_place(connection, promotion_id, seq))

    async def state_of(self, promotion_id: int, seq: int) -> CodeState | None:
        """Of a code that somebody was given: a shared one is not used up by others."""
        found = await self.code_at(promotion_id, seq)
        if found is None:
            return None
        return (replace(found, uses=0) if seq == SHARED_SEQ else found).state(self._clock())

    async def issuances_of(self, promotion_id: int, seq: int) -> list[Issuance]:
        return await self._database.read(lambda connection: histories.issuances_of(connection, promotion_id, seq))

    async def redemptions_of(self, promotion_id: int, seq: int) -> list[Redemption]:
        return await self._database.read(lambda connection: histories.redemptions_of(connection, promotion_id, seq))

    async def issuance(self, promotion_id: int, number: int) -> Issuance | None:
        return await self._database.read(lambda connection: histories.issuance_at(connection, promotion_id, number))

    async def redemption(self, promotion_id: int, number: int) -> Redemption | None:
        place = (promotion_id, number)
        found = await self._database.read(lambda connection: histories.redemptions_at(connection, [place]))
        return found.get(place)

    async def rollbacks_of(self, promotion_id: int, number: int) -> list[Rollback]:
        """Of a redemption, in their order."""
        place = (promotion_id, number)
        found = await self._database.read(lambda connection: rolling_back.rollbacks_of(connection, [place]))
        return found[place]

    async def history(self, promotion_id: int, seq: int) -> list[CodeEvent]:
        """What happened to a code, the latest first, at most the last 100 of each kind."""
        now = self._clock()
        return await self._database.read(lambda connection: code_events.read(connection, promotion_id, seq, now))

    async def batch(self, id_: int) -> Any:
        """A row of `store.listing.batch_page`, or None."""
        return await self._database.read(lambda connection: listing.batch_row(connection, id_))
