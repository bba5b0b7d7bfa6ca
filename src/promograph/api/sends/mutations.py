"""What can be done with a send."""

from datetime import datetime
from typing import Any

import strawberry
from strawberry import UNSET

from promograph.api.answering import KEY, Given, answered
from promograph.api.context import Asked
from promograph.api.nodes import read_number
from promograph.api.rights import SENDS
from promograph.api.sends.send import Send, send_node
from promograph.api.templates import MessageContentInput
from promograph.api.user_errors import UserError
from promograph.domain.sending import sends
from promograph.domain.sending.messages import MessageContent
from promograph.domain.sending.sends import MOST_A_SECOND, SendTerms

_PLACES = {part: ("content", part) for part in ("subject", "text", "html")}
_WRONG = "What was wrong; then nothing was changed."
_SEND = "The send; none when something was wrong."
_FALLBACK = (
    "Whether those for whom no code of their own is left are written to: with the promotion's fallback code, or with "
    "the text that stands in for a code. If not, they are passed over."
)
_PROMOTION = "The handle or name of the promotion whose code `{{ promocode }}` is."
_RATE = f"At most so many messages a second, 1 to {MOST_A_SECOND:,}, by all servers together."


@strawberry.input(description="A send to set up. Its message is checked before it is saved.")
class SendCreateInput:
    name: str = strawberry.field(description="The name for people, at most 200 characters.")
    channel: str = strawberry.field(description="The channel that carries its messages: `email` or `sms`.")
    content: MessageContentInput = strawberry.field(description="Its message.")
    audience: strawberry.ID | None = strawberry.field(
        default=None, description="Who it goes to. Left out: to whom `messageTrigger` says, one at a time."
    )
    promotion: str | None = strawberry.field(default=None, description=_PROMOTION)
    key: str | None = strawberry.field(
        default=None,
        description="Under which its codes are issued, booked and compared: of your own choice, at most 128 "
        "characters; made from the name if left out.",
    )
    campaign: str | None = strawberry.field(default=None, description="Your own id of the campaign it belongs to.")
    fallback: bool = strawberry.field(default=True, description=_FALLBACK)
    messages_per_second: int | None = strawberry.field(default=None, description=_RATE)
    start_at: datetime | None = strawberry.field(
        default=None, description="When it is to begin once it is started; left out: at once."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(
    description="Changes of a send. What is left out stays; null takes away. Once it has begun only its name, campaign "
    "and rate change."
)
class SendUpdateInput:
    id: strawberry.ID = strawberry.field(description="The send.")
    name: str | None = strawberry.field(default=UNSET, description="The name for people.")
    channel: str | None = strawberry.field(default=UNSET, description="The channel that carries its messages.")
    content: MessageContentInput | None = strawberry.field(default=UNSET, description="Its message, all of it.")
    audience: strawberry.ID | None = strawberry.field(default=UNSET, description="Who it goes to.")
    promotion: str | None = strawberry.field(default=UNSET, description=_PROMOTION)
    key: str | None = strawberry.field(default=UNSET, description="Under which its codes are issued.")
    campaign: str | None = strawberry.field(default=UNSET, description="Your own id of the campaign it belongs to.")
    fallback: bool | None = strawberry.field(default=UNSET, description=_FALLBACK)
    messages_per_second: int | None = strawberry.field(default=UNSET, description=_RATE)
    start_at: datetime | None = strawberry.field(default=UNSET, description="When it is to begin.")


@strawberry.input(description="Which send to start.")
class SendStartInput:
    id: strawberry.ID = strawberry.field(description="The send.")
    at: datetime | None = strawberry.field(
        default=None, description="When it is to begin; left out: at its own time, or at once."
    )


@strawberry.input(description="Which send to pause.")
class SendPauseInput:
    id: strawberry.ID = strawberry.field(description="The send.")


@strawberry.input(description="Which send to cancel.")
class SendCancelInput:
    id: strawberry.ID = strawberry.field(description="The send.")


@strawberry.type(description="The new send, a draft.", directives=SENDS)
class SendCreatePayload:
    send: Send | None = strawberry.field(description=_SEND)
    user_errors: list[UserError] = strawberry.field(description=_WRONG)


@strawberry.type(description="The send as changed.", directives=SENDS)
class SendUpdatePayload:
    send: Send | None = strawberry.field(description=_SEND)
    user_errors: list[UserError] = strawberry.field(description=_WRONG)


@strawberry.type(description="The send as started.", directives=SENDS)
class SendStartPayload:
    send: Send | None = strawberry.field(description=_SEND)
    user_errors: list[UserError] = strawberry.field(description=_WRONG)


@strawberry.type(description="The send as paused.", directives=SENDS)
class SendPausePayload:
    send: Send | None = strawberry.field(description=_SEND)
    user_errors: list[UserError] = strawberry.field(description=_WRONG)


@strawberry.type(description="The send as cancelled.", directives=SENDS)
class SendCancelPayload:
    send: Send | None = strawberry.field(description=_SEND)
    user_errors: list[UserError] = strawberry.field(description=_WRONG)


@strawberry.type
class SendMutations:
    @strawberry.mutation(
        description="Set up a send: a message, a channel, and who it goes to. Nothing goes before it is started.",
        directives=SENDS,
    )
    async def send_create(self, info: Asked, input: Given[SendCreateInput]) -> SendCreatePayload:
        return SendCreatePayload(**_shown(*await answered(_create(info, input), _PLACES)))

    @strawberry.mutation(description="Change a send.", directives=SENDS)
    async def send_update(self, info: Asked, input: Given[SendUpdateInput]) -> SendUpdatePayload:
        return SendUpdatePayload(**_shown(*await answered(_update(info, input), _PLACES)))

    @strawberry.mutation(
        description="Start a send, now or when its time comes, or go on with one that was paused.", directives=SENDS
    )
    async def send_start(self, info: Asked, input: Given[SendStartInput]) -> SendStartPayload:
        return SendStartPayload(**_shown(*await answered(_start(info, input))))

    @strawberry.mutation(
        description="Pause a send. What is on its way still goes, which is a few hundred messages a server.",
        directives=SENDS,
    )
    async def send_pause(self, info: Asked, input: Given[SendPauseInput]) -> SendPausePayload:
        return SendPausePayload(**_shown(*await answered(_pause(info, input))))

    @strawberry.mutation(
        description="Stop a send for good. What is on its way still goes, and what went stays.", directives=SENDS
    )
    async def send_cancel(self, info: Asked, input: Given[SendCancelInput]) -> SendCancelPayload:
        return SendCancelPayload(**_shown(*await answered(_cancel(info, input))))


async def _create(info: Asked, input: SendCreateInput) -> sends.Send:
    terms = SendTerms(
        key=input.key or "",
        name=input.name,
        channel=input.channel,
        content=_content(input.content),
        audience=None if input.audience is None else read_number(input.audience, "Audience", "audience"),
        promotion=input.promotion,
        campaign=input.campaign,
        fallback=input.fallback,
        rate=input.messages_per_second,
        start_at=input.start_at,
    )
    return await info.context.services.sends.create(terms, key=input.idempotency_key)


async def _update(info: Asked, input: SendUpdateInput) -> sends.Send:
    given: dict[str, Any] = {
        "promotion": input.promotion,
        "campaign": input.campaign,
        "rate": input.messages_per_second,
        "start_at": input.start_at,
    }
    # What a send cannot be without stays where null is given for it.
    needed = {"name": input.name, "channel": input.channel, "key": input.key, "fallback": input.fallback}
    given |= {name: value for name, value in needed.items() if value is not None}
    if input.content:
        given["content"] = _content(input.content)
    if input.audience is not UNSET:
        given["audience"] = None if input.audience is None else read_number(input.audience, "Audience", "audience")
    change = {name: value for name, value in given.items() if value is not UNSET}
    return await info.context.services.sends.update(read_number(input.id, "Send"), change)


async def _start(info: Asked, input: SendStartInput) -> sends.Send:
    started = await info.context.services.sends.start(read_number(input.id, "Send"), input.at)
    info.context.services.dispatcher.wake()
    return started


async def _pause(info: Asked, input: SendPauseInput) -> sends.Send:
    return await info.context.services.sends.pause(read_number(input.id, "Send"))


async def _cancel(info: Asked, input: SendCancelInput) -> sends.Send:
    cancelled = await info.context.services.sends.cancel(read_number(input.id, "Send"))
    info.context.services.dispatcher.wake()
    return cancelled


def _content(input: MessageContentInput) -> MessageContent:
    return MessageContent(subject=input.subject, text=input.text, html=input.html)


def _shown(send: sends.Send | None, errors: list[UserError]) -> dict[str, Any]:
    """The fields of a payload."""
    return {"send": None if send is None else send_node(send), "user_errors": errors}
