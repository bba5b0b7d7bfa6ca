"""Use cases of those who look on: numbers, told as they move."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta

from promograph.domain.clock import Clock
from promograph.domain.sending.sends import SendProgress
from promograph.errors import BadInput, InputProblem
from promograph.services.polling import Poller
from promograph.services.sending.sends import Sends
from promograph.store import inventories
from promograph.store.databases.database import Database
from promograph.store.inventories import Inventory

_SECONDS_BETWEEN = 0.3
"""So that nobody is told more than a few times a second, however fast a pool drains."""


class Watching:
    """Streams of values: the first at once, then the newest whenever it has moved. Close a stream to look away."""

    def __init__(self, database: Database, clock: Clock, going: Sends) -> None:
        self._database = database
        self._clock = clock
        self._inventories = Poller(self._read, every=_SECONDS_BETWEEN, moved=_is_worth_telling)
        self._sends = Poller(going.progress, every=_SECONDS_BETWEEN, moved=_has_moved)

    async def inventory(self, promotion_id: int) -> AsyncGenerator[Inventory, None]:
        """The numbers of a promotion by id; BadInput (NOT_FOUND) where there is none."""
        is_there = False
        async with aclosing(self._inventories.watch(promotion_id)) as numbers:
            async for newest in numbers:
                is_there = True
                yield newest
        if not is_there:
            raise BadInput(InputProblem.NOT_FOUND, "No promotion has this id.", field=("promotion",))

    async def send(self, send_id: int) -> AsyncGenerator[SendProgress, None]:
        """How far a send is, by id, to its end; BadInput (NOT_FOUND) where there is none."""
        is_there = False
        async with aclosing(self._sends.watch(send_id)) as states:
            async for newest in states:
                is_there = True
                yield newest
                if newest.is_settled:
                    return
        if not is_there:
            raise BadInput(InputProblem.NOT_FOUND, "No send has this id.", field=("send",))

    async def close(self) -> None:
        await self._inventories.close()
        await self._sends.close()

    async def _read(self, ids: list[int]) -> dict[int, Inventory]:
        now = self._clock()
        return await self._database.read(lambda connection: inventories.read(connection, ids, now))


def _has_moved(given: SendProgress, newest: SendProgress) -> bool:
    return given.counts != newest.counts or given.send.status is not newest.send.status


def _is_worth_telling(given: Inventory, newest: Inventory) -> bool:
    """A forecast moves with the clock, even where nothing else does: by less than a minute it is not worth telling."""
    if replace(newest, runs_out_at=given.runs_out_at) != given:
        return True
    before, after = given.runs_out_at, newest.runs_out_at
    if before is None or after is None:
        return before is not after
    return abs(after - before) >= timedelta(minutes=1)
