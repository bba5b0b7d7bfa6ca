"""A clock for tests."""

from datetime import UTC, datetime, timedelta


class SetClock:
    """It stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2027, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **length: float) -> None:
        self.now += timedelta(**length)
