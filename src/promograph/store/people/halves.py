"""All customers in two halves, which two connections look at together, so that each has a processor of its own.

A question about a million customers keeps one processor busy for seconds. SQLite never takes a second one, and
PostgreSQL not where what it joins comes in the order of customers, which is how it joins them with their codes.
"""

from dataclasses import dataclass

from sqlalchemy import Connection

from promograph.store.statements import Statement

_MANY = 50_000
"""Fewer customers are counted sooner than they are halved."""

_SEEN = 500
"""On PostgreSQL so many of as many customers tell where the middle is, all of a few pages."""


@dataclass(frozen=True, slots=True)
class Half:
    """Customers on one side of a cut: an id on PostgreSQL, and on SQLite the number of a row.

    Each store goes through its customers in that order. `sign`: how theirs compares with the cut.
    """

    sign: str
    cut: str | int


_CUTS = {
    "sqlite": Statement(
        "SELECT (n.low + n.high) / 2 FROM (SELECT (SELECT min(rowid) FROM customer) AS low, "
        "(SELECT max(rowid) FROM customer) AS high) n WHERE n.high - n.low >= :many"
    ),
    "postgresql": Statement(
        "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY c.id) FROM customer c "
        f"TABLESAMPLE SYSTEM (100 * {_SEEN}.0 / CAST(:many AS integer)) HAVING count(*) >= {_SEEN}"
    ),
}


def halves(connection: Connection, *, many: int = _MANY) -> tuple[Half, Half] | None:
    """Everybody is in one of the two, which need not be equal. None where customers are not that many."""
    found = _CUTS[connection.dialect.name].fetch(connection, many=many)
    return (Half("<=", found[0][0]), Half(">", found[0][0])) if found else None
