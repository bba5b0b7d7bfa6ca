"""How much others want a store on which a long load works."""

import time
from collections import deque
from collections.abc import Callable

_SEVERAL = 16
_LATELY = 0.5
"""So many small transactions in so many seconds are requests. Fewer are a server's own: it makes five a second by
itself, and has been seen to make nine at once as it begins."""

_LINGERS = 2.0
"""Requests come in bursts, and the first of the next one would have to wait for all that a load does meanwhile."""


class Demand:
    """The small transactions of this process, by when they came. `now` tells seconds that only grow."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._came: deque[float] = deque(maxlen=_SEVERAL)
        self._felt_at: float | None = None

    def note(self) -> None:
        """One comes."""
        now = self._now()
        self._came.append(now)
        if len(self._came) == _SEVERAL and now - self._came[0] < _LATELY:
            self._felt_at = now

    @property
    def is_felt(self) -> bool:
        """Whether requests come, or did a moment ago."""
        return self._felt_at is not None and self._now() - self._felt_at < _LINGERS
