"""What the promotion mutations take."""

from datetime import date, datetime

import strawberry
from strawberry import UNSET

from promograph.api.answering import KEY
from promograph.api.conditions import ConditionInput
from promograph.api.money import MoneyInput
from promograph.api.reward_inputs import RewardInput
from promograph.api.scalars import Duration
from promograph.domain.codes import formats as code_formats
from promograph.domain.periods import Period
from promograph.domain.promotions import CodeKind, IssuePolicy, OnEmpty, ReturnPolicy


@strawberry.input(description="A free property.")
class PropertyInput:
    name: str = strawberry.field(description="The property's name, 1 to 64 characters.")
    value: str = strawberry.field(description="The property's value, at most 500 characters.")


@strawberry.input(
    description="When a promotion runs. A day is meant in the time zone, from its first instant to its last; an "
    "instant is an instant anywhere. Leave both out for an open end."
)
class WindowInput:
    time_zone: str = strawberry.field(default="UTC", description="An IANA time zone, such as `America/Toronto`.")
    starts_on: date | None = strawberry.field(default=None, description="The first day.")
    starts_at: datetime | None = strawberry.field(default=None, description="The first instant, instead of a day.")
    ends_on: date | None = strawberry.field(default=None, description="The last day, included.")
    ends_at: datetime | None = strawberry.field(
        default=None, description="The first instant after it, instead of a day."
    )


@strawberry.input(description="How generated codes look: a length or a pattern, between a prefix and a suffix.")
class CodeFormatInput:
    prefix: str = strawberry.field(default="", description="Stands before the random part.")
    suffix: str = strawberry.field(default="", description="Stands after the random part.")
    length: int = strawberry.field(default=code_formats.DEFAULT_LENGTH, description="How many random characters.")
    alphabet: str = strawberry.field(
        default=code_formats.DEFAULT_ALPHABET, description="The random characters are of these."
    )
    pattern: str | None = strawberry.field(
        default=None, description="Instead of a length: `#` is a random character, others stand for themselves."
    )
    check_character: bool = strawberry.field(
        default=False,
        description="Whether the last of the random characters is worked out from the others instead, so that a typing "
        "error shows in the code itself: whoever makes one is told MISTYPED.",
    )


@strawberry.input(description="How often a customer may redeem within a stretch of the calendar.")
class PeriodCapInput:
    uses: int = strawberry.field(description="So many times.")
    period: Period = strawberry.field(description="In each of these, in the promotion's time zone.")


@strawberry.input(description="A promotion to set up. What is left out has the default that is named.")
class PromotionCreateInput:
    name: str = strawberry.field(description="The name for people, at most 200 characters.")
    handle: str | None = strawberry.field(
        default=None,
        description="The unique name for programs: a-z, 0-9, and . _ - inside; made from the name if left out.",
    )
    description: str = strawberry.field(default="", description="What it is about.")
    properties: list[PropertyInput] = strawberry.field(default_factory=list, description="At most 50, each name once.")
    reward: RewardInput | None = strawberry.field(
        default=None, description="What its codes are worth; external if left out."
    )
    condition: ConditionInput | None = strawberry.field(
        default=None, description="What has to hold for its codes to be redeemed."
    )
    code_kind: CodeKind = strawberry.field(default=CodeKind.PERSONALIZED, description="How codes relate to people.")
    single_code: str | None = strawberry.field(default=None, description="The code of a SINGLE promotion.")
    issue_policy: IssuePolicy = strawberry.field(
        default=IssuePolicy.PER_CUSTOMER, description="On which occasions a customer gets a code."
    )
    on_empty: OnEmpty = strawberry.field(default=OnEmpty.REFUSE, description="What happens when the pool is empty.")
    return_policy: ReturnPolicy = strawberry.field(
        default=ReturnPolicy.WHEN_UNSEEN, description="What becomes of the code of a message that did not arrive."
    )
    fallback_code: str | None = strawberry.field(
        default=None, description="The code that everybody shares when the pool is empty; not for SINGLE."
    )
    code_format: CodeFormatInput | None = strawberry.field(
        default=None, description="How generated codes look: ten unambiguous characters if left out."
    )
    window: WindowInput | None = strawberry.field(default=None, description="When it runs; open if left out.")
    valid_for: Duration | None = strawberry.field(default=None, description="How long an issued code works.")
    audience_cap: int | None = strawberry.field(default=None, description="At most so many customers get a code.")
    uses_per_code: int | None = strawberry.field(
        default=UNSET, description="How often a code works; null: without limit. Left out: 1, and for SINGLE no limit."
    )
    uses_per_customer: int | None = strawberry.field(default=None, description="How often a customer may redeem.")
    uses_per_period: PeriodCapInput | None = strawberry.field(
        default=None, description="How often a customer may redeem within a stretch of the calendar."
    )
    redemption_cap: int | None = strawberry.field(default=None, description="At most so many uses in all.")
    low_stock_threshold: int | None = strawberry.field(
        default=None, description="With so many codes left, or fewer, the pool is low, and an event tells it."
    )
    budget: MoneyInput | None = strawberry.field(
        default=None, description="At most so much money taken off in all; all other money is in its currency."
    )
    holder_only: bool = strawberry.field(
        default=False, description="Whether only the customer who has a code may redeem it."
    )
    code_required: bool = strawberry.field(
        default=True, description="Whether it takes a code; if not, it also applies to an eligible cart by itself."
    )
    combinable: bool = strawberry.field(
        default=False, description="Whether it shares a cart with others that do the same."
    )
    priority: int = strawberry.field(
        default=0,
        description="Of those that share a cart, the highest takes its discount first: -1,000 to 1,000.",
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="Changes of a promotion. What is left out stays; null takes a limit away.")
class PromotionUpdateInput:
    id: strawberry.ID = strawberry.field(description="The promotion.")
    name: str | None = strawberry.field(default=UNSET, description="The name for people.")
    handle: str | None = strawberry.field(default=UNSET, description="The name for programs; only while it is a draft.")
    description: str | None = strawberry.field(default=UNSET, description="What it is about.")
    properties: list[PropertyInput] | None = strawberry.field(default=UNSET, description="All of the properties anew.")
    reward: RewardInput | None = strawberry.field(
        default=UNSET, description="What its codes are worth, only while it is a draft; null: external."
    )
    condition: ConditionInput | None = strawberry.field(
        default=UNSET, description="What has to hold for its codes to be redeemed; null: nothing."
    )
    code_kind: CodeKind | None = strawberry.field(default=UNSET, description="Only while it is a draft.")
    single_code: str | None = strawberry.field(
        default=UNSET, description="The code of a SINGLE promotion, until it is given out."
    )
    issue_policy: IssuePolicy | None = strawberry.field(default=UNSET, description="Only while it is a draft.")
    on_empty: OnEmpty | None = strawberry.field(default=UNSET, description="What happens when the pool is empty.")
    return_policy: ReturnPolicy | None = strawberry.field(
        default=UNSET, description="What becomes of the code of a message that did not arrive."
    )
    fallback_code: str | None = strawberry.field(default=UNSET, description="The shared code, until it is given out.")
    code_format: CodeFormatInput | None = strawberry.field(default=UNSET, description="How generated codes look.")
    window: WindowInput | None = strawberry.field(default=UNSET, description="When it runs.")
    valid_for: Duration | None = strawberry.field(default=UNSET, description="How long a code works once issued.")
    audience_cap: int | None = strawberry.field(default=UNSET, description="At most so many customers get a code.")
    uses_per_code: int | None = strawberry.field(default=UNSET, description="How often a code works.")
    uses_per_customer: int | None = strawberry.field(default=UNSET, description="How often a customer may redeem.")
    uses_per_period: PeriodCapInput | None = strawberry.field(
        default=UNSET, description="How often a customer may redeem within a stretch of the calendar."
    )
    redemption_cap: int | None = strawberry.field(default=UNSET, description="At most so many uses in all.")
    low_stock_threshold: int | None = strawberry.field(
        default=UNSET, description="With so many codes left, or fewer, the pool is low."
    )
    budget: MoneyInput | None = strawberry.field(
        default=UNSET, description="At most so much money taken off; its currency is fixed once it has left its draft."
    )
    holder_only: bool | None = strawberry.field(default=UNSET, description="Whether only its holder may redeem a code.")
    code_required: bool | None = strawberry.field(default=UNSET, description="Whether it takes a code.")
    combinable: bool | None = strawberry.field(default=UNSET, description="Whether it shares a cart with others.")
    priority: int | None = strawberry.field(default=UNSET, description="Whose discount is taken first.")
