"""What a promotion is, and what may be done with it in each of its states."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from promograph.domain.carts import Money
from promograph.domain.codes.formats import CodeFormat
from promograph.domain.conditions.nodes import Condition
from promograph.domain.periods import Period
from promograph.domain.rewards import External, Reward
from promograph.domain.windows import Window
from promograph.errors import BadInput, InputProblem


class PromotionStatus(StrEnum):
    """SCHEDULED is an active promotion whose window has not begun: derived from the clock, never stored."""

    DRAFT = "DRAFT"
    SCHEDULED = "SCHEDULED"
    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    ENDED = "ENDED"
    ARCHIVED = "ARCHIVED"


class EndReason(StrEnum):
    """Why a promotion is ENDED; WINDOW_OVER is derived from the clock."""

    BY_HAND = "BY_HAND"
    WINDOW_OVER = "WINDOW_OVER"
    AUDIENCE_CAP = "AUDIENCE_CAP"
    BUDGET_SPENT = "BUDGET_SPENT"
    USE_CAP = "USE_CAP"


class CodeKind(StrEnum):
    SINGLE = "SINGLE"
    MULTIPLE = "MULTIPLE"
    PERSONALIZED = "PERSONALIZED"


class IssuePolicy(StrEnum):
    """What makes two issues to one customer the same occasion."""

    PER_CUSTOMER = "PER_CUSTOMER"
    PER_SEND = "PER_SEND"
    PER_MESSAGE = "PER_MESSAGE"


class OnEmpty(StrEnum):
    """What a customer gets when the pool has no code left."""

    GENERATE = "GENERATE"
    FALLBACK = "FALLBACK"
    REFUSE = "REFUSE"


class ReturnPolicy(StrEnum):
    """What becomes of the code of a message that did not arrive."""

    WHEN_UNSEEN = "WHEN_UNSEEN"
    NEVER = "NEVER"


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodCap:
    """At most `uses` by one customer in each `period` of the calendar in the promotion's time zone."""

    uses: int
    period: Period


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionTerms:
    """All that a marketer decides about a promotion; None in a cap or a limit means without one.

    `budget` bounds the discounts given and held together, `redemption_cap` the redemptions and open holds. Without
    `code_required` the promotion also applies to an eligible cart by itself. A promotion that is not `combinable`
    shares a cart with no other; among those that are, the higher `priority` takes its discount first. With so many
    codes left as `low_stock_threshold`, or fewer, its pool is low.
    """

    handle: str
    name: str
    description: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)
    reward: Reward = field(default_factory=External)
    condition: Condition | None = None
    code_kind: CodeKind = CodeKind.PERSONALIZED
    issue_policy: IssuePolicy = IssuePolicy.PER_CUSTOMER
    on_empty: OnEmpty = OnEmpty.REFUSE
    return_policy: ReturnPolicy = ReturnPolicy.WHEN_UNSEEN
    code_format: CodeFormat = field(default_factory=CodeFormat)
    window: Window = field(default_factory=Window)
    valid_for: timedelta | None = None
    audience_cap: int | None = None
    uses_per_code: int | None = 1
    uses_per_customer: int | None = None
    uses_per_period: PeriodCap | None = None
    redemption_cap: int | None = None
    low_stock_threshold: int | None = None
    budget: Money | None = None
    holder_only: bool = False
    code_required: bool = True
    combinable: bool = False
    priority: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """A promotion as stored. `stored_status` is never SCHEDULED; ask `status(now)` for what is so now."""

    id: int
    terms: PromotionTerms
    stored_status: PromotionStatus
    stored_end_reason: EndReason | None
    stop_redeeming: bool
    created_at: datetime
    updated_at: datetime

    def status(self, now: datetime) -> PromotionStatus:
        if self.stored_status not in (PromotionStatus.ACTIVE, PromotionStatus.PAUSED):
            return self.stored_status
        if self.terms.window.is_over(now):
            return PromotionStatus.ENDED
        if self.stored_status is PromotionStatus.ACTIVE and not self.terms.window.has_begun(now):
            return PromotionStatus.SCHEDULED
        return self.stored_status

    def end_reason(self, now: datetime) -> EndReason | None:
        if self.status(now) is not PromotionStatus.ENDED:
            return None
        return self.stored_end_reason or EndReason.WINDOW_OVER

    def counted(self, money: Money | None) -> int:
        """What a discount counts against the budget, in the smallest unit of its currency: nothing without a budget."""
        return 0 if money is None or self.terms.budget is None else money.minor

    def expiry(self, issued_at: datetime | None, own: datetime | None = None) -> datetime | None:
        """When a code stops working: the earliest of its own expiry, the promotion's end and issue + validFor."""
        after_issue = None if issued_at is None or self.terms.valid_for is None else issued_at + self.terms.valid_for
        ends = [end for end in (own, after_issue, self.terms.window.ends_at) if end is not None]
        return min(ends, default=None)


# From which states each act may start. A derived ENDED counts as ENDED: a window that is over is over.
_MAY_START = {
    "activate": frozenset({PromotionStatus.DRAFT, PromotionStatus.PAUSED}),
    "pause": frozenset({PromotionStatus.ACTIVE, PromotionStatus.SCHEDULED}),
    "end": frozenset(
        {PromotionStatus.ACTIVE, PromotionStatus.SCHEDULED, PromotionStatus.PAUSED, PromotionStatus.ENDED}
    ),
    "archive": frozenset({PromotionStatus.DRAFT, PromotionStatus.ENDED}),
}


def check_may(act: str, promotion: Promotion, now: datetime) -> None:
    """BadInput (STATE) when `act` (activate, pause, end, archive) may not start from where the promotion is."""
    status = promotion.status(now)
    if status in _MAY_START[act]:
        return
    allowed = ", ".join(sorted(_MAY_START[act]))
    raise BadInput(
        InputProblem.STATE,
        f"A promotion that is {status} cannot be told to {act}; it must be one of {allowed}.",
    )


def takes_codes(promotion: Promotion, now: datetime) -> bool:
    """Whether codes may still be added: until it has ended."""
    return promotion.status(now) not in (PromotionStatus.ENDED, PromotionStatus.ARCHIVED)
