"""Use cases of sends: set up, started, paused, gone on with, cancelled, looked at."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from promograph.domain.clock import Clock
from promograph.domain.keys import checked_optional
from promograph.domain.people.audiences import Audience
from promograph.domain.promotions import Promotion, PromotionStatus
from promograph.domain.sending.deliveries import DeliveryState
from promograph.domain.sending.messages import CodeAct
from promograph.domain.sending.outbox import read_message_key
from promograph.domain.sending.sends import Send, SendProgress, SendStatus, SendTerms, check_may, checked_terms
from promograph.errors import BadInput, InputProblem
from promograph.services.handles import handle_from
from promograph.services.keyed_writes import Once, write_again
from promograph.services.sending.carriers import Carriers
from promograph.services.sending.templating import CheckedMessage, MessageDraft, Templating
from promograph.store import sends
from promograph.store.databases.database import Connection, Database
from promograph.store.listing import Page, Slice
from promograph.store.people import audience_members, audiences
from promograph.store.sends import Going, outbox, reporting, taking, tallies
from promograph.store.sends.reporting import SentCodes

_LONG_AFTER = ("name", "campaign", "rate")
"""What of a send may change as long as it is not over; all else while it is a draft."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A send that may begin: its promotions, and how many its audience has."""

    promotions: Sequence[int]
    planned: int | None


class Sends:
    """Sends by id. Who carries them out is for `dispatching` to know; `wake` tells it that there is something to do."""

    def __init__(self, database: Database, clock: Clock, templating: Templating, carriers: Carriers) -> None:
        self._database = database
        self._clock = clock
        self._templating = templating
        self._carriers = carriers

    async def create(self, terms: SendTerms, *, key: str | None = None) -> Send:
        """A draft, whose message means something; BadInput with what does not. `key` is the call's idempotency key."""
        checked_optional(key, "idempotencyKey")
        token = secrets.token_hex(8)
        named = replace(terms, key=terms.key or f"{handle_from(terms.name)[:48] or 'send'}-{token[:6]}")
        await self._check(named)
        now = self._clock()
        once = Once(operation="sendCreate", key=key, asked=_asked(terms), now=now, dump=lambda id_: id_, load=int)

        def make(connection: Connection) -> int:
            _check_free(connection, named, None)
            return sends.insert(connection, named, token, now)

        return await write_again(
            self._database, lambda connection: _read(connection, once.answer(connection, lambda: make(connection)))
        )

    async def update(self, id_: int, change: Mapping[str, Any]) -> Send:
        """`change` holds fields of `SendTerms`; what is left out stays. A draft may change as a whole."""
        terms = replace((await self._get(id_)).terms, **change)
        await self._check(terms)
        now = self._clock()

        def work(connection: Connection) -> Send:
            going = _locked(connection, id_)
            if set(change) - set(_LONG_AFTER) or going.send.is_over:
                check_may("change", going.send)
            changed = replace(going.send.terms, **change)
            _check_free(connection, changed, id_)
            sends.update(connection, id_, changed, now)
            return _read(connection, id_)

        return await self._database.write(work)

    async def start(self, id_: int, at: datetime | None = None) -> Send:
        """Begin now, or `at` that time (else the send's own); or go on where it was paused. BadInput."""
        send = await self._get(id_)
        check_may("start", send)
        now = self._clock()
        if at is not None:
            send = replace(send, terms=checked_terms(replace(send.terms, start_at=at)))
        begins = send.terms.start_at
        waits = begins is not None and begins > now and send.started_at is None
        ready = await self._ready(send, begins if waits and begins is not None else now)

        def work(connection: Connection) -> Send:
            going = _locked(connection, id_)
            check_may("start", going.send)
            going.start_at = send.terms.start_at
            going.problem = None
            if waits:
                going.status = SendStatus.SCHEDULED
            else:
                _begin(connection, going, ready, now)
            sends.save(connection, going, now)
            return _read(connection, id_)

        return await self._database.write(work)

    async def begin(self, id_: int) -> None:
        """The time of a SCHEDULED send has come, unless it got a later one meanwhile. Where it may not begin any more
        it is PAUSED, and says why.
        """
        send = await self._get(id_)
        now = self._clock()
        try:
            ready = await self._ready(send, now)
        except BadInput as problem:
            await self.hold_up(id_, str(problem))
            return

        def work(connection: Connection) -> None:
            going = _locked(connection, id_)
            if going.send.is_due(now):
                _begin(connection, going, ready, now)
                sends.save(connection, going, now)

        await self._database.write(work)

    async def hold_up(self, id_: int, problem: str) -> None:
        """Pause a send that cannot go on as things are."""
        now = self._clock()

        def work(connection: Connection) -> None:
            going = _locked(connection, id_)
            if going.status in (SendStatus.SCHEDULED, SendStatus.RUNNING):
                going.status = SendStatus.PAUSED
                going.problem = problem[:500]
                sends.save(connection, going, now)

        await self._database.write(work)

    async def pause(self, id_: int) -> Send:
        """What a server has in hand still goes; nothing else does until it is started again."""

        def act(going: Going, _: datetime, __: Connection) -> None:
            going.status = SendStatus.PAUSED

        return await self._turn("pause", id_, act)

    async def cancel(self, id_: int) -> Send:
        """For good. What a server has in hand still goes; all else is taken back, with the codes that nobody saw."""

        def act(going: Going, now: datetime, connection: Connection) -> None:
            going.problem = None
            taking.finish(connection, going, SendStatus.CANCELLED, now)

        return await self._turn("cancel", id_, act)

    async def get(self, id_: int) -> Send | None:
        return (await self._database.read(lambda connection: sends.by_id(connection, [id_]))).get(id_)

    async def page(self, part: Slice, status: SendStatus | None = None) -> Page:
        return await self._database.read(lambda connection: sends.page(connection, part, status), heavy=True)

    async def progress(self, ids: Sequence[int]) -> dict[int, SendProgress]:
        """By id, those that there are."""

        def work(connection: Connection) -> dict[int, SendProgress]:
            found, counts = sends.by_id(connection, ids), tallies.of(connection, ids)
            return {id_: SendProgress(send=send, counts=counts.get(id_, {})) for id_, send in found.items()}

        return await self._database.read(work)

    async def codes(self, id_: int) -> list[SentCodes]:
        """By promotion, what it gave of codes and what was used of them since."""

        def work(connection: Connection) -> list[SentCodes]:
            going = sends.look(connection, id_)
            return [] if going is None else reporting.codes(connection, going)

        return await self._database.snapshot(work)

    async def heard(self, channel: str, states: Mapping[str, DeliveryState]) -> None:
        """What a channel's provider tells of messages, by their keys; those of others are passed over."""
        named = {key: read for key in states if (read := read_message_key(key)) is not None}
        if not named:
            return
        now = self._clock()

        def work(connection: Connection) -> None:
            ids = sends.by_token(connection, (token for token, _ in named.values()))
            of_sends: dict[int, dict[int, DeliveryState]] = {}
            for key, (token, number) in named.items():
                if token in ids:
                    of_sends.setdefault(ids[token], {})[number] = states[key]
            for id_, going in sends.lock(connection, of_sends).items():
                if going.send.terms.channel == channel:
                    outbox.hear(connection, id_, of_sends[id_], now)

        await self._database.write(work)

    async def message(self, send: Send, *, begun: bool = False) -> CheckedMessage:
        """Its message, ready to be rendered; BadInput (PAUSED promotions too, once it has begun) where it is not."""
        checked = await self._templating.check(draft_of(send.terms), begun=begun)
        if checked.prepared is None:
            first = checked.problems[0]
            raise BadInput(
                InputProblem.STATE,
                f"The message has a problem ({first.part.value.lower()}, line {first.line}): {first.message}",
                field=("content",),
            )
        return checked

    async def _check(self, terms: SendTerms) -> None:
        checked_terms(terms)
        self._carriers.get(terms.channel)
        await self._templating.prepare(draft_of(terms))
        if terms.audience is not None:
            await self._audience(terms.audience)

    async def _ready(self, send: Send, at: datetime) -> Ready:
        """BadInput unless it may begin (or go on) at that time."""
        self._carriers.get(send.terms.channel)
        checked = await self.message(send, begun=send.started_at is not None)
        issued = [promotion for promotion, act in checked.asks if act is CodeAct.ISSUE]
        if send.started_at is None:
            for promotion in issued:
                _check_active(promotion, at)
        planned = None
        if send.terms.audience is not None:
            audience, now = await self._audience(send.terms.audience), self._clock()
            planned = await self._database.read(
                lambda connection: audience_members.count(connection, audience, now), heavy=True
            )
        return Ready(promotions=[promotion.id for promotion in issued], planned=planned)

    async def _audience(self, id_: int) -> Audience:
        found = (await self._database.read(lambda connection: audiences.by_id(connection, [id_]))).get(id_)
        if found is None:
            raise BadInput(InputProblem.NOT_FOUND, "No audience has this id.", field=("audience",))
        return found

    async def _get(self, id_: int) -> Send:
        found = await self.get(id_)
        if found is None:
            raise unknown()
        return found

    async def _turn(self, act: str, id_: int, change: Any) -> Send:
        now = self._clock()

        def work(connection: Connection) -> Send:
            going = _locked(connection, id_)
            check_may(act, going.send)
            change(going, now, connection)
            sends.save(connection, going, now)
            return _read(connection, id_)

        return await self._database.write(work)


def draft_of(terms: SendTerms) -> MessageDraft:
    return MessageDraft(medium=terms.medium, content=terms.content, promotion=terms.promotion)


def unknown() -> BadInput:
    return BadInput(InputProblem.NOT_FOUND, "No send has this id.", field=("id",))


def check_running(promotion: Promotion, now: datetime) -> None:
    """BadInput where it issues nothing for now, though it may again: recipients must not be passed over for that."""
    status = promotion.status(now)
    if status in (PromotionStatus.PAUSED, PromotionStatus.DRAFT, PromotionStatus.SCHEDULED):
        sentence = f"The promotion {promotion.terms.handle!r} is {status}: activate it, then start the send again."
        raise BadInput(InputProblem.STATE, sentence)


def _check_active(promotion: Promotion, at: datetime) -> None:
    status = promotion.status(at)
    if status is not PromotionStatus.ACTIVE:
        sentence = f"The promotion {promotion.terms.handle!r} is {status} then; only an ACTIVE one is there for sends."
        raise BadInput(InputProblem.STATE, sentence)


def _begin(connection: Connection, going: Going, ready: Ready, now: datetime) -> None:
    audience = going.send.terms.audience
    if audience is not None and audiences.lock(connection, audience) is None:
        raise BadInput(InputProblem.NOT_FOUND, "Its audience is not there any more.", field=("audience",))
    going.status = SendStatus.RUNNING
    if going.started_at is None:
        going.started_at = now
        going.planned = ready.planned
    going.paced_to = 0
    taking.note_spans(connection, going, ready.promotions)


def _check_free(connection: Connection, terms: SendTerms, own: int | None) -> None:
    if sends.by_key(connection, [terms.key]).get(terms.key, own) != own:
        raise BadInput(InputProblem.TAKEN, f"Another send has the key {terms.key!r}; choose another.", field=("key",))


def _locked(connection: Connection, id_: int) -> Going:
    found = sends.lock(connection, [id_]).get(id_)
    if found is None:
        raise unknown()
    return found


def _read(connection: Connection, id_: int) -> Send:
    return sends.by_id(connection, [id_])[id_]


def _asked(terms: SendTerms) -> Any:
    at = None if terms.start_at is None else terms.start_at.isoformat()
    content = [terms.content.subject, terms.content.text, terms.content.html]
    return [
        terms.key, terms.name, terms.channel, content, terms.audience, terms.promotion, terms.campaign, terms.fallback,
        terms.rate, at,
    ]  # fmt: skip
