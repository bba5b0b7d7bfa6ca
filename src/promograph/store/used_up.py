"""Promotions that end by themselves, because what they had to give has been given."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from promograph.domain.promotions import EndReason, Promotion, PromotionStatus
from promograph.store import events, promotions
from promograph.store.stock import Stock
from promograph.store.tables.instants import to_micros

_RUNNING = (PromotionStatus.ACTIVE, PromotionStatus.PAUSED)


def end_where_reached(connection: Connection, changed: Iterable[tuple[Promotion, Stock]], now: datetime) -> None:
    """End those whose stock has just reached a cap or the budget, or was just given one that it has reached."""
    for promotion, stock in changed:
        reason = _reached(promotion, stock)
        if reason is not None and promotion.stored_status in _RUNNING:
            promotions.set_status(
                connection, promotion.id, PromotionStatus.ENDED, now=to_micros(now), end_reason=reason
            )
            events.append(connection, [events.ended(promotion.id, reason)], now)


def _reached(promotion: Promotion, stock: Stock) -> EndReason | None:
    terms = promotion.terms
    if terms.budget is not None and stock.spent >= terms.budget.minor:
        return EndReason.BUDGET_SPENT
    if terms.redemption_cap is not None and stock.redemptions >= terms.redemption_cap:
        return EndReason.USE_CAP
    if terms.audience_cap is not None and stock.customers >= terms.audience_cap:
        return EndReason.AUDIENCE_CAP
    return None
