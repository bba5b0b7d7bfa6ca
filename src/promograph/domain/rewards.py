"""What a code is worth: known to the shop only, or a value of a reward type that was set up once.

What a reward takes off a given cart is worked out in `discounts`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

from promograph.domain.carts import LineFilter, Money, checked_filter, checked_money, dump_filter, load_filter, under
from promograph.domain.keys import checked_key
from promograph.errors import BadInput, InputProblem

WHOLE = 10_000
"""Basis points in 100 %."""

MOST_POINTS = 10**9


class Effect(StrEnum):
    """What a reward type does; the value of a reward says how much of it."""

    PERCENTAGE = "PERCENTAGE"
    AMOUNT = "AMOUNT"
    FIXED_PRICE = "FIXED_PRICE"
    FREE_SHIPPING = "FREE_SHIPPING"
    GIFT = "GIFT"
    POINTS = "POINTS"


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardType:
    """Set up once and named by promotions through its `handle`, which never changes, as its effect never does."""

    handle: str
    name: str
    effect: Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentage:
    """So many hundredths of a percent (1 to 10,000) off the eligible lines."""

    effect: ClassVar[Effect] = Effect.PERCENTAGE
    basis_points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AmountOff:
    """So much off the eligible lines together, and never more than they cost."""

    effect: ClassVar[Effect] = Effect.AMOUNT
    money: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedPrice:
    """Each unit of an eligible line sells at this price: a line costs quantity x price, unless it cost less before."""

    effect: ClassVar[Effect] = Effect.FIXED_PRICE
    money: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeShipping:
    """All of the shipping."""

    effect: ClassVar[Effect] = Effect.FREE_SHIPPING


@dataclass(frozen=True, slots=True, kw_only=True)
class Gift:
    """One unit of this article, which the shop adds; it costs the cart nothing."""

    effect: ClassVar[Effect] = Effect.GIFT
    sku: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """So many loyalty points, which the shop credits."""

    effect: ClassVar[Effect] = Effect.POINTS
    number: int


Value = Percentage | AmountOff | FixedPrice | FreeShipping | Gift | Points
_VALUES: Mapping[Effect, Callable[..., Value]] = {
    kind.effect: kind for kind in (Percentage, AmountOff, FixedPrice, FreeShipping, Gift, Points)
}


@dataclass(frozen=True, slots=True)
class External:
    """The shop knows what the code is worth and reports the discount when it redeems."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Single:
    """A value of the reward type whose handle is `type`.

    `maximum` bounds the money taken off; `lines` are the eligible ones (None: all).
    """

    type: str
    value: Value
    maximum: Money | None = None
    lines: LineFilter | None = None

    @property
    def effect(self) -> Effect:
        return self.value.effect

    @property
    def moneys(self) -> list[tuple[str, Money]]:
        """All money that it names, with the name of the field."""
        own = [("value", self.value.money)] if isinstance(self.value, AmountOff | FixedPrice) else []
        return own if self.maximum is None else [*own, ("maximum", self.maximum)]


Reward = External | Single

# An amount is its own maximum; a gift and points take nothing off.
_WITH_MAXIMUM = frozenset({Effect.PERCENTAGE, Effect.FIXED_PRICE, Effect.FREE_SHIPPING})
_WITH_LINES = frozenset({Effect.PERCENTAGE, Effect.AMOUNT, Effect.FIXED_PRICE})


def percentage(percent: Decimal) -> Percentage:
    """12.5 % as 1,250 basis points; BadInput on `value` unless from 0.01 to 100 with at most two decimal places."""
    if not percent.is_finite() or not Decimal("0.01") <= percent <= 100:
        raise BadInput(
            InputProblem.OUT_OF_RANGE, f"A percentage is from 0.01 to 100; this one is {percent}.", field=("value",)
        )
    points = int(percent * 100)
    if percent != Decimal(points) / 100:
        raise BadInput(
            InputProblem.INVALID, f"A percentage has at most two decimal places; {percent} has more.", field=("value",)
        )
    return Percentage(basis_points=points)


def checked_reward_type(reward_type: RewardType) -> RewardType:
    """The type itself; BadInput on `handle` or `name`."""
    checked_key(reward_type.handle, "handle", longest=64)
    checked_key(reward_type.name, "name", longest=200)
    return reward_type


def checked_reward(reward: Reward, *, currency: str | None = None, path: Sequence[str] = ("reward",)) -> Reward:
    """The reward itself; BadInput below `path` at `type`, `value`, `maximum` or `lines`.

    `currency` is the promotion's own (that of its budget), where it has one: all money of the reward must be in it.
    """
    if isinstance(reward, External):
        return reward
    try:
        checked_key(reward.type, "type", longest=64)
        _check_value(reward.value)
        _check_maximum(reward)
        _check_lines(reward)
        _check_currencies(reward, currency)
    except BadInput as bad:
        raise under(bad, *path) from None
    return reward


def check_fits(reward: Single, reward_type: RewardType, *, path: Sequence[str] = ("reward",)) -> None:
    """BadInput unless the value is one of that type."""
    if reward.effect is not reward_type.effect:
        sentence = f"The reward type {reward_type.name!r} takes a {reward_type.effect}, not a {reward.effect}."
        raise BadInput(InputProblem.INVALID, sentence, field=(*path, "value"))


def dump_reward(reward: Reward) -> dict[str, Any]:
    """As plain JSON data."""
    if isinstance(reward, External):
        return {"kind": "EXTERNAL"}
    return {
        "kind": "SINGLE",
        "type": reward.type,
        "effect": str(reward.effect),
        "value": asdict(reward.value),
        "maximum": None if reward.maximum is None else asdict(reward.maximum),
        "lines": None if reward.lines is None else dump_filter(reward.lines),
    }


def load_reward(data: Mapping[str, Any]) -> Reward:
    """What `dump_reward` made; not for input from outside."""
    if data["kind"] == "EXTERNAL":
        return External()
    value = {name: Money(**part) if name == "money" else part for name, part in data["value"].items()}
    return Single(
        type=data["type"],
        value=_VALUES[Effect(data["effect"])](**value),
        maximum=None if data["maximum"] is None else Money(**data["maximum"]),
        lines=None if data["lines"] is None else load_filter(data["lines"]),
    )


def _check_value(value: Value) -> None:
    match value:
        case Percentage(basis_points=points):
            percentage(Decimal(points) / 100)
        case AmountOff() | FixedPrice():  # not 0: a forgotten field must not give goods away; 100 % says it aloud
            checked_money(value.money, "value")
        case Gift():
            checked_key(value.sku, "value")
        case Points():
            if not 1 <= value.number <= MOST_POINTS:
                sentence = f"Points are from 1 to {MOST_POINTS:,}; these are {value.number:,}."
                raise BadInput(InputProblem.OUT_OF_RANGE, sentence, field=("value",))


def _check_maximum(reward: Single) -> None:
    if reward.maximum is None:
        return
    if reward.effect not in _WITH_MAXIMUM:
        why = "it is its own" if reward.effect is Effect.AMOUNT else "it takes no money off"
        raise BadInput(InputProblem.INVALID, f"{reward.effect} has no maximum: {why}.", field=("maximum",))
    checked_money(reward.maximum, "maximum")


def _check_lines(reward: Single) -> None:
    if reward.lines is None:
        return
    if reward.effect not in _WITH_LINES:
        raise BadInput(InputProblem.INVALID, f"{reward.effect} is not about lines; leave them out.", field=("lines",))
    checked_filter(reward.lines)


def _check_currencies(reward: Single, wanted: str | None) -> None:
    """All in `wanted`, where there is such a currency, and in any case in one."""
    for field, money in reward.moneys:
        wanted = wanted or money.currency
        if money.currency != wanted:
            sentence = f"This money is in {money.currency}, and the rest of the promotion in {wanted}."
            raise BadInput(InputProblem.INVALID, sentence, field=(field,))
