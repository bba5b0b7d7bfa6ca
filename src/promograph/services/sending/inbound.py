"""What providers and shops tell us: kept before they are answered, worked on afterwards, whatever crashes between.

Several server processes share the work; each takes what is due for a while, and what it does not finish comes again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta

from promograph.channels import Channel, Desk, EventChannel, Happening, HappeningKind, OrderChannel
from promograph.channels.provider_events import ProviderEvent, ProviderRequest
from promograph.domain.clock import Clock
from promograph.domain.sending.deliveries import DeliveryEventKind, DeliveryState, delivery_state
from promograph.services.batching import Gatherer
from promograph.services.quietly import quietly
from promograph.services.telling import Telling
from promograph.store import inbound
from promograph.store.databases.database import Database
from promograph.store.inbound import Due, Said

logger = logging.getLogger("promograph.inbound")

_AT_ONCE = 500
_LEASE = timedelta(minutes=2)
_HANDLE_SECONDS = 60.0
_RECEIVE_SECONDS = 5.0
_LOOK_SECONDS = 5.0
_ROUND_SECONDS = 0.1
"""One round begins no sooner after another: what comes meanwhile is worked on together, and a lone event at once."""

_DROPPED_AT_ONCE = 1_000

_TOLD = {
    DeliveryState.DELIVERED: HappeningKind.MESSAGE_DELIVERED,
    DeliveryState.FAILED: HappeningKind.MESSAGE_BOUNCED,
}

Settle = Callable[[str, Mapping[str, DeliveryState]], Awaitable[object]]


class Inbound:
    """`desk_of` gives a channel its desk. `channels` is empty until `connect`."""

    def __init__(self, database: Database, clock: Clock, telling: Telling, desk_of: Callable[[str], Desk]) -> None:
        self._database = database
        self._clock = clock
        self._telling = telling
        self._desk_of = desk_of
        self._channels: Mapping[str, Channel] = {}
        self._settlers: list[Settle] = []
        self._woken = asyncio.Event()
        self._kept: timedelta | None = None
        self._keeper = Gatherer(self._keep)

    def connect(self, channels: Mapping[str, Channel]) -> None:
        """Hear these from now on."""
        self._channels = channels

    def keep_for(self, length: timedelta) -> None:
        """Drop what is done with and older than that. Said again later, it would be worked on again, which is safe."""
        self._kept = length

    def settle_with(self, settle: Settle) -> None:
        """Call `settle` with a channel's name and the states of messages that were told of, by key.

        Here whoever sends makes DELIVERED what was tentative and returns the codes that nobody has seen. It is called
        again with the same, and must stand that; what it raises has the events come again.
        """
        self._settlers.append(settle)

    def channel(self, name: str) -> EventChannel | None:
        """The channel of that name, if it hears anything."""
        channel = self._channels.get(name)
        return channel if isinstance(channel, EventChannel) else None

    async def receive(self, channel: EventChannel, request: ProviderRequest) -> int:
        """Check and keep what a request says; how much of it is new. BadSignature, ValueError as `receive` of the
        channel; TimeoutError where that takes too long.
        """
        understood = asyncio.to_thread(channel.receive, request)
        return await self.keep(channel.name, await asyncio.wait_for(understood, _RECEIVE_SECONDS))

    async def keep(self, channel: str, events: Sequence[ProviderEvent]) -> int:
        """Keep these, to be worked on; how many of them are new."""
        return await self._keeper.submit((channel, events)) if events else 0

    async def _keep(self, said: Sequence[Said]) -> Sequence[int]:
        now = self._clock()
        new = await self._database.write(lambda connection: inbound.keep(connection, said, now))
        if any(new):
            self._woken.set()
        return new

    async def states(self, channel: str, keys: Sequence[str]) -> dict[str, DeliveryState]:
        """What became of messages, by key; those of which nothing was said are PENDING."""
        said = await self._database.read(lambda connection: inbound.kinds_said(connection, channel, keys))
        return {key: delivery_state(said.get(key, ())) for key in keys}

    async def serve(self) -> None:
        """Work on whatever is due, until cancelled."""
        while True:
            next_round = asyncio.get_running_loop().create_task(asyncio.sleep(_ROUND_SECONDS))
            self._woken.clear()
            await quietly(self._work_and_prune(), logger, "working on what channels were told")
            # Else something may have become due, or been left by a process that is dead.
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), _LOOK_SECONDS)
            await next_round

    async def _work_and_prune(self) -> None:
        await self.work()
        await self.prune()

    async def work(self) -> int:
        """Work on all that is due now; how much that was."""
        count = 0
        is_more = True
        while is_more:
            due = await self._take()
            count += len(due)
            for name in sorted({one.channel for one in due}):
                await self._work_on([one for one in due if one.channel == name])
            is_more = len(due) == _AT_ONCE  # else who says more wakes us
        return count

    async def prune(self) -> int:
        """Drop a thousand at the most of what is old enough; how many."""
        if self._kept is None:
            return 0
        before = self._clock() - self._kept
        if not await self._database.read(lambda connection: inbound.are_any_old(connection, before)):
            return 0
        return await self._database.write(
            lambda connection: inbound.prune(connection, before, most=_DROPPED_AT_ONCE), heavy=True
        )

    async def _take(self) -> list[Due]:
        now = self._clock()
        # Most looks find nothing, and need not wait for the lock of who writes.
        if not await self._database.read(lambda connection: inbound.is_any_due(connection, now)):
            return []
        return await self._database.write(
            lambda connection: inbound.take_due(connection, now, most=_AT_ONCE, until=now + _LEASE)
        )

    async def _work_on(self, due: Sequence[Due]) -> None:
        """All of one channel together, and each by itself where that fails: what poisons one hurts it alone."""
        try:
            await self._handle(due)
        except Exception:
            if len(due) > 1:
                for one in due:
                    await self._work_on([one])
                return
            (failed,) = due
            logger.exception("the channel %s: event %s comes again", failed.channel, failed.event.id)
            later = self._clock() + failed.pause
            await self._database.write(lambda connection: inbound.put_off(connection, [failed], later))
            return
        now = self._clock()
        await self._database.write(lambda connection: inbound.done(connection, due, now))

    async def _handle(self, due: Sequence[Due]) -> None:
        name = due[0].channel
        orders = [one.event for one in due if one.event.kind is DeliveryEventKind.ORDER]
        if orders:
            channel = self._channels.get(name)
            if not isinstance(channel, OrderChannel):
                raise LookupError(f"there is no channel {name} that takes orders")
            async with asyncio.timeout(_HANDLE_SECONDS):
                await channel.handle(orders, self._desk_of(name))
        told = {one.event.key: one.event for one in due if one.event.kind is not DeliveryEventKind.ORDER}
        keys = [key for key in told if key is not None]
        if keys:
            states = await self.states(name, keys)
            for settle in self._settlers:
                await settle(name, states)
            self._tell(name, states)

    def _tell(self, channel: str, states: Mapping[str, DeliveryState]) -> None:
        now = self._clock()
        self._telling.put(
            lambda: [
                Happening(kind=_TOLD[state], happened_at=now, channel=channel, message=key)
                for key, state in states.items()
                if state in _TOLD
            ],
            len(states),
        )
