"""What a promotion's codes are worth, as the schema shows it."""

from decimal import Decimal
from enum import Enum

import strawberry

from promograph.api.context import Asked
from promograph.api.enums import described
from promograph.api.line_filters import LineFilter, shown_filter
from promograph.api.money import Money, shown_money
from promograph.api.reward_types import RewardType, shown_type
from promograph.api.rights import READ
from promograph.domain import rewards
from promograph.domain.reviews.reward_texts import percent, reward_text
from promograph.domain.rewards import AmountOff, Effect, FixedPrice, FreeShipping, Gift, Percentage, Points, Single


class RewardKind(Enum):
    EXTERNAL = "EXTERNAL"
    SINGLE = "SINGLE"


described(
    RewardKind,
    "RewardKind",
    "Who knows what a code is worth.",
    {
        "EXTERNAL": "The shop knows, and reports the discount when it redeems.",
        "SINGLE": "It is a value of a reward type, and worked out here.",
    },
)


@strawberry.type(description="How much of an effect: the one field that is not null says it.", directives=READ)
class RewardValue:
    percentage: Decimal | None = strawberry.field(default=None, description="So many percent off the eligible lines.")
    amount: Money | None = strawberry.field(default=None, description="So much off the eligible lines together.")
    fixed_price: Money | None = strawberry.field(default=None, description="What each eligible unit costs.")
    free_shipping: bool | None = strawberry.field(default=None, description="True: all of the shipping.")
    gift: str | None = strawberry.field(default=None, description="The article of which one unit is added.")
    points: int | None = strawberry.field(default=None, description="So many loyalty points.")


@strawberry.type(description="What a promotion's codes are worth.", directives=READ)
class Reward:
    type_handle: strawberry.Private[str | None]

    kind: RewardKind = strawberry.field(description="Who knows what a code is worth.")
    text: str = strawberry.field(description="The reward in plain words, on one line.")
    effect: Effect | None = strawberry.field(default=None, description="What it does; none for EXTERNAL.")
    value: RewardValue | None = strawberry.field(default=None, description="How much of it; none for EXTERNAL.")
    maximum: Money | None = strawberry.field(default=None, description="At most so much money off.")
    lines: LineFilter | None = strawberry.field(default=None, description="The eligible lines; none: all of them.")

    @strawberry.field(description="Its type; none for EXTERNAL.", directives=READ)
    async def type(self, info: Asked) -> RewardType | None:
        found = None if self.type_handle is None else await info.context.reward_type(self.type_handle)
        return None if found is None else shown_type(found)


def shown_reward(reward: rewards.Reward) -> Reward:
    if not isinstance(reward, Single):
        return Reward(type_handle=None, kind=RewardKind.EXTERNAL, text=reward_text(reward))
    return Reward(
        type_handle=reward.type,
        kind=RewardKind.SINGLE,
        text=reward_text(reward),
        effect=reward.effect,
        value=_shown_value(reward.value),
        maximum=shown_money(reward.maximum),
        lines=shown_filter(reward.lines),
    )


def _shown_value(value: rewards.Value) -> RewardValue:
    match value:
        case Percentage():
            return RewardValue(percentage=percent(value))
        case AmountOff(money=money):
            return RewardValue(amount=shown_money(money))
        case FixedPrice(money=money):
            return RewardValue(fixed_price=shown_money(money))
        case FreeShipping():
            return RewardValue(free_shipping=True)
        case Gift(sku=sku):
            return RewardValue(gift=sku)
        case Points(number=number):
            return RewardValue(points=number)
