"""When a pool runs dry, if codes go on being issued as they were of late.

How they were issued is looked at over the last five minutes, the last hour and the last day; the fastest of the three
counts. A rate is the number of codes asked for in that time (the fallback included, repeats left out) by its length,
or by the time since the promotion's first issue where that is shorter, but at least by a minute.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

WINDOWS = (timedelta(minutes=5), timedelta(hours=1), timedelta(days=1))
LONGEST = max(WINDOWS)

_SHORTEST = timedelta(minutes=1)
_FARTHEST = timedelta(days=36_500)


def runs_out_at(
    available: int, issued: Mapping[timedelta, int], *, since: datetime, now: datetime, until: datetime | None
) -> datetime | None:
    """`issued` within each window; `since` is the first issue. None where it does not run out before `until`."""
    age = max(now - since, _SHORTEST)
    rate = max(count / min(window, age).total_seconds() for window, count in issued.items())
    if not rate or not available:
        return None
    left = available / rate
    if left > _FARTHEST.total_seconds():
        return None
    at = now + timedelta(seconds=round(left))
    return None if until is not None and at >= until else at
