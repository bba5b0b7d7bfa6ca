"""The one place where the rules of redeeming meet: facts in, every reason why not out.

Validate and redeem both ask here, so that what was promised and what is done cannot differ. Pure: no I/O, and the
clock is a fact like any other. Limits are looked at with the counters that the caller read under its own lock.
"""

from dataclasses import dataclass
from datetime import datetime

from promograph.domain.promotions import CodeKind, Promotion, PromotionStatus
from promograph.domain.refusals import Refusal, RefusalCode, refuse

SHARED_SEQ = 0
"""The number, within its promotion, of the one code that everybody shares: a SINGLE code, or the fallback."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFacts:
    """A code as it stands. `issued_at` and `holder` are None while it has not been issued to anybody."""

    seq: int
    text: str
    blocked: bool
    uses: int
    holder: str | None = None
    issued_at: datetime | None = None

    @property
    def is_shared(self) -> bool:
        return self.seq == SHARED_SEQ


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemFacts:
    """All that a decision rests on. `customer_uses`: standing redemptions of this promotion by this customer."""

    promotion: Promotion
    code: CodeFacts
    customer: str | None
    customer_uses: int
    now: datetime


def uses_limit(promotion: Promotion, code: CodeFacts) -> int | None:
    """How often this code may be used; a fallback is shared, so the limit of a code of one's own is not its."""
    if code.is_shared and promotion.terms.code_kind is not CodeKind.SINGLE:
        return None
    return promotion.terms.uses_per_code


def decide(facts: RedeemFacts) -> tuple[Refusal, ...]:
    """Every reason why this code may not be redeemed now, the weightiest first; empty when it may."""
    rules = (_promotion, _code, _clock, _holder, _code_uses, _customer_uses)
    return tuple(refusal for rule in rules if (refusal := rule(facts)) is not None)


def _promotion(facts: RedeemFacts) -> Refusal | None:
    promotion = facts.promotion
    status = promotion.status(facts.now)
    if status in (PromotionStatus.ACTIVE, PromotionStatus.SCHEDULED):
        return None  # a scheduled one is refused by its clock, with the instant that mends it
    if status is PromotionStatus.ENDED and not promotion.stop_redeeming:
        return None  # ending stops issuing; what somebody holds works until its own expiry
    return refuse(RefusalCode.PROMOTION_INACTIVE, status=status)


def _code(facts: RedeemFacts) -> Refusal | None:
    if facts.code.blocked:
        return refuse(RefusalCode.CODE_BLOCKED)
    needs_issue = facts.promotion.terms.code_kind is CodeKind.PERSONALIZED and not facts.code.is_shared
    if needs_issue and facts.code.issued_at is None:
        return refuse(RefusalCode.NOT_ISSUED)
    return None


def _clock(facts: RedeemFacts) -> Refusal | None:
    starts_at = facts.promotion.terms.window.starts_at
    if starts_at is not None and facts.now < starts_at:
        return refuse(RefusalCode.NOT_STARTED, starts_at=starts_at.isoformat())
    expires_at = facts.promotion.expiry(None if facts.code.is_shared else facts.code.issued_at)
    if expires_at is not None and facts.now >= expires_at:
        return refuse(RefusalCode.EXPIRED, expired_at=expires_at.isoformat())
    return None


def _holder(facts: RedeemFacts) -> Refusal | None:
    terms = facts.promotion.terms
    if facts.customer is None:
        needs_customer = terms.uses_per_customer is not None or terms.holder_only
        return refuse(RefusalCode.CUSTOMER_REQUIRED) if needs_customer else None
    if terms.holder_only and facts.code.holder is not None and facts.code.holder != facts.customer:
        return refuse(RefusalCode.NOT_HOLDER)
    return None


def _code_uses(facts: RedeemFacts) -> Refusal | None:
    limit = uses_limit(facts.promotion, facts.code)
    if limit is None or facts.code.uses < limit:
        return None
    return refuse(RefusalCode.ALREADY_REDEEMED, uses=facts.code.uses, limit=limit)


def _customer_uses(facts: RedeemFacts) -> Refusal | None:
    limit = facts.promotion.terms.uses_per_customer
    if limit is None or facts.customer_uses < limit:
        return None
    return refuse(RefusalCode.CUSTOMER_CAP_REACHED, uses=facts.customer_uses, limit=limit)
