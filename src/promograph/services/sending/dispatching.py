"""Carrying out sends: any number of server processes, each taking a handful at a time of whatever is to go.

A send goes in two lanes a process: while the messages of one are on their way, those of the other are written.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress

from promograph.channels import MessageChannel
from promograph.domain.clock import Clock
from promograph.domain.people.customers import Customer
from promograph.domain.sending.messages import CodeAct
from promograph.domain.sending.sends import Send, SendStatus
from promograph.errors import BadInput, StoreError
from promograph.services.bookings import Bookings
from promograph.services.jobs.owners import is_gone
from promograph.services.quietly import quietly
from promograph.services.sending.carriers import Carriers
from promograph.services.sending.filling import PreparedMessage
from promograph.services.sending.posting import LEASE, Handful, Posting
from promograph.services.sending.sends import Sends, check_running
from promograph.store import sends
from promograph.store.databases.database import Connection, Database
from promograph.store.people import audiences
from promograph.store.sends import Going, outbox, taking
from promograph.store.sends.taking import Batch, Later, Next, Outcome, Turn

logger = logging.getLogger("promograph.sending")

MOST_IN_HAND = 250
"""How many messages a lane takes at a time: what may come twice after a kill."""

LANES = 2
"""How many handfuls of a send are in hand at a time: one on its way while the next is written."""

_MOST_SENDS = 50
_LOOK_SECONDS = 1.0
_INHERIT_SECONDS = 5.0
_CLOSE_SECONDS = 5.0


class Dispatcher:
    """The sends of one process. `serve` carries out whatever is to go; `work` what is to go now."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        going: Sends,
        carriers: Carriers,
        posting: Posting,
        bookings: Bookings,
    ) -> None:
        self._database = database
        self._clock = clock
        self._bookings = bookings
        self._sends = going
        self._carriers = carriers
        self._posting = posting
        self._carrying: dict[int, asyncio.Task[None]] = {}
        self._woken = asyncio.Event()
        self._is_closing = False
        self.most_in_hand = MOST_IN_HAND

    def wake(self) -> None:
        """There is something to do."""
        self._woken.set()

    async def serve(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        asked_at = -_LOOK_SECONDS
        while not self._is_closing:
            self._woken.clear()
            await quietly(self._look(), logger, "looking for sends")
            # Not whenever a trigger wakes it, which may be many times a second.
            if loop.time() - asked_at >= _LOOK_SECONDS:
                asked_at = loop.time()
                await quietly(self._bookings.release_of_ended(), logger, "giving back what was booked")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), _LOOK_SECONDS)

    async def work(self) -> None:
        """Carry out all that is to go now, to where nothing more can be done before some time has passed."""
        await self._look()
        while self._carrying:
            await asyncio.gather(*self._carrying.values())
        await self._bookings.release_of_ended()

    async def close(self) -> None:
        """Take nothing more; wait a moment for what is on its way, and put back the rest."""
        self._is_closing = True
        self._posting.close()
        tasks = list(self._carrying.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=_CLOSE_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _look(self) -> None:
        now = self._clock()
        for id_ in await self._database.read(lambda connection: sends.at_work(connection, now)):
            if len(self._carrying) >= _MOST_SENDS or self._is_closing:
                return
            if id_ not in self._carrying:
                self._carrying[id_] = task = asyncio.create_task(self._carry(id_))
                task.add_done_callback(lambda _, id_=id_: self._carrying.pop(id_))  # type: ignore[misc]

    async def _carry(self, id_: int) -> None:
        outcomes = [*await asyncio.gather(self._inherit(id_, is_ours_free=True), return_exceptions=True)]
        if outcomes == [None]:
            outcomes = await asyncio.gather(*(self._lane(id_) for _ in range(LANES)), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, StoreError):
                logger.warning("send %s waits for the store: %s", id_, outcome)
            elif isinstance(outcome, Exception):
                logger.error("send %s failed and comes again", id_, exc_info=outcome)

    async def _lane(self, id_: int) -> None:
        """One handful after another, until there is nothing to do for now."""
        loop = asyncio.get_running_loop()
        looked_at = loop.time()
        while not self._is_closing:
            if loop.time() - looked_at > _INHERIT_SECONDS:
                await self._inherit(id_)
                looked_at = loop.time()
            send = await self._sends.get(id_)
            if send is None:
                return
            if send.status is SendStatus.SCHEDULED:
                if not send.is_due(self._clock()):
                    return
                await self._sends.begin(id_)
                continue
            prepared = await self._prepared(send)
            if prepared is None and send.status is not SendStatus.CANCELLED:
                return
            outcome, known = await self._turn(send)
            if outcome.batch is not None:
                await self._work_on(send, outcome.batch, known, prepared)
            elif outcome.later is None or not await self._wait(outcome.later):
                return

    async def _prepared(self, send: Send) -> tuple[PreparedMessage, MessageChannel] | None:
        """What it takes to write and to carry its messages; None where it cannot go on, which it then says."""
        if send.status is not SendStatus.RUNNING:
            return None
        try:
            channel = self._carriers.find(send.terms.channel)
            if channel is None:
                return None  # another server may have it
            checked = await self._sends.message(send, begun=True)
            now = self._clock()
            for promotion, act in checked.asks:
                if act is CodeAct.ISSUE:
                    check_running(promotion, now)
        except BadInput as problem:
            await self._sends.hold_up(send.id, str(problem))
            return None
        assert checked.prepared is not None, "it has no problems"
        return checked.prepared, channel

    async def _turn(self, send: Send) -> tuple[Outcome, Mapping[str, Customer]]:
        """Take what comes next, with those of its recipients who were read for that."""
        turn = Turn(owner=self._posting.owner, most=self.most_in_hand, now=self._clock(), lease=LEASE)

        def look(connection: Connection) -> Next | None:
            going: Going | None = sends.look(connection, send.id)
            audience = send.terms.audience
            if going is None or going.is_read or audience is None or going.status is not SendStatus.RUNNING:
                return None
            found = audiences.by_id(connection, [audience]).get(audience)
            most = taking.at_a_time(send.terms.rate, turn.most)
            return taking.next_of(connection, found, going.reached, most, turn.now)

        # Outside of the transaction that takes: finding the next of a segment may take a while.
        following = await self._database.read(look, heavy=True)
        outcome = await self._database.write(lambda connection: taking.take(connection, send.id, following, turn))
        people = () if following is None else following.people
        return outcome, {id_: customer for id_, customer in people if customer is not None}

    async def _work_on(
        self,
        send: Send,
        batch: Batch,
        known: Mapping[str, Customer],
        prepared: tuple[PreparedMessage, MessageChannel] | None,
    ) -> None:
        if batch.is_cancelled:
            await self._posting.take_back(send, batch.taken)
            return
        if not batch.taken or prepared is None:
            return
        message, channel = prepared
        hand = Handful(
            send=send, taken=batch.taken, known=known, prepared=message, channel=channel, begins_at=batch.begins_at
        )
        await self._posting.post(hand)

    async def _wait(self, later: Later) -> bool:
        """Whether the time was about to come, and has."""
        seconds = (later.at - self._clock()).total_seconds()
        if seconds > _LOOK_SECONDS:
            return False  # it is looked at again
        await asyncio.sleep(max(seconds, 0.0))
        return True

    async def _inherit(self, id_: int, *, is_ours_free: bool = False) -> None:
        """What servers had in hand that are dead is to go next. `is_ours_free`: so is what a lane of ours let go of."""
        owners = await self._database.read(lambda connection: outbox.owners(connection, id_), heavy=True)
        ours = self._posting.owner
        free = [owner for owner in owners if (is_ours_free if owner == ours else is_gone(owner))]
        if free:
            await self._database.write(lambda connection: _leave(connection, id_, free))


def _leave(connection: Connection, id_: int, owners: list[str]) -> None:
    sends.lock(connection, [id_])
    for owner in owners:
        outbox.leave(connection, id_, owner)
