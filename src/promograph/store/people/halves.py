"""All customers in two halves, which two connections look at together, so that each has a processor of its own.

A question about a million customers keeps one processor busy for seconds, and PostgreSQL takes no second one where what
it joins comes in the order of customers, which is how it joins them with their codes. SQLite is asked as a whole: two
threads were seen to take 0.9 to 1.25 times as long.
"""

from dataclasses import dataclass

from sqlalchemy import Connection

from promograph.store.statements import Statement

_MANY = 50_000
"""Fewer customers are counted sooner than they are halved."""

_SEEN = 500
"""So many of as many customers tell where the middle is, all of a few pages."""


@dataclass(frozen=True, slots=True)
class Half:
    """Customers on one side of a cut, in the order of their ids. `sign`: how theirs compares with the cut."""

    sign: str
    cut: str


_CUT = {
    "postgresql": Statement(
        "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY c.id) FROM customer c "
        f"TABLESAMPLE SYSTEM (100 * {_SEEN}.0 / CAST(:many AS integer)) HAVING count(*) >= {_SEEN}"
    )
}


def halves(connection: Connection, *, many: int = _MANY) -> tuple[Half, Half] | None:
    """Everybody is in one of the two, which need not be equal. None where it would gain nothing."""
    cut = _CUT.get(connection.dialect.name)
    found = [] if cut is None else cut.fetch(connection, many=many)
    return (Half("<=", found[0][0]), Half(">", found[0][0])) if found else None
