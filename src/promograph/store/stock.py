"""A promotion's counters: read, locked, written back."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from functools import cache
from itertools import compress
from operator import attrgetter, itemgetter, ne
from typing import Any

from sqlalchemy import Connection

from promograph.store.statements import Statement


@dataclass(slots=True)
class Stock:
    """One row of `stock`; whoever holds its lock may change the counters and `save` them.

    `stored` are the counters as the store has them, in the order of the other fields. `edition` says which state of
    the promotion's own row was locked with it, and `is_heard` whether there are webhooks that may want to be told of
    what happens to the promotion.
    """

    promotion_id: int
    head: int
    tail: int
    made: int
    available: int
    issued: int
    blocked: int
    void: int
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
    booked: int
    repeats: int
    level: int
    marked_at: int
    erased: int
    edition: int = field(default=0, repr=False, compare=False)
    is_heard: bool = field(default=False, repr=False, compare=False)
    stored: tuple[int, ...] = field(default=(), repr=False, compare=False)

    @classmethod
    def of(cls, row: Any) -> "Stock":
        """From a row of COLUMNS."""
        made = cls(*row)
        made.stored = row[:_WIDTH]
        return made

    @property
    def free(self) -> int:
        """Of those available, how many no send has booked. There may be fewer than are booked: some were blocked."""
        return max(self.available - self.booked, 0)

    @property
    def total(self) -> int:
        """Every code but a fallback is in one of the four."""
        return self.available + self.issued + self.blocked + self.void


_COUNTERS = [field.name for field in fields(Stock) if field.compare]
# Asked along with what is read anyhow: where nobody is told of anything, that costs the hot paths no statement.
_IS_HEARD = "EXISTS (SELECT 1 FROM webhook w WHERE w.is_enabled)"
COLUMNS = ", ".join([*(f"s.{name}" for name in _COUNTERS), "s.edition", _IS_HEARD])
"""What a `Stock` is made of, in its order, of a table with the alias `s`."""

_WIDTH = len(_COUNTERS)
_PLACES = range(_WIDTH)

_counters: Callable[[Stock], tuple[int, ...]] = attrgetter(*_COUNTERS)

_READ = Statement(f"SELECT {COLUMNS} FROM @rows(id bigint) r JOIN stock s ON s.promotion_id = r.id")
_LOCK = Statement(
    f"SELECT {COLUMNS} FROM @rows(id bigint) r JOIN stock s ON s.promotion_id = r.id ORDER BY s.promotion_id @lock(s)"
)


def read(connection: Connection, promotion_ids: Iterable[int]) -> dict[int, Stock]:
    return {row[0]: Stock.of(row) for row in _READ.fetch(connection, [(id_,) for id_ in promotion_ids])}


def lock(connection: Connection, promotion_ids: Iterable[int]) -> dict[int, Stock]:
    """Lock the rows, in the order of their ids, and read them as they are once locked."""
    return {row[0]: Stock.of(row) for row in _LOCK.fetch(connection, [(id_,) for id_ in promotion_ids])}


def save(connection: Connection, stocks: Iterable[Stock]) -> None:
    """Write back rows that this transaction has locked: of the counters, those that have changed in any of them.

    A sale moves three of them, and to hand over all for a hundred promotions costs as much as the sale itself.
    """
    changed: list[tuple[int, ...]] = []
    moved = set[int]()
    for stock in sorted(stocks, key=lambda stock: stock.promotion_id):
        counters = _counters(stock)
        if counters != stock.stored:
            moved.update(compress(_PLACES, map(ne, counters, stock.stored)))
            changed.append(counters)
            stock.stored = counters
    if changed:
        places = (0, *sorted(moved))
        _saving(places).run(connection, list(map(itemgetter(*places), changed)))


@cache
def _saving(places: tuple[int, ...]) -> Statement:
    """What writes the counters at these places; the first is the promotion's id."""
    names = [_COUNTERS[place] for place in places]
    columns = ", ".join(f"{name} bigint" for name in names)
    sets = ", ".join(f"{name} = r.{name}" for name in names[1:])
    return Statement(f"UPDATE stock SET {sets} FROM @rows({columns}) r WHERE stock.promotion_id = r.promotion_id")
