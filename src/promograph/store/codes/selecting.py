"""Which codes a selection means, in SQL that lists, exports and changes of many codes share.

What it says of batches comes down to ranges of numbers, which are looked up first; the rest is a condition on each code
with its issuance. A part of the codes is read at a time, in the order of their numbers.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from promograph.domain.codes.states import CodeState
from promograph.domain.promotions import CodeKind, Promotion
from promograph.domain.stock.selections import CodeSelection
from promograph.store.statements import Statement
from promograph.store.tables.instants import to_micros

LEAST, MOST = -(2**62), 2**62

Range = tuple[int, int]
"""The numbers from the first to the second, both included."""

STOCK = "JOIN stock s ON s.promotion_id = c.promotion_id AND c.seq <= s.tail"
ISSUED_BY = "i.promotion_id = c.promotion_id AND i.seq = c.seq AND i.kind = 'INITIAL' AND i.seq <> 0 AND c.seq <> 0"
CODES = f"FROM code c {STOCK} LEFT JOIN issuance i ON {ISSUED_BY}"
"""Every code that is there as `c`, with what issued it, as `i`, where it is one of one's own."""

_BATCHES = (
    "SELECT first_seq, last_seq FROM batch WHERE promotion_id = :promotion_id AND {} ORDER BY first_seq, last_seq"
)


_NUMBERS = Statement("SELECT made, tail FROM stock WHERE promotion_id = :id")


@dataclass(frozen=True, slots=True)
class Condition:
    """What holds for the codes selected, for rows as in `CODES`, with its parameters."""

    sql: str
    params: dict[str, Any]


def ranges(connection: Connection, selection: CodeSelection) -> list[Range]:
    """In which numbers the codes lie, in their order; one that holds all where the selection does not ask."""
    asked: dict[str, Any] = {
        "id = :batch_id": selection.batch_id,
        "channel = :channel": selection.channel,
        "created_at >= :added_from": _micros(selection.added_from),
        "created_at < :added_until": _micros(selection.added_until),
    }
    given = {part: value for part, value in asked.items() if value is not None}
    if not given:
        return [(LEAST, MOST)]
    params = {part.rpartition(":")[2]: value for part, value in given.items()}
    statement = Statement(_BATCHES.format(" AND ".join(given)))
    return list(_joined(statement.fetch(connection, promotion_id=selection.promotion.id, **params)))


def _joined(found: list[Range]) -> Iterator[Range]:
    """Ranges that touch become one."""
    first: int | None = None
    last = 0
    for low, high in found:
        if first is not None and low == last + 1:
            last = high
            continue
        if first is not None:
            yield first, last
        first, last = low, high
    if first is not None:
        yield first, last


def extent(connection: Connection, selection: CodeSelection) -> list[Range]:
    """The same, within the numbers that there are."""
    made, tail = _NUMBERS.fetch(connection, id=selection.promotion.id)[0]
    within = ((max(low, -made), min(high, tail)) for low, high in ranges(connection, selection))
    return [(low, high) for low, high in within if low <= high]


def windows(ranges: Iterable[Range], size: Callable[[], int]) -> Iterator[Range]:
    """The ranges in parts of at most `size()` numbers: what is done to one of them takes as long as to any other."""
    for low, high in ranges:
        start = low
        while start <= high:
            end = min(start + size() - 1, high)
            yield start, end
            start = end + 1


def codes_in(connection: Connection, selection: CodeSelection, part: Range, now: datetime) -> list[int]:
    """The numbers of the codes meant within these numbers, in their order."""
    meant = condition(selection, now)
    statement = Statement(
        f"SELECT c.seq {CODES} WHERE c.promotion_id = :id AND c.seq >= :low AND c.seq <= :high AND {meant.sql} "
        "ORDER BY c.seq"
    )
    low, high = part
    return [
        row[0] for row in statement.fetch(connection, id=selection.promotion.id, low=low, high=high, **meant.params)
    ]


def condition(selection: CodeSelection, now: datetime) -> Condition:
    parts: list[str] = []
    params: dict[str, Any] = {}
    if selection.states:
        by_state, params = _by_state(selection.promotion, now)
        parts.append(f"({' OR '.join(by_state[state] for state in sorted(selection.states))})")
    if selection.customer is not None:
        # A customer's issuances are one range of an index; all others' would be passed over one by one.
        parts.append(
            "c.seq IN (SELECT h.seq FROM issuance h WHERE h.customer = :customer AND h.promotion_id = :id "
            "AND h.kind <> 'RETURNED')"
        )
        params["customer"] = selection.customer
    if selection.issued_from is not None:
        parts.append("i.issued_at >= :issued_from")
        params["issued_from"] = to_micros(selection.issued_from)
    if selection.issued_until is not None:
        parts.append("i.issued_at < :issued_until")
        params["issued_until"] = to_micros(selection.issued_until)
    return Condition(" AND ".join(parts) or "true", params)


def _by_state(promotion: Promotion, now: datetime) -> tuple[dict[CodeState, str], dict[str, Any]]:
    """What `CodeStanding.state` says, in SQL, with its parameters."""
    terms, is_single = promotion.terms, promotion.terms.code_kind is CodeKind.SINGLE
    given = f"(i.seq IS NOT NULL OR (c.seq = 0 AND s.{'issuances' if is_single else 'fallback_issued'} > 0))"
    params: dict[str, Any] = {"now": to_micros(now)}
    over = "coalesce(c.expires_at <= :now, false)"
    if terms.valid_for is not None:
        over = f"({over} OR coalesce(i.issued_at <= :long_ago, false))"
        params["long_ago"] = to_micros(now - terms.valid_for)
    if terms.window.is_over(now):
        over = f"({over} OR true)"
    unused = "NOT c.blocked AND NOT c.void AND c.uses = 0"
    return {
        CodeState.VOID: "c.void",
        CodeState.BLOCKED: "c.blocked",
        CodeState.REDEEMED: "(NOT c.blocked AND NOT c.void AND c.uses > 0)",
        CodeState.EXPIRED: f"({unused} AND {over})",
        CodeState.ISSUED: f"({unused} AND NOT {over} AND {given})",
        CodeState.AVAILABLE: f"({unused} AND NOT {over} AND NOT {given})",
    }, params


def _micros(instant: datetime | None) -> int | None:
    return None if instant is None else to_micros(instant)
