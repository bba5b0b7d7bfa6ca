"""A use of a code, as the schema shows it."""

from datetime import datetime

import strawberry

from promograph.api.money import Money, shown_money
from promograph.api.nodes import Node, global_id
from promograph.api.rights import REDEEMED
from promograph.domain import redeeming


@strawberry.type(description="A use of a code.", directives=REDEEMED)
class Redemption(Node):
    text: str = strawberry.field(description="The code, as it was added.")
    promotion_handle: str = strawberry.field(description="The handle of the promotion.")
    customer: str | None = strawberry.field(description="Who used it, by the caller's own id.")
    redeemed_at: datetime = strawberry.field(description="When it was used.")
    order: str | None = strawberry.field(description="The shop's reference of the order.")
    order_amount: Money | None = strawberry.field(description="What the order came to.")
    discount: Money | None = strawberry.field(description="What the shop took off.")
    channel: str | None = strawberry.field(description="Where it was used.")


def redemption_node(redemption: redeeming.Redemption) -> Redemption:
    return Redemption(
        id=global_id("Redemption", redemption.promotion_id, redemption.number),
        text=redemption.text,
        promotion_handle=redemption.handle,
        customer=redemption.customer,
        redeemed_at=redemption.redeemed_at,
        order=redemption.order,
        order_amount=shown_money(redemption.order_amount),
        discount=shown_money(redemption.discount),
        channel=redemption.channel,
    )
