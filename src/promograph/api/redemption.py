"""A use of a code, as the schema shows it."""

from datetime import datetime

import strawberry

from promograph.api.context import Asked
from promograph.api.discount import Discount, shown_discount
from promograph.api.money import Money, shown_money
from promograph.api.nodes import Node, global_id
from promograph.api.rights import REDEEMED
from promograph.domain import redeeming


@strawberry.type(description="An undoing of a redemption, all of it or a part.", directives=REDEEMED)
class Rollback:
    amount: Money | None = strawberry.field(description="How much of the discount came back; none: there was none.")
    is_whole: bool = strawberry.field(description="Whether nothing is left of the redemption and its use is back.")
    reason: str | None = strawberry.field(description="Why.")
    rolled_back_at: datetime = strawberry.field(description="When.")


@strawberry.type(description="A use of a promotion, mostly by a code.", directives=REDEEMED)
class Redemption(Node):
    place: strawberry.Private[tuple[int, int]]

    text: str | None = strawberry.field(description="The code, as it was added; none where no code was needed.")
    promotion_handle: str = strawberry.field(description="The handle of the promotion.")
    customer: str | None = strawberry.field(description="Who used it, by the caller's own id.")
    redeemed_at: datetime = strawberry.field(description="When it was used.")
    reported_at: datetime | None = strawberry.field(
        description="When that was reported, of a sale that was reported only later."
    )
    order: str | None = strawberry.field(description="The shop's reference of the order.")
    order_amount: Money | None = strawberry.field(description="What the order came to.")
    discount: Money | None = strawberry.field(description="What was taken off.")
    taken: Discount | None = strawberry.field(description="How a discount that was worked out here is made up.")
    channel: str | None = strawberry.field(description="Where it was used.")

    @strawberry.field(description="What was undone of it, in order.", directives=REDEEMED)
    async def rollbacks(self, info: Asked) -> list[Rollback]:
        return [shown_rollback(one) for one in await info.context.services.lookup.rollbacks_of(*self.place)]


def redemption_node(redemption: redeeming.Redemption) -> Redemption:
    return Redemption(
        id=global_id("Redemption", redemption.promotion_id, redemption.number),
        place=(redemption.promotion_id, redemption.number),
        text=redemption.text,
        promotion_handle=redemption.handle,
        customer=redemption.customer,
        redeemed_at=redemption.redeemed_at,
        reported_at=redemption.reported_at,
        order=redemption.order,
        order_amount=shown_money(redemption.order_amount),
        discount=shown_money(redemption.discount),
        taken=shown_discount(redemption.taken),
        channel=redemption.channel,
    )


def shown_rollback(rollback: redeeming.Rollback) -> Rollback:
    return Rollback(
        amount=shown_money(rollback.amount),
        is_whole=rollback.is_whole,
        reason=rollback.reason,
        rolled_back_at=rollback.rolled_back_at,
    )
