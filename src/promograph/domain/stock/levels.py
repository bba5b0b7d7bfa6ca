"""How full a pool is, as far as it has been told: each level is told once, until there is enough again.

Between low and enough a pool may fill and drain as it likes (codes come back from messages that bounced) without
being told anew: that is what a threshold is for.
"""

from enum import IntEnum

from promograph.domain.events import EventKind
from promograph.domain.promotions import CodeKind, OnEmpty, Promotion, PromotionStatus


class StockLevel(IntEnum):
    """The lowest that was told since there was enough."""

    ENOUGH = 0
    LOW = 1
    EMPTY = 2
    FALLBACK = 3


_TOLD = {
    StockLevel.LOW: EventKind.STOCK_LOW,
    StockLevel.EMPTY: EventKind.STOCK_EMPTY,
    StockLevel.FALLBACK: EventKind.FALLBACK_ON,
}


def can_run_out(promotion: Promotion) -> bool:
    """A code for everybody never does, nor a pool that makes its codes as they are needed."""
    terms = promotion.terms
    return terms.code_kind is not CodeKind.SINGLE and terms.on_empty is not OnEmpty.GENERATE


def is_low(promotion: Promotion, available: int) -> bool:
    threshold = promotion.terms.low_stock_threshold
    return threshold is not None and can_run_out(promotion) and available <= threshold


def level(promotion: Promotion, told: int, available: int) -> StockLevel:
    """The level once what has come about is told. Drafts are being filled, and what has ended needs no codes."""
    if promotion.stored_status in (PromotionStatus.ENDED, PromotionStatus.ARCHIVED):
        return StockLevel(told)
    if promotion.stored_status is PromotionStatus.DRAFT or not can_run_out(promotion):
        return StockLevel.ENOUGH
    if available > (promotion.terms.low_stock_threshold or 0):
        return StockLevel.ENOUGH
    if available:
        return max(StockLevel(told), StockLevel.LOW)
    now = StockLevel.FALLBACK if promotion.terms.on_empty is OnEmpty.FALLBACK else StockLevel.EMPTY
    return max(StockLevel(told), now)


def to_tell(promotion: Promotion, told: int, now: StockLevel) -> list[EventKind]:
    """The events from one level to another, in order."""
    if now < told:
        return [EventKind.STOCK_REFILLED] if can_run_out(promotion) else []
    has_threshold = promotion.terms.low_stock_threshold is not None
    return [
        kind for reached, kind in _TOLD.items() if told < reached <= now and (reached > StockLevel.LOW or has_threshold)
    ]
