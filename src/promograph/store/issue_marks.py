"""Marks of how many codes had been asked for, one a minute: how fast they are issued is the difference of two.

A mark costs the transaction that makes it two small statements, and all others of that minute nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from promograph.domain.stock.forecasting import LONGEST, WINDOWS
from promograph.store.statements import Statement
from promograph.store.stock import Stock
from promograph.store.tables.instants import from_micros, to_micros

_EVERY = 60_000_000
_KEPT = LONGEST // timedelta(microseconds=1) + _EVERY

_NEW = Statement(
    "INSERT INTO issue_mark (promotion_id, marked_at, number, asked) SELECT r.id, :now, r.number, r.asked "
    "FROM @rows(id bigint, number bigint, asked bigint) r"
)
_DROP = Statement(
    "DELETE FROM issue_mark WHERE marked_at < :before AND promotion_id IN (SELECT r.id FROM @rows(id bigint) r)"
)
_SINCE = ", ".join(
    f"(SELECT m.asked FROM issue_mark m WHERE m.promotion_id = r.id AND m.marked_at >= :window_{n} "
    "ORDER BY m.marked_at LIMIT 1)"
    for n in range(len(WINDOWS))
)
_PACES = Statement(
    "SELECT r.id, (SELECT i.issued_at FROM issuance i WHERE i.promotion_id = r.id AND i.number = 1), "
    f"{_SINCE} FROM @rows(id bigint) r"
)


@dataclass(frozen=True, slots=True)
class Pace:
    """When a promotion issued first, and how many codes it was asked for within each window."""

    since: datetime
    asked: Mapping[timedelta, int]


def mark(connection: Connection, stocks: Iterable[Stock], now: int) -> None:
    """Before something is issued of these locked stocks; `now` in microseconds. Save the stocks afterwards."""
    due = [stock for stock in stocks if now - stock.marked_at >= _EVERY]
    if not due:
        return
    _NEW.run(
        connection, [(stock.promotion_id, stock.issuances, stock.issuances - stock.repeats) for stock in due], now=now
    )
    _DROP.run(connection, [(stock.promotion_id,) for stock in due], before=now - _KEPT)
    for stock in due:
        stock.marked_at = now


def paces(connection: Connection, stocks: Sequence[Stock], now: datetime) -> dict[int, Pace]:
    """By promotion, of those that issued anything in the longest window."""
    micros = to_micros(now)
    recent = {stock.promotion_id: stock for stock in stocks if stock.marked_at > micros - _KEPT}
    if not recent:
        return {}
    starts = {f"window_{n}": to_micros(now - window) for n, window in enumerate(WINDOWS)}
    found = {}
    for id_, since, *marks in _PACES.fetch(connection, [(id_,) for id_ in recent], **starts):
        asked = recent[id_].issuances - recent[id_].repeats
        if since is not None:
            counts = (0 if before is None else asked - before for before in marks)
            found[id_] = Pace(from_micros(since), dict(zip(WINDOWS, counts, strict=True)))
    return found
