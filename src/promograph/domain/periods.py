"""Stretches of the calendar in a zone: a day, a week that begins on Monday, a month."""

from datetime import datetime, timedelta
from enum import StrEnum

from promograph.domain.windows import start_of_day, zone


class Period(StrEnum):
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"


def period_of(now: datetime, period: Period, time_zone: str) -> tuple[datetime, datetime]:
    """The first instant of the `period` that `now` lies in there, and the first one after it, both in UTC."""
    today = now.astimezone(zone(time_zone)).date()
    match period:
        case Period.DAY:
            first, after = today, today + timedelta(days=1)
        case Period.WEEK:
            first = today - timedelta(days=today.weekday())
            after = first + timedelta(days=7)
        case Period.MONTH:
            first = today.replace(day=1)
            after = (first + timedelta(days=31)).replace(day=1)
    return start_of_day(first, time_zone), start_of_day(after, time_zone)
