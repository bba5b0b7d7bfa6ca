"""Customers as callers tell of them: what is taken, what is learned, what is wrong and where."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from promograph.domain.conditions.values import ValueType
from promograph.domain.people.attributes import MOST_KNOWN
from promograph.domain.people.customers import (
    CustomerChange,
    checked_consent,
    checked_email,
    checked_locale,
    checked_phone,
)
from promograph.domain.people.reading import MOST_CUSTOMERS, read_customers
from promograph.errors import BadInput, InputProblem

TYPES = {
    "tier": ValueType.TEXT,
    "spent": ValueType.NUMBER,
    "vip": ValueType.BOOLEAN,
    "born": ValueType.DATE,
    "likes": ValueType.LIST,
}


def attributes(**given: Any) -> Any:
    """As they are read where the types above are known."""
    read = read_customers([{"id": "a", "attributes": given}], TYPES)
    assert read.problems == []
    return read.changes[0]["attributes"]


def fault(**given: Any) -> tuple[InputProblem, tuple[str, ...]]:
    read = read_customers([{"id": "a", "attributes": given}], TYPES)
    assert read.changes == []
    assert read.learned == {}
    [(place, problem)] = read.problems
    assert place == 0
    return problem.problem, problem.field


@pytest.mark.parametrize(
    ("name", "given", "taken"),
    [
        ("tier", "gold", "gold"),
        ("tier", "line\nend\u2028", "line\nend\u2028"),
        ("tier", "x" * 500, "x" * 500),
        ("spent", 12, 12),
        ("spent", 10**18, 10**18),
        ("spent", 41.0, 41),
        ("spent", 12.5, 12.5),
        ("spent", 1e-7, Decimal("1e-7")),
        ("spent", 1e17, 10**17),
        ("spent", {"number": "12.50"}, Decimal("12.5")),
        ("spent", {"number": "999999999999999999.999999999"}, Decimal("999999999999999999.999999999")),
        ("vip", False, False),
        ("born", {"date": "1985-03-09"}, {"date": "1985-03-09"}),
        ("born", "1985-03-09", date(1985, 3, 9)),
        ("born", {"date": "19850309"}, date(1985, 3, 9)),
        ("born", date(1985, 3, 9), date(1985, 3, 9)),
        ("likes", ["ski", "夏祭り"], ["ski", "夏祭り"]),
        ("likes", [], []),
        ("likes", [1, 2.5, 3.0], (1, Decimal("2.5"), 3)),
        ("likes", [{"date": "1985-03-09"}], (date(1985, 3, 9),)),
        ("tier", None, None),
        ("new", None, None),
    ],
)
def test_what_is_taken(name: str, given: object, taken: object) -> None:
    found = attributes(**{name: given})[name]
    assert found == taken
    assert type(found) is type(taken)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("tier", 1),
        ("tier", True),
        ("tier", ["gold"]),
        ("tier", {"date": "2026-01-01"}),
        ("tier", "a\0b"),
        ("tier", "\ud800"),
        ("spent", "12"),
        ("spent", True),
        ("spent", "NaN"),
        ("spent", float("nan")),
        ("spent", float("inf")),
        ("vip", 1),
        ("vip", "true"),
        ("born", "yesterday"),
        ("born", "2026-02-30"),
        ("born", {"date": "2026-13-01"}),
        ("born", 20260101),
        ("likes", "ski"),
        ("likes", ["ski", 1]),
        ("likes", [["ski"]]),
        ("likes", [None]),
        ("new", {"more": 1}),
        ("new", {"number": "1", "date": "2026-01-01"}),
    ],
)
def test_what_is_not_of_its_type(name: str, given: object) -> None:
    problem, field = fault(**{name: given})
    assert problem in (InputProblem.INVALID, InputProblem.OUT_OF_RANGE)
    assert field[:2] == ("attributes", name)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("tier", "x" * 501),
        ("tier", "x" * 1_000_000),
        ("new", "x" * 1_000_000),
        ("spent", 10**18 + 1),
        ("spent", 0.1 + 0.2),
        ("spent", {"number": "0.0000000001"}),
        ("likes", ["x" * 400] * 13),
    ],
)
def test_what_is_too_large(name: str, given: object) -> None:
    assert fault(**{name: given}) == (InputProblem.OUT_OF_RANGE, ("attributes", name)) or name == "spent"
    assert fault(**{name: given})[0] is InputProblem.OUT_OF_RANGE


def test_lists_and_attributes_are_bounded() -> None:
    assert fault(likes=["x"] * 101)[0] is InputProblem.TOO_MANY
    assert fault(**{f"n{n}": n for n in range(51)})[0] is InputProblem.TOO_MANY


@pytest.mark.parametrize("name", ["", " a", "a\nb", 'say "x"', "back\\slash", "x" * 129])
def test_what_is_no_name(name: str) -> None:
    assert fault(**{name: 1})[1][:2] == ("attributes", name)
    assert fault(**{name: None})[1][:2] == ("attributes", name)


def test_types_are_learned_from_the_first_value() -> None:
    read = read_customers(
        [
            {"id": "a", "attributes": {"n": 1, "d": {"date": "2026-01-01"}, "l": []}},
            {"id": "b", "attributes": {"n": "one", "other": True}},
            {"id": "c", "attributes": {"n": 2.5, "d": "2026-01-02"}},
        ],
        {},
    )
    assert read.learned == {"n": ValueType.NUMBER, "d": ValueType.DATE, "l": ValueType.LIST}
    assert [change["id"] for change in read.changes] == ["a", "c"]
    assert [(place, problem.field) for place, problem in read.problems] == [(1, ("attributes", "n"))]
    assert "is a NUMBER" in str(read.problems[0][1])


def test_names_are_bounded_in_number() -> None:
    known = {f"k{n}": ValueType.TEXT for n in range(MOST_KNOWN - 1)}
    read = read_customers([{"id": "a", "attributes": {"x": 1}}, {"id": "b", "attributes": {"y": 1}}], known)
    assert read.learned == {"x": ValueType.NUMBER}
    assert [problem.problem for _, problem in read.problems] == [InputProblem.TOO_MANY]


def test_a_customer_who_comes_twice_is_changed_twice() -> None:
    read = read_customers(
        [
            {"id": "a", "email": "a@b.c", "phone": "+15145550100", "attributes": {"tier": "gold", "spent": 1}},
            {"id": "b"},
            {"id": "a", "email": None, "consent": {"sms": True}, "attributes": {"tier": "silver", "vip": None}},
        ],
        TYPES,
    )
    assert read.mentions == 3
    assert read.changes == [
        CustomerChange(
            id="a",
            email=None,
            phone="+15145550100",
            consent={"sms": True},
            attributes={"tier": "silver", "spent": 1, "vip": None},
        ),
        CustomerChange(id="b"),
    ]


def test_customers_are_bounded_in_number() -> None:
    assert len(read_customers([{"id": str(n)} for n in range(MOST_CUSTOMERS)], {}).changes) == MOST_CUSTOMERS
    with pytest.raises(BadInput) as refused:
        read_customers([{"id": "a"}] * (MOST_CUSTOMERS + 1), {})
    assert refused.value.problem is InputProblem.TOO_MANY


@pytest.mark.parametrize("id_", ["", " a", "a ", "a\nb", "\ud800", "x" * 129])
def test_what_is_no_id(id_: str) -> None:
    [(_, problem)] = read_customers([{"id": id_}], {}).problems
    assert problem.field == ("id",)


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("ada@example.com", "ada@example.com"),
        (" Ada.L@Example.COM ", "Ada.L@example.com"),
        ("ünï@bücher.example", "ünï@bücher.example"),
        ("o'brien+x@a.b", "o'brien+x@a.b"),
    ],
)
def test_addresses(given: str, taken: str) -> None:
    assert checked_email(given) == taken


@pytest.mark.parametrize(
    "given", ["", "ada", "@b.c", "a@", "a@b@c", "a b@c.d", "a@b\n.c", "a\0@b.c", f"{'x' * 251}@b.c"]
)
def test_what_is_no_address(given: str) -> None:
    with pytest.raises(BadInput) as refused:
        checked_email(given)
    assert refused.value.field == ("email",)


def test_phones() -> None:
    for given in ("+15145550100", "+1 514 555 0100", "+1 (514) 555-0100", " +1.514.555.0100 "):
        assert checked_phone(given) == "+15145550100"
    for given in ("", "5145550100", "+0145550100", "+1 514 CALL ME", "+" + "1" * 16, "+1514555010\uff10"):
        with pytest.raises(BadInput):
            checked_phone(given)


def test_locales() -> None:
    assert [checked_locale(given) for given in ("fr", "fr-CA", "fr_CA", "zh-Hant-TW")] == [
        "fr",
        "fr-CA",
        "fr-CA",
        "zh-Hant-TW",
    ]
    for given in ("", "f r", "français", "x" * 36, "-"):
        with pytest.raises(BadInput):
            checked_locale(given)


def test_consent() -> None:
    assert checked_consent({"email": True, "sms": None}) == {"email": True, "sms": None}
    for given in ([], {"email": 1}, {"": True}, {1: True}, {f"c{n}": True for n in range(21)}):
        with pytest.raises(BadInput) as refused:
            checked_consent(given)
        assert refused.value.field[0] == "consent"
