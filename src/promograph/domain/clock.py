"""Time is passed in: rules never ask the machine what time it is."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the present instant, in UTC."""


def system_clock() -> datetime:
    return datetime.now(UTC)
