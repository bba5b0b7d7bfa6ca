"""How well a promotion does, by what its codes went through."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class By(StrEnum):
    """What the numbers are put in groups by."""

    CHANNEL = "CHANNEL"
    BATCH = "BATCH"
    SEND = "SEND"
    DAY = "DAY"


class Origin(StrEnum):
    """Where the codes of a group come from, by BATCH."""

    BATCH = "BATCH"
    MADE_ON_DEMAND = "MADE_ON_DEMAND"
    SHARED = "SHARED"
    NO_CODE = "NO_CODE"


Amounts = Mapping[str, int]
"""Smallest units by currency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """`issued` and `redeemed` count codes (of a shared one, its issues and its uses), `redemptions` uses.

    `name` is the channel or the send, `batch_id` the batch; None where there is none.
    """

    name: str | None = None
    batch_id: int | None = None
    origin: Origin | None = None
    day: date | None = None
    issued: int = 0
    redeemed: int = 0
    redemptions: int = 0
    discount: Amounts = field(default_factory=dict)
    order_value: Amounts = field(default_factory=dict)

    @property
    def rate(self) -> float | None:
        return self.redeemed / self.issued if self.issued else None


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def offsets(zone: str, start: datetime, end: datetime) -> Iterator[tuple[datetime, timedelta]]:
    """The zone's offsets from UTC between two instants: each with the first instant from which it holds."""
    place = ZoneInfo(zone)
    at, offset = start, place.utcoffset(start.astimezone(place))
    assert offset is not None, "a zone of the database"
    yield at, offset
    while at < end:
        after = at + timedelta(days=1)
        found = place.utcoffset(after.astimezone(place))
        if found != offset and found is not None:
            yield _change(place, at, after, offset), found
            offset = found
        at = after


def _change(place: ZoneInfo, low: datetime, high: datetime, offset: timedelta) -> datetime:
    """The first minute after `low` at which the offset is another."""
    while high - low > timedelta(minutes=1):
        middle = low + (high - low) / 2
        if place.utcoffset(middle.astimezone(place)) == offset:
            low = middle
        else:
            high = middle
    return high.replace(second=0, microsecond=0)


def day_of(number: int) -> date:
    """From days since 1970."""
    return (_EPOCH + timedelta(days=number)).date()
