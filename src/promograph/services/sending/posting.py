"""A handful of messages on their way: codes asked for in one call, rendered, handed to the channel, written down.

They were taken, durably, before this begins, and what came of them is durable when it ends. Killed in between, they are
taken again: the same codes, since they are the same occasions, and the same keys, since these are their numbers.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from promograph.channels import Delivery, DeliveryStatus, Message, MessageChannel
from promograph.domain.clock import Clock
from promograph.domain.people.audiences import ADDRESSES
from promograph.domain.people.customers import Customer
from promograph.domain.sending.outbox import (
    MOST_TRIES,
    MessageStatus,
    SkipReason,
    message_key,
    pause,
    why_unreached,
)
from promograph.domain.sending.sends import Send
from promograph.errors import StoreError
from promograph.services.jobs.owners import new_owner
from promograph.services.sending.delivering import Handing
from promograph.services.sending.filling import PreparedMessage, Recipient, Rendering
from promograph.services.sending.outcomes import Written, answered, put_back, resting, skipped, why_skipped
from promograph.services.sending.settling import Settling
from promograph.services.sending.templating import Templating
from promograph.store import sends
from promograph.store.databases.database import Connection, Database
from promograph.store.people import customers
from promograph.store.sends import outbox
from promograph.store.sends.outbox import Answer, Taken
from promograph.store.tables.instants import to_micros

T = TypeVar("T")

logger = logging.getLogger("promograph.sending")

LEASE = timedelta(seconds=60)
"""How long a server has messages in hand unless it says that it lives."""

_RENEWED_EVERY = 20.0
_DELIVER_SECONDS = 600.0
_LONGEST_WAIT = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Handful:
    """Messages of one send that this server has in hand; `known`: those of their recipients who were just read."""

    send: Send
    taken: Sequence[Taken]
    known: Mapping[str, Customer]
    prepared: PreparedMessage
    channel: MessageChannel
    begins_at: datetime

    def key(self, taken: Taken) -> str:
        return message_key(self.send.token, taken.number)


class Posting:
    """`owner` is the name under which this server has messages in hand."""

    def __init__(self, database: Database, clock: Clock, templating: Templating, settling: Settling) -> None:
        self._database = database
        self._clock = clock
        self._templating = templating
        self._settling = settling
        self._handing = Handing()
        self.owner = new_owner()

    def close(self) -> None:
        """Hand nothing more over; what no channel has had is there for another server."""
        self._handing.close()

    async def post(self, hand: Handful) -> None:
        """From codes to what came of each message, which is durable then. StoreError where the store is away."""
        await self._renewing(hand, self._post(hand))

    async def take_back(self, send: Send, taken: Sequence[Taken]) -> None:
        """Of a send that was cancelled: codes that nobody can have seen go back, then the messages are over."""
        channel = send.terms.channel
        seen = [message_key(send.token, one.number) for one in taken if one.maybe_seen]
        unseen = [message_key(send.token, one.number) for one in taken if not one.maybe_seen]
        await self._settling.seen(channel, seen)
        await self._settling.lost(channel, unseen)
        answers = [
            Answer(
                number=one.number,
                tries=one.tries,
                status=MessageStatus.CANCELLED,
                codes=one.codes,
                maybe_seen=one.maybe_seen,
            )
            for one in taken
        ]
        await self._keep(send, answers, None)

    async def _post(self, hand: Handful) -> None:
        # Those that a dead server had in hand: whatever is said of them now, it may have sent them.
        await self._settling.seen(hand.channel.name, [hand.key(one) for one in hand.taken if one.maybe_seen])
        unsent, written = await self._each_by_itself(hand)
        deliveries: list[Delivery] = []
        if written:
            wait = (hand.begins_at - self._clock()).total_seconds()
            if wait > 0:
                await asyncio.sleep(wait)
            messages = [one.message for one in written]
            deliveries = await self._handing.deliver(hand.channel, messages, seconds=_DELIVER_SECONDS)
        now = self._clock()
        handed, kept_back = written[: len(deliveries)], written[len(deliveries) :]
        answers = [*unsent, *(answered(one, said, now) for one, said in zip(handed, deliveries, strict=True))]
        answers += [put_back(one, now) for one in kept_back]

        async def note() -> None:
            await self._settle(hand, unsent, handed, deliveries)
            await self._keep(hand.send, answers, resting(deliveries))

        await _when_the_store_is_there(note)

    async def _each_by_itself(self, hand: Handful) -> tuple[list[Answer], list[Written]]:
        """All written out together, and each by itself where that fails: what poisons one hurts it alone."""
        try:
            return await self._write_out(hand)
        except StoreError:
            raise
        except Exception:
            if len(hand.taken) > 1:
                parts = [await self._each_by_itself(replace(hand, taken=[taken])) for taken in hand.taken]
                return [one for unsent, _ in parts for one in unsent], [one for _, written in parts for one in written]
            (taken,) = hand.taken
            logger.exception("send %s: message %s comes again", hand.send.id, taken.number)
            answer = Answer(
                number=taken.number,
                tries=taken.tries,
                status=MessageStatus.WAITING,
                why="Something went wrong inside; the server's log says what.",
                codes=taken.codes,
                due_at=self._clock() + pause(taken.tries, None),
            )
            return [answer], []

    async def _settle(
        self, hand: Handful, unsent: Sequence[Answer], written: Sequence[Written], deliveries: Sequence[Delivery]
    ) -> None:
        """Before the messages are done with, so that a crash in between says it again."""
        given_up = [
            said.key
            for one, said in zip(written, deliveries, strict=True)
            if said.status is DeliveryStatus.TRY_AGAIN and one.taken.tries >= MOST_TRIES and not said.maybe_taken
        ]
        skipped = [
            message_key(hand.send.token, one.number)
            for one in unsent
            if one.codes and one.status is MessageStatus.SKIPPED
        ]
        await self._settling.answered(hand.channel, deliveries)
        await self._settling.lost(hand.channel.name, [*skipped, *given_up])

    async def _keep(self, send: Send, answers: Sequence[Answer], rest: timedelta | None) -> None:
        """Write down what came of them, and how long the send rests."""
        now = self._clock()

        def work(connection: Connection) -> None:
            going = sends.lock(connection, [send.id])[send.id]
            outbox.answer(connection, send.id, answers, owner=self.owner, now=now)
            if rest is not None:
                going.paced_to = max(going.paced_to, to_micros(now + rest))
                sends.save(connection, going, now)

        await self._database.write(work)

    async def _write_out(self, hand: Handful) -> tuple[list[Answer], list[Written]]:
        """Those for whom there is nothing to send, and the messages of all others."""
        people = await self._people(hand)
        passed_over: list[Answer] = []
        wanted: list[tuple[Taken, Customer]] = []
        for taken in hand.taken:
            customer = people.get(taken.customer)
            why = why_unreached(customer, hand.send.terms.channel, ADDRESSES)
            if why is not None or customer is None:
                passed_over.append(skipped(taken, why or SkipReason.UNKNOWN_CUSTOMER, taken.codes))
            else:
                wanted.append((taken, customer))
        recipients = [Recipient(customer=customer, message=hand.key(taken)) for taken, customer in wanted]
        terms = hand.send.terms
        rendered = await self._templating.render(
            hand.prepared,
            recipients,
            send=terms.key,
            channel=terms.channel,
            fallback=terms.fallback,
            tentative=True,
        )
        written = []
        for (taken, customer), one in zip(wanted, rendered, strict=True):
            codes = tuple((issuance.promotion_id, issuance.number) for issuance in one.issuances)
            reason = why_skipped(one, terms.fallback)
            if reason is not None:
                passed_over.append(skipped(taken, reason, codes))
            else:
                written.append(Written(taken, _message(hand, taken, customer, one), codes))
        return passed_over, written

    async def _people(self, hand: Handful) -> Mapping[str, Customer]:
        missing = [taken.customer for taken in hand.taken if taken.customer not in hand.known]
        if not missing:
            return hand.known
        found = await self._database.read(lambda connection: customers.read(connection, missing))
        return {**hand.known, **found}

    async def _renewing(self, hand: Handful, work: Awaitable[T]) -> T:
        """Do it, and say meanwhile that this server lives."""

        async def renew() -> None:
            numbers = [taken.number for taken in hand.taken]
            while True:
                await asyncio.sleep(_RENEWED_EVERY)
                until = self._clock() + LEASE

                def again(connection: Connection, until: datetime = until) -> None:
                    outbox.renew(connection, hand.send.id, numbers, owner=self.owner, until=until)

                with suppress(StoreError):
                    await self._database.write(again)

        renewing = asyncio.create_task(renew())
        try:
            return await work
        finally:
            renewing.cancel()


async def _when_the_store_is_there(note: Callable[[], Awaitable[None]]) -> None:
    """What a provider has taken must be written down, however long the store is away: else it would go again."""
    seconds = 0.1
    while True:
        try:
            await note()
            return
        except StoreError as failure:
            logger.warning("what became of messages waits for the store: %s", failure)
        await asyncio.sleep(seconds)
        seconds = min(seconds * 2, _LONGEST_WAIT)


def _message(hand: Handful, taken: Taken, customer: Customer, one: Rendering) -> Message:
    assert one.message is not None
    return Message(
        key=hand.key(taken),
        to=getattr(customer, ADDRESSES[hand.send.terms.channel]),
        text=one.message.text or "",
        subject=one.message.subject,
        html=one.message.html,
    )
