"""Codes and batches of codes, for staff."""

from datetime import datetime
from typing import Any

import strawberry

from promograph.api.context import Asked
from promograph.api.enums import described
from promograph.api.issuance import Issuance, issuance_node
from promograph.api.money import Money, shown_money
from promograph.api.nodes import Node, global_id
from promograph.api.redemption import Redemption, redemption_node
from promograph.api.rights import WRITE
from promograph.domain.codes.states import CodeStanding, CodeState
from promograph.domain.stock import events as code_events
from promograph.domain.stock.batches import BatchSource, CodeBatch
from promograph.domain.stock.events import CodeEventKind

described(
    CodeEventKind,
    "CodeEventKind",
    "What happened to a code.",
    {
        "ADDED": "It came in, with a batch.",
        "ISSUED": "Somebody was given it.",
        "REPEATED": "Somebody was given it again.",
        "HELD": "A checkout set a use of it aside.",
        "RELEASED": "A checkout gave a hold back.",
        "LAPSED": "A hold's time was over.",
        "REDEEMED": "It was used.",
        "ROLLED_BACK": "A use of it was undone, or a part of it.",
        "BLOCKED": "It was stopped.",
        "UNBLOCKED": "It was let go again.",
        "VOIDED": "It was stopped for good.",
        "REPLACES": "Its customer was given it in the place of another one.",
        "REPLACED": "It was made void, and its customer was given another one in its place.",
        "RETURNED": "It went back to its pool, unseen.",
    },
)


@strawberry.type(description="Something that happened to a code.", directives=WRITE)
class CodeEvent:
    kind: CodeEventKind = strawberry.field(description="What happened.")
    at: datetime = strawberry.field(description="When.")
    customer: str | None = strawberry.field(description="Who it was about, by the caller's own id.")
    order: str | None = strawberry.field(description="The shop's reference of the order.")
    amount: Money | None = strawberry.field(description="The discount that was held, given or taken back.")
    channel: str | None = strawberry.field(description="Where.")
    reason: str | None = strawberry.field(description="Why, where somebody said so.")
    code: str | None = strawberry.field(description="The code that it replaces, or that replaces it.")


@strawberry.type(description="A code and all that happened to it.", directives=WRITE)
class Code(Node):
    place: strawberry.Private[tuple[int, int]]

    text: str = strawberry.field(description="The code as it was added.")
    state: CodeState = strawberry.field(description="Where it is in its life.")
    uses: int = strawberry.field(description="How often it has been used.")
    expires_at: datetime | None = strawberry.field(
        description="When it stops working: the earliest of its own expiry, the promotion's end, and its issue with "
        "`validFor`; none: never."
    )

    @strawberry.field(description="To whom it was given, the latest first; at most the last 100.", directives=WRITE)
    async def issuances(self, info: Asked) -> list[Issuance]:
        return [issuance_node(issuance) for issuance in await info.context.services.lookup.issuances_of(*self.place)]

    @strawberry.field(description="Its uses, the latest first; at most the last 100.", directives=WRITE)
    async def redemptions(self, info: Asked) -> list[Redemption]:
        return [redemption_node(use) for use in await info.context.services.lookup.redemptions_of(*self.place)]

    @strawberry.field(
        description="What happened to it, the latest first; at most the last 100 of each kind.", directives=WRITE
    )
    async def history(self, info: Asked) -> list[CodeEvent]:
        return [shown_event(event) for event in await info.context.services.lookup.history(*self.place)]


@strawberry.type(description="One act of adding codes.", directives=WRITE)
class Batch(Node):
    promotion_id: strawberry.Private[int]
    space: strawberry.Private[int | None]

    source: BatchSource = strawberry.field(description="How the codes came to be.")
    channel: str | None = strawberry.field(description="The channel that they are meant for.")
    size: int = strawberry.field(description="How many codes were added.")
    reverted: int = strawberry.field(description="How many of them were taken back since.")
    created_at: datetime = strawberry.field(description="When they were added.")

    @strawberry.field(
        description="How hard it is to guess a code: `1 in 81962862` says that of so many guesses of this look, one "
        "hits a code that the promotion has now. Only of generated codes.",
        directives=WRITE,
    )
    async def odds(self, info: Asked) -> str | None:
        if self.space is None:
            return None
        found = await info.context.inventory(self.promotion_id)
        assert found is not None, "every promotion has a stock row"
        return shown_odds(self.space // max(found.total, 1))


def code_node(code: CodeStanding, now: datetime) -> Code:
    return Code(
        id=global_id("Code", code.promotion_id, code.seq),
        place=(code.promotion_id, code.seq),
        text=code.text,
        state=code.state(now),
        uses=code.uses,
        expires_at=code.expires_at,
    )


def shown_odds(one_in: int) -> str:
    return f"1 in {one_in}"


def shown_event(event: code_events.CodeEvent) -> CodeEvent:
    return CodeEvent(
        kind=event.kind,
        at=event.at,
        customer=event.customer,
        order=event.order,
        amount=shown_money(event.amount),
        channel=event.channel,
        reason=event.reason,
        code=event.code,
    )


def batch_node(row: Any) -> Batch:
    """From a row of `batch_page`."""
    return Batch(
        id=global_id("Batch", row.id),
        promotion_id=row.promotion_id,
        space=None if "space" not in row.report else int(row.report["space"]),
        source=BatchSource(row.source),
        channel=row.channel,
        size=row.size,
        reverted=row.reverted,
        created_at=row.created_at,
    )


def shown_batch(batch: CodeBatch | None) -> Batch | None:
    if batch is None:
        return None
    return Batch(
        id=global_id("Batch", batch.id),
        promotion_id=batch.promotion_id,
        space=None,  # it was pasted or imported
        source=batch.source,
        channel=batch.channel,
        size=batch.size,
        reverted=0,
        created_at=batch.created_at,
    )
