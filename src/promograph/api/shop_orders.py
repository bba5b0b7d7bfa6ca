"""Orders that shops have told of, and what became of the codes in them."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from promograph.api.answering import Given, answered
from promograph.api.connections import After, Before, Connection, First, Last, connection_of, slice_of
from promograph.api.context import Asked
from promograph.api.enums import described
from promograph.api.nodes import Node, global_id, read_number
from promograph.api.redemption import Redemption, redemption_node
from promograph.api.rights import WRITE
from promograph.api.user_errors import UserError, kept_error
from promograph.domain.orders.news import OrderState
from promograph.domain.orders.reports import OrderCodeReport, OrderCodeState, OrderReport
from promograph.errors import BadInput, InputProblem
from promograph.store.orders.finding import OrderQuery

_MOST_AT_ONCE = 100

described(
    OrderState,
    "ShopOrderState",
    "How far an order is, as far as its codes go.",
    {
        "WAITING": "Placed, and its codes do not count yet: unpaid, where only paid orders count.",
        "SOLD": "Its codes are used.",
        "CANCELLED": "Cancelled, deleted or refunded in full: its codes are not used.",
    },
)
described(
    OrderCodeState,
    "ShopOrderCodeState",
    "What became of a code in an order.",
    {
        "WAITING": "The order does not count yet.",
        "UNUSED": "The order came to nothing, or dropped the code, before it was redeemed.",
        "REDEEMED": "It is used; what was refunded of it is rolled back.",
        "ROLLED_BACK": "It was used, and all of it is undone.",
        "REFUSED": "The sale has happened, and the use could not be counted: look at `objections`.",
    },
)


@strawberry.type(description="One of our codes in an order.", directives=WRITE)
class ShopOrderCode:
    facts: strawberry.Private[OrderCodeReport]

    code: str = strawberry.field(description="The code, in upper case.")
    state: OrderCodeState = strawberry.field(description="What became of it.")
    objections: list[UserError] = strawberry.field(
        description="Why its use could not be counted; empty unless REFUSED."
    )
    retry_at: datetime | None = strawberry.field(description="When that is tried again by itself.")

    @strawberry.field(description="Its use in this order, one that was rolled back too.", directives=WRITE)
    async def redemption(self, info: Asked) -> Redemption | None:
        if self.facts.redemption is None:
            return None
        found = await info.context.services.lookup.redemption(self.facts.promotion_id, self.facts.redemption)
        return None if found is None else redemption_node(found)


@strawberry.type(description="An order that a shop has told of, and that names a code of ours.", directives=WRITE)
class ShopOrder(Node):
    shop: str = strawberry.field(description="Which shop.")
    order: str = strawberry.field(description="The shop's own id of it.")
    name: str | None = strawberry.field(description="What people call it.")
    channel: str = strawberry.field(description="The channel through which it was told.")
    state: OrderState | None = strawberry.field(description="How far it is; none: only refunds were told of so far.")
    customer: str | None = strawberry.field(description="The customer, as the shop calls them.")
    heard_at: datetime = strawberry.field(description="When it was first heard of.")
    changed_at: datetime = strawberry.field(description="When something was last heard of it, or tried again.")
    codes: list[ShopOrderCode] = strawberry.field(description="Our codes in it.")


@strawberry.input(description="Which orders: all that is given must hold.")
class ShopOrderFilter:
    shop: str | None = strawberry.field(default=None, description="Of this shop.")
    order: str | None = strawberry.field(default=None, description="With this id, or this name.")
    code_state: OrderCodeState | None = strawberry.field(
        default=None, description="With a code in this state: REFUSED are those to look after."
    )


@strawberry.input(description="Orders to try again.")
class ShopOrdersRetryInput:
    orders: list[strawberry.ID] = strawberry.field(description=f"The orders, at most {_MOST_AT_ONCE}.")


@strawberry.type(description="What has come of it.", directives=WRITE)
class ShopOrdersRetryPayload:
    orders: list[ShopOrder] = strawberry.field(description="The orders as they stand now.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was tried.")


@strawberry.type
class ShopOrderQueries:
    @strawberry.field(description="Orders that shops have told of, the latest first.", directives=WRITE)
    async def shop_orders(
        self,
        info: Asked,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Annotated[ShopOrderFilter | None, strawberry.argument(description="Conditions.")] = None,
    ) -> Connection[ShopOrder]:
        part = slice_of(first, after, last, before, list_name="shopOrders")
        wanted = filter or ShopOrderFilter()
        query = OrderQuery(shop=wanted.shop, order=wanted.order, code_state=wanted.code_state)
        return connection_of(await info.context.services.orders.page(query, part), "shopOrders", shop_order_node)


@strawberry.type
class ShopOrderMutations:
    @strawberry.mutation(
        description="Try at once to count what was refused in these orders, after what stood in the way was mended.",
        directives=WRITE,
    )
    async def shop_orders_retry(self, info: Asked, input: Given[ShopOrdersRetryInput]) -> ShopOrdersRetryPayload:
        reports, errors = await answered(_retry(info, input))
        return ShopOrdersRetryPayload(orders=[shop_order_node(one) for one in reports or ()], user_errors=errors)


def shop_order_node(report: OrderReport) -> ShopOrder:
    return ShopOrder(
        id=global_id("ShopOrder", report.id),
        shop=report.shop,
        order=report.order,
        name=report.name,
        channel=report.channel,
        state=report.state,
        customer=report.customer,
        heard_at=report.heard_at,
        changed_at=report.changed_at,
        codes=[_code(code) for code in report.codes],
    )


def _code(code: OrderCodeReport) -> ShopOrderCode:
    return ShopOrderCode(
        facts=code,
        code=code.key,
        state=code.state,
        objections=[kept_error(one.code, one.message, JSON(dict(one.data))) for one in code.objections],
        retry_at=code.retry_at,
    )


async def _retry(info: Asked, input: ShopOrdersRetryInput) -> list[OrderReport]:
    if not 1 <= len(input.orders) <= _MOST_AT_ONCE:
        problem = InputProblem.TOO_MANY if input.orders else InputProblem.REQUIRED
        raise BadInput(problem, f"Name 1 to {_MOST_AT_ONCE} orders.", field=("orders",))
    ids = [read_number(id_, "ShopOrder", "orders") for id_ in input.orders]
    return await info.context.services.orders.retry(ids)
