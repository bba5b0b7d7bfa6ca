"""Issuing: the request, the occasion that makes it idempotent, the answer."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from promograph.domain.codes.placeholders import Purpose
from promograph.domain.promotions import EndReason, IssuePolicy, Promotion, PromotionStatus
from promograph.domain.refusals import Refusal, RefusalCode, refuse
from promograph.errors import BadInput, InputProblem


class IssuanceKind(StrEnum):
    """INITIAL: a code of its own, for the first time. REPEAT: the same code again. FALLBACK: the shared code.

    RETURNED: whatever it was, its code went back to the pool unseen."""

    INITIAL = "INITIAL"
    REPEAT = "REPEAT"
    FALLBACK = "FALLBACK"
    RETURNED = "RETURNED"


class IssuanceState(StrEnum):
    """TENTATIVE: a message carries it, and nobody knows yet what became of that. DELIVERED: it may have been seen.

    RETURNED: nobody has seen it, and its code went back to the pool. FINAL: it never was tentative, or is no more.
    """

    FINAL = "FINAL"
    TENTATIVE = "TENTATIVE"
    DELIVERED = "DELIVERED"
    RETURNED = "RETURNED"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueRequest:
    """One code for one customer. `promotion` is a handle. Keys are the caller's own, at most 128 characters.

    Without `fallback` there is none once the pool is empty, where the promotion would give the code that all share.

    `tentative`: `message` will show the code, and what `channel` tells of that message settles it. Only a code of one's
    own can be, and only where the promotion takes back what was not seen; all others are final at once.
    """

    promotion: str
    customer: str
    send: str | None = None
    message: str | None = None
    channel: str | None = None
    purpose: Purpose = Purpose.LIVE
    idempotency_key: str | None = None
    fallback: bool = True
    tentative: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuance:
    """A code bound to a customer. `number` counts a promotion's issuances from 1 (0 is a placeholder's)."""

    promotion_id: int
    handle: str
    number: int
    seq: int
    text: str
    customer: str
    kind: IssuanceKind
    issued_at: datetime
    expires_at: datetime | None
    channel: str | None = None
    send: str | None = None
    purpose: Purpose = Purpose.LIVE
    state: IssuanceState = IssuanceState.FINAL


@dataclass(frozen=True, slots=True)
class IssueOutcome:
    """Either an issuance, or why there is none. `replayed`: this answer was given before."""

    issuance: Issuance | None = None
    problem: Refusal | BadInput | None = None
    replayed: bool = False


def occasion(policy: IssuePolicy, request: IssueRequest) -> str:
    """The key of the occasion within a promotion and customer; BadInput where the request does not name it."""
    if policy is IssuePolicy.PER_CUSTOMER:
        return ""
    if policy is IssuePolicy.PER_SEND:
        if request.send is None:
            raise BadInput(InputProblem.REQUIRED, "This promotion issues per send: name the send.", field=("send",))
        return f"s:{request.send}"
    key = request.message or request.idempotency_key
    if key is None:
        raise BadInput(
            InputProblem.REQUIRED,
            "This promotion issues per message: name the message, or give an idempotencyKey.",
            field=("message",),
        )
    return f"m:{key}"


REPEATS_BEGIN = "r"
"""How the occasions begin at which a code was given again, or went back: all of them, and no others."""


def repeat_occasion(key: str) -> str:
    """The occasion of giving the same code again; apart from those of first issues."""
    return f"{REPEATS_BEGIN}:{key}"


def repeat_in_message(message: str) -> str:
    """The occasion of giving the same code again in this message."""
    return f"{REPEATS_BEGIN}m:{message}"


def given_up(number: int) -> str:
    """The occasion of issuance `number` once its own has become another's: no key begins with a space."""
    return repeat_occasion(f" {number}")


def why_not_open(promotion: Promotion, now: datetime) -> Refusal | None:
    """Why this promotion issues nothing new now, whatever is in its pool."""
    status = promotion.status(now)
    if status is PromotionStatus.ACTIVE:
        return None
    if status is PromotionStatus.SCHEDULED and promotion.terms.window.starts_at is not None:
        return refuse(RefusalCode.NOT_STARTED, starts_at=promotion.terms.window.starts_at.isoformat())
    if promotion.end_reason(now) is EndReason.AUDIENCE_CAP:
        return refuse(RefusalCode.AUDIENCE_CAP_REACHED, limit=promotion.terms.audience_cap or 0)
    return refuse(RefusalCode.PROMOTION_INACTIVE, status=status)
