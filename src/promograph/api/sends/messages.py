"""Single messages: triggered, or sent to try a send out."""

from datetime import datetime

import strawberry

from promograph.api.answering import Given, answered
from promograph.api.context import Asked
from promograph.api.enums import described
from promograph.api.nodes import read_number
from promograph.api.rights import SENDS
from promograph.api.user_errors import UserError
from promograph.domain.sending.outbox import MessageStatus
from promograph.services.sending.trials import MOST_ADDRESSES, Tried
from promograph.services.sending.triggering import Triggered, TriggerRequest

described(
    MessageStatus,
    "SendMessageStatus",
    "What has become of a message.",
    {
        "WAITING": "Kept, and about to be sent; or to be tried again.",
        "TAKEN": "A server is at it.",
        "ACCEPTED": "The provider has it.",
        "DELIVERED": "The provider says that it arrived.",
        "BOUNCED": "The provider says that it will not arrive.",
        "REFUSED": "The provider would not take it, or not in a day.",
        "SKIPPED": "There was nothing to send; `why` is a `SendSkipReason`.",
        "CANCELLED": "Taken back before anybody had it.",
    },
)


@strawberry.type(description="A message to one customer.", directives=SENDS)
class SendMessage:
    key: str = strawberry.field(
        description="Under which the channel and its provider know it: the part of an e-mail's Message-ID before the @."
    )
    customer: str = strawberry.field(description="The customer, by your own id.")
    message_key: str = strawberry.field(description="Your own key of it.")
    status: MessageStatus = strawberry.field(description="What has become of it.")
    why: str | None = strawberry.field(description="Why it was skipped, refused, or is tried again.")
    tries: int = strawberry.field(description="How often it was tried.")
    changed_at: datetime = strawberry.field(description="When that was last different.")


@strawberry.input(description="A message to one customer, now.")
class MessageTriggerInput:
    send: strawberry.ID = strawberry.field(description="The send whose message it is: one without an audience.")
    customer: strawberry.ID = strawberry.field(description="The customer, by your own id.")
    message_key: str = strawberry.field(
        description="Your own key of what triggers it, such as an order's number, at most 128 characters: the same key "
        "for the same customer is the same message, with the same code, however often you call."
    )


@strawberry.input(description="Where a send's message is to go to be looked at.")
class SendTestInput:
    id: strawberry.ID = strawberry.field(description="The send.")
    to: list[str] = strawberry.field(description=f"Addresses of its channel, at most {MOST_ADDRESSES}.")
    customer: strawberry.ID | None = strawberry.field(
        default=None, description="As which customer, by your own id; left out: one of whom nothing is known."
    )


@strawberry.type(description="What the provider said of a test.", directives=SENDS)
class SendTestResult:
    to: str = strawberry.field(description="The address.")
    accepted: bool = strawberry.field(description="Whether the provider has taken it.")
    why: str | None = strawberry.field(description="Why not.")


@strawberry.type(description="The message, which is kept; what becomes of it comes later.", directives=SENDS)
class MessageTriggerPayload:
    message: SendMessage | None = strawberry.field(description="The message; none when something was wrong.")
    replayed: bool = strawberry.field(description="Whether it was there already.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was changed.")


@strawberry.type(description="What became of a test.", directives=SENDS)
class SendTestPayload:
    results: list[SendTestResult] = strawberry.field(description="By address, in the order asked.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was sent.")


@strawberry.type
class SendMessageMutations:
    @strawberry.mutation(
        description="Send one message to one customer. It is durable when this answers, and goes at once; the same "
        "call again, or fifty at the same time, is one message with one code.",
        directives=SENDS,
    )
    async def message_trigger(self, info: Asked, input: Given[MessageTriggerInput]) -> MessageTriggerPayload:
        found, errors = await answered(_trigger(info, input))
        if found is None:
            return MessageTriggerPayload(message=None, replayed=False, user_errors=errors)
        return MessageTriggerPayload(message=_shown(found), replayed=found.replayed, user_errors=errors)

    @strawberry.mutation(
        description="Send a send's message to a few addresses, with placeholders that no checkout takes. No code is "
        "used up and nothing is counted.",
        directives=SENDS,
    )
    async def send_test(self, info: Asked, input: Given[SendTestInput]) -> SendTestPayload:
        found, errors = await answered(_test(info, input))
        results = [SendTestResult(to=one.to, accepted=one.accepted, why=one.why) for one in found or ()]
        return SendTestPayload(results=results, user_errors=errors)


async def _trigger(info: Asked, input: MessageTriggerInput) -> Triggered:
    request = TriggerRequest(
        send=read_number(input.send, "Send", "send"), customer=input.customer, message=input.message_key
    )
    return await info.context.services.triggers.trigger(request)


async def _test(info: Asked, input: SendTestInput) -> list[Tried]:
    return await info.context.services.trials.send(read_number(input.id, "Send"), input.to, input.customer)


def _shown(found: Triggered) -> SendMessage:
    message = found.message
    assert message is not None
    return SendMessage(
        key=found.key,
        customer=message.customer,
        message_key=message.trigger_key,
        status=message.status,
        why=message.why,
        tries=message.tries,
        changed_at=message.changed_at,
    )
