"""Days that move with the clock: today, yesterday, a week ago."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Self

from promograph.domain.conditions.reading import Place
from promograph.domain.windows import zone
from promograph.errors import BadInput

_FARTHEST = 3_660

_NAMES = {-1: "yesterday", 0: "today", 1: "tomorrow"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MovingDay:
    """The day that comes `days` after today (before it, where negative), as calendars show it in the time zone."""

    days: int
    time_zone: str = "UTC"

    @classmethod
    def read(cls, place: Place) -> Self:
        fields = place.fields("days", "timeZone")
        days = place.needed("days", fields).count(-_FARTHEST, _FARTHEST)
        name = fields["timeZone"].text() if "timeZone" in fields else "UTC"
        try:
            zone(name)
        except BadInput as bad:
            raise fields["timeZone"].bad(str(bad)) from None
        return cls(days=days, time_zone=name)

    def on(self, now: datetime) -> date:
        """Which day that is now."""
        return now.astimezone(zone(self.time_zone)).date() + timedelta(days=self.days)

    def dump(self) -> dict[str, Any]:
        """As plain JSON data, which `read` reads back."""
        return {"days": self.days, "timeZone": self.time_zone}

    def __str__(self) -> str:
        said = _NAMES.get(self.days) or (f"{-self.days} days ago" if self.days < 0 else f"in {self.days} days")
        return said if self.time_zone == "UTC" else f"{said} in {self.time_zone}"
