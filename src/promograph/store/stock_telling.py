"""Events of pools that run low, run dry or are filled, told by the transaction in which it comes about."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from promograph.domain.promotions import Promotion
from promograph.domain.stock.levels import level, to_tell
from promograph.store import events, promotions
from promograph.store.events import NewEvent
from promograph.store.stock import Stock


def tell(connection: Connection, changed: Iterable[tuple[Promotion, Stock]], now: datetime) -> None:
    """Note the levels of locked stocks and write an event for each that is new. Save the stocks afterwards."""
    told: list[NewEvent] = []
    for promotion, stock in changed:
        if not stock.level and stock.available - stock.booked > (promotion.terms.low_stock_threshold or 0):
            continue  # nearly always
        reached = level(promotion, stock.level, stock.free)
        if reached == stock.level:
            continue
        data = {"available": stock.free, "threshold": promotion.terms.low_stock_threshold}
        told += ((kind, promotion.id, data) for kind in to_tell(promotion, stock.level, reached))
        stock.level = int(reached)
    if told:
        events.append(connection, told, now)


def tell_by_id(connection: Connection, changed: Iterable[Stock], now: datetime) -> None:
    """The same where the promotions are yet to be read."""
    stocks = list(changed)
    found = promotions.by_id(connection, [stock.promotion_id for stock in stocks])
    tell(connection, ((found[stock.promotion_id], stock) for stock in stocks), now)
