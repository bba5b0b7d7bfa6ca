"""Locking promotions to take from them: the stock row, and the promotion as it is once that is locked.

Whoever changes a promotion locks its stock row first, and leaves another edition there. So the lock of that row alone
keeps the promotion as it is, and the edition that is read with it says which one that is: most often one that is known.
"""

from collections.abc import Collection, Iterable

from sqlalchemy import Connection

from promograph.domain.promotions import Promotion
from promograph.store import editions, stock
from promograph.store.statements import Statement
from promograph.store.stock import Stock

Locked = tuple[Promotion, Stock]

_BY_HANDLE = Statement(
    f"SELECT {stock.COLUMNS} FROM @rows(handle text) r JOIN promotion p ON p.handle = r.handle "
    "JOIN stock s ON s.promotion_id = p.id ORDER BY s.promotion_id @lock(s)"
)


def by_id(connection: Connection, ids: Iterable[int]) -> dict[int, Locked]:
    """By id, locked in the order of ids."""
    return _with_promotions(connection, stock.lock(connection, sorted(ids)))


def by_handle(connection: Connection, handles: Collection[str]) -> dict[int, Locked]:
    """By id too, and in the order of ids, whatever the order of the handles."""
    rows = _BY_HANDLE.fetch(connection, [(handle,) for handle in sorted(handles)])
    locked = _with_promotions(connection, {row[0]: Stock.of(row) for row in rows})
    # Not those that were given another handle while this waited for their lock.
    return {id_: each for id_, each in locked.items() if each[0].terms.handle in handles}


def look(connection: Connection, ids: Iterable[int]) -> dict[int, Locked]:
    """By id, without a lock."""
    return _with_promotions(connection, stock.read(connection, ids))


def _with_promotions(connection: Connection, stocks: dict[int, Stock]) -> dict[int, Locked]:
    found = editions.promotions_of(connection, {id_: counters.edition for id_, counters in stocks.items()})
    return {id_: (found[id_], counters) for id_, counters in stocks.items()}
