"""What a reward is, in plain words, on one line."""

from decimal import Decimal

from promograph.domain.conditions.lines import show_filter
from promograph.domain.conditions.values import quoted
from promograph.domain.rewards import (
    AmountOff,
    External,
    FixedPrice,
    FreeShipping,
    Gift,
    Percentage,
    Points,
    Reward,
    Value,
)


def reward_text(reward: Reward) -> str:
    """Such as "20 % off of category 'shoes', at most 50.00 EUR"."""
    if isinstance(reward, External):
        return "worth what the shop says"
    only = "" if reward.lines is None else show_filter(reward.lines)
    most = "" if reward.maximum is None else f", at most {reward.maximum}"
    return f"{_value_text(reward.value)}{only}{most}"


def percent(value: Percentage) -> Decimal:
    """With no more decimal places than it has: 20, 12.5."""
    return Decimal(value.basis_points) / 100


def _value_text(value: Value) -> str:
    match value:
        case Percentage():
            return f"{percent(value):f} % off"
        case AmountOff(money=money):
            return f"{money} off"
        case FixedPrice(money=money):
            return f"{money} for each unit"
        case FreeShipping():
            return "free shipping"
        case Gift(sku=sku):
            return f"a gift, one unit of {quoted(sku)}"
        case Points(number=number):
            return f"{number:,} points"
