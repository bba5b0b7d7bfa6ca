"""A promotion in plain words: what its maker reads before it runs."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from promograph.domain import conditions
from promograph.domain.carts import LineAttribute, LineFilter, Money
from promograph.domain.periods import Period
from promograph.domain.promotions import CodeKind, IssuePolicy, OnEmpty, PeriodCap, PromotionTerms, ReturnPolicy
from promograph.domain.reviews.findings import Supply
from promograph.domain.reviews.reward_texts import reward_text
from promograph.domain.reviews.summarising import SetUpStep, summarise
from promograph.domain.rewards import (
    AmountOff,
    External,
    FixedPrice,
    FreeShipping,
    Gift,
    Percentage,
    Points,
    Reward,
    Single,
)
from promograph.domain.windows import Window, end_of_day

EUR_10 = Money(minor=1_000, currency="EUR")
SHOES = LineFilter(categories=("shoes", "hats"), brands=("Acme",))


@pytest.mark.parametrize(
    ("reward", "text"),
    [
        (External(), "worth what the shop says"),
        (Single(type="p", value=Percentage(basis_points=2_000)), "20 % off"),
        (Single(type="p", value=Percentage(basis_points=10_000)), "100 % off"),
        (Single(type="p", value=Percentage(basis_points=1_250)), "12.5 % off"),
        (Single(type="p", value=Percentage(basis_points=1)), "0.01 % off"),
        (
            Single(type="p", value=Percentage(basis_points=2_000), maximum=EUR_10, lines=SHOES),
            "20 % off of category 'shoes' or 'hats' and brand 'Acme', at most 10.00 EUR",
        ),
        (Single(type="a", value=AmountOff(money=EUR_10)), "10.00 EUR off"),
        (
            Single(
                type="a",
                value=AmountOff(money=Money(minor=500, currency="JPY")),
                lines=LineFilter(attributes=(LineAttribute(name="colour", values=("red",)),)),
            ),
            "500 JPY off of colour 'red'",
        ),
        (Single(type="f", value=FixedPrice(money=EUR_10)), "10.00 EUR for each unit"),
        (Single(type="s", value=FreeShipping(), maximum=EUR_10), "free shipping, at most 10.00 EUR"),
        (Single(type="g", value=Gift(sku="MUG")), "a gift, one unit of 'MUG'"),
        (Single(type="o", value=Points(number=1_500)), "1,500 points"),
    ],
)
def test_a_reward_in_words(reward: Reward, text: str) -> None:
    assert reward_text(reward) == text


LEAST = PromotionTerms(handle="winter", name="Winter")
HUNDRED = Supply(codes=100)


def lines(step: SetUpStep, supply: Supply = HUNDRED, **terms: Any) -> list[str]:
    found = summarise(replace(LEAST, **terms), supply, segments={"vip": "Gold"}, reward_types={"p": "Percentage off"})
    assert [each.step for each in found] == list(SetUpStep)
    return next(list(each.lines) for each in found if each.step is step)


def test_details_and_properties() -> None:
    assert lines(SetUpStep.DETAILS) == ["Winter (winter)"]
    assert lines(SetUpStep.DETAILS, description="For the cold.") == ["Winter (winter)", "For the cold."]
    assert lines(SetUpStep.PROPERTIES) == []
    assert lines(SetUpStep.PROPERTIES, properties={"team": "loyalty", "area": "east"}) == [
        "area: east",
        "team: loyalty",
    ]


def test_the_reward_its_condition_and_its_company() -> None:
    assert lines(SetUpStep.REWARD) == ["worth what the shop says", "shares a cart with no other promotion"]
    condition = {
        "all": [
            {"subtotal": {"op": "GT", "value": {"amount": "50", "currency": "EUR"}}},
            {"segment": "vip"},
        ]
    }
    assert lines(
        SetUpStep.REWARD,
        reward=Single(type="p", value=Percentage(basis_points=2_000)),
        condition=conditions.parse(condition),
        combinable=True,
        priority=5,
    ) == [
        "20 % off (Percentage off)",
        "if cart subtotal over 50.00 EUR and customer in 'Gold'",
        "shares a cart with others that do the same, at priority 5",
    ]


def test_the_limits_of_the_least_promotion() -> None:
    assert lines(SetUpStep.LIMITS) == [
        "open-ended: from its activation until somebody ends it",
        "each code works once",
    ]


def test_all_limits() -> None:
    assert lines(
        SetUpStep.LIMITS,
        window=Window(time_zone="America/Montreal", ends_at=end_of_day(date(2026, 12, 15), "America/Montreal")),
        budget=Money(minor=10_000_000, currency="EUR"),
        audience_cap=50_000,
        redemption_cap=60_000,
        uses_per_code=3,
        uses_per_customer=2,
        uses_per_period=PeriodCap(uses=1, period=Period.WEEK),
        holder_only=True,
        valid_for=timedelta(hours=48, minutes=1),
    ) == [
        "until the end of 15 December 2026 (America/Montreal)",
        "at most 100000.00 EUR of discounts",
        "at most 50,000 customers are given a code",
        "at most 60,000 uses in all",
        "each code works 3 times",
        "each customer may use it 2 times",
        "each customer may use it once a week",
        "only the customer who was given a code may use it",
        "a code of one's own works for 2 days 1 minute after it is issued",
    ]


@pytest.mark.parametrize(
    ("window", "text"),
    [
        (
            Window(starts_at=datetime(2026, 12, 1, 9, tzinfo=UTC), ends_at=datetime(2026, 12, 16, tzinfo=UTC)),
            "from 1 December 2026, 09:00 until the end of 15 December 2026 (UTC)",
        ),
        (
            Window(time_zone="Asia/Tokyo", ends_at=datetime(2026, 12, 15, 12, 30, 5, tzinfo=UTC)),
            "until 15 December 2026, 21:30:05 (Asia/Tokyo)",
        ),
        # The night on which clocks are put back, and one in which midnight does not exist.
        (
            Window(time_zone="America/Toronto", ends_at=end_of_day(date(2026, 11, 1), "America/Toronto")),
            "until the end of 1 November 2026 (America/Toronto)",
        ),
        (
            Window(time_zone="America/Santiago", ends_at=end_of_day(date(2026, 9, 5), "America/Santiago")),
            "until the end of 5 September 2026 (America/Santiago)",
        ),
    ],
)
def test_when_it_runs(window: Window, text: str) -> None:
    assert lines(SetUpStep.LIMITS, window=window)[0] == text


@pytest.mark.parametrize(
    ("terms", "supply", "expected"),
    [
        (
            {},
            Supply(codes=1),
            [
                "a code of one's own for each customer, which works only once it is issued",
                "1 code",
                "allocated first in, first out: one code a customer, ever",
                "when there are no more, nobody gets one",
                "a code whose message did not arrive goes back to the pool, if nobody has seen it",
            ],
        ),
        (
            {
                "code_kind": CodeKind.MULTIPLE,
                "issue_policy": IssuePolicy.PER_SEND,
                "on_empty": OnEmpty.GENERATE,
                "return_policy": ReturnPolicy.NEVER,
            },
            Supply(codes=1_000, blocked=20),
            [
                "a pool of codes that are handed out anonymously",
                "1,000 codes, 20 of them blocked",
                "allocated first in, first out: one code a customer and send",
                "when there are no more, one is made for each customer who comes",
                "a code stays issued, even where its message did not arrive",
            ],
        ),
        (
            {"issue_policy": IssuePolicy.PER_MESSAGE, "on_empty": OnEmpty.FALLBACK, "code_required": False},
            Supply(codes=0),
            [
                "applies to an eligible cart without a code",
                "a code of one's own for each customer, which works only once it is issued",
                "0 codes",
                "allocated first in, first out: one code a customer and message",
                "when there are no more, everybody gets the fallback code, which is not set yet",
                "a code whose message did not arrive goes back to the pool, if nobody has seen it",
            ],
        ),
        ({"code_kind": CodeKind.SINGLE}, Supply(codes=1, shared=True), ["one code for everybody"]),
        ({"code_kind": CodeKind.SINGLE}, Supply(codes=0), ["one code for everybody, which is not set yet"]),
    ],
)
def test_the_codes(terms: dict[str, Any], supply: Supply, expected: list[str]) -> None:
    assert lines(SetUpStep.CODES, supply, **terms) == expected


def test_the_uses_of_a_single_code() -> None:
    unlimited = lines(SetUpStep.LIMITS, code_kind=CodeKind.SINGLE, uses_per_code=None)
    assert unlimited == ["open-ended: from its activation until somebody ends it"]
    assert "the code works 100 times" in lines(SetUpStep.LIMITS, code_kind=CodeKind.SINGLE, uses_per_code=100)
