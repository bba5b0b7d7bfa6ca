"""What a review finds in a promotion's terms, and what it leaves alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from promograph.domain import conditions
from promograph.domain.carts import LineFilter, Money
from promograph.domain.periods import Period
from promograph.domain.promotions import (
    CodeKind,
    OnEmpty,
    PeriodCap,
    Promotion,
    PromotionStatus,
    PromotionTerms,
)
from promograph.domain.reviews.findings import OBSTACLES, Concern, Reviewed, Supply
from promograph.domain.reviews.reviewing import obstacles, review
from promograph.domain.rewards import AmountOff, FixedPrice, FreeShipping, Percentage, Single, Value
from promograph.domain.windows import Window

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
LATER, EARLIER = NOW + timedelta(days=14), NOW - timedelta(days=1)
ENOUGH = Supply(codes=1_000, shared=True)


def eur(amount: int) -> Money:
    return Money(minor=amount * 100, currency="EUR")


def single(value: Value, **more: Any) -> Single:
    return Single(type="t", value=value, **more)


def subtotal(op: str, amount: str, currency: str = "EUR") -> dict[str, Any]:
    return {"subtotal": {"op": op, "value": {"amount": amount, "currency": currency}}}


SOUND = PromotionTerms(
    handle="winter",
    name="Winter",
    reward=single(Percentage(basis_points=2_000)),
    condition=conditions.parse(subtotal("GT", "50")),
    window=Window(ends_at=LATER),
    audience_cap=1_000,
    uses_per_customer=1,
    budget=eur(1_000),
)


def promotion(terms: PromotionTerms, status: PromotionStatus = PromotionStatus.DRAFT) -> Promotion:
    return Promotion(
        id=1,
        terms=terms,
        stored_status=status,
        stored_end_reason=None,
        stop_redeeming=False,
        created_at=EARLIER,
        updated_at=EARLIER,
    )


def found(supply: Supply = ENOUGH, *, unknown: tuple[str, ...] = (), **terms: Any) -> list[Concern]:
    """What is found in the sound promotion with these terms instead."""
    if isinstance(terms.get("condition"), dict):
        terms["condition"] = conditions.parse(terms["condition"])
    reviewed = Reviewed(promotion=promotion(replace(SOUND, **terms)), supply=supply, now=NOW, unknown=unknown)
    return [finding.concern for finding in review(reviewed)]


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert found() == []


NOTHING = Supply(codes=0)
ENDLESS: dict[str, Any] = {"window": Window(), "audience_cap": None, "budget": None}
AMOUNT = single(AmountOff(money=eur(10)))


@pytest.mark.parametrize(
    ("supply", "terms", "concerns"),
    [
        (NOTHING, {}, [Concern.NO_CODES]),
        (NOTHING, {"on_empty": OnEmpty.GENERATE}, []),
        (NOTHING, {"on_empty": OnEmpty.FALLBACK}, [Concern.FALLBACK_MISSING]),
        (Supply(codes=9, shared=False), {"on_empty": OnEmpty.FALLBACK}, [Concern.FALLBACK_MISSING]),
        (Supply(codes=0, shared=True), {"on_empty": OnEmpty.FALLBACK}, []),
        (NOTHING, {"code_kind": CodeKind.MULTIPLE, "uses_per_customer": None}, [Concern.NO_CODES]),
        (NOTHING, {"code_kind": CodeKind.SINGLE, "uses_per_customer": None}, [Concern.SINGLE_CODE_MISSING]),
        (Supply(codes=1, shared=True), {"code_kind": CodeKind.SINGLE, "uses_per_customer": None}, []),
        (NOTHING, {"code_required": False, "uses_per_customer": None}, []),
        (NOTHING, {"code_required": False, "on_empty": OnEmpty.FALLBACK}, [Concern.FALLBACK_MISSING]),
    ],
)
def test_what_is_missing_keeps_it_from_running(supply: Supply, terms: dict[str, Any], concerns: list[Concern]) -> None:
    terms_ = replace(SOUND, **terms)
    assert [finding.concern for finding in obstacles(terms_, supply)] == concerns
    assert set(concerns) <= OBSTACLES
    assert [concern for concern in found(supply, **terms) if concern in OBSTACLES] == concerns


@pytest.mark.parametrize(
    ("terms", "supply", "concerns"),
    [
        ({"audience_cap": 1_001}, ENOUGH, [Concern.CAP_ABOVE_POOL]),
        ({}, Supply(codes=1_000, blocked=1), [Concern.CAP_ABOVE_POOL]),
        ({"audience_cap": 1_001, "on_empty": OnEmpty.GENERATE}, ENOUGH, []),
        ({"audience_cap": None}, Supply(codes=1), []),
        ({"window": Window(ends_at=EARLIER)}, ENOUGH, [Concern.ALREADY_OVER]),
        ({"window": Window(ends_at=NOW)}, ENOUGH, [Concern.ALREADY_OVER]),
        ({"window": Window(starts_at=EARLIER, ends_at=LATER)}, ENOUGH, [Concern.STARTS_IN_PAST]),
        ({"window": Window(starts_at=NOW, ends_at=LATER)}, ENOUGH, []),
        ({"priority": 5}, ENOUGH, [Concern.WITHOUT_EFFECT]),
        ({"priority": 5, "combinable": True}, ENOUGH, []),
    ],
)
def test_dates_and_numbers(terms: dict[str, Any], supply: Supply, concerns: list[Concern]) -> None:
    assert found(supply, **terms) == concerns


@pytest.mark.parametrize(
    ("terms", "concerns"),
    [
        (ENDLESS, []),  # so many codes, each works once
        (ENDLESS | {"uses_per_code": None}, [Concern.NO_LIMIT]),
        (ENDLESS | {"on_empty": OnEmpty.GENERATE}, [Concern.NO_LIMIT]),
        (ENDLESS | {"on_empty": OnEmpty.FALLBACK}, [Concern.NO_LIMIT]),
        (
            ENDLESS | {"on_empty": OnEmpty.FALLBACK, "uses_per_customer": None},
            [Concern.NO_LIMIT, Concern.FALLBACK_WITHOUT_LIMIT],
        ),
        (ENDLESS | {"uses_per_code": None, "redemption_cap": 5}, []),
        (ENDLESS | {"uses_per_code": None, "budget": eur(5)}, []),
        (ENDLESS | {"uses_per_code": None, "window": Window(ends_at=LATER)}, []),
        (ENDLESS | {"uses_per_code": None, "audience_cap": 5}, []),
        ({"budget": None, "on_empty": OnEmpty.FALLBACK, "uses_per_customer": None}, [Concern.FALLBACK_WITHOUT_LIMIT]),
        (
            {"code_required": False, "condition": None, "uses_per_customer": None, "budget": None},
            [Concern.APPLIES_TO_EVERYBODY],
        ),
        ({"code_required": False, "uses_per_customer": None, "budget": None}, []),
        ({"code_required": False, "condition": None, "uses_per_customer": None}, []),
    ],
)
def test_what_has_no_end(terms: dict[str, Any], concerns: list[Concern]) -> None:
    assert found(**terms) == concerns


@pytest.mark.parametrize(
    ("terms", "concerns"),
    [
        ({"reward": AMOUNT}, []),
        ({"reward": AMOUNT, "budget": eur(9)}, [Concern.BUDGET_BELOW_DISCOUNT]),
        ({"reward": AMOUNT, "budget": eur(10)}, []),
        ({"reward": single(FreeShipping(), maximum=eur(30)), "budget": eur(20)}, [Concern.BUDGET_BELOW_DISCOUNT]),
        ({"reward": single(Percentage(basis_points=10_000))}, [Concern.TAKES_EVERYTHING]),
        ({"reward": single(Percentage(basis_points=10_000), maximum=eur(30))}, []),
        ({"reward": single(Percentage(basis_points=10_000), lines=LineFilter(skus=("a",)))}, []),
        ({"reward": AMOUNT, "condition": None}, [Concern.NO_MINIMUM]),
        ({"reward": AMOUNT, "condition": {"firstOrder": True}}, [Concern.NO_MINIMUM]),
        ({"reward": AMOUNT, "condition": subtotal("LT", "50")}, [Concern.NO_MINIMUM]),
        ({"reward": AMOUNT, "condition": {"not": subtotal("GT", "50")}}, [Concern.NO_MINIMUM]),
        ({"reward": AMOUNT, "condition": subtotal("GTE", "10")}, [Concern.AMOUNT_ABOVE_MINIMUM]),
        ({"reward": AMOUNT, "condition": subtotal("GT", "10")}, []),
        ({"reward": AMOUNT, "condition": subtotal("GTE", "10.01")}, []),
        ({"reward": AMOUNT, "condition": {"all": [{"firstOrder": True}, subtotal("GTE", "11")]}}, []),
        (
            {"reward": AMOUNT, "condition": {"any": [subtotal("GTE", "5"), subtotal("GTE", "11")]}},
            [Concern.AMOUNT_ABOVE_MINIMUM],
        ),
        ({"reward": AMOUNT, "condition": {"any": [{"firstOrder": True}, subtotal("GTE", "11")]}}, [Concern.NO_MINIMUM]),
        ({"reward": AMOUNT, "condition": {"lines": {"amount": {"amount": "11", "currency": "EUR"}}}}, []),
        ({"reward": single(AmountOff(money=eur(10)), lines=LineFilter(skus=("a",))), "condition": None}, []),
    ],
)
def test_how_much_it_takes(terms: dict[str, Any], concerns: list[Concern]) -> None:
    assert found(**terms) == concerns


USD_TOO = {"any": [subtotal("GT", "50"), subtotal("GT", "60", "USD")]}
PERCENT = single(Percentage(basis_points=2_000))


@pytest.mark.parametrize(
    ("terms", "concerns"),
    [
        ({"condition": subtotal("GT", "50", "USD")}, [Concern.CURRENCIES_DIFFER]),
        ({"condition": USD_TOO}, [Concern.CURRENCIES_DIFFER]),
        ({"condition": {"not": subtotal("GT", "50", "USD")}}, [Concern.CURRENCIES_DIFFER]),
        ({"condition": USD_TOO, "budget": None}, []),
        ({"condition": {"not": subtotal("GT", "50", "USD")}, "budget": None}, []),
        (
            {"condition": {"all": [subtotal("GT", "50"), subtotal("GT", "60", "USD")]}, "budget": None},
            [Concern.CURRENCIES_DIFFER],
        ),
        (
            {
                "reward": single(FixedPrice(money=eur(9))),
                "condition": {"lines": {"amount": {"amount": "11", "currency": "USD"}}},
                "budget": None,
            },
            [Concern.CURRENCIES_DIFFER],
        ),
        ({"condition": {"lines": {"quantity": 2}}}, []),
    ],
)
def test_money_of_several_currencies(terms: dict[str, Any], concerns: list[Concern]) -> None:
    assert found(**{"reward": PERCENT} | terms) == concerns


ANONYMOUS: dict[str, Any] = {"code_kind": CodeKind.MULTIPLE, "uses_per_customer": None}


@pytest.mark.parametrize(
    ("terms", "concerns"),
    [
        (ANONYMOUS, []),
        (ANONYMOUS | {"uses_per_customer": 1}, [Concern.CUSTOMER_NEEDED]),
        (ANONYMOUS | {"uses_per_period": PeriodCap(uses=1, period=Period.DAY)}, [Concern.CUSTOMER_NEEDED]),
        (ANONYMOUS | {"holder_only": True}, [Concern.CUSTOMER_NEEDED]),
        (ANONYMOUS | {"condition": {"segment": "gold"}}, [Concern.CUSTOMER_NEEDED]),
        (ANONYMOUS | {"condition": {"firstOrder": True}}, []),
        ({"code_required": False}, [Concern.CUSTOMER_NEEDED]),
        ({"condition": {"segment": "gold"}}, []),
    ],
)
def test_who_must_be_named(terms: dict[str, Any], concerns: list[Concern]) -> None:
    assert found(**terms) == concerns


@pytest.mark.parametrize("terms", [{"valid_for": timedelta(days=2)}, {"holder_only": True}])
def test_settings_that_a_single_code_makes_idle(terms: dict[str, Any]) -> None:
    assert Concern.WITHOUT_EFFECT in found(code_kind=CodeKind.SINGLE, **terms)
    assert Concern.WITHOUT_EFFECT not in found(**terms)


def test_what_is_named_and_not_there() -> None:
    assert found(unknown=("segment 'gold'",)) == [Concern.UNKNOWN_REFERENCE]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (PromotionStatus.DRAFT, [Concern.NO_CODES, Concern.STARTS_IN_PAST]),
        (PromotionStatus.ACTIVE, [Concern.NO_CODES]),
        (PromotionStatus.PAUSED, [Concern.NO_CODES]),
        (PromotionStatus.ENDED, []),
        (PromotionStatus.ARCHIVED, []),
    ],
)
def test_what_is_over_is_not_reviewed(status: PromotionStatus, expected: list[Concern]) -> None:
    terms = replace(SOUND, window=Window(starts_at=EARLIER, ends_at=LATER))
    reviewed = Reviewed(promotion=promotion(terms, status), supply=NOTHING, now=NOW)
    assert [finding.concern for finding in review(reviewed)] == expected


def test_every_finding_says_what_it_is_about_in_a_sentence() -> None:
    terms = replace(SOUND, code_kind=CodeKind.SINGLE, holder_only=True, reward=AMOUNT, budget=eur(5), condition=None)
    findings = review(Reviewed(promotion=promotion(terms), supply=NOTHING, now=NOW, unknown=("promotion 'x'",)))
    assert len(findings) >= 5
    for finding in findings:
        assert finding.message.endswith("."), finding
        assert "  " not in finding.message
