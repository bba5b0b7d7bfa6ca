"""Use cases of messages: checked before they are saved, shown before they are sent, rendered by the thousand."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypedDict

from promograph.domain.clock import Clock
from promograph.domain.codes.placeholders import Purpose
from promograph.domain.keys import checked_optional
from promograph.domain.people.customers import Customer
from promograph.domain.people.reading import read_customers
from promograph.domain.promotions import Promotion
from promograph.domain.refusals import RefusalCode, refuse
from promograph.domain.sending.messages import (
    CodeAct,
    Medium,
    MessageContent,
    MessagePart,
    TemplateFault,
    TemplateProblem,
    checked_content,
)
from promograph.errors import BadInput, InputProblem
from promograph.services.issuing import MOST_AT_ONCE, Issuing
from promograph.services.sending.filling import Filling, PreparedMessage, Recipient, Rendering
from promograph.services.sending.template_checks import look_up
from promograph.store.databases.database import Connection, Database
from promograph.store.people import attributes
from promograph.store.people.values import dump_attributes, load_attributes
from promograph.templates.facts import Source
from promograph.templates.rendering import MessageTemplate, ReadContent, read_content

_SAMPLE = "sample"

_remembered = lru_cache(maxsize=256)(read_content)

_AT_A_TIME = 100
"""How many messages are rendered before others get a turn: a few milliseconds."""


class _Shared(TypedDict):
    """What the requests of a call have in common."""

    send: str | None
    channel: str | None
    purpose: Purpose
    fallback: bool
    tentative: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDraft:
    """A message somebody writes. `promotion`: the handle or name of the one that it is for, if it is for one."""

    medium: Medium
    content: MessageContent
    promotion: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedMessage:
    """`prepared` is None where there are problems. `asks`: the promotions whose codes it asks for, and how."""

    problems: tuple[TemplateProblem, ...]
    asks: tuple[tuple[Promotion, CodeAct], ...] = ()
    attributes: tuple[str, ...] = ()
    prepared: PreparedMessage | None = None


class Templating:
    """Messages. Reading one costs a few milliseconds and is remembered; its names are looked up each time."""

    def __init__(self, database: Database, clock: Clock, issuing: Issuing) -> None:
        self._database = database
        self._clock = clock
        self._issuing = issuing

    async def check(self, draft: MessageDraft, *, begun: bool = False) -> CheckedMessage:
        """All that is wrong with a message. BadInput for parts that are missing, too many or too long.

        To one that is `begun` it does not matter that a promotion is over: those who have its code get it.
        """
        checked_content(draft.content, draft.medium)
        own = checked_optional(draft.promotion, "promotion", longest=200)
        # In a thread: a large part takes a while to read, and others wait meanwhile.
        read = await asyncio.to_thread(_remembered, draft.content)
        now = self._clock()

        def work(connection: Connection) -> CheckedMessage:
            meaning = look_up(connection, read, own, now)
            problems = read.problems + meaning.problems
            if begun:
                problems = tuple(one for one in problems if one.fault is not TemplateFault.PROMOTION_OVER)
            if problems:
                return CheckedMessage(problems=tuple(sorted(problems, key=_place)))
            handles = {name: promotion.terms.handle for name, promotion in meaning.found.items()}
            template = MessageTemplate(read, constants=meaning.constants, handles=handles)
            by_handle = {promotion.terms.handle: promotion for promotion in meaning.found.values()}
            prepared = PreparedMessage(medium=draft.medium, template=template, promotions=by_handle)
            asks = tuple((by_handle[ask.promotion], ask.act) for ask in dict.fromkeys(template.asks))
            return CheckedMessage(problems=(), asks=asks, attributes=_attributes(read), prepared=prepared)

        return await self._database.read(work)

    async def prepare(self, draft: MessageDraft, *, begun: bool = False) -> PreparedMessage:
        """BadInput with the first problem where there is one."""
        checked = await self.check(draft, begun=begun)
        if checked.prepared is None:
            first = checked.problems[0]
            raise BadInput(
                InputProblem.INVALID,
                f"Line {first.line}: {first.message}",
                field=("content", first.part.value.lower()),
            )
        return checked.prepared

    async def sample(self, told: Mapping[str, Any]) -> Customer:
        """A customer who is made up, told as `people.upsert` takes them, without an id. BadInput for what is wrong."""
        read = read_customers([{**told, "id": _SAMPLE}], await self._database.read(attributes.every))
        for _, problem in read.problems:
            raise BadInput(problem.problem, str(problem), field=("sample", *problem.field))
        (change,) = read.changes
        now = self._clock()
        known = {name: value for name, value in change.get("attributes", {}).items() if value is not None}
        values = load_attributes(dump_attributes(known))
        return Customer(
            id=_SAMPLE,
            email=change.get("email"),
            phone=change.get("phone"),
            locale=change.get("locale"),
            attributes=values,
            created_at=now,
            updated_at=now,
        )

    async def preview(self, prepared: PreparedMessage, customer: Customer, *, has_codes: bool = True) -> Rendering:
        """With placeholders, which no checkout takes; without `has_codes`, as for somebody who gets none."""
        if has_codes:
            recipient = Recipient(customer=customer, message="preview")
            return (await self.render(prepared, [recipient], send="preview", purpose=Purpose.PREVIEW))[0]
        filling = Filling(Recipient(customer=customer, message="preview"))
        filling.codes = dict.fromkeys(prepared.template.asks, refuse(RefusalCode.POOL_EMPTY))
        return filling.rendered(prepared)

    async def render(
        self,
        prepared: PreparedMessage,
        recipients: Sequence[Recipient],
        *,
        send: str | None = None,
        channel: str | None = None,
        purpose: Purpose = Purpose.LIVE,
        fallback: bool = True,
        tentative: bool = False,
    ) -> list[Rendering]:
        """A message each, in their order. The codes of all of them are asked for in one call, and are durable then.

        What a message asks for may depend on the codes that it got: each such step is one more call for all.
        Without `fallback` an empty pool is one where the promotion has a fallback code. `tentative`: name the channel,
        and tell `Settling` what becomes of the messages.
        """
        fillings = [Filling(recipient) for recipient in recipients]
        shared: _Shared = {
            "send": send,
            "channel": channel,
            "purpose": purpose,
            "fallback": fallback,
            "tentative": tentative,
        }
        while wanted := [one async for filling in _in_turn(fillings) for one in filling.wanted(prepared)]:
            # Those that are new come first: the last code of somebody may be one of them.
            for act in (CodeAct.ISSUE, CodeAct.REPEAT):
                asks = [one for one in wanted if one.ask.act is act]
                for start in range(0, len(asks), MOST_AT_ONCE):
                    some = asks[start : start + MOST_AT_ONCE]
                    requests = [one.request(**shared) for one in some]
                    give = self._issuing.issue_many if act is CodeAct.ISSUE else self._issuing.reissue_many
                    for one, outcome in zip(some, await give(requests), strict=True):
                        one.answer(outcome, prepared)
        return [filling.rendered(prepared) async for filling in _in_turn(fillings)]


async def _in_turn(fillings: Sequence[Filling]) -> AsyncIterator[Filling]:
    """One after the other, and now and then the turn of whoever else waits."""
    for place, filling in enumerate(fillings):
        if place % _AT_A_TIME == 0:
            await asyncio.sleep(0)
        yield filling


def _place(problem: TemplateProblem) -> tuple[int, int]:
    return list(MessagePart).index(problem.part), problem.line


def _attributes(read: ReadContent) -> tuple[str, ...]:
    return tuple(fact.name for fact in read.places if fact.source is Source.ATTRIBUTE)
