"""Segments that rest on one another, and why a condition holds."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from promograph.domain.conditions.attributes import AttributeIs
from promograph.domain.conditions.carts import FirstOrder
from promograph.domain.conditions.customers import CodesIssued, HasRedeemed, HoldsCode, InSegment
from promograph.domain.conditions.facts import CustomerFacts, Facts, IssuedKey
from promograph.domain.conditions.nodes import AllOf, AnyOf, Condition, Not
from promograph.domain.conditions.reasons import reasons
from promograph.domain.conditions.values import Op
from promograph.domain.people.names import checked_name
from promograph.domain.people.segments import (
    DEEPEST_SEGMENTS,
    check_about_customers,
    check_together,
    in_order,
)
from promograph.errors import BadInput, InputProblem

GOLD = AttributeIs(name="tier", op=Op.EQUALS, value="gold")


def means(handle: str) -> Condition:
    return AnyOf((GOLD, Not(InSegment(segment=handle))))


def test_segments_in_a_circle_are_told_with_the_way_round() -> None:
    circle = {"a": means("b"), "b": means("c"), "c": means("a"), "d": means("a")}
    with pytest.raises(BadInput, match="a → b → c → a"):
        check_together(circle)
    with pytest.raises(BadInput, match="a → a"):
        check_together({"a": means("a")})
    check_together({**circle, "c": GOLD})


def test_segments_that_meet_again_are_no_circle() -> None:
    check_together(
        {"top": AllOf((means("left"), means("right"))), "left": means("low"), "right": means("low"), "low": GOLD}
    )


def test_a_row_of_segments_is_bounded() -> None:
    row = {f"s{n}": means(f"s{n + 1}") for n in range(DEEPEST_SEGMENTS - 1)} | {f"s{DEEPEST_SEGMENTS - 1}": GOLD}
    check_together(row)
    for longer in ({"s-1": means("s0"), **row}, {**row, "s-1": means("s0")}):
        with pytest.raises(BadInput, match="one on another"):
            check_together(longer)


def test_what_a_segment_comes_to_is_bounded() -> None:
    doubled = {f"s{n}": AllOf((InSegment(segment=f"s{n + 1}"),) * 4) for n in range(5)} | {"s5": GOLD}
    with pytest.raises(BadInput) as refused:
        check_together(doubled)
    assert refused.value.problem is InputProblem.TOO_MANY


def test_the_order_in_which_they_follow() -> None:
    known = {"top": AllOf((means("b"), means("a"))), "a": means("b"), "b": GOLD}
    assert in_order(frozenset({"top"}), known) == ["b", "a", "top"]
    assert in_order(frozenset({"a", "gone"}), known) == ["b", "a"]


def test_what_is_not_about_customers_is_told_with_its_place() -> None:
    with pytest.raises(BadInput, match="about a cart") as refused:
        check_about_customers(AllOf((GOLD, AnyOf((Not(FirstOrder()),)))), path=("input", "condition"))
    assert refused.value.field == ("input", "condition", "all", "1", "any", "0", "not", "firstOrder")
    check_about_customers(AllOf((GOLD, HoldsCode(promotion="p"), HasRedeemed(promotion="p"), InSegment(segment="s"))))


def test_names() -> None:
    assert checked_name("  Gold  ", "A segment") == "Gold"
    for name in ("", "  ", "x" * 201, "a\0b"):
        with pytest.raises(BadInput) as refused:
            checked_name(name, "A segment")
        assert refused.value.field == ("name",)


FACTS = Facts(
    now=datetime(2026, 12, 15, tzinfo=UTC),
    customer=CustomerFacts(
        attributes={"tier": "gold", "spent": Decimal("1200.5"), "born": date(1985, 3, 9), "likes": ("ski", "surf")},
        segments=frozenset({"regulars"}),
        issued={IssuedKey(): 1200},
    ),
)


def test_reasons_name_what_holds_and_what_was_found() -> None:
    condition = AllOf(
        (
            GOLD,
            AttributeIs(name="spent", op=Op.GT, value=100),
            AnyOf((AttributeIs(name="likes", op=Op.EQUALS, value="ski"), HoldsCode(promotion="spring"))),
            AttributeIs(name="born", op=Op.EXISTS),
            Not(HoldsCode(promotion="summer")),
            InSegment(segment="regulars"),
            CodesIssued(op=Op.GTE, count=1),
        )
    )
    assert reasons(condition, FACTS, {"regulars": "Regular guests"}) == (
        "customer's tier is 'gold'",
        "customer's spent over 100 (1200.5)",
        "customer's likes is 'ski' ('ski', 'surf')",
        "customer's born is known (1985-03-09)",
        "not (customer holds a code of 'summer')",
        "customer in 'Regular guests'",
        "customer has been issued at least 1 code (1,200)",
    )


def test_what_does_not_hold_has_no_reasons() -> None:
    assert reasons(Not(GOLD), FACTS, {}) == ()
    assert reasons(AllOf((GOLD, HoldsCode(promotion="p"))), FACTS, {}) == ()
