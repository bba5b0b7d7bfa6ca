"""Pages of a promotion's codes, by their numbers: as dear for ten million of them as for ten thousand.

Candidates come from wherever codes as those asked for are together and in order; a few at a time are then held against
all that is asked.
"""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection

from promograph.domain.codes.states import CodeStanding
from promograph.domain.stock.selections import CodeSelection
from promograph.store.codes import selecting as code_selecting
from promograph.store.codes.candidates import Candidates
from promograph.store.codes.selecting import ISSUED_BY, STOCK, Range
from promograph.store.histories import standing_of
from promograph.store.listing import Page, Slice
from promograph.store.statements import Statement

_SHOWN = "c.seq, coalesce(c.text, c.key), c.blocked, c.void, c.uses, c.expires_at, i.issued_at, c.seq = 0 AND {} > 0"

# Each number of the batch with its code and what issued it, as in `selecting.CODES`. PostgreSQL is bound to look each
# of them up: left alone, and with statistics older than the rows, it has been seen to read all of a promotion's codes
# for a page, or to hold every code against all of its issuances.
_IS_NUMBERED = "c.promotion_id = :id AND c.seq = r.seq"
_LOOKED_UP = {
    "sqlite": f"JOIN code c ON {_IS_NUMBERED} {STOCK} LEFT JOIN issuance i ON {ISSUED_BY}",
    "postgresql": f"JOIN LATERAL (SELECT * FROM code c WHERE {_IS_NUMBERED} LIMIT 1) c ON true {STOCK} "
    f"LEFT JOIN LATERAL (SELECT i.seq, i.issued_at FROM issuance i WHERE {ISSUED_BY} LIMIT 1) i ON true",
}


def code_page(connection: Connection, selection: CodeSelection, part: Slice, now: datetime) -> Page:
    """`CodeStanding`s with their sort values (seq,)."""
    look = _Look(connection, selection, part, now)
    found = look.found()
    more, found = len(found) > part.count, found[: part.count]
    if part.backward:
        found.reverse()
    before = part.start is not None
    rows = [((standing.seq,), standing) for standing in found]
    return Page(rows, before if part.backward else more, more if part.backward else before)


class _Look:
    """One look for a page: in the order asked, one code more than asked, which tells whether the list goes on."""

    def __init__(self, connection: Connection, selection: CodeSelection, part: Slice, now: datetime) -> None:
        self._connection = connection
        self._selection = selection
        self._wanted = part.count + 1
        self._backward = part.backward
        self._start: int | None = None if part.start is None else part.start[0]
        self._candidates = Candidates(connection, selection, now, self._wanted, backward=part.backward)
        condition = code_selecting.condition(selection, now)
        self._params = condition.params
        issued = "s.issuances" if selection.promotion.terms.code_kind == "SINGLE" else "s.fallback_issued"
        self._check = Statement(
            f"SELECT {_SHOWN.format(issued)} FROM @rows(seq bigint) r {_LOOKED_UP[connection.dialect.name]} "
            f"WHERE {condition.sql}"
        )

    def found(self) -> list[CodeStanding]:
        found: list[CodeStanding] = []
        for part in self._parts():
            for seqs in self._candidates.within(part):
                found += self._fitting(seqs)
                if len(found) >= self._wanted:
                    return found[: self._wanted]
        return found

    def _parts(self) -> Iterator[Range]:
        """Where to look, in the order of the page."""
        ranges = code_selecting.ranges(self._connection, self._selection)
        for low, high in reversed(ranges) if self._backward else ranges:
            if self._start is not None:
                low, high = (low, min(high, self._start - 1)) if self._backward else (max(low, self._start + 1), high)
            if low <= high:
                yield low, high

    def _fitting(self, seqs: list[int]) -> list[CodeStanding]:
        """Of these codes, in their order, those that are asked for."""
        rows = self._check.fetch(
            self._connection, [(seq,) for seq in seqs], id=self._selection.promotion.id, **self._params
        )
        found = {row[0]: standing_of(row, self._selection.promotion) for row in rows}
        return [found[seq] for seq in seqs if seq in found]
