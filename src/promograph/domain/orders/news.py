"""What a shop says of an order, in one vocabulary for all shops."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from promograph.domain.carts import Cart, Line, Money


class OrderState(StrEnum):
    """How far an order is, as far as its codes go; of two that are said for one moment the later one counts."""

    WAITING = "WAITING"
    """Placed, and not such yet that its codes count as used: unpaid, where only paid orders count."""

    SOLD = "SOLD"
    """Its codes are used."""

    CANCELLED = "CANCELLED"
    """Nothing became of it: its codes are not used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCode:
    """A code that was entered, whoever's it is, and what it took off, in the smallest unit of the order's currency."""

    code: str
    discount: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """So many of one article. `amount` and `discounts`, which go by code, are the whole line's, with nothing back yet.

    `sku` is None for what is no article and may be given back all the same, such as shipping.
    """

    id: str
    quantity: int
    amount: int
    sku: str | None = None
    brand: str | None = None
    discounts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRefund:
    """What went back at once, under the shop's own `id`: money, or so many of the lines by their ids, or both."""

    id: str
    amount: int = 0
    lines: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStanding:
    """How an order stands. Amounts are in the smallest unit of `currency`; `total` is what the customer pays.

    `name` is what people call it, where that differs from the shop's own id; `sold_at` when it was placed, as of which
    is decided what a clock decides. Without a currency no amount is known.
    """

    state: OrderState
    codes: tuple[OrderCode, ...] = ()
    currency: str | None = None
    total: int | None = None
    lines: tuple[OrderLine, ...] = ()
    shipping: int = 0
    customer: str | None = None
    name: str | None = None
    sold_at: datetime | None = None

    def money(self, minor: int | None) -> Money | None:
        return None if minor is None or self.currency is None else Money(minor=minor, currency=self.currency)

    def cart(self, sales_channel: str) -> Cart | None:
        """As a checkout would have told it."""
        if self.currency is None:
            return None
        lines = (
            Line(id=line.id, sku=line.sku, quantity=line.quantity, amount=line.amount, brand=line.brand)
            for line in self.lines
            if line.sku is not None
        )
        return Cart(
            currency=self.currency,
            lines=tuple(lines),
            shipping=self.shipping,
            sales_channel=sales_channel,
            customer=self.customer,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderNews:
    """What `shop` says of the order with its id `order`, as of `said_at`, in any order and any number of times.

    `standing` is all of it and takes the place of what was said for an earlier moment; None where nothing is said of
    that. `refunds` come on top of what was said of others; the same id is the same refund.
    """

    shop: str
    order: str
    said_at: datetime
    standing: OrderStanding | None = None
    refunds: Sequence[OrderRefund] = ()


def dump_standing(standing: OrderStanding | None) -> dict[str, Any] | None:
    """As plain JSON data, without the customer: whoever keeps it keeps people apart."""
    if standing is None:
        return None
    data = asdict(standing)
    del data["customer"]
    return {**data, "sold_at": standing.sold_at and standing.sold_at.isoformat()}


def load_standing(data: Mapping[str, Any] | None, customer: str | None) -> OrderStanding | None:
    """What `dump_standing` made; not for input from outside."""
    if data is None:
        return None
    return OrderStanding(
        **{
            **data,
            "state": OrderState(data["state"]),
            "codes": tuple(OrderCode(**code) for code in data["codes"]),
            "lines": tuple(OrderLine(**line) for line in data["lines"]),
            "customer": customer,
            "sold_at": data.get("sold_at") and datetime.fromisoformat(data["sold_at"]),
        }
    )
