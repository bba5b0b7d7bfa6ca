"""Customers are read by the hundred as each of them is read alone."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promograph.domain.conditions.values import ValueType
from promograph.domain.people.reading import read_customers

TYPES = {
    "tier": ValueType.TEXT,
    "spent": ValueType.NUMBER,
    "vip": ValueType.BOOLEAN,
    "born": ValueType.DATE,
    "likes": ValueType.LIST,
}
GOOD: dict[str, Any] = {
    "email": "ada@example.com",
    "phone": "+15145550100",
    "locale": "fr-CA",
    "consent": {"email": True, "sms": None},
    "attributes": {"tier": "gold", "spent": 12.5, "vip": True, "born": {"date": "1985-03-09"}, "likes": ["ski"]},
}
DAYS = [{"date": day} for day in ("2026-02-30", "2024-02-29", "2026-04-31", "2026-12-31", "0000-01-01", "2026-00-10")]
ODD: dict[str, list[Any]] = {
    "id": ["", " a", "a ", "a b", "a\nb", "\ud800", "x" * 128, "x" * 129],
    "email": [None, "", "Ada@Example.COM", " a@b.c", "a b@c.d", "a@b.c\nd@e.f", "a@b@c", "é@b.c", "x" * 250 + "@b.cd"],
    "phone": [None, "", "+1 514 555 0100", " +15145550100", "+15145550100\n+15145550101", "5145550100", "+1" * 40],
    "locale": [None, "", "fr", "fr_CA", "f r"],
    "consent": [None, {}, {"": True}, {"email": 1}, {"sms": None}, {f"c{n}": True for n in range(21)}, []],
    "attributes": [None, {}, {"new": None}, {"new": 1}, {'"': 1}, {f"n{n}": n for n in range(51)}, []],
    "tier": [None, 1, "", "a\0b", "a\nb", "x" * 500, "x" * 501, ["gold"]],
    "spent": [None, 7, 7.0, True, 10**15, 10**18, 10**19, 1e-7, 0.1 + 0.2, float("nan"), {"number": "12.50"}],
    "vip": [None, 1, "true"],
    "born": [None, "1985-03-09", "soon", *DAYS, {"date": "19850309"}, {"day": "2026-02-28"}, {}],
    "likes": [None, [], [1, 2.5], ["ski", 1], ["x" * 400] * 13, ["x" * 501], ["a\0"], ["x"] * 101, [None], "ski"],
}


def each_alone(told: list[dict[str, Any]]) -> Any:
    known = dict(TYPES)
    changes: list[Any] = []
    problems: list[Any] = []
    for place, one in enumerate(told):
        alone = read_customers([one], known)
        changes += alone.changes
        problems += [(place, problem.field, str(problem)) for _, problem in alone.problems]
        known |= alone.learned
    return repr(changes), problems, known  # its text tells 12 from 12.0, and true from 1


def together(told: list[dict[str, Any]]) -> Any:
    read = read_customers(told, TYPES)
    problems = [(place, problem.field, str(problem)) for place, problem in read.problems]
    return repr(read.changes), problems, TYPES | read.learned


def told_with(places: dict[int, tuple[str, Any]]) -> list[dict[str, Any]]:
    told = [{"id": f"c{n}", **GOOD} for n in range(20)]
    for place, (name, value) in places.items():
        if name in TYPES:
            told[place]["attributes"] = {**GOOD["attributes"], name: value}
        else:
            told[place][name] = value
    return told


@pytest.mark.parametrize("name", ODD)
def test_one_who_is_odd_among_many_is_read_as_alone(name: str) -> None:
    for value in ODD[name]:
        told = told_with({7: (name, value)})
        assert together(told) == each_alone(told), value
    left_out = [{field: value for field, value in one.items() if field != name} for one in told_with({})]
    assert name == "id" or together(left_out) == each_alone(left_out)


@given(st.dictionaries(st.integers(0, 19), st.sampled_from([(name, one) for name in ODD for one in ODD[name]])))
def test_many_who_are_odd_are_read_as_alone(places: dict[int, tuple[str, Any]]) -> None:
    told = told_with({place: odd for place, odd in places.items() if odd[0] != "id"})
    assert together(told) == each_alone(told)


def test_those_who_are_plainly_right_are_taken_as_they_were_told() -> None:
    told = [{"id": f"c{n}", **GOOD} for n in range(40)]
    told[7] = {**told[7], "attributes": {"spent": 7.0}}
    changes = read_customers(told, TYPES).changes
    assert [n for n, (one, change) in enumerate(zip(told, changes, strict=True)) if one is not change] == [7]
