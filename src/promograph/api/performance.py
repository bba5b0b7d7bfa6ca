"""How well a promotion does, in the schema."""

from datetime import date

import strawberry

from promograph.api.code import Batch, batch_node
from promograph.api.context import Asked
from promograph.api.enums import described
from promograph.api.money import Money, shown_money
from promograph.api.rights import WRITE
from promograph.domain import carts
from promograph.domain.performing import Amounts, By, Group, Origin

described(
    By,
    "PerformanceBy",
    "What the numbers of a promotion are put in groups by.",
    {
        "CHANNEL": "The channel that issued the code; where none was named, the label of its batch.",
        "BATCH": "The batch of the code.",
        "SEND": "The send that issued the code.",
        "DAY": "The day on which it happened, in the promotion's time zone.",
    },
)
described(
    Origin,
    "PerformanceOrigin",
    "Where the codes of a group come from.",
    {
        "BATCH": "They were added together.",
        "MADE_ON_DEMAND": "Each was made for its customer.",
        "SHARED": "The one code of a SINGLE promotion, or the fallback.",
        "NO_CODE": "The promotion was used without a code.",
    },
)


@strawberry.type(
    description="How well one part of a promotion does; what was rolled back is left out.", directives=WRITE
)
class Performance:
    group: strawberry.Private[Group]

    channel: str | None = strawberry.field(description="By CHANNEL: which; none where nobody named one.")
    send: str | None = strawberry.field(description="By SEND: which; none for what was issued outside of sends.")
    day: date | None = strawberry.field(description="By DAY: which.")
    origin: Origin | None = strawberry.field(description="By BATCH: where its codes come from.")
    issued: int = strawberry.field(
        description="Codes given to customers, of a shared one each time. A code that was used without being issued "
        "(on paper) counts too, except by DAY."
    )
    redeemed: int = strawberry.field(description="Codes used at least once; of a shared one, each use.")
    redemptions: int = strawberry.field(description="Uses.")
    rate: float | None = strawberry.field(description="Redeemed by issued; none where nothing was issued.")
    discount: list[Money] = strawberry.field(description="Discounts given, less what was rolled back, by currency.")
    order_value: list[Money] = strawberry.field(
        description="What the orders were worth, as far as the shop said so, by currency."
    )

    @strawberry.field(description="By BATCH: which, where its codes were added together.", directives=WRITE)
    async def batch(self, info: Asked) -> Batch | None:
        if self.group.batch_id is None:
            return None
        row = await info.context.services.lookup.batch(self.group.batch_id)
        return None if row is None else batch_node(row)


def shown_performance(group: Group, by: By) -> Performance:
    return Performance(
        group=group,
        channel=group.name if by is By.CHANNEL else None,
        send=group.name if by is By.SEND else None,
        day=group.day,
        origin=group.origin,
        issued=group.issued,
        redeemed=group.redeemed,
        redemptions=group.redemptions,
        rate=group.rate,
        discount=_shown(group.discount),
        order_value=_shown(group.order_value),
    )


def _shown(amounts: Amounts) -> list[Money]:
    return [shown_money(carts.Money(minor=minor, currency=currency)) for currency, minor in sorted(amounts.items())]
