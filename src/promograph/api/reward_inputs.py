"""What a promotion's reward is set by."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import strawberry
from strawberry import UNSET

from promograph.api.line_filters import LineFilterInput, read_filter
from promograph.api.money import MoneyInput, read_money
from promograph.domain import rewards
from promograph.domain.carts import Money, under
from promograph.domain.currencies import to_minor
from promograph.domain.rewards import AmountOff, FixedPrice, FreeShipping, Gift, Points
from promograph.errors import BadInput, InputProblem


@strawberry.input(one_of=True, description="How much of a reward type's effect: the field of that effect.")
class RewardValueInput:
    percentage: Decimal | None = strawberry.field(
        default=UNSET, description="So many percent off the eligible lines: 0.01 to 100, at most two decimal places."
    )
    amount: MoneyInput | None = strawberry.field(
        default=UNSET, description="So much off the eligible lines together, never more than they cost."
    )
    fixed_price: MoneyInput | None = strawberry.field(
        default=UNSET, description="What each unit of the eligible lines costs, unless it costs less already."
    )
    free_shipping: bool | None = strawberry.field(default=UNSET, description="All of the shipping; always true.")
    gift: str | None = strawberry.field(default=UNSET, description="The article of which one unit is added.")
    points: int | None = strawberry.field(default=UNSET, description="So many loyalty points.")


@strawberry.input(description="A value of a reward type.")
class SingleRewardInput:
    type: str = strawberry.field(description="The handle of the reward type.")
    value: RewardValueInput = strawberry.field(description="How much of the type's effect.")
    maximum: MoneyInput | None = strawberry.field(
        default=None, description="At most so much money off; for PERCENTAGE, FIXED_PRICE and FREE_SHIPPING."
    )
    lines: LineFilterInput | None = strawberry.field(
        default=None,
        description="The eligible lines, all of them if left out; for PERCENTAGE, AMOUNT and FIXED_PRICE.",
    )


@strawberry.input(one_of=True, description="What a promotion's codes are worth.")
class RewardInput:
    external: bool | None = strawberry.field(
        default=UNSET, description="The shop knows, and reports the discount when it redeems; always true."
    )
    single: SingleRewardInput | None = strawberry.field(default=UNSET, description="A value of a reward type.")


def read_reward(input: RewardInput) -> rewards.Reward:
    """Not checked yet; BadInput, as the rules name its field, for what they could not even be asked about."""
    if not isinstance(input.single, SingleRewardInput):
        _check_true(input.external, "external", "reward", "external")
        return rewards.External()
    single = input.single
    name, given = _given(single.value)
    try:
        return rewards.Single(
            type=single.type,
            value=_READ[name](given),
            maximum=read_money(single.maximum, "maximum"),
            lines=read_filter(single.lines),
        )
    except BadInput as bad:
        raise under(bad, "reward") from None


def places_of_reward(input: RewardInput) -> dict[str, tuple[str, ...]]:
    """Where the fields stand that the rules name: they know neither the kind of reward nor that of its value."""
    if not isinstance(input.single, SingleRewardInput):
        return {}
    name, _ = _given(input.single.value)
    value = ("reward", "single", "value", _IN_SCHEMA.get(name, name))
    return {"reward": ("reward", "single"), "reward.value": value}


_IN_SCHEMA = {"fixed_price": "fixedPrice", "free_shipping": "freeShipping"}


def _given(input: RewardValueInput) -> tuple[str, Any]:
    """The one field that the caller has filled in, and what it holds."""
    return next((name, value) for name in _READ if (value := getattr(input, name)) is not UNSET)


def _money(given: MoneyInput) -> Money:
    return Money(minor=to_minor(given.amount, given.currency, "value"), currency=given.currency)


def _free_shipping(given: bool) -> FreeShipping:
    _check_true(given, "freeShipping", "value")
    return FreeShipping()


def _check_true(given: bool | None, name: str, *field: str) -> None:
    if given is not True:
        raise BadInput(InputProblem.INVALID, f"{name} is true, or not there.", field=field)


_READ: Mapping[str, Callable[[Any], rewards.Value]] = {
    "percentage": rewards.percentage,
    "amount": lambda given: AmountOff(money=_money(given)),
    "fixed_price": lambda given: FixedPrice(money=_money(given)),
    "free_shipping": _free_shipping,
    "gift": lambda given: Gift(sku=given),
    "points": lambda given: Points(number=given),
}
