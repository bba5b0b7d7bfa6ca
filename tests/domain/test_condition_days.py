"""Days that move with the clock."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from promograph.domain import conditions
from promograph.domain.conditions.days import MovingDay
from promograph.domain.conditions.facts import CustomerFacts, Facts
from promograph.domain.conditions.values import ValueType
from promograph.errors import BadInput, InputProblem

# In Montreal it is still the 14th.
NOW = datetime(2026, 12, 15, 3, tzinfo=UTC)
YESTERDAY = {"day": {"days": -1}}


def departed(op: str, value: object) -> dict[str, Any]:
    return {"attribute": {"name": "departed", "op": op, "value": value}}


def of(day: date) -> Facts:
    return Facts(now=NOW, customer=CustomerFacts(attributes={"departed": day}))


def test_yesterday_is_another_day_elsewhere() -> None:
    here = conditions.parse(departed("EQUALS", YESTERDAY))
    there = conditions.parse(departed("EQUALS", {"day": {"days": -1, "timeZone": "America/Montreal"}}))
    assert [conditions.holds(each, of(date(2026, 12, 14))) for each in (here, there)] == [True, False]
    assert [conditions.holds(each, of(date(2026, 12, 13))) for each in (here, there)] == [False, True]
    assert here.needs().day
    assert conditions.render(here) == "customer's departed is yesterday"
    assert conditions.render(there) == "customer's departed is yesterday in America/Montreal"


def test_it_has_an_order() -> None:
    last_week = conditions.parse(
        {"all": [departed("GTE", {"day": {"days": -7}}), departed("LT", {"day": {"days": 0}})]}
    )
    held = [day for day in range(1, 29) if conditions.holds(last_week, of(date(2026, 12, day)))]
    assert held == [8, 9, 10, 11, 12, 13, 14]
    assert conditions.render(last_week) == "customer's departed from 7 days ago and customer's departed before today"
    assert conditions.parse(conditions.dump(last_week)) == last_week


@pytest.mark.parametrize(
    ("op", "value", "problem"),
    [
        ("IN", YESTERDAY, InputProblem.INVALID),
        ("EQUALS", {"day": {"days": "1"}}, InputProblem.INVALID),
        ("EQUALS", {"day": {"days": 4_000}}, InputProblem.OUT_OF_RANGE),
        ("EQUALS", {"day": {"days": 1, "timeZone": "Montreal"}}, InputProblem.INVALID),
        ("EQUALS", {"day": {"days": 1}, "date": "2026-12-15"}, InputProblem.INVALID),
        ("EQUALS", {"day": None}, InputProblem.REQUIRED),
    ],
)
def test_what_is_none_is_told(op: str, value: object, problem: InputProblem) -> None:
    with pytest.raises(BadInput) as refused:
        conditions.parse(departed(op, value))
    assert refused.value.problem is problem


def test_it_is_compared_with_dates_alone() -> None:
    with pytest.raises(BadInput, match="is a TEXT, and this is a DATE"):
        conditions.parse(departed("EQUALS", YESTERDAY), types={"departed": ValueType.TEXT})
    assert MovingDay(days=3).on(NOW) == date(2026, 12, 18)
