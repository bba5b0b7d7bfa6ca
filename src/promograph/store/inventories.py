"""A promotion's numbers, whatever the size of its pool, from one row."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from promograph.domain.promotions import CodeKind, OnEmpty, Promotion, PromotionStatus
from promograph.domain.stock import forecasting
from promograph.domain.stock import levels as stock_levels
from promograph.store import holds, issue_marks, promotions, stock
from promograph.store.issue_marks import Pace
from promograph.store.stock import Stock


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """`total = available + booked + issued + blocked + void`, without a fallback.

    `redeemed` counts codes, `redemptions` uses, `held` open holds. `runs_out_at` is told as of the moment of reading.
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
    low_stock: bool
    runs_out_at: datetime | None


def read(connection: Connection, promotion_ids: Iterable[int], now: datetime) -> dict[int, Inventory]:
    return of(connection, promotions.by_id(connection, list(promotion_ids)), now)


def of(connection: Connection, found: Mapping[int, Promotion], now: datetime) -> dict[int, Inventory]:
    """The numbers of promotions that were read in this transaction, by their ids."""
    stocks = stock.read(connection, list(found))
    holds.leave_out_lapsed(connection, stocks.values(), now)
    draining = [stocks[id_] for id_, promotion in found.items() if _drains(promotion, stocks[id_], now)]
    paces = issue_marks.paces(connection, draining, now)
    return {id_: _inventory(promotion, stocks[id_], paces.get(id_), now) for id_, promotion in found.items()}


def _drains(promotion: Promotion, counters: Stock, now: datetime) -> bool:
    is_active = promotion.status(now) is PromotionStatus.ACTIVE
    return is_active and counters.available > 0 and stock_levels.can_run_out(promotion)


def _inventory(promotion: Promotion, counters: Stock, pace: Pace | None, now: datetime) -> Inventory:
    until = promotion.terms.window.ends_at
    runs_out_at = None
    if pace is not None:
        runs_out_at = forecasting.runs_out_at(counters.available, pace.asked, since=pace.since, now=now, until=until)
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
        low_stock=stock_levels.is_low(promotion, counters.free),
        runs_out_at=runs_out_at,
    )
