"""What a reward may be worth, said in sentences where it may not."""

from decimal import Decimal

import orjson
import pytest

from promograph.domain.carts import LineAttribute, LineFilter, Money
from promograph.domain.rewards import (
    AmountOff,
    Effect,
    External,
    FixedPrice,
    FreeShipping,
    Gift,
    Percentage,
    Points,
    Reward,
    RewardType,
    Single,
    Value,
    check_fits,
    checked_reward,
    checked_reward_type,
    dump_reward,
    load_reward,
    percentage,
)
from promograph.errors import BadInput

EUR5 = Money(minor=500, currency="EUR")
USD5 = Money(minor=500, currency="USD")
SHOES = LineFilter(categories=("shoes",), attributes=(LineAttribute(name="size", values=("42", "43")),))

GOOD: list[Reward] = [
    External(),
    Single(type="percentage-off", value=Percentage(basis_points=1)),
    Single(type="percentage-off", value=Percentage(basis_points=10_000), maximum=EUR5, lines=SHOES),
    Single(type="amount-off", value=AmountOff(money=EUR5), lines=SHOES),
    Single(type="one-price", value=FixedPrice(money=EUR5), maximum=EUR5, lines=SHOES),
    Single(type="free-shipping", value=FreeShipping()),
    Single(type="free-shipping", value=FreeShipping(), maximum=EUR5),
    Single(type="gift", value=Gift(sku="MUG")),
    Single(type="points", value=Points(number=10**9)),
]


@pytest.mark.parametrize("reward", GOOD)
def test_good_rewards(reward: Reward) -> None:
    assert checked_reward(reward) is reward
    assert checked_reward(reward, currency="EUR") is reward


@pytest.mark.parametrize("reward", GOOD)
def test_a_reward_comes_back_from_json(reward: Reward) -> None:
    assert load_reward(orjson.loads(orjson.dumps(dump_reward(reward)))) == reward


@pytest.mark.parametrize(
    ("reward", "field", "says"),
    [
        (Single(type="", value=FreeShipping()), "type", "type must not be empty"),
        (Single(type="t", value=Percentage(basis_points=0)), "value", "from 0.01 to 100; this one is 0"),
        (Single(type="t", value=Percentage(basis_points=10_100)), "value", "from 0.01 to 100; this one is 101"),
        (Single(type="t", value=Percentage(basis_points=-500)), "value", "from 0.01 to 100; this one is -5"),
        (Single(type="t", value=AmountOff(money=Money(minor=0, currency="EUR"))), "value", "from 0.01 EUR to"),
        (Single(type="t", value=AmountOff(money=Money(minor=-1, currency="EUR"))), "value", "from 0.01 EUR to"),
        (Single(type="t", value=AmountOff(money=Money(minor=1, currency="EURO"))), "value currency", "ISO 4217"),
        (Single(type="t", value=FixedPrice(money=Money(minor=0, currency="JPY"))), "value", "from 1 JPY to"),
        (Single(type="t", value=Gift(sku="")), "value", "must not be empty"),
        (Single(type="t", value=Points(number=0)), "value", "from 1 to 1,000,000,000; these are 0"),
        (Single(type="t", value=Points(number=10**9 + 1)), "value", "1,000,000,001"),
        (
            Single(type="t", value=AmountOff(money=EUR5), maximum=EUR5),
            "maximum",
            "AMOUNT has no maximum: it is its own",
        ),
        (Single(type="t", value=Gift(sku="M"), maximum=EUR5), "maximum", "GIFT has no maximum: it takes no money off"),
        (Single(type="t", value=Points(number=1), maximum=EUR5), "maximum", "POINTS has no maximum"),
        (
            Single(type="t", value=FreeShipping(), maximum=Money(minor=0, currency="EUR")),
            "maximum",
            "maximum must be from 0.01 EUR",
        ),
        (Single(type="t", value=FixedPrice(money=EUR5), maximum=USD5), "maximum", "in USD, and the rest .* in EUR"),
        (Single(type="t", value=FreeShipping(), lines=SHOES), "lines", "FREE_SHIPPING is not about lines"),
        (Single(type="t", value=Gift(sku="M"), lines=SHOES), "lines", "GIFT is not about lines"),
        (Single(type="t", value=Percentage(basis_points=1), lines=LineFilter()), "lines", "names nothing"),
        (Single(type="t", value=Percentage(basis_points=1), lines=LineFilter(skus=("",))), "lines skus 0", "empty"),
    ],
)
def test_bad_rewards(reward: Single, field: str, says: str) -> None:
    with pytest.raises(BadInput, match=says) as bad:
        checked_reward(reward)
    assert " ".join(bad.value.field) == f"reward {field}"
    assert str(bad.value).endswith(".")


@pytest.mark.parametrize(
    ("reward", "field"),
    [
        (Single(type="t", value=AmountOff(money=USD5)), "value"),
        (Single(type="t", value=Percentage(basis_points=1), maximum=USD5), "maximum"),
    ],
)
def test_a_promotion_has_one_currency(reward: Single, field: str) -> None:
    assert checked_reward(reward, currency="USD") is reward
    with pytest.raises(BadInput, match="in USD, and the rest of the promotion in EUR") as bad:
        checked_reward(reward, currency="EUR", path=("input", "reward"))
    assert bad.value.field == ("input", "reward", field)


@pytest.mark.parametrize(
    ("percent", "points"),
    [("0.01", 1), ("12.5", 1250), ("12.50", 1250), ("33.33", 3333), ("1E+2", 10_000), ("100", 10_000)],
)
def test_percentages_in_basis_points(percent: str, points: int) -> None:
    assert percentage(Decimal(percent)) == Percentage(basis_points=points)


@pytest.mark.parametrize("percent", ["0", "-5", "101", "100.01", "0.009", "NaN", "Infinity", "-Infinity", "1e999"])
def test_percentages_out_of_range(percent: str) -> None:
    with pytest.raises(BadInput, match=r"from 0\.01 to 100") as bad:
        percentage(Decimal(percent))
    assert bad.value.field == ("value",)


@pytest.mark.parametrize("percent", ["12.345", "0.010000000000000000000000000000000000001", "99.999"])
def test_percentages_too_fine(percent: str) -> None:
    with pytest.raises(BadInput, match="two decimal places"):
        percentage(Decimal(percent))


@pytest.mark.parametrize(
    ("value", "effect"),
    [
        (Percentage(basis_points=1), Effect.PERCENTAGE),
        (AmountOff(money=EUR5), Effect.AMOUNT),
        (FixedPrice(money=EUR5), Effect.FIXED_PRICE),
        (FreeShipping(), Effect.FREE_SHIPPING),
        (Gift(sku="M"), Effect.GIFT),
        (Points(number=1), Effect.POINTS),
    ],
)
def test_a_value_fits_the_type_of_its_effect_only(value: Value, effect: Effect) -> None:
    for each in Effect:
        reward_type = checked_reward_type(RewardType(handle="t", name="Some type", effect=each))
        if each is effect:
            check_fits(Single(type="t", value=value), reward_type)
            continue
        with pytest.raises(BadInput, match=f"'Some type' takes a {each}, not a {effect}") as bad:
            check_fits(Single(type="t", value=value), reward_type)
        assert bad.value.field == ("reward", "value")


@pytest.mark.parametrize(
    ("handle", "name", "field"), [("", "Name", "handle"), ("h" * 65, "Name", "handle"), ("h", " ", "name")]
)
def test_a_type_has_a_handle_and_a_name(handle: str, name: str, field: str) -> None:
    with pytest.raises(BadInput) as bad:
        checked_reward_type(RewardType(handle=handle, name=name, effect=Effect.GIFT))
    assert bad.value.field == (field,)
