"""Dates meant in a time zone: a day is all of that day there, on the days when clocks change too."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from promograph.domain.windows import Window, checked, end_of_day, in_utc, start_of_day, zone
from promograph.errors import BadInput, InputProblem

INSTANT = timedelta(microseconds=1)
ZONES = sorted(available_timezones() - {"localtime", "Factory"})


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


def test_until_15_december_includes_all_of_the_15th() -> None:
    assert end_of_day(date(2026, 12, 15), "Europe/Paris") == utc(2026, 12, 15, 23)
    assert end_of_day(date(2026, 12, 15), "America/Los_Angeles") == utc(2026, 12, 16, 8)
    assert end_of_day(date(2026, 12, 15), "UTC") == utc(2026, 12, 16)
    assert start_of_day(date(2026, 12, 15), "Asia/Kolkata") == utc(2026, 12, 14, 18, 30)


@pytest.mark.parametrize(
    ("day", "name", "hours"),
    [
        (date(2027, 3, 28), "Europe/Berlin", 23),
        (date(2027, 10, 31), "Europe/Berlin", 25),
        (date(2027, 3, 14), "America/New_York", 23),
        (date(2027, 11, 7), "America/New_York", 25),
        (date(2027, 4, 4), "Australia/Lord_Howe", 24.5),
        (date(2027, 10, 3), "Australia/Lord_Howe", 23.5),
        (date(2018, 11, 4), "America/Sao_Paulo", 23),  # midnight itself was skipped
        (date(2025, 11, 2), "America/Havana", 25),  # midnight came twice
        (date(2011, 12, 30), "Pacific/Apia", 0),  # the whole day was skipped
    ],
)
def test_days_when_clocks_change_have_their_own_length(day: date, name: str, hours: float) -> None:
    assert end_of_day(day, name) - start_of_day(day, name) == timedelta(hours=hours)


def test_where_midnight_is_skipped_the_day_begins_at_the_skip() -> None:
    begins = start_of_day(date(2018, 11, 4), "America/Sao_Paulo")
    assert begins.astimezone(ZoneInfo("America/Sao_Paulo")).hour == 1
    assert (begins - INSTANT).astimezone(ZoneInfo("America/Sao_Paulo")).date() == date(2018, 11, 3)


@given(day=st.dates(date(2012, 1, 1), date(2040, 12, 31)), name=st.sampled_from(ZONES))
@example(day=date(2027, 10, 31), name="Europe/London")
@example(day=date(2026, 4, 24), name="Africa/Cairo")
@example(day=date(2026, 10, 29), name="Africa/Cairo")  # clocks go back from midnight to 23:00 of the day before
@example(day=date(2026, 10, 30), name="Africa/Cairo")
def test_a_day_begins_and_ends_where_its_clocks_say(day: date, name: str) -> None:
    there = ZoneInfo(name)
    begins, ends = start_of_day(day, name), end_of_day(day, name)
    assert begins.astimezone(there).date() == day
    assert (begins - INSTANT).astimezone(there).date() == day - timedelta(days=1)
    assert (ends - INSTANT).astimezone(there).date() == day
    assert ends.astimezone(there).date() == day + timedelta(days=1)
    assert begins.tzinfo is UTC


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "Europe", "a\0b", "x" * 300]
)
def test_a_zone_that_is_none_is_named(name: str) -> None:
    with pytest.raises(BadInput) as caught:
        zone(name)
    assert (caught.value.problem, caught.value.field) == (InputProblem.INVALID, ("timeZone",))


def test_the_first_and_the_last_days_there_are_cannot_overflow() -> None:
    with pytest.raises(BadInput) as caught:
        end_of_day(date.max, "UTC")
    assert caught.value.field == ("endsOn",)
    with pytest.raises(BadInput):
        start_of_day(date.min, "Asia/Tokyo")  # before the first instant that can be written in UTC


def test_an_instant_that_utc_cannot_write_is_bad_input() -> None:
    east = timezone(timedelta(hours=9))
    with pytest.raises(BadInput):
        in_utc(datetime(1, 1, 1, tzinfo=east))


def test_instants_of_any_offset_become_utc() -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    assert in_utc(None) is None
    shifted = in_utc(datetime(2027, 1, 1, 5, 30, tzinfo=east))
    assert shifted == utc(2027, 1, 1)
    assert shifted is not None
    assert shifted.utcoffset() == timedelta(0)


def test_a_window_includes_its_start_and_not_its_end() -> None:
    window = Window(starts_at=utc(2027, 1, 1), ends_at=utc(2027, 2, 1))
    assert not window.has_begun(utc(2027, 1, 1) - INSTANT)
    assert window.has_begun(utc(2027, 1, 1))
    assert not window.is_over(utc(2027, 2, 1) - INSTANT)
    assert window.is_over(utc(2027, 2, 1))
    assert Window().has_begun(datetime.min.replace(tzinfo=UTC))
    assert not Window().is_over(datetime.max.replace(tzinfo=UTC))


def test_a_window_that_can_never_be_open_is_bad_input() -> None:
    start = utc(2027, 1, 1)
    for end in (start, start - INSTANT):
        with pytest.raises(BadInput) as caught:
            checked(Window(starts_at=start, ends_at=end))
        assert caught.value.field == ("endsAt",)
    shortest = Window(starts_at=start, ends_at=start + INSTANT)
    assert checked(shortest) is shortest
