"""When a promotion runs, meant in its own time zone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from promograph.errors import BadInput, InputProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """From `starts_at` (included) until `ends_at` (excluded), both in UTC; None is open."""

    time_zone: str = "UTC"
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def has_begun(self, now: datetime) -> bool:
        return self.starts_at is None or now >= self.starts_at

    def is_over(self, now: datetime) -> bool:
        return self.ends_at is not None and now >= self.ends_at


def zone(name: str) -> ZoneInfo:
    """The zone of that IANA name; BadInput on `timeZone` for any other text."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise BadInput(
            InputProblem.INVALID,
            "The time zone must be an IANA name such as Europe/Paris.",
            field=("timeZone",),
        ) from None


def start_of_day(day: date, time_zone: str) -> datetime:
    """The first instant of `day` there, in UTC (where midnight is skipped, the instant of the skip)."""
    return _shifted(datetime.combine(day, time.min, tzinfo=zone(time_zone)))


def end_of_day(day: date, time_zone: str) -> datetime:
    """The instant after the last of `day` there, in UTC: "until 15 December" includes all of the 15th."""
    if day == date.max:
        raise BadInput(
            InputProblem.OUT_OF_RANGE, "The last day of a window must be before 9999-12-31.", field=("endsOn",)
        )
    return start_of_day(day + timedelta(days=1), time_zone)


def last_instant(end: datetime | None, time_zone: str) -> datetime | None:
    """Of something that ends at `end`: the last instant at which it has not, as the clocks show it there."""
    return None if end is None else (end - timedelta(microseconds=1)).astimezone(zone(time_zone))


def checked(window: Window) -> Window:
    """The window itself; BadInput where it can never be open."""
    zone(window.time_zone)
    if window.starts_at is not None and window.ends_at is not None and window.ends_at <= window.starts_at:
        raise BadInput(InputProblem.INVALID, "The window must end after it starts.", field=("endsAt",))
    return window


def in_utc(instant: datetime | None) -> datetime | None:
    return None if instant is None else _shifted(instant)


def _shifted(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise BadInput(InputProblem.OUT_OF_RANGE, "An instant must lie in the years 1 to 9999 of UTC.") from None
