"""Redemptions in whose way nothing can stand but the code itself, which most are.

What `decisions` asks of facts is asked here once of the promotion, and then of each code in a few comparisons. The
only answer is a yes: whatever gets none is decided there, with its reasons and all that counts against its limits.
"""

from dataclasses import dataclass
from datetime import datetime

from promograph.domain.decisions import SHARED_SEQ
from promograph.domain.promotions import CodeKind, Promotion, PromotionStatus
from promograph.domain.rewards import External


@dataclass(frozen=True, slots=True)
class PlainUses:
    """What a code must be for whoever brings it to use it at the instant `now`, whatever they buy.

    `issued_after`: one issued by then has run out. `is_single`: the shared code is the promotion's own, no fallback.
    """

    now: datetime
    limit: int | None
    issued_after: datetime | None
    must_be_issued: bool
    is_single: bool

    def may(self, seq: int, uses: int, expires_at: datetime | None, issued_at: datetime | None) -> bool:
        """Whether a code that is neither blocked nor void, and has been used so often, may be used once more."""
        if expires_at is not None and expires_at <= self.now:
            return False
        if seq == SHARED_SEQ:
            return not self.is_single or self.limit is None or uses < self.limit
        if issued_at is None:
            if self.must_be_issued:
                return False
        elif self.issued_after is not None and issued_at <= self.issued_after:
            return False
        return self.limit is None or uses < self.limit


def plain_uses(promotion: Promotion, now: datetime) -> PlainUses | None:
    """None where more than the code counts: the customer, the cart, what others have used, or a state to be told of."""
    terms = promotion.terms
    is_plain = (
        isinstance(terms.reward, External)
        and terms.budget is None
        and terms.condition is None
        and terms.redemption_cap is None
        and terms.uses_per_customer is None
        and terms.uses_per_period is None
        and not terms.holder_only
        and promotion.status(now) is PromotionStatus.ACTIVE
    )
    if not is_plain:
        return None
    kind, valid_for = terms.code_kind, terms.valid_for
    return PlainUses(
        now,
        terms.uses_per_code,
        None if valid_for is None else now - valid_for,
        kind is CodeKind.PERSONALIZED,
        kind is CodeKind.SINGLE,
    )
