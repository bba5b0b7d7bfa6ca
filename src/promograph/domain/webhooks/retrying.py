"""What an answer to a webhook means, and when to try again.

A webhook is tried for three days. The pauses between two tries grow from five seconds to twelve hours; `Retry-After`
makes one longer. An endpoint that is down, or asks for less, is left alone as a whole: what waits for it does not all
knock in turn.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

from promograph.domain.pauses import pause_after

KEEPS_TRYING = timedelta(days=3)
"""From the first try on; then it is a dead letter."""

_FIRST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(hours=12)
_LONGEST_REST = timedelta(minutes=5)
_LONGEST_ASKED = timedelta(days=1)
_GONE = 410
_BUSY = frozenset({429, 502, 503, 504})


class DeliveryState(StrEnum):
    """WAITING: to be tried, again or for the first time. DEAD: given up."""

    WAITING = "WAITING"
    DELIVERED = "DELIVERED"
    DEAD = "DEAD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of one try: a status, or `failure`, a sentence that says why there is none. `retry_after` as sent."""

    status: int | None = None
    failure: str | None = None
    retry_after: str | None = None

    @property
    def is_taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """Whether the endpoint wants nothing ever again."""
        return self.status == _GONE

    @property
    def is_down(self) -> bool:
        """Whether the endpoint, and not this one webhook, is what the try failed of."""
        return self.status is None or self.status in _BUSY or (not self.is_taken and self.retry_after is not None)

    @property
    def why(self) -> str | None:
        """None for one that was taken."""
        if self.is_taken or self.failure is not None:
            return self.failure
        if self.status is not None and 300 <= self.status < 400:
            return f"It answered {self.status}; redirects are not followed: give the new address."
        return f"It answered {self.status}."


def next_try(answer: Answer, *, tries: int, first: datetime, now: datetime, luck: float) -> datetime | None:
    """When to try again after `tries`; None: never. `luck`, from 0 to 1, spreads tries that failed together."""
    if answer.is_gone:
        return None
    pause = _spread(pause_after(tries, first=_FIRST_PAUSE, longest=_LONGEST_PAUSE, times=4), luck)
    due = now + max(pause, asked_pause(answer, now))
    return due if due <= first + KEEPS_TRYING else None


def rest(answer: Answer, *, failures: int, now: datetime, luck: float) -> datetime:
    """Until when to leave an endpoint alone that has been down `failures` times in a row."""
    pause = _spread(pause_after(failures, first=_FIRST_PAUSE, longest=_LONGEST_REST), luck)
    return now + max(pause, asked_pause(answer, now))


def _spread(pause: timedelta, luck: float) -> timedelta:
    return pause * (0.8 + 0.4 * luck)


def asked_pause(answer: Answer, now: datetime) -> timedelta:
    """What `Retry-After` asks for, in seconds or as a date (RFC 9110, 10.2.3), at most a day; 0 for no such thing."""
    asked = (answer.retry_after or "").strip()
    try:
        pause = timedelta(seconds=int(asked)) if asked.isdecimal() else parsedate_to_datetime(asked) - now
    except (ValueError, TypeError, OverflowError):
        return timedelta()
    return max(timedelta(), min(pause, _LONGEST_ASKED))
