"""What webhooks tell of, and in which words: the `data` of each type, as JSON can say it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from promograph.domain.carts import Money
from promograph.domain.events import EventKind
from promograph.domain.issuing import Issuance
from promograph.domain.redeeming import Redemption, Rollback

Data = Mapping[str, Any]
"""Texts, numbers, instants, None, and mappings and lists of these."""


class WebhookType(StrEnum):
    """The types of what webhooks are sent; the values stand in the payload."""

    CODE_ISSUED = "code.issued"
    CODE_REPLACED = "code.replaced"
    CODE_RETURNED = "code.returned"
    CODE_REDEEMED = "code.redeemed"
    REDEMPTION_ROLLED_BACK = "redemption.rolled_back"
    POOL_LOW = "pool.low"
    POOL_EMPTY = "pool.empty"
    POOL_REFILLED = "pool.refilled"
    FALLBACK_ON = "fallback.on"
    PROMOTION_ENDED = "promotion.ended"
    SALE_REFUSED = "sale.refused"
    MESSAGE_DELIVERED = "message.delivered"
    MESSAGE_BOUNCED = "message.bounced"
    WEBHOOK_TEST = "webhook.test"


OF_EVENTS = {
    EventKind.STOCK_LOW: WebhookType.POOL_LOW,
    EventKind.STOCK_EMPTY: WebhookType.POOL_EMPTY,
    EventKind.STOCK_REFILLED: WebhookType.POOL_REFILLED,
    EventKind.FALLBACK_ON: WebhookType.FALLBACK_ON,
    EventKind.PROMOTION_ENDED: WebhookType.PROMOTION_ENDED,
    EventKind.SALE_REFUSED: WebhookType.SALE_REFUSED,
}


@dataclass(frozen=True, slots=True)
class Notice:
    """Something of which every webhook is told that wants its type."""

    type: WebhookType
    happened_at: datetime
    data: Data


def issued(issuance: Issuance) -> Notice:
    data = {
        "promotion": issuance.handle,
        "number": issuance.number,
        "code": issuance.text,
        "customer": issuance.customer,
        "kind": issuance.kind,
        "channel": issuance.channel,
        "send": issuance.send,
        "expiresAt": issuance.expires_at,
    }
    return Notice(WebhookType.CODE_ISSUED, issuance.issued_at, data)


def replaced(old_code: str, issuance: Issuance) -> Notice:
    """`issuance` is of the new code."""
    data = {**issued(issuance).data, "replaces": old_code}
    return Notice(WebhookType.CODE_REPLACED, issuance.issued_at, data)


def returned(promotion: str, number: int, code: str, customer: str, at: datetime) -> Notice:
    data = {"promotion": promotion, "number": number, "code": code, "customer": customer}
    return Notice(WebhookType.CODE_RETURNED, at, data)


def redeemed(redemption: Redemption) -> Notice:
    data = {
        **_use(redemption),
        "orderAmount": _money(redemption.order_amount),
        "discount": _money(redemption.discount),
        "channel": redemption.channel,
    }
    return Notice(WebhookType.CODE_REDEEMED, redemption.redeemed_at, data)


def rolled_back(rollback: Rollback, redemption: Redemption) -> Notice:
    data = {
        **_use(redemption),
        "part": rollback.part,
        "isWhole": rollback.is_whole,
        "amount": _money(rollback.amount),
        "reason": rollback.reason,
    }
    return Notice(WebhookType.REDEMPTION_ROLLED_BACK, rollback.rolled_back_at, data)


def _use(redemption: Redemption) -> dict[str, Any]:
    return {
        "promotion": redemption.handle,
        "number": redemption.number,
        "code": redemption.text,
        "customer": redemption.customer,
        "order": redemption.order,
    }


def _money(money: Money | None) -> Data | None:
    return None if money is None else {"amount": money.amount, "currency": money.currency}
