"""A promotion's counters: read, locked, written back."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection

from promograph.store.statements import Statement


@dataclass(slots=True)
class Stock:
    """One row of `stock`; whoever holds its lock may change the counters and `save` them."""

    promotion_id: int
    head: int
    tail: int
    made: int
    available: int
    issued: int
    blocked: int
    redeemed: int
    issuances: int
    fallback_issued: int
    customers: int
    redemptions: int
    redemption_number: int
    hold_number: int
    holds: int
    spent: int
    held: int

    @property
    def total(self) -> int:
        """Every code but a fallback is in one of the three."""
        return self.available + self.issued + self.blocked


_COUNTERS = [field.name for field in fields(Stock)]
COLUMNS = ", ".join(f"s.{name}" for name in _COUNTERS)
"""What a `Stock` is made of, in its order, of a table with the alias `s`."""

WIDTH = len(_COUNTERS)
_MARK = "@rows(" + ", ".join(f"{name} bigint" for name in _COUNTERS) + ")"
_SETS = ", ".join(f"{name} = r.{name}" for name in _COUNTERS[1:])

_READ = Statement(f"SELECT {COLUMNS} FROM @rows(id bigint) r JOIN stock s ON s.promotion_id = r.id")
_LOCK = Statement(
    f"SELECT {COLUMNS} FROM @rows(id bigint) r JOIN stock s ON s.promotion_id = r.id ORDER BY s.promotion_id @lock(s)"
)
_SAVE = Statement(f"UPDATE stock SET {_SETS} FROM {_MARK} r WHERE stock.promotion_id = r.promotion_id")


def read(connection: Connection, promotion_ids: Iterable[int]) -> dict[int, Stock]:
    return {row[0]: Stock(*row) for row in _READ.fetch(connection, [(id_,) for id_ in promotion_ids])}


def lock(connection: Connection, promotion_ids: Iterable[int]) -> dict[int, Stock]:
    """Lock the rows, in the order of their ids, and read them as they are once locked."""
    return {row[0]: Stock(*row) for row in _LOCK.fetch(connection, [(id_,) for id_ in promotion_ids])}


def save(connection: Connection, stocks: Iterable[Stock]) -> None:
    """Write back rows that this transaction has locked."""
    rows = [_values(stock) for stock in sorted(stocks, key=lambda stock: stock.promotion_id)]
    if rows:
        _SAVE.run(connection, rows)


def _values(stock: Stock) -> tuple[Any, ...]:
    return tuple(getattr(stock, name) for name in _COUNTERS)
