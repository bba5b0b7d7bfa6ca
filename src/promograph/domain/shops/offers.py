"""A promotion as a shop can be told of it: what the shop gives for its codes, and when.

A shop knows less than we do. What it could not keep (conditions over people, say) would be given away there, so that
such a promotion is not told at all; what only bounds the whole (a budget, a cap) ends the promotion here, and its end
is told.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from promograph.domain.carts import Money
from promograph.domain.conditions.carts import SubtotalIs
from promograph.domain.conditions.nodes import AllOf, Condition
from promograph.domain.conditions.values import Op
from promograph.domain.decisions import SHARED_SEQ
from promograph.domain.promotions import CodeKind, Promotion, PromotionStatus
from promograph.domain.rewards import External, Reward
from promograph.domain.windows import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a shop is to give. `minimum`: what the cart's lines must come to. `uses_per_code`, `uses_per_customer`: None
    is without a limit. `is_open`: whether codes work now; a shop that takes `starts_at` need not wait for it.
    """

    handle: str
    name: str
    reward: Reward
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    minimum: Money | None = None
    uses_per_code: int | None = None
    uses_per_customer: int | None = None
    combinable: bool = False
    is_open: bool = True

    def has_begun(self, now: datetime) -> bool:
        return self.starts_at is None or self.starts_at <= now


def offer_of(promotion: Promotion, now: datetime) -> Offer:
    """As far as a shop can be told; `obstacles` says what is missing."""
    terms = promotion.terms
    return Offer(
        handle=terms.handle,
        name=terms.name,
        reward=terms.reward,
        starts_at=terms.window.starts_at,
        ends_at=terms.window.ends_at,
        minimum=_minimum(terms.condition),
        uses_per_code=uses_of(promotion, SHARED_SEQ if terms.code_kind is CodeKind.SINGLE else 1),
        uses_per_customer=terms.uses_per_customer,
        combinable=terms.combinable,
        is_open=is_open(promotion, now),
    )


def is_open(promotion: Promotion, now: datetime) -> bool:
    """Whether codes that people hold are redeemed, the clock apart: as `decisions` has it."""
    status = promotion.status(now)
    if status is PromotionStatus.ENDED:
        return not promotion.stop_redeeming
    return status in (PromotionStatus.ACTIVE, PromotionStatus.SCHEDULED)


def obstacles(promotion: Promotion) -> Iterator[str]:
    """Why no shop can be told of it: a sentence each, with what would mend it."""
    terms = promotion.terms
    if promotion.stored_status is PromotionStatus.DRAFT:
        yield "It is a draft: activate it first."
    if isinstance(terms.reward, External):
        yield "Its reward is the shop's own: give it one with a type and a value, so that the shop can be told."
    if terms.condition is not None and _minimum(terms.condition) is None:
        yield "A shop cannot keep its condition: the only one that it can be told is a least subtotal (GTE)."
    if terms.holder_only:
        yield "A shop does not know who holds a code: let others use it too (holderOnly: false)."
    if terms.uses_per_period is not None:
        yield "A shop cannot count a customer's uses by the calendar: leave out usesPerPeriod."


def uses_of(promotion: Promotion, seq: int) -> int | None:
    """How often the code of this number works: a fallback without limit, a SINGLE one as often as the promotion."""
    terms = promotion.terms
    if seq != SHARED_SEQ:
        return terms.uses_per_code
    if terms.code_kind is not CodeKind.SINGLE:
        return None
    limits = [limit for limit in (terms.uses_per_code, terms.redemption_cap) if limit is not None]
    return min(limits, default=None)


def without_end(promotion: Promotion) -> Promotion:
    """The same without the end of its window, at which the whole offer ends: not each of its codes."""
    terms = promotion.terms
    window = Window(time_zone=terms.window.time_zone, starts_at=terms.window.starts_at)
    return replace(promotion, terms=replace(terms, window=window))


def _minimum(condition: Condition | None) -> Money | None:
    while isinstance(condition, AllOf) and len(condition.conditions) == 1:
        (condition,) = condition.conditions
    if isinstance(condition, SubtotalIs) and condition.op is Op.GTE:
        return condition.value
    return None
