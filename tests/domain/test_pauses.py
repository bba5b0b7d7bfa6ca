"""Pauses between tries."""

from datetime import timedelta

from promograph.domain.pauses import pause_after

SECOND = timedelta(seconds=1)


def test_pauses_grow_up_to_the_longest() -> None:
    minute = timedelta(minutes=1)
    assert [pause_after(n, first=SECOND, longest=minute) // SECOND for n in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert [pause_after(n, first=SECOND, longest=minute, times=4) // SECOND for n in range(1, 5)] == [1, 4, 16, 60]


def test_no_number_of_tries_is_too_many() -> None:
    longest = timedelta(days=1)
    assert pause_after(10**9, first=timedelta(minutes=1), longest=longest, times=4) == longest
    assert pause_after(0, first=SECOND, longest=longest) == SECOND
