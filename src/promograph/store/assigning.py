"""Codes that come with the people they are for: added and issued in one go, so that nobody else can be given them.

They never stand in the promotion's line. Like codes made on demand they have numbers below 0, of which the batch that
they belong to has a range to itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from promograph.domain.issuing import Issuance, IssuanceKind
from promograph.domain.promotions import EndReason, Promotion, takes_codes
from promograph.domain.stock.batches import BatchSource
from promograph.domain.stock.rows import About
from promograph.domain.webhooks.events import WebhookType, issued
from promograph.errors import BadInput, InputProblem
from promograph.store import issuances, loading, locking, pieces, stock, used_up
from promograph.store.bulk import Insertion
from promograph.store.locking import Locked
from promograph.store.people import erasures
from promograph.store.statements import Statement
from promograph.store.stock import Stock
from promograph.store.tables.instants import to_micros
from promograph.store.webhooks import outbox

_NEW = Insertion("code", "promotion_id bigint, seq bigint, key text, text text, expires_at bigint")
_GROW = Statement("UPDATE batch SET size = size + :count WHERE id = :id")
_DROP = Statement("DELETE FROM batch WHERE id = :id AND size = 0")

HAS_ONE = "This customer has a code of this promotion already."
NO_ROOM = "The promotion's audience cap is reached."


@dataclass(frozen=True, slots=True)
class Assignment:
    """A code and whose it is."""

    key: str
    text: str
    about: About


@dataclass(frozen=True, slots=True)
class Assigned:
    """How many were added and issued; the keys that were codes already, with their promotions; and by key, why a code
    that was none is not added either."""

    count: int
    taken: dict[str, int]
    left: dict[str, str]


def reserve(
    connection: Connection, promotion_id: int, count: int, channel: str | None, now: datetime
) -> tuple[int, int]:
    """Keep the next so many numbers below 0 for a new batch: its id, and the first, from which they count down."""
    counters = stock.lock(connection, [promotion_id])[promotion_id]
    first = -(counters.made + 1)
    counters.made += count
    stock.save(connection, [counters])
    span = (first - count + 1, first)
    source = BatchSource.IMPORTED
    batch = loading.add_batch(connection, promotion_id, span, 0, source=source, channel=channel, report={}, now=now)
    return batch, first


def drop_empty(connection: Connection, batch_id: int) -> bool:
    """Forget a batch to which nothing was added; whether that was so."""
    return bool(_DROP.run(connection, id=batch_id))


def assign(
    connection: Connection,
    promotion_id: int,
    rows: Sequence[Assignment],
    batch: tuple[int, int],
    channel: str | None,
    now: datetime,
) -> Assigned:
    """Add these codes to a batch (its id, its next number) and issue each to its customer; numbers count down.

    Keys are different from each other. A customer who has the occasion's code keeps that one. BadInput where the
    promotion takes no codes any more.
    """
    locked = locking.by_id(connection, [promotion_id])[promotion_id]
    promotion = locked[0]
    full = promotion.end_reason(now) is EndReason.AUDIENCE_CAP
    if not full and not takes_codes(promotion, now):
        raise BadInput(
            InputProblem.STATE, "The promotion has ended before all codes of the file were added.", field=("promotion",)
        )
    rows = _known_again(connection, rows, locked[1])
    taken = pieces.existing(connection, [row.key for row in rows])
    admitted, left = _admit(connection, locked, [row for row in rows if row.key not in taken])
    batch_id, first = batch
    _insert(connection, locked, admitted, first, channel, now)
    _GROW.run(connection, id=batch_id, count=len(admitted))
    return Assigned(len(admitted), taken, left)


def who_has_one(connection: Connection, promotion_id: int, customers: Sequence[str]) -> set[str]:
    """Of these customers, those whom no code can be assigned any more."""
    found = issuances.at_occasions(connection, [(promotion_id, customer, "") for customer in customers])
    return {customer for _, customer, _ in found}


def would_be_left(
    connection: Connection, promotion_id: int, rows: Sequence[Assignment], met: set[str]
) -> dict[str, str]:
    """By key, why codes would not be assigned as things are; `met` are customers who would get an earlier one, and it
    grows."""
    if not rows:
        return {}
    promotion, counters = locking.look(connection, [promotion_id])[promotion_id]
    rows = _known_again(connection, rows, counters)
    having = who_has_one(connection, promotion_id, [_customer(row) for row in rows])
    cap = promotion.terms.audience_cap
    left: dict[str, str] = {}
    for row in rows:
        customer = _customer(row)
        if customer in having or customer in met:
            left[row.key] = HAS_ONE
        elif cap is not None and counters.customers + len(met) >= cap:
            left[row.key] = NO_ROOM
        else:
            met.add(customer)
    return left


def _known_again(connection: Connection, rows: Sequence[Assignment], counters: Stock) -> Sequence[Assignment]:
    """With the hashes under which the promotion knows people who were erased, where their ids are in a file again."""
    known = erasures.aliases(connection, map(_customer, rows), [counters])
    if not known:
        return rows
    seen = [known.get((counters.promotion_id, _customer(row)), _customer(row)) for row in rows]
    return [replace(row, about=replace(row.about, customer=who)) for row, who in zip(rows, seen, strict=True)]


def _admit(
    connection: Connection, locked: Locked, rows: Sequence[Assignment]
) -> tuple[list[Assignment], dict[str, str]]:
    promotion, counters = locked
    having = who_has_one(connection, promotion.id, [_customer(row) for row in rows])
    cap = promotion.terms.audience_cap
    free = len(rows) if cap is None else cap - counters.customers
    admitted: list[Assignment] = []
    left: dict[str, str] = {}
    for row in rows:
        customer = _customer(row)
        if customer in having:
            left[row.key] = HAS_ONE
        elif len(admitted) >= free:
            left[row.key] = NO_ROOM
        else:
            having.add(customer)
            admitted.append(row)
    return admitted, left


def _insert(
    connection: Connection,
    locked: Locked,
    rows: Sequence[Assignment],
    first: int,
    channel: str | None,
    now: datetime,
) -> None:
    if not rows:
        return
    promotion, counters = locked
    id_, micros = promotion.id, to_micros(now)
    _NEW.run(connection, [(id_, first - n, *_written(row)) for n, row in enumerate(rows)])
    number = counters.issuances + 1
    kind = IssuanceKind.INITIAL
    issuances.insert(
        connection,
        [
            (id_, number + n, first - n, _customer(row), "", kind, channel, None, micros, None)
            for n, row in enumerate(rows)
        ],
    )
    if counters.is_heard:
        new = (issued(_issuance(row, promotion, number + n, first - n, channel, now)) for n, row in enumerate(rows))
        outbox.tell(connection, new, WebhookType.CODE_ISSUED)
    counters.issuances += len(rows)
    counters.issued += len(rows)
    counters.customers += len(rows)
    stock.save(connection, [counters])
    used_up.end_where_reached(connection, [locked], now)


def _issuance(
    row: Assignment, promotion: Promotion, number: int, seq: int, channel: str | None, now: datetime
) -> Issuance:
    return Issuance(
        promotion_id=promotion.id,
        handle=promotion.terms.handle,
        number=number,
        seq=seq,
        text=row.text,
        customer=_customer(row),
        kind=IssuanceKind.INITIAL,
        issued_at=now,
        expires_at=promotion.expiry(now, row.about.expires_at),
        channel=channel,
    )


def _written(row: Assignment) -> tuple[str, str | None, int | None]:
    expires_at = row.about.expires_at
    text = None if row.text == row.key else row.text
    return row.key, text, None if expires_at is None else to_micros(expires_at)


def _customer(row: Assignment) -> str:
    assert row.about.customer is not None, "without one it belongs into the line"
    return row.about.customer
