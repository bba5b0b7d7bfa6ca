"""Where codes are together and in the order of their numbers: the line, issuances, redemptions, indexes of the few.

A list of codes in one state is not looked for among all the others, of which there may be millions. Whatever is given
here is a candidate only: it is yet to be held against all that is asked.
"""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, groupby
from typing import Any

from sqlalchemy import Connection

from promograph.domain.codes.states import CodeState
from promograph.domain.decisions import SHARED_SEQ
from promograph.domain.promotions import Promotion
from promograph.domain.stock.selections import CodeSelection
from promograph.store.codes.selecting import LEAST, MOST, Range
from promograph.store.statements import Statement
from promograph.store.tables.instants import to_micros

_MOST_AT_ONCE = 5_000
_MOST_EXPIRIES = 100

_HEAD = Statement("SELECT head FROM stock WHERE promotion_id = :id")
_NEXT_EXPIRY = Statement(
    "SELECT min(expires_at) FROM code @by(code_expiry) "
    "WHERE promotion_id = :id AND expires_at > :after AND expires_at <= :now"
)
_HELD = Statement(
    "SELECT DISTINCT i.seq FROM issuance i @by(issuance_occasion) WHERE i.customer = :customer "
    "AND i.promotion_id = :id ORDER BY i.seq"
)


@dataclass(frozen=True, slots=True)
class _Source:
    """What to select, the table, a further condition with its parameter `value`."""

    columns: str
    table: str
    more: str = ""
    value: int | None = None

    def some(self, connection: Connection, id_: int, within: Range, count: int, *, backward: bool) -> list[int]:
        """The first `count` numbers within the range, in order."""
        statement = Statement(
            f"SELECT {self.columns} FROM {self.table} WHERE promotion_id = :id AND seq >= :low AND seq <= :high "
            f"{self.more} ORDER BY seq{' DESC' if backward else ''} LIMIT :count"
        )
        params: dict[str, Any] = {} if self.value is None else {"value": self.value}
        low, high = within
        return [row[0] for row in statement.fetch(connection, id=id_, low=low, high=high, count=count, **params)]


_ALL = _Source("seq", "code")
_BLOCKED = _Source("seq", "code @by(code_blocked)", "AND blocked")
_VOID = _Source("seq", "code @by(code_void)", "AND void")
_REDEEMED = _Source("DISTINCT seq", "redemption @by(redemption_code)")
_ISSUED = _Source("seq", "issuance", "AND kind = 'INITIAL' AND seq <> 0")
_BACK = _Source("seq", "returned_code")

_Stretch = tuple[_Source, int, int]
"""A source, and from which number to which it is asked; stretches lie one behind the other."""


class Candidates:
    """Of one selection, from one end: `first` of them are fetched at once, then more and more."""

    def __init__(
        self, connection: Connection, selection: CodeSelection, now: datetime, first: int, *, backward: bool
    ) -> None:
        self._connection = connection
        self._promotion: Promotion = selection.promotion
        self._states = selection.states
        self._customer = selection.customer
        self._now = now
        self._first = first
        self._backward = backward
        self._expiries: list[int] | None = None

    def within(self, part: Range) -> Iterator[list[int]]:
        """Numbers between these, in order, each once, a few at a time."""
        if self._customer is not None:
            return iter([self._held_by(self._customer, part)])
        columns = self._columns()
        if len(columns) == 1:
            return self._along(columns[0], part)
        each = (chain.from_iterable(self._along(column, part)) for column in columns)
        merged = heapq.merge(*each, reverse=self._backward)
        return _grouped((seq for seq, _ in groupby(merged)), self._first)

    def _columns(self) -> list[list[_Stretch]]:
        """Rows of stretches that together have all candidates."""
        if not self._states:
            return [_whole(_ALL)]
        columns = [column for state in sorted(self._states) for column in self._of_state(state)]
        return [_whole(_ALL)] if _whole(_ALL) in columns else columns

    def _of_state(self, state: CodeState) -> list[list[_Stretch]]:
        shared = (_ALL, SHARED_SEQ, SHARED_SEQ)
        match state:
            case CodeState.BLOCKED:
                return [_whole(_BLOCKED)]
            case CodeState.VOID:
                return [_whole(_VOID)]
            case CodeState.REDEEMED:
                return [_whole(_REDEEMED)]
            case CodeState.ISSUED:
                return [[(_ISSUED, LEAST, SHARED_SEQ - 1), shared, (_ISSUED, SHARED_SEQ + 1, MOST)]]
            case CodeState.AVAILABLE:
                head = _HEAD.fetch(self._connection, id=self._promotion.id)[0][0]
                before = (_BACK, SHARED_SEQ + 1, head - 1)
                return [[(_BACK, LEAST, SHARED_SEQ - 1), shared, before, (_ALL, head, MOST)]]
            case CodeState.EXPIRED:
                return self._expired()

    def _expired(self) -> list[list[_Stretch]]:
        terms = self._promotion.terms
        if terms.window.is_over(self._now):
            return [_whole(_ALL)]
        # A batch has one expiry: of each there is, the codes that have it are in order.
        expiries = self._passed_expiries()
        if len(expiries) > _MOST_EXPIRIES:
            columns = [_whole(_Source("seq", "code", "AND expires_at <= :value", to_micros(self._now)))]
        else:
            columns = [_whole(_with_expiry(expiry)) for expiry in expiries]
        if terms.valid_for is not None:
            before = to_micros(self._now - terms.valid_for)
            columns.append(_whole(_Source("seq", "issuance", f"{_ISSUED.more} AND issued_at <= :value", before)))
        return columns

    def _passed_expiries(self) -> list[int]:
        """The expiries that codes have of their own and that have passed; of very many, some."""
        if self._expiries is None:
            self._expiries, after = [], -1
            while len(self._expiries) <= _MOST_EXPIRIES:
                found = _NEXT_EXPIRY.fetch(
                    self._connection, id=self._promotion.id, after=after, now=to_micros(self._now)
                )
                after = found[0][0]
                if after is None:
                    break
                self._expiries.append(after)
        return self._expiries

    def _along(self, column: list[_Stretch], part: Range) -> Iterator[list[int]]:
        for source, first, last in reversed(column) if self._backward else column:
            yield from self._of(source, max(first, part[0]), min(last, part[1]))

    def _of(self, source: _Source, low: int, high: int) -> Iterator[list[int]]:
        count = self._first
        while low <= high:
            seqs = source.some(self._connection, self._promotion.id, (low, high), count, backward=self._backward)
            if seqs:
                yield seqs
            if len(seqs) < count:
                return
            low, high = (low, seqs[-1] - 1) if self._backward else (seqs[-1] + 1, high)
            count = min(count * 4, _MOST_AT_ONCE)

    def _held_by(self, customer: str, part: Range) -> list[int]:
        """The codes that a customer was given are few."""
        found = _HELD.fetch(self._connection, customer=customer, id=self._promotion.id)
        seqs = [row[0] for row in found if part[0] <= row[0] <= part[1]]
        return seqs[::-1] if self._backward else seqs


def _whole(source: _Source) -> list[_Stretch]:
    return [(source, LEAST, MOST)]


def _with_expiry(expiry: int) -> _Source:
    return _Source("seq", "code @by(code_expiry)", "AND expires_at = :value", expiry)


def _grouped(seqs: Iterable[int], size: int) -> Iterator[list[int]]:
    """A few at a time, and more each time."""
    some: list[int] = []
    for seq in seqs:
        some.append(seq)
        if len(some) == size:
            yield some
            some, size = [], min(size * 4, _MOST_AT_ONCE)
    if some:
        yield some
