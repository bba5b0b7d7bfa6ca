"""Bookings as rows. They are changed by whoever has locked the promotion's stock row, and are then exact.

Codes are set aside as a number: while the stock is locked, as many as are booked are left in line by all whose send has
none booked.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection

from promograph.domain.sending.bookings import MOST_OPEN, Booking
from promograph.store.statements import Statement
from promograph.store.stock import Stock
from promograph.store.tables.instants import from_micros, to_micros

R = TypeVar("R")

_COLUMNS = "b.id, b.promotion_id, p.handle, b.send, b.codes, b.remaining, b.created_at, b.released_at"
_BY_ID = Statement(
    f"SELECT {_COLUMNS} FROM @rows(id bigint) r JOIN booking b ON b.id = r.id JOIN promotion p ON p.id = b.promotion_id"
)
_OPEN = Statement(
    f"SELECT {_COLUMNS} FROM promotion p JOIN booking b ON b.promotion_id = p.id AND b.released_at IS NULL "
    f"WHERE p.handle = :handle ORDER BY b.send LIMIT {MOST_OPEN}"
)
_OF_SENDS = Statement(
    "SELECT b.send, b.id, b.remaining FROM @rows(promotion_id bigint, send text) r JOIN booking b "
    "ON b.promotion_id = r.promotion_id AND b.send = r.send AND b.released_at IS NULL"
)
_OF_ENDED = Statement(
    "SELECT b.id FROM booking b @by(booking_open) JOIN send s ON s.key = b.send "
    f"WHERE b.released_at IS NULL AND s.status IN ('DONE', 'CANCELLED') ORDER BY b.id LIMIT {MOST_OPEN}"
)
_INSERT = Statement(
    "INSERT INTO booking (promotion_id, send, codes, remaining, created_at) "
    "VALUES (:promotion_id, :send, :codes, :codes, :now) RETURNING id"
)
_DRAW = Statement(
    "UPDATE booking SET remaining = r.remaining FROM @rows(id bigint, remaining bigint) r WHERE booking.id = r.id"
)
_RELEASE = Statement("UPDATE booking SET released_at = :now WHERE id = :id")


@dataclass(slots=True)
class Claim:
    """What an open booking has left for its send."""

    id: int
    remaining: int


def of_sends(connection: Connection, promotion_id: int, sends: Iterable[str]) -> dict[str, Claim]:
    """Of these sends, those that have codes set aside, with what is left of them."""
    rows = _OF_SENDS.fetch(connection, [(promotion_id, send) for send in sorted(sends)])
    return {send: Claim(id_, remaining) for send, id_, remaining in rows if remaining}


def divide(
    wanted: Sequence[tuple[R, str | None]], claims: Mapping[str, Claim], stock: Stock
) -> tuple[list[R], list[R]]:
    """Of requests, each with its send: those that may take from the pool, and those for whom nothing is left.

    First come, first served: out of the send's own booking, then out of what nobody has booked.
    """
    pool, free = stock.available, stock.free
    left = {send: claim.remaining for send, claim in claims.items()}
    served: list[R] = []
    others: list[R] = []
    for request, send in wanted:
        own = 0 if send is None else left.get(send, 0)
        if pool <= 0 or not (own or free > 0):
            others.append(request)
            continue
        if own and send is not None:
            left[send] = own - 1
        else:
            free -= 1
        pool -= 1
        served.append(request)
    return served, others


def draw(connection: Connection, stock: Stock, claims: Mapping[str, Claim], sends: Iterable[str | None]) -> None:
    """One code for each of these sends has left the pool: those that had some booked have one less."""
    drawn = set[str]()
    for send in sends:
        claim = None if send is None else claims.get(send)
        if claim is not None and claim.remaining:
            claim.remaining -= 1
            stock.booked -= 1
            drawn.add(str(send))
    if drawn:
        _DRAW.run(connection, [(claims[send].id, claims[send].remaining) for send in sorted(drawn)])


def by_id(connection: Connection, id_: int) -> Booking | None:
    rows = _BY_ID.fetch(connection, [(id_,)])
    return _booking(rows[0]) if rows else None


def every_open(connection: Connection, handle: str) -> list[Booking]:
    """Of a promotion, those that have not been released, by their sends."""
    return [_booking(row) for row in _OPEN.fetch(connection, handle=handle)]


def of_ended_sends(connection: Connection) -> list[int]:
    """Those that are open though their sends have ended, by their ids."""
    return [id_ for (id_,) in _OF_ENDED.fetch(connection)]


def insert(connection: Connection, stock: Stock, *, send: str, codes: int, now: datetime) -> int:
    """Set so many aside; the booking's id. The stock is for the caller to save."""
    stock.booked += codes
    rows = _INSERT.fetch(connection, promotion_id=stock.promotion_id, send=send, codes=codes, now=to_micros(now))
    return int(rows[0][0])


def release(connection: Connection, stock: Stock, booking: Booking, now: datetime) -> None:
    """What remains goes back. The stock is for the caller to save."""
    stock.booked -= booking.remaining
    _RELEASE.run(connection, id=booking.id, now=to_micros(now))


def _booking(row: Any) -> Booking:
    id_, promotion_id, handle, send, codes, remaining, created_at, released_at = row
    return Booking(
        id=id_,
        promotion_id=promotion_id,
        handle=handle,
        send=send,
        codes=codes,
        remaining=remaining,
        created_at=from_micros(created_at),
        released_at=None if released_at is None else from_micros(released_at),
    )
