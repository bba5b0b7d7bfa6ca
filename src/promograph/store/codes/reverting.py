"""Taking back what is unissued of a batch, a few hundred codes at a time.

A code goes as if it had never been added: its row, its place in line, its history. What stays is what somebody has or
had anything to do with, and what was made void, which is a decision to be kept. The numbers of those that are gone are
not given again; the line steps over them, and its head is moved past those that lay before it.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from promograph.store import stock, stock_telling
from promograph.store.statements import Statement
from promograph.store.stock import Stock
from promograph.store.tables.instants import to_micros

_BATCH = Statement("SELECT promotion_id, first_seq, last_seq FROM batch WHERE id = :id")
_CODES = Statement(
    "SELECT c.seq, c.blocked, c.void, c.uses > 0 OR EXISTS (SELECT 1 FROM issuance i WHERE i.promotion_id = "
    "c.promotion_id AND i.seq = c.seq AND i.kind = 'INITIAL' AND i.seq <> 0), "
    "EXISTS (SELECT 1 FROM hold h WHERE h.promotion_id = c.promotion_id AND h.seq = c.seq) "
    "OR EXISTS (SELECT 1 FROM redemption d WHERE d.promotion_id = c.promotion_id AND d.seq = c.seq) "
    # Those who had it and gave it back have a row that names it.
    "OR EXISTS (SELECT 1 FROM code_event e WHERE e.promotion_id = c.promotion_id AND e.seq = c.seq "
    "AND e.kind = 'RETURNED'), "
    "c.expires_at IS NOT NULL AND c.expires_at <= :now AND c.seq > 0 AND c.seq < :head AND NOT EXISTS "
    "(SELECT 1 FROM returned_code t WHERE t.promotion_id = c.promotion_id AND t.seq = c.seq) "
    "FROM code c WHERE c.promotion_id = :id AND c.seq >= :first AND c.seq <= :last ORDER BY c.seq LIMIT :count"
)
_ROWS = "FROM @rows(promotion_id bigint, seq bigint) r"
_DROP_EVENTS = Statement(
    f"DELETE FROM code_event WHERE id IN (SELECT e.id {_ROWS} "
    "JOIN code_event e ON e.promotion_id = r.promotion_id AND e.seq = r.seq)"
)
_DROP_RETURNED = Statement(
    f"DELETE FROM returned_code WHERE id IN (SELECT t.id {_ROWS} "
    "JOIN returned_code t ON t.promotion_id = r.promotion_id AND t.seq = r.seq)"
)
_DROP_RANGE = Statement("DELETE FROM code WHERE promotion_id = :id AND seq >= :first AND seq <= :last")
_DROP = Statement("DELETE FROM code WHERE promotion_id = :id AND seq IN (SELECT r.seq FROM @rows(seq bigint) r)")
_COUNT = Statement("UPDATE batch SET reverted = reverted + :count WHERE id = :id")


@dataclass(frozen=True, slots=True)
class Span:
    """The numbers that a batch's codes have in its promotion, both ends included."""

    promotion_id: int
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reverted:
    """What became of some codes: how many are gone, and how many stayed and why. `next` is the number to go on with."""

    next: int
    gone: int
    issued: int
    used: int
    void: int


def span_of(connection: Connection, batch_id: int) -> Span | None:
    """None where there is no such batch."""
    rows = _BATCH.fetch(connection, id=batch_id)
    if not rows:
        return None
    promotion_id, first, last = rows[0]
    return Span(promotion_id, min(first, last), max(first, last))


def revert(connection: Connection, batch_id: int, span: Span, first: int, count: int, now: datetime) -> Reverted:
    """Take back what can be of the next `count` codes from number `first` on."""
    counters = stock.lock(connection, [span.promotion_id])[span.promotion_id]
    rows = _CODES.fetch(
        connection,
        id=span.promotion_id,
        first=first,
        last=span.last,
        count=count,
        head=counters.head,
        now=to_micros(now),
    )
    # Fewer than asked: there are no more up to the batch's end.
    end = rows[-1][0] if len(rows) == count else span.last
    stays = {"issued": 0, "used": 0, "void": 0}
    gone: list[int] = []
    for seq, blocked, void, is_out, touched, has_passed in rows:
        why = "issued" if is_out else "used" if touched else "void" if void else None
        if why is not None:
            stays[why] += 1
            continue
        gone.append(seq)
        counters.blocked -= bool(blocked)
        counters.void -= bool(has_passed and not blocked)
        counters.available -= not (blocked or has_passed)
    _drop(connection, counters, gone, whole=len(gone) == len(rows))
    if first <= counters.head <= end and len(gone) + stays["issued"] + stays["void"] == len(rows):
        counters.head = min(end, counters.tail) + 1  # nothing that waits is left there
    stock_telling.tell_by_id(connection, [counters], now)
    stock.save(connection, [counters])
    _COUNT.run(connection, id=batch_id, count=len(gone))
    return Reverted(next=end + 1, gone=len(gone), **stays)


def _drop(connection: Connection, counters: Stock, gone: list[int], *, whole: bool) -> None:
    """`whole`: there are no others between the first and the last of them."""
    if not gone:
        return
    id_ = counters.promotion_id
    places = [(id_, seq) for seq in gone]
    _DROP_EVENTS.run(connection, places)
    if gone[0] < counters.head:
        _DROP_RETURNED.run(connection, places)
    if whole:
        _DROP_RANGE.run(connection, id=id_, first=gone[0], last=gone[-1])
    else:
        _DROP.run(connection, [(seq,) for seq in gone], id=id_)
