"""Pages of a promotion's codes, by their numbers: as dear for ten million of them as for ten thousand.

A page of codes in one state is not looked for among all the others. Candidates come from wherever codes in that state
are together and in order (the line, issuances, redemptions, an index of those that are stopped); a few at a time are
then held against all that is asked.
"""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection

from promograph.domain.codes.states import CodeStanding, CodeState
from promograph.domain.decisions import SHARED_SEQ
from promograph.domain.stock.selections import CodeSelection
from promograph.store.codes import selecting as code_selecting
from promograph.store.codes.selecting import CODES, LEAST, MOST, Range
from promograph.store.histories import standing_of
from promograph.store.listing import Page, Slice
from promograph.store.statements import Statement

_MOST_LOOKED_AT = 5_000

_HEAD = Statement("SELECT head FROM stock WHERE promotion_id = :id")
_SOME = "SELECT {} FROM {} WHERE promotion_id = :id AND seq >= :low AND seq <= :high {} ORDER BY seq{} LIMIT :count"
_SHOWN = "c.seq, coalesce(c.text, c.key), c.blocked, c.void, c.uses, c.expires_at, i.issued_at, c.seq = 0 AND {} > 0"

_Source = tuple[str, str, str]
"""Where candidates are: what to select, the table, a further condition."""

_ALL: _Source = ("seq", "code", "")
_SOURCES: dict[CodeState, _Source] = {
    CodeState.BLOCKED: ("seq", "code", "AND blocked"),
    CodeState.VOID: ("seq", "code", "AND void"),
    CodeState.REDEEMED: ("DISTINCT seq", "redemption", ""),
    CodeState.ISSUED: ("seq", "issuance", "AND kind = 'INITIAL' AND seq <> 0"),
}
_BACK: _Source = ("seq", "returned_code", "")


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
        condition = code_selecting.condition(selection, now)
        self._params = condition.params
        issued = "s.issuances" if selection.promotion.terms.code_kind == "SINGLE" else "s.fallback_issued"
        self._check = Statement(
            f"SELECT {_SHOWN.format(issued)} FROM @rows(seq bigint) r JOIN code c ON c.promotion_id = :id "
            f"AND c.seq = r.seq {CODES.removeprefix('FROM code c')} WHERE {condition.sql}"
        )

    def found(self) -> list[CodeStanding]:
        found: list[CodeStanding] = []
        for source, low, high in self._stretches():
            for seqs in self._candidates(source, low, high):
                found += self._fitting(seqs)
                if len(found) >= self._wanted:
                    return found[: self._wanted]
        return found

    def _stretches(self) -> Iterator[tuple[_Source, int, int]]:
        """Where to look, in the order of the page."""
        ranges = code_selecting.ranges(self._connection, self._selection)
        for low, high in reversed(ranges) if self._backward else ranges:
            if self._start is not None:
                low, high = (low, min(high, self._start - 1)) if self._backward else (max(low, self._start + 1), high)
            stretches = self._sources((low, high))
            for source, first, last in reversed(stretches) if self._backward else stretches:
                if first <= last:
                    yield source, first, last

    def _sources(self, within: Range) -> list[tuple[_Source, int, int]]:
        low, high = within
        states = self._selection.states
        state = next(iter(states)) if len(states) == 1 else None
        if state is CodeState.AVAILABLE:
            head = _HEAD.fetch(self._connection, id=self._selection.promotion.id)[0][0]
            waiting = [(_BACK, LEAST, SHARED_SEQ - 1), (_ALL, SHARED_SEQ, SHARED_SEQ)]
            waiting += [(_BACK, SHARED_SEQ + 1, head - 1), (_ALL, head, MOST)]
        elif state is CodeState.ISSUED:
            one = _SOURCES[state]
            waiting = [(one, LEAST, SHARED_SEQ - 1), (_ALL, SHARED_SEQ, SHARED_SEQ), (one, SHARED_SEQ + 1, MOST)]
        else:
            waiting = [(_ALL if state is None else _SOURCES.get(state, _ALL), LEAST, MOST)]
        return [(source, max(first, low), min(last, high)) for source, first, last in waiting]

    def _candidates(self, source: _Source, low: int, high: int) -> Iterator[list[int]]:
        columns, table, more = source
        statement = Statement(_SOME.format(columns, table, more, " DESC" if self._backward else ""))
        count = self._wanted
        while low <= high:
            id_ = self._selection.promotion.id
            seqs = [row[0] for row in statement.fetch(self._connection, id=id_, low=low, high=high, count=count)]
            if seqs:
                yield seqs
            if len(seqs) < count:
                return
            low, high = (low, seqs[-1] - 1) if self._backward else (seqs[-1] + 1, high)
            count = min(count * 4, _MOST_LOOKED_AT)

    def _fitting(self, seqs: list[int]) -> list[CodeStanding]:
        """Of these codes, in their order, those that are asked for."""
        rows = self._check.fetch(
            self._connection, [(seq,) for seq in seqs], id=self._selection.promotion.id, **self._params
        )
        found = {row[0]: standing_of(row, self._selection.promotion) for row in rows}
        return [found[seq] for seq in seqs if seq in found]
