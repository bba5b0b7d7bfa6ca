"""Giving somebody another code in the place of theirs, and taking an unseen one back."""

from dataclasses import dataclass, replace
from datetime import datetime

from promograph.domain.decisions import CodeFacts, uses_limit, why_useless
from promograph.domain.promotions import Promotion
from promograph.domain.refusals import Refusal, RefusalCode, refuse


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceRequest:
    """Make this code void and issue its holder another one. `channel` and `send` are for the record."""

    code: str
    channel: str | None = None
    send: str | None = None


def own_expiry(promotion: Promotion, code: CodeFacts) -> datetime | None:
    """When the code stops working, its promotion's end left aside: what another code in its place is given."""
    valid_for = promotion.terms.valid_for
    after_issue = None if code.issued_at is None or valid_for is None else code.issued_at + valid_for
    return min((end for end in (code.expires_at, after_issue) if end is not None), default=None)


def why_not_replaced(promotion: Promotion, code: CodeFacts, now: datetime) -> Refusal | None:
    """A code that its holder could not use helps nobody in another shape either; a blocked one may be replaced."""
    return _why_not_theirs(promotion, code) or why_useless(promotion, replace(code, blocked=False), now)


def why_not_returned(
    promotion: Promotion, code: CodeFacts, *, was_used: bool, maybe_seen: bool = False
) -> Refusal | None:
    """`was_used`: ever, even where that was rolled back: somebody has seen the code then.

    `maybe_seen`: it was held, or a message with it was delivered, or is on its way.
    """
    refusal = _why_not_theirs(promotion, code)
    if refusal is not None:
        return refusal
    if was_used:
        return refuse(RefusalCode.ALREADY_REDEEMED, uses=1, limit=uses_limit(promotion, code) or 1)
    return refuse(RefusalCode.MAYBE_SEEN) if maybe_seen else None


def _why_not_theirs(promotion: Promotion, code: CodeFacts) -> Refusal | None:
    """Why it is not somebody's own code, of which no use is made or set aside."""
    if code.is_shared:
        return refuse(RefusalCode.CODE_SHARED)
    if code.void:
        return refuse(RefusalCode.CODE_VOID)
    if code.holder is None:
        return refuse(RefusalCode.NOT_ISSUED)
    if code.uses:
        limit = uses_limit(promotion, code) or code.uses
        return refuse(RefusalCode.ALREADY_REDEEMED, uses=code.uses, limit=limit)
    if code.holds and code.held_until is not None:
        return refuse(RefusalCode.HELD_BY_OTHER, until=code.held_until.isoformat())
    return None
