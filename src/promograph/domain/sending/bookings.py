"""Bookings: codes of a pool that are set aside for one send."""

from dataclasses import dataclass
from datetime import datetime

MOST_OPEN = 1_000
"""How many sends may have codes of one promotion set aside."""

MOST_CODES = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """`codes` were set aside for the send with this key; `remaining` are those that it has not taken.

    Released, it sets nothing aside any more: what remained went back.
    """

    id: int
    promotion_id: int
    handle: str
    send: str
    codes: int
    remaining: int
    created_at: datetime
    released_at: datetime | None
