"""Use cases of those who send: what became of a message decides what becomes of the tentative codes in it."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from promograph.channels import Capability, Channel, Delivery, DeliveryStatus
from promograph.domain.clock import Clock
from promograph.domain.sending.deliveries import DeliveryState
from promograph.domain.sending.settling import Settled
from promograph.services.telling import Telling
from promograph.store.codes import settling
from promograph.store.databases.database import Connection, Database

_AT_ONCE = 2_000


class Settling:
    """Messages are named by their keys, within a channel: as `IssueRequest.message` and `.channel` named them.

    All of it may be said again and in any order, and of messages without tentative codes, which changes nothing: say
    it before you note that a message is done with, and say it again after a crash. What is decided stays so. A message
    counts as seen where its try ended without an answer (a time-out, a crash while the provider had it): say `seen`.

    | what happened | say |
    |---|---|
    | the channel answered, whatever it answered | `answered` |
    | cancelled, expired or skipped before the channel was handed it | `lost` |
    | a try of it ended without an answer | `seen` |
    | the provider told later (delivered, hard bounce, ...) | nothing: `Inbound` calls `settle` |
    """

    def __init__(self, database: Database, clock: Clock, telling: Telling) -> None:
        self._database = database
        self._clock = clock
        self._telling = telling

    async def answered(self, channel: Channel, deliveries: Sequence[Delivery]) -> Settled:
        """What the channel answered to messages that it was handed.

        ACCEPTED settles a message where the channel hears of nothing later; else its codes stay tentative until the
        provider tells. REFUSED for good: lost. TRY_AGAIN: nothing yet, unless the provider may have taken it all the
        same, which counts as seen. A message that was `maybe_taken` at one try and REFUSED at another was seen, if the
        former is said first.
        """
        hears = Capability.RECEIVE_EVENTS in channel.can
        seen = [
            one.key for one in deliveries if one.maybe_taken or (one.status is DeliveryStatus.ACCEPTED and not hears)
        ]
        lost = [one.key for one in deliveries if one.status is DeliveryStatus.REFUSED]
        return await self._settle(channel.name, seen=seen, lost=lost)

    async def seen(self, channel: str, messages: Iterable[str]) -> Settled:
        """Somebody may have read these: their codes are DELIVERED."""
        return await self._settle(channel, seen=list(messages))

    async def lost(self, channel: str, messages: Iterable[str]) -> Settled:
        """Nobody has read these, nor ever will: their codes go back, as far as no other message carries them."""
        return await self._settle(channel, lost=list(messages))

    async def settle(self, channel: str, states: Mapping[str, DeliveryState]) -> Settled:
        """What providers have told of messages, by key; those that are PENDING stay as they are."""
        seen = [key for key, state in states.items() if state is DeliveryState.DELIVERED]
        lost = [key for key, state in states.items() if state is DeliveryState.FAILED]
        return await self._settle(channel, seen=seen, lost=lost)

    async def _settle(self, channel: str, *, seen: Collection[str] = (), lost: Collection[str] = ()) -> Settled:
        """In transactions of a few thousand messages each; the seen first, so that a message in both was seen."""
        whole = Settled()
        for messages, is_seen in ((list(seen), True), (list(lost), False)):
            for start in range(0, len(messages), _AT_ONCE):
                whole += await self._settle_some(channel, messages[start : start + _AT_ONCE], is_seen=is_seen)
        return whole

    async def _settle_some(self, channel: str, messages: Collection[str], *, is_seen: bool) -> Settled:
        now = self._clock()
        seen, lost = (messages, ()) if is_seen else ((), messages)

        def work(connection: Connection) -> Settled:
            return settling.settle(connection, channel, seen=seen, lost=lost, now=now)

        settled = await self._database.write(work, heavy=True)
        self._telling.returned(settled.returned, now)
        return settled
