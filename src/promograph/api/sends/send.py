"""A send, and how far it is."""

from datetime import datetime

import strawberry

from promograph.api.connections import Connection
from promograph.api.context import Asked
from promograph.api.enums import described
from promograph.api.nodes import Node, global_id
from promograph.api.people.audiences import Audience, audience_node
from promograph.api.rights import SEGMENTS, SENDS
from promograph.domain.sending import sends
from promograph.domain.sending.outbox import ACCEPTED, SkipReason
from promograph.domain.sending.sends import SendStatus

described(
    SendStatus,
    "SendStatus",
    "Where a send is in its life.",
    {
        "DRAFT": "Being written: nothing has gone.",
        "SCHEDULED": "Begins when its time comes.",
        "RUNNING": "Messages go; one without an audience takes what is triggered.",
        "PAUSED": "Nothing goes until it is started again.",
        "DONE": "Everybody in its audience was come to.",
        "CANCELLED": "Stopped for good.",
    },
)
described(
    SkipReason,
    "SendSkipReason",
    "Why somebody in the audience gets no message.",
    {
        "UNKNOWN_CUSTOMER": "Nobody has told of this customer.",
        "NO_ADDRESS": "The channel has no address of theirs.",
        "NO_CONSENT": "They did not agree to be written to there.",
        "POOL_EMPTY": "There was no code left for them.",
        "AUDIENCE_CAP_REACHED": "The promotion had reached all the customers it may.",
        "PROMOTION_INACTIVE": "The promotion had ended.",
        "CODE_STOPPED": "The code that everybody shares was blocked or void.",
        "NOTHING_HELD": "The message repeats a code, and they had none.",
        "NOT_RENDERED": "With what is known of them the message becomes too long, or makes no sense.",
    },
)


@strawberry.type(description="The message of a send; each part is a template.", directives=SENDS)
class SendContent:
    subject: str | None = strawberry.field(description="The subject of an e-mail.")
    text: str | None = strawberry.field(description="The plain text.")
    html: str | None = strawberry.field(description="The same as HTML.")


@strawberry.type(description="How many of an audience were passed over for a reason.", directives=SENDS)
class SendSkipped:
    reason: SkipReason = strawberry.field(description="The reason.")
    count: int = strawberry.field(description="How many.")


@strawberry.type(
    description="How far a send is. Each recipient has one message: recipients = accepted + refused + skipped + "
    "cancelled + open.",
    directives=SENDS,
)
class SendProgress:
    status: SendStatus = strawberry.field(description="Where the send is in its life.")
    problem: str | None = strawberry.field(description="Why it paused by itself, and what would mend it.")
    planned: int | None = strawberry.field(description="How many its audience had when it started.")
    recipients: int = strawberry.field(description="How many of them it has come to.")
    open: int = strawberry.field(description="Messages that are on their way, or wait for another try.")
    accepted: int = strawberry.field(description="Messages that the provider has taken.")
    delivered: int = strawberry.field(description="Of these, those of which it told that they arrived.")
    bounced: int = strawberry.field(description="Of these, those of which it told that they will not arrive.")
    refused: int = strawberry.field(description="Messages that the provider would not take, or not in a day.")
    skipped: int = strawberry.field(description="Recipients who get no message.")
    skipped_because: list[SendSkipped] = strawberry.field(description="The same by reason.")
    cancelled: int = strawberry.field(description="Messages that were taken back when the send was cancelled.")


@strawberry.type(
    description="What a send gave of a promotion's codes, and what was used of them since.", directives=SENDS
)
class SendCodes:
    promotion: str = strawberry.field(description="The promotion's handle.")
    issued: int = strawberry.field(description="Codes of people's own; not those that they had before.")
    fallback: int = strawberry.field(description="How many got the fallback code instead.")
    returned: int = strawberry.field(description="Codes that went back to the pool, as nobody had seen them.")
    redeemed: int = strawberry.field(description="How many of those given have been used.")


@strawberry.type(description="One run of a message through a channel.", directives=SENDS)
class Send(Node):
    facts: strawberry.Private[sends.Send]

    key: str = strawberry.field(description="Under which its codes are issued, booked and compared.")
    name: str = strawberry.field(description="The name for people.")
    status: SendStatus = strawberry.field(description="Where it is in its life.")
    channel: str = strawberry.field(description="The channel that carries its messages.")
    content: SendContent = strawberry.field(description="Its message.")
    promotion: str | None = strawberry.field(
        description="The handle or name of the promotion whose code `{{ promocode }}` is."
    )
    campaign: str | None = strawberry.field(description="Your own id of the campaign that it belongs to.")
    fallback: bool = strawberry.field(
        description="Whether those for whom no code of their own is left are written to: with the promotion's fallback "
        "code, or with the text that stands in for a code."
    )
    messages_per_second: int | None = strawberry.field(description="How fast it may go; none: as fast as it does.")
    start_at: datetime | None = strawberry.field(description="When it is to begin; none: when it is started.")
    created_at: datetime = strawberry.field(description="When it was set up.")
    updated_at: datetime = strawberry.field(description="When it last changed, or got any further.")
    started_at: datetime | None = strawberry.field(description="When it began.")
    finished_at: datetime | None = strawberry.field(description="When it was done, or cancelled.")

    @strawberry.field(
        description="Who it goes to; none where its messages are triggered one by one, or the audience was deleted.",
        directives=SEGMENTS,
    )
    async def audience(self, info: Asked) -> Audience | None:
        id_ = self.facts.terms.audience
        found = None if id_ is None else await info.context.services.audiences.get(id_)
        return None if found is None else audience_node(found)

    @strawberry.field(description="How far it is.", directives=SENDS)
    async def progress(self, info: Asked) -> SendProgress:
        found = await info.context.send_progress(self.facts.id)
        assert found is not None, "sends are kept for ever"
        return shown_progress(found)

    @strawberry.field(description="Its codes, by promotion; counted when asked for.", directives=SENDS)
    async def codes(self, info: Asked) -> list[SendCodes]:
        found = await info.context.services.sends.codes(self.facts.id)
        promotions = [await info.context.promotion(one.promotion_id) for one in found]
        return [
            SendCodes(
                promotion=promotion.terms.handle,
                issued=one.issued,
                fallback=one.fallback,
                returned=one.returned,
                redeemed=one.redeemed,
            )
            for one, promotion in zip(found, promotions, strict=True)
            if promotion is not None
        ]


@strawberry.type(description="One page of the sends.", directives=SENDS)
class SendConnection(Connection[Send]):
    pass


def send_node(send: sends.Send) -> Send:
    terms = send.terms
    return Send(
        id=global_id("Send", send.id),
        facts=send,
        key=terms.key,
        name=terms.name,
        status=send.status,
        channel=terms.channel,
        content=SendContent(subject=terms.content.subject, text=terms.content.text, html=terms.content.html),
        promotion=terms.promotion,
        campaign=terms.campaign,
        fallback=terms.fallback,
        messages_per_second=terms.rate,
        start_at=terms.start_at,
        created_at=send.created_at,
        updated_at=send.updated_at,
        started_at=send.started_at,
        finished_at=send.finished_at,
    )


def shown_progress(progress: sends.SendProgress) -> SendProgress:
    skipped = progress.skipped
    return SendProgress(
        status=progress.send.status,
        problem=progress.send.problem,
        planned=progress.send.planned,
        recipients=progress.send.messages,
        open=progress.count("WAITING", "TAKEN"),
        accepted=progress.count(*ACCEPTED),
        delivered=progress.count("DELIVERED"),
        bounced=progress.count("BOUNCED"),
        refused=progress.count("REFUSED"),
        skipped=sum(skipped.values()),
        skipped_because=[SendSkipped(reason=SkipReason(why), count=count) for why, count in skipped.items()],
        cancelled=progress.count("CANCELLED"),
    )
