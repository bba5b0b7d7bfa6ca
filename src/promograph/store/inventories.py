"""A promotion's numbers, whatever the size of its pool, from one row."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from promograph.domain.promotions import CodeKind, OnEmpty, Promotion, PromotionStatus
from promograph.store import holds, promotions, stock
from promograph.store.stock import Stock


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """`total = available + booked + issued + blocked + void`, without a fallback.

    `redeemed` counts codes, `redemptions` uses, `held` open holds.
    """

    promotion_id: int
    total: int
    available: int
    booked: int
    issued: int
    blocked: int
    void: int
    redeemed: int
    redemptions: int
    held: int
    customers: int
    fallback_issued: int
    fallback_active: bool


def read(connection: Connection, promotion_ids: Iterable[int], now: datetime) -> dict[int, Inventory]:
    ids = list(promotion_ids)
    stocks = stock.read(connection, ids)
    holds.leave_out_lapsed(connection, stocks.values(), now)
    return {
        id_: _inventory(promotion, stocks[id_], now) for id_, promotion in promotions.by_id(connection, ids).items()
    }


def _inventory(promotion: Promotion, counters: Stock, now: datetime) -> Inventory:
    terms = promotion.terms
    gives_fallback = terms.on_empty is OnEmpty.FALLBACK and terms.code_kind is not CodeKind.SINGLE
    return Inventory(
        promotion_id=promotion.id,
        total=counters.total,
        available=counters.free,
        booked=counters.available - counters.free,
        issued=counters.issued,
        blocked=counters.blocked,
        void=counters.void,
        redeemed=counters.redeemed,
        redemptions=counters.redemptions,
        held=counters.holds,
        customers=counters.customers,
        fallback_issued=counters.fallback_issued,
        fallback_active=gives_fallback and counters.free == 0 and promotion.status(now) is PromotionStatus.ACTIVE,
    )
