"""Locking promotions to take from them: the stock row, and the promotion as it is once that is locked.

Both rows in one statement. Whoever changes a promotion locks its stock row first, so a change that came before the lock
is one that PostgreSQL has waited for; it then reads anew the rows that it locks, and no others, which is why the
promotion's row is locked too. Nobody waits for that one alone.
"""

from collections.abc import Iterable

from sqlalchemy import Connection

from promograph.domain.promotions import Promotion
from promograph.store import promotions, stock
from promograph.store.statements import Answer, Statement
from promograph.store.stock import Stock

Locked = tuple[Promotion, Stock]

_BY_ID = Statement(
    f"SELECT {stock.COLUMNS}, {promotions.COLUMNS} FROM @rows(id bigint) r JOIN stock s ON s.promotion_id = r.id "
    "JOIN promotion p ON p.id = s.promotion_id ORDER BY s.promotion_id @lock(s, p)"
)
_LOOK = Statement(
    f"SELECT {stock.COLUMNS}, {promotions.COLUMNS} FROM @rows(id bigint) r JOIN stock s ON s.promotion_id = r.id "
    "JOIN promotion p ON p.id = s.promotion_id"
)
_BY_HANDLE = Statement(
    f"SELECT {stock.COLUMNS}, {promotions.COLUMNS} FROM @rows(handle text) r JOIN promotion p ON p.handle = r.handle "
    "JOIN stock s ON s.promotion_id = p.id ORDER BY s.promotion_id @lock(s, p)"
)


def by_id(connection: Connection, ids: Iterable[int]) -> dict[int, Locked]:
    """By id, locked in the order of ids."""
    return _locked(_BY_ID.fetch(connection, [(id_,) for id_ in sorted(ids)]))


def by_handle(connection: Connection, handles: Iterable[str]) -> dict[int, Locked]:
    """By id too, and in the order of ids, whatever the order of the handles."""
    return _locked(_BY_HANDLE.fetch(connection, [(handle,) for handle in sorted(handles)]))


def look(connection: Connection, ids: Iterable[int]) -> dict[int, Locked]:
    """By id, without a lock."""
    return _locked(_LOOK.fetch(connection, [(id_,) for id_ in ids]))


def _locked(rows: Answer) -> dict[int, Locked]:
    width = stock.WIDTH
    return {row[0]: (promotions.promotion_of(tuple(row[width:])), Stock.of(row[:width])) for row in rows}
