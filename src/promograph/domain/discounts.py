"""What a reward takes off a cart, in whole smallest units, and how that spreads over the lines.

The total is rounded once, half up. It is spread by largest remainder, so that the lines' shares add up to the total
whatever the number of lines, and no line is given more than it costs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from promograph.domain.carts import Cart, Line, Money, select
from promograph.domain.rewards import (
    WHOLE,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    """`total` is the sum of `lines` (by line id; lines that get nothing are left out) and of `shipping`.

    All money counts the smallest unit of `currency`, which is the cart's. `eligible` is what the discount was taken
    from: what the eligible lines cost, or the shipping. `gift` is the sku to add, `points` how many to credit.
    """

    currency: str
    eligible: int = 0
    lines: Mapping[str, int] = field(default_factory=dict)
    shipping: int = 0
    total: int = 0
    gift: str | None = None
    points: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyMismatch:
    """The reward's money is in `expected` and the cart in `given`: there is no discount to speak of."""

    expected: str
    given: str

    @property
    def data(self) -> dict[str, str]:
        return asdict(self)


def discount(reward: Reward, cart: Cart) -> Discount | CurrencyMismatch | None:
    """What the reward takes off the cart; None for an external one, whose worth only the shop knows.

    Both must have passed their checks. A reward that finds nothing to take from gives a total of 0.
    """
    if isinstance(reward, External):
        return None
    for _, money in reward.moneys:
        if money.currency != cart.currency:
            return CurrencyMismatch(expected=money.currency, given=cart.currency)
    match reward.value:
        case Gift(sku=sku):
            return Discount(currency=cart.currency, gift=sku)
        case Points(number=number):
            return Discount(currency=cart.currency, points=number)
        case FreeShipping():
            taken = _bounded(cart.shipping, reward.maximum)
            return Discount(currency=cart.currency, eligible=cart.shipping, shipping=taken, total=taken)
        case Percentage() | AmountOff() | FixedPrice():
            return _off_lines(reward, reward.value, cart)


def spread(total: int, weights: Sequence[int]) -> list[int]:
    """`total` in whole parts as near as can be to the proportions of `weights`, with exactly that sum.

    Each part begins as its exact share rounded down; the units then missing go one each to the largest remainders,
    among equals to the earlier. With 0 <= total <= sum(weights), no part exceeds its weight.
    """
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: -(total * weights[place] % whole))
    for place in by_remainder[: total - sum(parts)]:
        parts[place] += 1
    return parts


def dump_discount(taken: Discount) -> dict[str, Any]:
    """As plain JSON data."""
    return asdict(taken)


def load_discount(data: Mapping[str, Any]) -> Discount:
    """What `dump_discount` made; not for input from outside."""
    return Discount(**data)


def _off_lines(reward: Single, value: Percentage | AmountOff | FixedPrice, cart: Cart) -> Discount:
    lines = select(cart.lines, reward.lines)
    eligible = sum(line.amount for line in lines)
    wanted, weights = _wanted(value, lines, eligible)
    total = _bounded(wanted, reward.maximum)
    parts = spread(total, weights)
    return Discount(
        currency=cart.currency,
        eligible=eligible,
        lines={line.id: part for line, part in zip(lines, parts, strict=True) if part},
        total=total,
    )


def _wanted(
    value: Percentage | AmountOff | FixedPrice, lines: Sequence[Line], eligible: int
) -> tuple[int, Sequence[int]]:
    """What comes off before any maximum, never more than `eligible`, and in which proportions."""
    if isinstance(value, FixedPrice):
        above = [max(0, line.amount - line.quantity * value.money.minor) for line in lines]
        return sum(above), above
    amounts = [line.amount for line in lines]
    if isinstance(value, AmountOff):
        return min(value.money.minor, eligible), amounts
    return (eligible * value.basis_points * 2 + WHOLE) // (2 * WHOLE), amounts


def _bounded(amount: int, maximum: Money | None) -> int:
    return amount if maximum is None else min(amount, maximum.minor)
