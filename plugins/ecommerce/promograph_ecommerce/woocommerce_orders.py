"""WooCommerce: https://developer.woocommerce.com/docs/apis/rest-api/v3/webhooks/, topics order.*, API version 3.

An order's body is the order as it stands, whatever happened to it; only what was deleted for good is told by its topic.
"""

import re
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

from .order_source import Told, event, id_of, instant, minor, objects, picked, read, whole
from .settings import EcommerceSettings
from .signatures import check_body

_SIGNATURE = "X-WC-Webhook-Signature"
_PING = re.compile(rb"webhook_id=\d+")
"""What a shop says when a webhook is set up: unsigned, and it wants to hear that somebody is there."""

_PAID = frozenset({"processing", "completed"})
_OVER = frozenset({"cancelled", "refunded", "failed", "trash", "checkout-draft", "auto-draft", "draft"})
_OF_ORDER = [
    "id",
    "number",
    "status",
    "currency",
    "date_created_gmt",
    "date_modified_gmt",
    "date_paid_gmt",
    "total",
    "shipping_total",
]
_DELETED = "order.deleted"


class WooCommerceOrders:
    """A shop whose webhooks have the settings' secret."""

    name = "woocommerce"

    def __init__(self, settings: EcommerceSettings) -> None:
        self._settings = settings

    def sent(self, request: ProviderRequest) -> bool:
        return request.header(_SIGNATURE) is not None or bool(_PING.fullmatch(request.body))

    def receive(self, request: ProviderRequest) -> list[ProviderEvent]:
        if _PING.fullmatch(request.body):
            return []
        check_body(request, _SIGNATURE, self._settings.woocommerce_secret, self.name)
        topic, told = request.header("X-WC-Webhook-Topic") or "", read(request.body)
        if not topic.startswith("order."):
            return []
        if not whole(told.get("id")):
            raise ValueError("an order without an id; the webhook's API version should be 3")
        kept = {"id": told["id"]} if topic == _DELETED and "status" not in told else self._order(told)
        return [event(self.name, id_of(request, "X-WC-Webhook-Delivery-ID"), kept, request)]

    def news(self, told: Told, said_at: datetime) -> OrderNews | None:
        if "status" not in told:
            gone = OrderStanding(state=OrderState.CANCELLED)
            return OrderNews(shop=self.name, order=str(told["id"]), said_at=said_at, standing=gone)
        currency = told.get("currency")
        return OrderNews(
            shop=self.name,
            order=str(told["id"]),
            said_at=instant(told.get("date_modified_gmt")) or said_at,
            standing=self._standing(told, currency),
            refunds=[
                OrderRefund(id=str(each.get("id")), amount=abs(minor(each.get("total"), currency) or 0))
                for each in told["refunds"]
            ],
        )

    def listed(self, told: Told, said_at: datetime) -> OrderNews | None:
        """An order as the shop's own list has it, which is how its webhooks tell it."""
        return self.news(self._order(told), said_at)

    def _order(self, told: Told) -> dict[str, Any]:
        money = ("discount", "discount_tax")
        return picked(told, *_OF_ORDER) | {
            "status": str(told.get("status")),
            "customer": self._customer(told),
            "coupon_lines": [picked(each, "code", *money) for each in objects(told, "coupon_lines")],
            "line_items": [
                picked(each, "id", "sku", "product_id", "quantity", "subtotal", "subtotal_tax")
                for each in objects(told, "line_items")
            ],
            "refunds": [picked(each, "id", "total") for each in objects(told, "refunds")],
        }

    def _customer(self, told: Told) -> str | None:
        if self._settings.customer == "id":
            return str(told["customer_id"]) if whole(told.get("customer_id")) else None
        billing = told.get("billing")
        is_wanted = self._settings.customer == "email" and isinstance(billing, dict)
        return billing.get("email") or None if is_wanted and billing else None

    def _standing(self, told: Told, currency: str | None) -> OrderStanding:
        codes = tuple(
            # Both together are what the customer pays less.
            OrderCode(code=str(each["code"]), discount=_sum(each, currency, "discount", "discount_tax"))
            for each in told["coupon_lines"]
            if each.get("code")
        )
        lines = tuple(
            OrderLine(
                id=str(each.get("id")),
                sku=str(each.get("sku") or each.get("product_id") or each.get("id")),
                quantity=whole(each.get("quantity")),
                amount=_sum(each, currency, "subtotal", "subtotal_tax") or 0,
            )
            for each in told["line_items"]
            if whole(each.get("quantity")) > 0
        )
        return OrderStanding(
            state=self._state(told),
            codes=codes,
            currency=currency,
            total=minor(told.get("total"), currency),
            lines=lines,
            shipping=minor(told.get("shipping_total"), currency) or 0,
            customer=told.get("customer"),
            name=told.get("number"),
            sold_at=instant(told.get("date_created_gmt")),
        )

    def _state(self, told: Told) -> OrderState:
        if told["status"] in _OVER:
            return OrderState.CANCELLED
        is_paid = told["status"] in _PAID or bool(told.get("date_paid_gmt"))
        return OrderState.SOLD if is_paid or self._settings.redeem_when == "created" else OrderState.WAITING


def _sum(told: Told, currency: str | None, *names: str) -> int | None:
    found = [amount for name in names if (amount := minor(told.get(name), currency)) is not None]
    return sum(found) if found else None
