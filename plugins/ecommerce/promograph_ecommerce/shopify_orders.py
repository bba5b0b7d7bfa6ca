"""Shopify: https://shopify.dev/docs/api/webhooks, topics orders/* and refunds/create.

What an order says is read from its body alone: the topic stands in a header, which nobody has signed.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

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

from .order_source import Told, event, id_of, instant, minor, objects, picked, read, times, whole
from .settings import EcommerceSettings
from .signatures import check_body

_SIGNATURE = "X-Shopify-Hmac-Sha256"
_PAID = frozenset({"paid", "partially_refunded"})
_OF_ORDER = [
    "id",
    "name",
    "created_at",
    "processed_at",
    "updated_at",
    "cancelled_at",
    "financial_status",
    "currency",
    "total_price",
    "test",
]


class ShopifyOrders:
    """A shop at Shopify, whose app has the settings' secret."""

    name = "shopify"

    def __init__(self, settings: EcommerceSettings) -> None:
        self._settings = settings

    def sent(self, request: ProviderRequest) -> bool:
        return request.header(_SIGNATURE) is not None

    def receive(self, request: ProviderRequest) -> list[ProviderEvent]:
        check_body(request, _SIGNATURE, self._settings.shopify_secret, self.name)
        told = read(request.body)
        if "discount_codes" in told and "financial_status" in told:
            kept = self._order(told)
        elif "refund_line_items" in told and told.get("order_id") is not None:
            kept = {"refund": _refund(told), "order": whole(told["order_id"])}
        else:
            return []  # a product, a fulfilment, a cart: whatever else the shop was set up to tell of
        return [event(self.name, id_of(request), kept, request)]

    def news(self, told: Told, said_at: datetime) -> OrderNews | None:
        if "refund" in told:
            return OrderNews(shop=self.name, order=str(told["order"]), said_at=said_at, refunds=[_told_refund(told)])
        if told.get("test") and not self._settings.test_orders:
            return None
        return OrderNews(
            shop=self.name,
            order=str(told["id"]),
            said_at=instant(told.get("updated_at")) or said_at,
            standing=self._standing(told),
            refunds=[_told_refund({"refund": each, "currency": told.get("currency")}) for each in told["refunds"]],
        )

    def listed(self, told: Told, said_at: datetime) -> OrderNews | None:
        """An order as the shop's own list has it, which is how its webhooks tell it."""
        return self.news(self._order(told), said_at)

    def _order(self, told: Told) -> dict[str, Any]:
        if not whole(told.get("id")):
            raise ValueError("an order without an id")
        return picked(told, *_OF_ORDER) | {
            "customer": self._customer(told),
            "discount_codes": [picked(each, "code", "amount") for each in objects(told, "discount_codes")],
            "discount_applications": [picked(each, "type", "code") for each in objects(told, "discount_applications")],
            "line_items": [_line(each) for each in objects(told, "line_items")],
            "shipping_lines": [_line(each) for each in objects(told, "shipping_lines")],
            "refunds": [_refund(each) for each in objects(told, "refunds")],
        }

    def _customer(self, told: Told) -> str | None:
        wanted, found = self._settings.customer, told.get("customer")
        customer = found if isinstance(found, Mapping) else {}
        if wanted == "id":
            return str(customer["id"]) if customer.get("id") else None
        return (customer.get("email") or told.get("email") or None) if wanted == "email" else None

    def _standing(self, told: Told) -> OrderStanding:
        currency = told.get("currency")
        codes = tuple(
            OrderCode(code=str(each["code"]), discount=minor(each.get("amount"), currency))
            for each in told["discount_codes"]
            if each.get("code")
        )
        return OrderStanding(
            state=self._state(told),
            codes=codes,
            currency=currency,
            total=minor(told.get("total_price"), currency),
            lines=tuple(_lines(told, currency)),
            shipping=sum(minor(each.get("price"), currency) or 0 for each in told["shipping_lines"]),
            customer=told.get("customer"),
            name=told.get("name"),
            sold_at=instant(told.get("processed_at")) or instant(told.get("created_at")),
        )

    def _state(self, told: Told) -> OrderState:
        paid = told.get("financial_status")
        if told.get("cancelled_at") or paid == "refunded":
            return OrderState.CANCELLED
        return OrderState.SOLD if self._settings.redeem_when == "created" or paid in _PAID else OrderState.WAITING


def _lines(told: Told, currency: str | None) -> list[OrderLine]:
    """What each line takes off by which code stands in its allocations, which point at the order's applications."""
    codes = [
        each.get("code") if each.get("type") == "discount_code" else None for each in told["discount_applications"]
    ]
    found = []
    for each in told["line_items"]:
        quantity = whole(each.get("quantity"))
        amount = minor(times(each.get("price", 0), quantity), currency)
        sku = str(each.get("sku") or each.get("variant_id") or each.get("id"))
        line = OrderLine(
            id=str(each.get("id")),
            sku=sku,
            quantity=quantity,
            amount=amount or 0,
            brand=each.get("vendor"),
            discounts=_discounts(each, codes, currency),
        )
        found.append(line)
    for each in told["shipping_lines"]:
        discounts = _discounts(each, codes, currency)
        found.append(OrderLine(id=f"shipping-{each.get('id')}", quantity=1, amount=0, discounts=discounts))
    return [line for line in found if line.quantity > 0]


def _discounts(line: Told, codes: list[str | None], currency: str | None) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in line.get("discount_allocations", ()):
        place = whole(each.get("discount_application_index"))
        code = codes[place] if 0 <= place < len(codes) else None
        if code is not None:
            found[code] = found.get(code, 0) + (minor(each.get("amount"), currency) or 0)
    return found


def _line(told: Told) -> dict[str, Any]:
    allocations = objects(told, "discount_allocations")
    return picked(told, "id", "sku", "variant_id", "vendor", "quantity", "price") | {
        "discount_allocations": [picked(each, "amount", "discount_application_index") for each in allocations]
    }


def _refund(told: Told) -> dict[str, Any]:
    return picked(told, "id") | {
        "transactions": [
            picked(each, "kind", "status", "amount", "currency") for each in objects(told, "transactions")
        ],
        "refund_line_items": [picked(each, "line_item_id", "quantity") for each in objects(told, "refund_line_items")],
    }


def _told_refund(told: Told) -> OrderRefund:
    """Money that did go back; where only lines are told of, an order was edited."""
    refund, lines = told["refund"], dict[str, int]()
    for each in refund["refund_line_items"]:
        id_ = str(each.get("line_item_id"))
        lines[id_] = lines.get(id_, 0) + whole(each.get("quantity"))
    amounts = (
        minor(each.get("amount"), each.get("currency") or told.get("currency"))
        for each in refund["transactions"]
        if each.get("kind") == "refund" and each.get("status", "success") == "success"
    )
    return OrderRefund(id=str(refund.get("id")), amount=sum(amount or 0 for amount in amounts), lines=lines)
