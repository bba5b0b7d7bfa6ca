"""Any other shop: a small order event of our own, signed by Standard Webhooks. docs/shops.md shows it."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from promograph import (
    OrderCode,
    OrderLine,
    OrderNews,
    OrderRefund,
    OrderStanding,
    OrderState,
    ProviderEvent,
    ProviderRequest,
)

from .order_source import Told, event, minor
from .settings import EcommerceSettings
from .signatures import check_standard

_TAKEN = ("shopify", "woocommerce")

Amount = Annotated[str, Field(pattern=r"^\d{1,15}(\.\d{1,6})?$", description="A decimal, such as 12.50.")]
Name = Annotated[str, Field(min_length=1, max_length=128)]


class _Told(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", populate_by_name=True)


class Code(_Told):
    """A code that the customer entered; promograph finds out whether it is one of its own."""

    code: Annotated[str, Field(min_length=1, max_length=256)]
    discount: Amount | None = Field(default=None, description="What it took off.")


class Line(_Told):
    """So many of one article, before discounts and with nothing given back."""

    id: Name
    sku: Name
    quantity: Annotated[int, Field(ge=1, le=1_000_000)]
    amount: Amount
    brand: Name | None = None
    discounts: dict[str, Amount] = Field(default={}, description="What each code took off this line.")


class Refund(_Told):
    """What was given back at once."""

    id: Name
    amount: Amount | None = None
    lines: dict[str, Annotated[int, Field(ge=1)]] = Field(default={}, description="How many of which line, by its id.")


class Order(_Told):
    """An order as it stands. Without a `state` nothing is said but that `refunds` were made."""

    order: Name = Field(description="The shop's own id of the order, the same for ever.")
    shop: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")] = Field(
        default="shop", description="Which of your shops, where there are several."
    )
    state: Literal["placed", "paid", "cancelled"] | None = None
    name: Name | None = Field(default=None, description="What people call the order, where that is not its id.")
    placed_at: AwareDatetime | None = None
    customer: Name | None = Field(default=None, description="The customer's id in promograph.")
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = None
    total: Amount | None = Field(default=None, description="What the customer pays.")
    shipping: Amount | None = None
    codes: Annotated[list[Code], Field(max_length=20)] = []
    lines: Annotated[list[Line], Field(max_length=1000)] = []
    refunds: Annotated[list[Refund], Field(max_length=1000)] = Field(
        default=[], description="All of them or the new ones; one that was told before counts once, by its id."
    )


class OrderEvent(_Told):
    """The body of a webhook."""

    type: Literal["order"]
    timestamp: AwareDatetime = Field(description="The moment as of which the order stands like this.")
    data: Order


class AnyShop:
    """Whoever signs with the settings' secret."""

    name = "shop"

    def __init__(self, settings: EcommerceSettings) -> None:
        self._settings = settings

    def sent(self, request: ProviderRequest) -> bool:
        return request.header("webhook-signature") is not None

    def receive(self, request: ProviderRequest) -> list[ProviderEvent]:
        id_ = check_standard(request, self._settings.webhook_secret, self._settings.event_window)
        # ValidationError is a ValueError; its text would quote what was sent.
        told = OrderEvent.model_validate_json(request.body)
        if told.data.shop in _TAKEN:
            raise ValueError("the name of the shop is another one's")
        kept = told.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        if self._settings.customer == "none":
            kept["data"].pop("customer", None)
        return [event(self.name, id_[:128], kept, request)]

    def news(self, told: Told, said_at: datetime) -> OrderNews | None:
        event = OrderEvent.model_validate(told)
        order = event.data
        return OrderNews(
            shop=order.shop,
            order=order.order,
            said_at=event.timestamp,
            standing=None if order.state is None else self._standing(order),
            refunds=[
                OrderRefund(id=each.id, amount=minor(each.amount, order.currency) or 0, lines=each.lines)
                for each in order.refunds
            ],
        )

    def _standing(self, order: Order) -> OrderStanding:
        currency = order.currency
        return OrderStanding(
            state=self._state(order),
            codes=tuple(OrderCode(code=each.code, discount=minor(each.discount, currency)) for each in order.codes),
            currency=currency,
            total=minor(order.total, currency),
            lines=tuple(_line(each, currency) for each in order.lines),
            shipping=minor(order.shipping, currency) or 0,
            customer=order.customer,
            name=order.name,
            sold_at=order.placed_at,
        )

    def _state(self, order: Order) -> OrderState:
        if order.state == "cancelled":
            return OrderState.CANCELLED
        is_sold = order.state == "paid" or self._settings.redeem_when == "created"
        return OrderState.SOLD if is_sold else OrderState.WAITING


def _line(told: Line, currency: str | None) -> OrderLine:
    return OrderLine(
        id=told.id,
        sku=told.sku,
        quantity=told.quantity,
        amount=minor(told.amount, currency) or 0,
        brand=told.brand,
        discounts={code: minor(amount, currency) or 0 for code, amount in told.discounts.items()},
    )
