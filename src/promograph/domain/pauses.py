"""How long to leave alone what has failed."""

from datetime import timedelta

_MOST_STEPS = 20
"""By then any pause is the longest one, and a number is not yet too large for a time."""


def pause_after(tries: int, *, first: timedelta, longest: timedelta, times: int = 2) -> timedelta:
    """The pause after so many tries that failed, counted from 1: each is so many `times` as long as the one before."""
    grown: int = times ** min(max(tries, 1) - 1, _MOST_STEPS)
    return min(first * grown, longest)
