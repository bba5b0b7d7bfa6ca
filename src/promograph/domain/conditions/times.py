"""A condition over the weekday and the hour, as clocks show them in the promotion's time zone."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from promograph.domain.conditions.facts import Facts, Needs
from promograph.domain.conditions.nodes import Condition, Names
from promograph.domain.conditions.reading import Place
from promograph.domain.conditions.verdicts import Failure, FailureKind, Gap
from promograph.domain.windows import zone

_DAY = 24 * 60
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00", re.ASCII)


class Weekday(StrEnum):
    """In the order of `datetime.weekday()`."""

    MONDAY = "MONDAY"
    TUESDAY = "TUESDAY"
    WEDNESDAY = "WEDNESDAY"
    THURSDAY = "THURSDAY"
    FRIDAY = "FRIDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"


_WEEK = tuple(Weekday)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours(Condition):
    """On these weekdays, from minute `start` of the day (included) until minute `end` (excluded; 1,440 is midnight).

    Where `end` is not after `start`, the hours run past midnight and belong to the day on which they began: Friday
    22:00 to 02:00 ends on Saturday. When clocks are put back or forward, what they show is what counts.
    """

    weekdays: tuple[Weekday, ...] = _WEEK
    start: int = 0
    end: int = _DAY

    @classmethod
    def read(cls, place: Place) -> Self:
        fields = place.fields("weekdays", "start", "end")
        if not fields:
            raise place.bad("hours needs weekdays, or a start, or an end.")
        days = fields["weekdays"].items(most=len(_WEEK)) if "weekdays" in fields else []
        chosen = {day.choice(Weekday) for day in days} or set(_WEEK)
        start = _read_minute(fields["start"]) if "start" in fields else 0
        end = _read_minute(fields["end"]) if "end" in fields else _DAY
        if start in (end, _DAY):
            raise place.bad("hours must start before 24:00 and not when they end; leave both out for the whole day.")
        return cls(weekdays=tuple(day for day in _WEEK if day in chosen), start=start, end=end)

    def holds(self, facts: Facts) -> bool:
        return self._covers(facts.now, facts.time_zone)

    def failures(self, facts: Facts, names: Names) -> tuple[Failure, ...]:
        opens_at = self._opens_at(facts.now, facts.time_zone)
        kind = FailureKind.OUTSIDE_WINDOW
        if opens_at is None:
            return (self.failure(facts, names, kind=kind),)
        gap = Gap(size=int((opens_at - facts.now).total_seconds()), unit="seconds")
        return (self.failure(facts, names, kind=kind, details={"opens_at": opens_at.isoformat()}, gap=gap),)

    def needs(self) -> Needs:
        return Needs(clock=True)

    def dump(self) -> dict[str, Any]:
        return {
            "hours": {
                "weekdays": [str(day) for day in self.weekdays],
                "start": _clock(self.start),
                "end": _clock(self.end),
            }
        }

    def render(self, names: Names) -> str:
        days = "any day" if self.weekdays == _WEEK else " or ".join(day.capitalize() for day in self.weekdays)
        if (self.start, self.end) == (0, _DAY):
            return f"on {days}"
        return f"on {days} from {_clock(self.start)} to {_clock(self.end)}"

    def _covers(self, now: datetime, time_zone: str) -> bool:
        local = now.astimezone(zone(time_zone))
        minute, today = local.hour * 60 + local.minute, local.weekday()
        if self.start < self.end:
            return self.start <= minute < self.end and _WEEK[today] in self.weekdays
        if minute >= self.start:
            return _WEEK[today] in self.weekdays
        return minute < self.end and _WEEK[today - 1] in self.weekdays

    def _opens_at(self, now: datetime, time_zone: str) -> datetime | None:
        """The next start, in UTC, at which it does hold; None where there is none within eight days."""
        there = zone(time_zone)
        first = now.astimezone(there).replace(hour=self.start // 60, minute=self.start % 60, second=0, microsecond=0)
        # A start that clocks show twice is two; one that they skip is taken as late as it would have been.
        starts = (
            (first + timedelta(days=days)).replace(fold=fold).astimezone(UTC) for days in range(9) for fold in (0, 1)
        )
        return next((start for start in starts if start > now and self._covers(start, time_zone)), None)


def _read_minute(place: Place) -> int:
    found = _CLOCK.fullmatch(place.text())
    if found is None:
        raise place.bad(f"{place.name} must be a time such as 09:30.")
    return _DAY if found[1] is None else int(found[1]) * 60 + int(found[2])


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
