"""Conditions: what they mean, what is told when they fail, and what may be written."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from promograph.domain import conditions
from promograph.domain.carts import Cart, Line, LineAttribute, LineFilter, Money
from promograph.domain.conditions.attributes import AttributeIs
from promograph.domain.conditions.carts import FirstOrder, SalesChannelIn, SubtotalIs
from promograph.domain.conditions.customers import CodesIssued, HoldsCode, InSegment
from promograph.domain.conditions.facts import CustomerFacts, Facts, IssuedKey, Needs
from promograph.domain.conditions.lines import HasLines
from promograph.domain.conditions.nodes import AllOf, AnyOf, Condition, Not
from promograph.domain.conditions.times import Hours, Weekday
from promograph.domain.conditions.value_reading import read_attributes
from promograph.domain.conditions.values import COMPARING, ORDERING, Op, Scalar, Value, ValueType, dump_value
from promograph.domain.conditions.verdicts import Failure, FailureKind, Gap
from promograph.errors import BadInput

NOW = datetime(2026, 12, 18, 19, 30, tzinfo=UTC)  # a Friday
JUNE = datetime(2026, 6, 1, tzinfo=UTC)
CUSTOMER = CustomerFacts(
    attributes={
        "tier": "gold",
        "age": 41,
        "height": Decimal("1.82"),
        "vip": True,
        "born": date(1985, 3, 9),
        "likes": ("shoes", "hats"),
        "sizes": (42, Decimal("43.5")),
    },
    segments=frozenset({"gold"}),
    issued={IssuedKey(): 3, IssuedKey(promotion="summer"): 2, IssuedKey(promotion="summer", since=JUNE): 1},
    held=frozenset({"summer"}),
)
CART = Cart(
    currency="EUR",
    lines=(
        Line(id="1", sku="PUMP", quantity=1, amount=3200, categories=("shoes",), brand="Acme"),
        Line(id="2", sku="CAP", quantity=2, amount=1000, categories=("hats",), attributes={"colour": "red"}),
    ),
    shipping=1000,
    sales_channel="web",
    is_first_order=True,
)
FACTS = Facts(now=NOW, time_zone="Europe/Paris", customer=CUSTOMER, cart=CART)
NOTHING = Facts(now=NOW)


def is_(name: str, op: str, value: object = None) -> dict[str, Any]:
    return {"attribute": {"name": name, "op": op, "value": value}}


def subtotal(op: str, amount: object, currency: str = "EUR") -> dict[str, Any]:
    return {"subtotal": {"op": op, "value": {"amount": amount, "currency": currency}}}


def issued(op: str, count: int, **more: str) -> dict[str, Any]:
    return {"issued": {"op": op, "count": count, **more}}


TRUE = [
    is_("tier", "EQUALS", "gold"),
    is_("tier", "IN", ["silver", "gold"]),
    is_("age", "EQUALS", 41),
    is_("age", "EQUALS", {"number": "41.0"}),
    is_("age", "GTE", 41),
    is_("age", "LT", 41.5),
    is_("age", "IN", [40, 41]),
    is_("height", "GT", {"number": "1.81"}),
    is_("height", "EQUALS", 1.82),
    is_("vip", "EQUALS", True),
    is_("born", "LT", {"date": "1985-03-10"}),
    is_("born", "EQUALS", {"date": "1985-03-09"}),
    is_("likes", "EQUALS", "hats"),
    is_("likes", "IN", ["gloves", "shoes"]),
    is_("sizes", "GT", 43),
    is_("age", "EXISTS"),
    {"segment": "gold"},
    issued("EQUALS", 3),
    issued("GT", 1, promotion="summer"),
    issued("LTE", 1, promotion="summer", since="2026-06-01T02:00:00+02:00"),
    issued("EQUALS", 0, promotion="winter"),
    {"holds": "summer"},
    subtotal("EQUALS", "42.00"),
    subtotal("GTE", 42),
    subtotal("GT", "41.99"),
    subtotal("LT", "42.01"),
    subtotal("LTE", 42.0),
    {"lines": {}},
    {"lines": {"quantity": 3}},
    {"lines": {"filter": {"categories": ["hats"]}, "quantity": 2, "amount": {"amount": "10.00", "currency": "EUR"}}},
    {"lines": {"filter": {"skus": ["PUMP"], "brands": ["Acme"]}}},
    {"lines": {"filter": {"attributes": [{"name": "colour", "values": ["red"]}]}}},
    {"firstOrder": True},
    {"salesChannel": ["app", "web"]},
    {"hours": {"weekdays": ["FRIDAY"]}},
    {"hours": {"start": "20:30"}},
    {"hours": {"end": "20:31"}},
    {"hours": {"weekdays": ["FRIDAY", "SATURDAY"], "start": "20:00", "end": "02:00"}},
    {"all": [{"segment": "gold"}, {"holds": "summer"}]},
    {"any": [{"segment": "silver"}, {"holds": "summer"}]},
    {"not": {"segment": "silver"}},
]
FALSE = [
    is_("tier", "EQUALS", "Gold"),
    is_("tier", "IN", ["silver"]),
    is_("age", "EQUALS", "41"),
    is_("age", "EQUALS", True),
    is_("vip", "EQUALS", 1),
    is_("vip", "IN", [1]),
    is_("age", "GT", 41),
    is_("tier", "GT", 3),
    is_("born", "GT", {"date": "1985-03-09"}),
    is_("born", "LT", 3000),
    is_("born", "EQUALS", "1985-03-09"),
    is_("likes", "EQUALS", "gloves"),
    is_("sizes", "LT", 42),
    is_("shoe size", "EXISTS"),
    is_("shoe size", "EQUALS", 42),
    is_("shoe size", "LT", 42),
    {"segment": "silver"},
    issued("LT", 3),
    issued("GTE", 1, promotion="winter"),
    {"holds": "winter"},
    subtotal("GT", "42.00"),
    subtotal("LT", "42.00"),
    subtotal("LT", "1000.00", "USD"),
    {"lines": {"quantity": 4}},
    {"lines": {"filter": {"categories": ["hats"]}, "quantity": 3}},
    {"lines": {"filter": {"categories": ["hats"]}, "amount": {"amount": "10.01", "currency": "EUR"}}},
    {"lines": {"amount": {"amount": "1.00", "currency": "USD"}}},
    {"lines": {"filter": {"brands": ["Fleet"]}}},
    {"firstOrder": False},
    {"salesChannel": ["WEB"]},
    {"hours": {"weekdays": ["THURSDAY"]}},
    {"hours": {"start": "20:31"}},
    {"hours": {"end": "20:30"}},
    {"all": [{"segment": "gold"}, {"holds": "winter"}]},
    {"any": [{"segment": "silver"}, {"holds": "winter"}]},
    {"not": {"segment": "gold"}},
]


@pytest.mark.parametrize(("data", "expected"), [(data, True) for data in TRUE] + [(data, False) for data in FALSE])
def test_what_holds(data: dict[str, Any], expected: bool) -> None:
    condition = conditions.parse(data)
    assert conditions.holds(condition, FACTS) is expected
    assert conditions.evaluate(condition, FACTS).holds is expected
    assert conditions.holds(Not(condition), FACTS) is not expected


@pytest.mark.parametrize(
    "data", [data for data in (*TRUE, *FALSE) if not {"all", "any", "not", "hours"} & data.keys()], ids=str
)
def test_what_is_missing_makes_nothing_true(data: dict[str, Any]) -> None:
    condition = conditions.parse(data)
    assert not conditions.holds(condition, NOTHING)
    assert conditions.holds(Not(condition), NOTHING)


@pytest.mark.parametrize("first", [True, False])
def test_a_checkout_that_does_not_say_whether_it_is_the_first_order(first: bool) -> None:
    unsaid = replace(FACTS, cart=replace(CART, is_first_order=None, sales_channel=None))
    assert not conditions.holds(FirstOrder(expected=first), unsaid)
    assert not conditions.holds(SalesChannelIn(channels=("web",)), unsaid)


@pytest.mark.parametrize(
    ("local", "hours", "expected"),
    [
        ("2026-12-18 22:00", Hours(weekdays=(Weekday.FRIDAY,), start=1320, end=120), True),
        ("2026-12-18 21:59", Hours(weekdays=(Weekday.FRIDAY,), start=1320, end=120), False),
        ("2026-12-19 01:59", Hours(weekdays=(Weekday.FRIDAY,), start=1320, end=120), True),
        ("2026-12-19 02:00", Hours(weekdays=(Weekday.FRIDAY,), start=1320, end=120), False),
        ("2026-12-19 22:30", Hours(weekdays=(Weekday.FRIDAY,), start=1320, end=120), False),
        ("2026-12-18 01:00", Hours(weekdays=(Weekday.FRIDAY,), start=1320, end=120), False),
        ("2026-12-21 00:30", Hours(weekdays=(Weekday.SUNDAY,), start=1320, end=120), True),
        ("2026-12-18 23:59", Hours(start=1080, end=0), True),
        ("2026-12-19 00:00", Hours(start=1080, end=0), False),
        ("2026-12-18 23:59", Hours(weekdays=(Weekday.FRIDAY,)), True),
        ("2026-12-19 00:00", Hours(weekdays=(Weekday.FRIDAY,)), False),
    ],
)
def test_hours_are_those_of_the_promotion(local: str, hours: Hours, expected: bool) -> None:
    now = datetime.fromisoformat(local + "+01:00").astimezone(UTC)
    assert conditions.holds(hours, Facts(now=now, time_zone="Europe/Paris")) is expected


@pytest.mark.parametrize(
    ("now", "hours", "opens_at"),
    [
        ("2026-12-18T19:30:00Z", Hours(start=540, end=1020), "2026-12-19T08:00:00+00:00"),
        ("2026-12-18T07:30:00Z", Hours(start=540, end=1020), "2026-12-18T08:00:00+00:00"),
        ("2026-12-18T19:30:00Z", Hours(weekdays=(Weekday.MONDAY,)), "2026-12-20T23:00:00+00:00"),
        ("2026-12-18T19:30:00Z", Hours(weekdays=(Weekday.FRIDAY,), start=0, end=60), "2026-12-24T23:00:00+00:00"),
        # Clocks skip 02:30 on 29 March 2026 and show it twice on 25 October.
        ("2026-03-28T22:00:00Z", Hours(start=150, end=240), "2026-03-29T01:30:00+00:00"),
        ("2026-10-25T00:00:00Z", Hours(start=150, end=170), "2026-10-25T00:30:00+00:00"),
        ("2026-10-25T01:00:00Z", Hours(start=150, end=170), "2026-10-25T01:30:00+00:00"),
    ],
)
def test_outside_hours_one_learns_when_they_begin(now: str, hours: Hours, opens_at: str) -> None:
    facts = Facts(now=datetime.fromisoformat(now), time_zone="Europe/Paris")
    [failure] = conditions.evaluate(hours, facts).failures
    assert failure.kind is FailureKind.OUTSIDE_WINDOW
    assert failure.data["opens_at"] == opens_at
    assert conditions.holds(hours, replace(facts, now=datetime.fromisoformat(opens_at)))


def failure_of(data: dict[str, Any], facts: Facts = FACTS) -> Failure:
    [failure] = conditions.evaluate(conditions.parse(data), facts).failures
    return failure


@pytest.mark.parametrize(
    ("data", "kind", "details"),
    [
        (subtotal("GTE", "50.00"), "MINIMUM_NOT_MET", {"missing": "8.00", "currency": "EUR"}),
        (subtotal("GT", "50.00"), "MINIMUM_NOT_MET", {"missing": "8.01", "currency": "EUR"}),
        (subtotal("LT", "40.00"), "CONDITION_FAILED", {}),
        (subtotal("EQUALS", "50.00"), "CONDITION_FAILED", {}),
        (subtotal("GTE", "50.00", "USD"), "CURRENCY_MISMATCH", {"expected": "USD", "given": "EUR"}),
        ({"segment": "silver"}, "NOT_IN_SEGMENT", {}),
        ({"holds": "winter"}, "CONDITION_FAILED", {}),
        ({"lines": {"quantity": 5}}, "CONDITION_FAILED", {"missing_quantity": 2}),
        (
            {"lines": {"filter": {"skus": ["CAP"]}, "quantity": 3, "amount": {"amount": 12, "currency": "EUR"}}},
            "CONDITION_FAILED",
            {"missing_quantity": 1, "missing": "2.00", "currency": "EUR"},
        ),
        (
            {"lines": {"amount": {"amount": "42.50", "currency": "EUR"}}},
            "CONDITION_FAILED",
            {"missing": "0.50", "currency": "EUR"},
        ),
        (
            {"lines": {"amount": {"amount": 1, "currency": "JPY"}}},
            "CURRENCY_MISMATCH",
            {"expected": "JPY", "given": "EUR"},
        ),
        ({"not": {"segment": "gold"}}, "CONDITION_FAILED", {}),
        # of an `any`, the way that is nearest
        (
            {"any": [subtotal("GTE", "60.00"), {"segment": "silver"}, subtotal("GTE", "50.00")]},
            "MINIMUM_NOT_MET",
            {"missing": "8.00", "currency": "EUR"},
        ),
        ({"any": [{"segment": "silver"}, {"segment": "bronze"}]}, "NOT_IN_SEGMENT", {}),
        ({"any": [{"segment": "silver"}, {"holds": "winter"}]}, "CONDITION_FAILED", {}),
        ({"any": [{"all": [subtotal("GTE", "50.00"), {"segment": "x"}]}, {"holds": "y"}]}, "CONDITION_FAILED", {}),
        (
            {"any": [subtotal("GTE", "9.00", "USD"), subtotal("GTE", "50.00")]},
            "MINIMUM_NOT_MET",
            {"missing": "8.00", "currency": "EUR"},
        ),
        ({"any": [{"segment": "silver"}]}, "NOT_IN_SEGMENT", {}),
        ({"any": [{"segment": "x"}, {"all": [{"segment": "y"}, {"holds": "z"}]}]}, "CONDITION_FAILED", {}),
        (
            {"any": [subtotal("GTE", "50.00"), {"lines": {"quantity": 5}}]},
            "MINIMUM_NOT_MET",
            {"missing": "8.00", "currency": "EUR"},
        ),
    ],
    ids=str,
)
def test_what_fails_and_what_would_mend_it(data: dict[str, Any], kind: str, details: dict[str, object]) -> None:
    failure = failure_of(data)
    assert failure.kind == kind
    assert failure.data == {"condition": failure.condition, **details}


@pytest.mark.parametrize("data", [{"segment": "gold"}, is_("age", "GT", 1), {"holds": "summer"}, issued("GT", 1)])
def test_who_did_not_say_who_they_are_learns_that_first(data: dict[str, Any]) -> None:
    assert failure_of(data, replace(FACTS, customer=None)).kind is FailureKind.CUSTOMER_REQUIRED


@pytest.mark.parametrize("data", [subtotal("GT", 1), {"lines": {}}, {"firstOrder": True}])
def test_without_a_cart(data: dict[str, Any]) -> None:
    assert failure_of(data, replace(FACTS, cart=None)).kind is FailureKind.CONDITION_FAILED


def test_all_that_fails_is_told_and_nothing_else() -> None:
    data = {"all": [{"segment": "silver"}, {"segment": "gold"}, {"all": [subtotal("GT", 50), {"holds": "winter"}]}]}
    verdict = conditions.evaluate(conditions.parse(data), FACTS, names={"silver": "Silver members"})
    assert [failure.condition for failure in verdict.failures] == [
        "customer in 'Silver members'",
        "cart subtotal over 50.00 EUR",
        "customer holds a code of 'winter'",
    ]


def test_each_way_to_satisfy_an_any_is_told() -> None:
    failure = failure_of({"any": [{"all": [{"segment": "a"}, {"holds": "b"}]}, subtotal("GTE", 50)]})
    assert [[each.condition for each in option] for option in failure.options] == [
        ["customer in 'a'", "customer holds a code of 'b'"],
        ["cart subtotal at least 50.00 EUR"],
    ]
    assert failure.gap == Gap(size=800, unit="EUR")
    assert orjson.loads(orjson.dumps(failure))["options"][1][0]["details"] == {"missing": "8.00", "currency": "EUR"}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"all": [subtotal("GT", 50), {"segment": "gold"}]}, "cart subtotal over 50.00 EUR and customer in 'Gold'"),
        (
            {"any": [{"all": [{"holds": "a"}, {"holds": "b"}]}, {"not": {"segment": "new"}}]},
            "(customer holds a code of 'a' and customer holds a code of 'b') or not (customer in 'new')",
        ),
        (
            {"all": [{"any": [{"holds": "a"}]}, {"firstOrder": True}]},
            "customer holds a code of 'a' and customer's first order",
        ),
        ({"firstOrder": False}, "customer has ordered before"),
        (is_("age", "GTE", 18), "customer's age at least 18"),
        (is_("born", "LT", {"date": "1990-01-01"}), "customer's born before 1990-01-01"),
        (is_("tier", "IN", ["gold", "O'Hara\n"]), "customer's tier is one of 'gold', \"O'Hara\\n\""),
        (is_("vip", "EQUALS", True), "customer's vip is yes"),
        (is_("height", "LT", 1.5), "customer's height under 1.5"),
        (is_("vip", "EXISTS"), "customer's vip is known"),
        (issued("EQUALS", 1), "customer has been issued exactly 1 code"),
        (
            issued("LT", 3, promotion="summer", since="2026-06-01T00:00:00Z"),
            "customer has been issued under 3 codes of 'summer' since 2026-06-01T00:00:00+00:00",
        ),
        (
            {"lines": {"filter": {"categories": ["a", "b"], "brands": ["c"]}, "quantity": 2}},
            "cart has at least 2 units of category 'a' or 'b' and brand 'c'",
        ),
        (
            {"lines": {"amount": {"amount": 500, "currency": "JPY"}}},
            "cart has at least 1 unit for at least 500 JPY",
        ),
        ({"salesChannel": ["web", "app"]}, "sales channel 'web' or 'app'"),
        ({"hours": {"weekdays": ["SUNDAY", "FRIDAY"], "start": "09:05"}}, "on Friday or Sunday from 09:05 to 24:00"),
        ({"hours": {"weekdays": ["MONDAY"]}}, "on Monday"),
        ({"hours": {"start": "18:00", "end": "02:00"}}, "on any day from 18:00 to 02:00"),
    ],
)
def test_in_plain_words(data: dict[str, Any], text: str) -> None:
    assert conditions.render(conditions.parse(data), names={"gold": "Gold"}) == text


def test_what_has_to_be_known() -> None:
    since = issued("LT", 3, promotion="summer", since="2026-06-01T00:00:00Z")
    data = {"any": [is_("age", "GT", 1), {"not": {"segment": "gold"}}, {"all": [since, {"holds": "x"}]}]}
    customer = Needs(
        attributes=frozenset({"age"}),
        segments=frozenset({"gold"}),
        issued=frozenset({IssuedKey(promotion="summer", since=JUNE)}),
        held=frozenset({"x"}),
    )
    assert conditions.needs(conditions.parse(data)) == customer
    assert customer.customer
    whole = conditions.needs(conditions.parse({"all": [{"hours": {"start": "10:00"}}, {"firstOrder": True}]}))
    assert whole == Needs(cart=True, clock=True)
    assert not whole.customer


AGE = "condition attribute"


@pytest.mark.parametrize(
    ("data", "field", "problem"),
    [
        (None, "condition", "INVALID"),
        ([], "condition", "INVALID"),
        ("age > 3", "condition", "INVALID"),
        ({}, "condition", "INVALID"),
        ({"all": None}, "condition", "INVALID"),
        ({"segment": "a", "holds": "b"}, "condition", "INVALID"),
        ({"Segment": "a"}, "condition", "INVALID"),
        ({1: "a"}, "condition", "INVALID"),
        ({"all": []}, "condition all", "REQUIRED"),
        ({"any": {}}, "condition any", "INVALID"),
        ({"all": [{"segment": "a"}, {"any": [{"segment": ""}]}]}, "condition all 1 any 0 segment", "REQUIRED"),
        ({"not": [{"segment": "a"}]}, "condition not", "INVALID"),
        ({"segment": 7}, "condition segment", "INVALID"),
        ({"segment": {"id": "a"}}, "condition segment", "INVALID"),
        (is_("", "EQUALS", 1), f"{AGE} name", "REQUIRED"),
        ({"attribute": {"op": "EQUALS", "value": 1}}, f"{AGE} name", "REQUIRED"),
        (is_("age", "LIKE", 1), f"{AGE} op", "INVALID"),
        (is_("age", "EQUALS"), f"{AGE} value", "REQUIRED"),
        (is_("age", "EXISTS", True), f"{AGE} value", "INVALID"),
        (is_("age", "GT", "forty"), f"{AGE} value", "INVALID"),
        (is_("age", "GT", True), f"{AGE} value", "INVALID"),
        (is_("age", "GT", [1]), f"{AGE} value", "INVALID"),
        (is_("age", "IN", 1), f"{AGE} value", "INVALID"),
        (is_("age", "IN", []), f"{AGE} value", "REQUIRED"),
        (is_("age", "IN", [1, "two"]), f"{AGE} value 1", "INVALID"),
        (is_("age", "IN", [1, True]), f"{AGE} value 1", "INVALID"),
        (is_("age", "IN", [1, [2]]), f"{AGE} value 1", "INVALID"),
        (is_("age", "IN", list(range(101))), f"{AGE} value", "TOO_MANY"),
        (is_("age", "EQUALS", 10**19), f"{AGE} value", "OUT_OF_RANGE"),
        (is_("age", "EQUALS", float("nan")), f"{AGE} value", "INVALID"),
        (is_("age", "EQUALS", float("inf")), f"{AGE} value", "INVALID"),
        (is_("age", "EQUALS", 1e300), f"{AGE} value", "OUT_OF_RANGE"),
        (is_("age", "EQUALS", {"number": "1e999999999"}), f"{AGE} value number", "OUT_OF_RANGE"),
        (is_("age", "EQUALS", {"number": "0e999999999"}), f"{AGE} value number", "OUT_OF_RANGE"),
        (is_("age", "EQUALS", {"number": "9" * 1000}), f"{AGE} value number", "OUT_OF_RANGE"),
        (is_("age", "EQUALS", {"number": "sNaN"}), f"{AGE} value number", "INVALID"),
        (is_("age", "EQUALS", {"number": "forty"}), f"{AGE} value number", "INVALID"),
        (is_("age", "EQUALS", {"number": True}), f"{AGE} value number", "INVALID"),
        (is_("age", "EQUALS", {"number": "1", "date": "2026-01-01"}), f"{AGE} value", "INVALID"),
        (is_("age", "EQUALS", {"text": "1"}), f"{AGE} value", "INVALID"),
        (is_("age", "EQUALS", {"date": "31.12.2026"}), f"{AGE} value date", "INVALID"),
        (is_("age", "EQUALS", NOW), f"{AGE} value", "INVALID"),
        (is_("age", "EQUALS", "x" * 501), f"{AGE} value", "OUT_OF_RANGE"),
        (is_("age", "EQUALS", "\0"), f"{AGE} value", "INVALID"),
        (is_("age", "EQUALS", "\ud800"), f"{AGE} value", "INVALID"),
        (issued("IN", 1), "condition issued op", "INVALID"),
        (issued("GT", -1), "condition issued count", "OUT_OF_RANGE"),
        ({"issued": {"op": "GT", "count": True}}, "condition issued count", "INVALID"),
        ({"issued": {"op": "GT", "count": 1.5}}, "condition issued count", "INVALID"),
        (issued("GT", 1, since="2026-06-01"), "condition issued since", "INVALID"),
        (issued("GT", 1, since="2026-06-01T00:00:00"), "condition issued since", "INVALID"),
        (issued("GT", 1, since="0001-01-01T00:00:00+14:00"), "condition issued since", "INVALID"),
        (issued("GT", 1, since="x" * 10_000), "condition issued since", "INVALID"),
        (subtotal("IN", 1), "condition subtotal op", "INVALID"),
        (subtotal("GT", "1.001"), "condition subtotal value amount", "INVALID"),
        (subtotal("GT", "1.50", "JPY"), "condition subtotal value amount", "INVALID"),
        (subtotal("GT", "0"), "condition subtotal value", "OUT_OF_RANGE"),
        (subtotal("GT", -1), "condition subtotal value", "OUT_OF_RANGE"),
        (subtotal("GT", "10000000000.01"), "condition subtotal value", "OUT_OF_RANGE"),
        (subtotal("GT", "1e18"), "condition subtotal value amount", "OUT_OF_RANGE"),
        (subtotal("GT", True), "condition subtotal value amount", "INVALID"),
        (subtotal("GT", 1, "eur"), "condition subtotal value currency", "INVALID"),
        ({"subtotal": {"op": "GT", "value": 50}}, "condition subtotal value", "INVALID"),
        ({"subtotal": {"op": "GT", "value": {"amount": 50}}}, "condition subtotal value currency", "REQUIRED"),
        ({"lines": {"quantity": 0}}, "condition lines quantity", "OUT_OF_RANGE"),
        ({"lines": {"filter": {}}}, "condition lines filter", "REQUIRED"),
        ({"lines": {"filter": {"sku": ["A"]}}}, "condition lines filter", "INVALID"),
        ({"lines": {"filter": {"skus": ["A", ""]}}}, "condition lines filter skus 1", "REQUIRED"),
        ({"lines": {"filter": {"skus": ["A"] * 1001}}}, "condition lines filter skus", "TOO_MANY"),
        (
            {"lines": {"filter": {"attributes": [{"name": "a"}]}}},
            "condition lines filter attributes 0 values",
            "REQUIRED",
        ),
        ({"firstOrder": 1}, "condition firstOrder", "INVALID"),
        ({"salesChannel": "web"}, "condition salesChannel", "INVALID"),
        ({"hours": {}}, "condition hours", "INVALID"),
        ({"hours": {"weekdays": ["FRI"]}}, "condition hours weekdays 0", "INVALID"),
        ({"hours": {"weekdays": []}}, "condition hours weekdays", "REQUIRED"),
        ({"hours": {"weekdays": ["FRIDAY"] * 8}}, "condition hours weekdays", "TOO_MANY"),
        ({"hours": {"start": "9:00"}}, "condition hours start", "INVALID"),
        ({"hours": {"start": "25:00"}}, "condition hours start", "INVALID"),
        ({"hours": {"start": "24:00"}}, "condition hours", "INVALID"),
        ({"hours": {"start": "09:00", "end": "09:00"}}, "condition hours", "INVALID"),
        ({"hours": {"start": 9}}, "condition hours start", "INVALID"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_bad_conditions_name_the_place(data: object, field: str, problem: str) -> None:
    with pytest.raises(BadInput) as bad:
        conditions.parse(data)
    assert (" ".join(bad.value.field), bad.value.problem) == (field, problem)
    assert str(bad.value).endswith(".")


@pytest.mark.parametrize(
    ("data", "known", "field"),
    [
        (is_("age", "EQUALS", "forty"), ValueType.NUMBER, "value"),
        (is_("age", "EQUALS", True), ValueType.NUMBER, "value"),
        (is_("tier", "GT", 3), ValueType.TEXT, "value"),
        (is_("tier", "IN", [3, 4]), ValueType.TEXT, "value"),
        (is_("born", "EQUALS", "1985-03-09"), ValueType.DATE, "value"),
    ],
    ids=str,
)
def test_with_known_types_a_word_is_not_compared_with_a_number(
    data: dict[str, Any], known: ValueType, field: str
) -> None:
    name: str = data["attribute"]["name"]
    conditions.parse(data)
    conditions.parse(data, types={name: ValueType.LIST})
    with pytest.raises(BadInput, match=f"{name}' is a {known}") as bad:
        conditions.parse({"all": [data]}, types={name: known}, path=("input", "rule"))
    assert bad.value.field == ("input", "rule", "all", "0", "attribute", field)


def nested(depth: int) -> dict[str, Any]:
    data: dict[str, Any] = {"segment": "a"}
    for _ in range(depth - 1):
        data = {"not": data}
    return data


def test_as_deep_and_as_large_as_may_be() -> None:
    conditions.parse(nested(8))
    conditions.parse({"all": [{"segment": "a"}] * 199})
    ten = {"any": [{"segment": "a"}] * 9}
    conditions.parse({"all": [ten] * 19 + [{"segment": "a"}] * 9})
    conditions.parse({"any": [{"lines": {"filter": {"skus": ["A"] * 1000}}}] * 4})


def test_bombs_are_refused_before_they_go_off() -> None:
    ring: dict[str, Any] = {}
    ring["all"] = [ring]
    doubled: dict[str, Any] = {"segment": "a"}
    for _ in range(7):
        doubled = {"any": [doubled] * 190}
    for data in (
        nested(9),
        nested(10_000),
        ring,
        doubled,
        {"all": [{"segment": "a"}] * 200},
        {"all": [{"segment": "a"}] * 1_000_000},
        {"all": [{"any": [{"segment": "a"}] * 99}] * 2},
        {"any": [{"lines": {"filter": {"skus": ["A"] * 1000}}}] * 5},
        {"any": [is_("age", "IN", list(range(100)))] * 60},
    ):
        with pytest.raises(BadInput) as bad:
            conditions.parse(data)
        assert bad.value.problem in ("OUT_OF_RANGE", "TOO_MANY")
        assert len(bad.value.field) <= 17


def test_attributes_from_json_and_back() -> None:
    data: dict[str, Any] = {
        "tier": "gold",
        "age": 41,
        "height": {"number": "1.82"},
        "weight": 80.5,
        "vip": True,
        "born": {"date": "1985-03-09"},
        "likes": ["shoes", "hats"],
        "gone": None,
    }
    attributes = read_attributes(data)
    assert attributes["weight"] == Decimal("80.5")
    assert attributes["likes"] == ("shoes", "hats")
    assert "gone" not in attributes
    dumped = {name: dump_value(value) for name, value in attributes.items()}
    assert dumped == {**{name: each for name, each in data.items() if each is not None}, "weight": {"number": "80.5"}}
    assert read_attributes(orjson.loads(orjson.dumps(dumped))) == attributes


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ([], "attributes"),
        ({"likes": ["shoes", 1]}, "attributes likes 1"),
        ({"": 1}, "attributes "),
        ({"age": {"number": "x"}}, "attributes age number"),
        ({str(number): 1 for number in range(51)}, "attributes"),
    ],
)
def test_bad_attributes_name_the_place(data: object, field: str) -> None:
    with pytest.raises(BadInput) as bad:
        read_attributes(data)
    assert " ".join(bad.value.field) == field


KEYS = st.sampled_from(["a", "gold", "summer", "O'Hara", "größe", "99 %"])
NUMBERS = st.integers(-(10**18), 10**18) | st.decimals(-(10**6), 10**6, places=3) | st.integers(0, 5)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20) | KEYS
DATES = st.dates()
MONEY = st.builds(Money, minor=st.integers(1, 10_000), currency=st.sampled_from(["EUR", "JPY", "KWD"]))
SCALARS: list[st.SearchStrategy[Scalar]] = [TEXTS, NUMBERS, st.booleans(), DATES]
INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
TUPLES = st.lists(KEYS, min_size=1, max_size=3).map(tuple)
FILTERS = st.builds(
    LineFilter,
    skus=TUPLES,
    categories=st.just(()) | TUPLES,
    brands=st.just(()) | TUPLES,
    attributes=st.lists(st.builds(LineAttribute, name=KEYS, values=TUPLES), max_size=2).map(tuple),
)
COMPARISONS = st.sampled_from(sorted(COMPARING))
MINUTES = st.tuples(st.integers(0, 1439), st.integers(0, 1440)).filter(lambda pair: pair[0] != pair[1])
LEAVES: st.SearchStrategy[Condition] = st.one_of(
    st.builds(AttributeIs, name=KEYS, op=st.just(Op.EQUALS), value=st.one_of(SCALARS)),
    st.builds(AttributeIs, name=KEYS, op=st.sampled_from(sorted(ORDERING)), value=NUMBERS | DATES),
    st.builds(
        AttributeIs,
        name=KEYS,
        op=st.just(Op.IN),
        value=st.one_of([st.lists(scalar, min_size=1, max_size=4).map(tuple) for scalar in SCALARS]),
    ),
    st.builds(AttributeIs, name=KEYS, op=st.just(Op.EXISTS)),
    st.builds(InSegment, segment=KEYS),
    st.builds(
        CodesIssued,
        op=COMPARISONS,
        count=st.integers(0, 3),
        promotion=st.none() | KEYS,
        since=st.none() | st.just(JUNE) | INSTANTS,
    ),
    st.builds(HoldsCode, promotion=KEYS),
    st.builds(SubtotalIs, op=COMPARISONS, value=MONEY),
    st.builds(HasLines, only=st.none() | FILTERS, quantity=st.integers(1, 20), amount=st.none() | MONEY),
    st.builds(FirstOrder, expected=st.booleans()),
    st.builds(SalesChannelIn, channels=TUPLES),
    st.builds(
        lambda days, minutes: Hours(
            weekdays=tuple(day for day in Weekday if day in days), start=minutes[0], end=minutes[1]
        ),
        st.sets(st.sampled_from(Weekday), min_size=1),
        MINUTES,
    ),
)


def trees(depth: int) -> st.SearchStrategy[Condition]:
    if depth == 1:
        return LEAVES
    inner = trees(depth - 1)
    several = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.one_of(LEAVES, st.builds(AllOf, several), st.builds(AnyOf, several), st.builds(Not, inner))


TREES = trees(4)
VALUES: st.SearchStrategy[Value] = st.one_of(
    *SCALARS, *(st.lists(scalar, min_size=1, max_size=3).map(tuple) for scalar in SCALARS)
)
LINES = st.lists(
    st.builds(
        Line,
        id=st.just("-"),
        sku=KEYS,
        quantity=st.integers(1, 9),
        amount=st.integers(0, 5_000),
        categories=st.just(()) | TUPLES,
        brand=st.none() | KEYS,
        attributes=st.dictionaries(KEYS, KEYS, max_size=2),
    ),
    max_size=4,
).map(tuple)
CARTS = st.builds(
    Cart,
    currency=st.sampled_from(["EUR", "JPY", "KWD"]),
    lines=LINES,
    sales_channel=st.none() | KEYS,
    is_first_order=st.none() | st.booleans(),
)
CUSTOMERS = st.builds(
    CustomerFacts,
    attributes=st.dictionaries(KEYS, VALUES, max_size=4),
    segments=st.frozensets(KEYS),
    issued=st.dictionaries(
        st.builds(IssuedKey, promotion=st.none() | KEYS, since=st.sampled_from([None, JUNE])), st.integers(0, 4)
    ),
    held=st.frozensets(KEYS),
)
ANY_FACTS = st.builds(
    Facts,
    now=INSTANTS,
    time_zone=st.sampled_from(["UTC", "Europe/Paris", "Asia/Kathmandu", "America/St_Johns"]),
    customer=st.none() | CUSTOMERS,
    cart=st.none() | CARTS,
)


@given(TREES)
def test_a_condition_comes_back_from_json(condition: Condition) -> None:
    data = orjson.loads(orjson.dumps(conditions.dump(condition)))
    again = conditions.parse(data)
    assert again == condition
    assert conditions.render(again) == conditions.render(condition)
    assert conditions.dump(again) == data


@given(st.lists(TREES, min_size=1, max_size=3).map(tuple), ANY_FACTS)
def test_de_morgan(parts: tuple[Condition, ...], facts: Facts) -> None:
    negated = tuple(Not(part) for part in parts)
    assert Not(AllOf(parts)).holds(facts) is AnyOf(negated).holds(facts)
    assert Not(AnyOf(parts)).holds(facts) is AllOf(negated).holds(facts)
    assert Not(Not(parts[0])).holds(facts) is parts[0].holds(facts)


@given(TREES, ANY_FACTS)
def test_a_verdict_says_why_on_one_line_each(condition: Condition, facts: Facts) -> None:
    verdict = conditions.evaluate(condition, facts)
    assert verdict.holds is conditions.holds(condition, facts)
    assert conditions.render(condition).isprintable()
    for failure in verdict.failures:
        assert failure.condition.isprintable()
        assert failure.condition
        assert orjson.loads(orjson.dumps(failure.data)) == failure.data
        assert (failure.gap is None) == (not {"missing", "missing_quantity", "opens_at"} & failure.data.keys())


@given(TREES, ANY_FACTS)
def test_only_what_is_needed_is_looked_at(condition: Condition, facts: Facts) -> None:
    wanted = conditions.needs(condition)
    customer = facts.customer and CustomerFacts(
        attributes={name: value for name, value in facts.customer.attributes.items() if name in wanted.attributes},
        segments=facts.customer.segments & wanted.segments,
        issued={key: count for key, count in facts.customer.issued.items() if key in wanted.issued},
        held=facts.customer.held & wanted.held,
    )
    less = Facts(
        now=facts.now if wanted.clock else NOW,
        time_zone=facts.time_zone,
        customer=customer,
        cart=facts.cart if wanted.cart else None,
    )
    assert conditions.holds(condition, less) is conditions.holds(condition, facts)


def more_money(facts: Facts, size: int) -> Facts:
    assert facts.cart is not None
    added = Line(id="+", sku="ANY", quantity=1, amount=size)
    return replace(facts, cart=replace(facts.cart, lines=(*facts.cart.lines, added)))


def more_units(facts: Facts, size: int) -> Facts:
    assert facts.cart is not None
    first, *others = facts.cart.lines
    return replace(facts, cart=replace(facts.cart, lines=(replace(first, quantity=first.quantity + size), *others)))


def later(facts: Facts, size: int) -> Facts:
    return replace(facts, now=facts.now + timedelta(seconds=size))


@pytest.mark.parametrize(
    ("condition", "mend"),
    [
        (SubtotalIs(op=Op.GT, value=Money(minor=5000, currency="EUR")), more_money),
        (SubtotalIs(op=Op.GTE, value=Money(minor=5000, currency="EUR")), more_money),
        (HasLines(amount=Money(minor=5000, currency="EUR")), more_money),
        (HasLines(only=LineFilter(skus=("PUMP",)), quantity=7), more_units),
        (Hours(weekdays=(Weekday.SUNDAY,), start=600), later),
    ],
)
def test_the_gap_is_exactly_what_is_missing(condition: Condition, mend: Callable[[Facts, int], Facts]) -> None:
    [failure] = conditions.evaluate(condition, FACTS).failures
    assert failure.gap is not None
    assert conditions.holds(condition, mend(FACTS, failure.gap.size))
    assert not conditions.holds(condition, mend(FACTS, failure.gap.size - 1))


# What the objects of a condition have as fields.
WORDS = [
    "all",
    "any",
    "not",
    "attribute",
    "segment",
    "issued",
    "holds",
    "subtotal",
    "lines",
    "firstOrder",
    "salesChannel",
    "hours",
    "name",
    "op",
    "value",
    "amount",
    "currency",
    "filter",
    "quantity",
    "start",
    "end",
    "weekdays",
    "since",
    "count",
    "promotion",
    "number",
    "date",
]
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | KEYS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.sampled_from(WORDS), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(JUNK)
def test_junk_is_refused_and_breaks_nothing(data: object) -> None:
    parsed_or_refused(data)


@given(TREES, JUNK, st.data())
def test_a_condition_with_junk_inside_is_refused_or_read(
    condition: Condition, junk: object, data: st.DataObject
) -> None:
    spoiled: Any = conditions.dump(condition)
    at = spoiled
    while True:
        key = data.draw(st.sampled_from(range(len(at)) if isinstance(at, list) else sorted(at)))
        if isinstance(at[key], dict | list) and at[key] and data.draw(st.booleans()):
            at = at[key]
            continue
        at[key] = junk
        break
    parsed_or_refused(spoiled)


def parsed_or_refused(data: object) -> None:
    try:
        condition = conditions.parse(data)
    except BadInput as bad:
        assert bad.field[0] == "condition"
        return
    assert conditions.parse(conditions.dump(condition)) == condition
    conditions.evaluate(condition, FACTS)
