"""A *no* that belongs to the business: a stable reason, its data, a sentence. Never an exception."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class RefusalCode(StrEnum):
    """Why a code was not issued, or would not be (or was not) redeemed."""

    NOT_FOUND = "NOT_FOUND"
    TEST_CODE = "TEST_CODE"
    NOT_STARTED = "NOT_STARTED"
    EXPIRED = "EXPIRED"
    PROMOTION_INACTIVE = "PROMOTION_INACTIVE"
    CODE_BLOCKED = "CODE_BLOCKED"
    NOT_ISSUED = "NOT_ISSUED"
    NOT_HOLDER = "NOT_HOLDER"
    CUSTOMER_REQUIRED = "CUSTOMER_REQUIRED"
    ALREADY_REDEEMED = "ALREADY_REDEEMED"
    CUSTOMER_CAP_REACHED = "CUSTOMER_CAP_REACHED"
    AUDIENCE_CAP_REACHED = "AUDIENCE_CAP_REACHED"
    POOL_EMPTY = "POOL_EMPTY"
    NOTHING_HELD = "NOTHING_HELD"


_SENTENCES = {
    RefusalCode.NOT_FOUND: "This code is not valid.",
    RefusalCode.TEST_CODE: "This is a placeholder from a test or a preview; it cannot be redeemed.",
    RefusalCode.NOT_STARTED: "This promotion starts at {starts_at}.",
    RefusalCode.EXPIRED: "This code expired at {expired_at}.",
    RefusalCode.PROMOTION_INACTIVE: "This promotion is {status}.",
    RefusalCode.CODE_BLOCKED: "This code is blocked.",
    RefusalCode.NOT_ISSUED: "This code has not been issued to anybody yet.",
    RefusalCode.NOT_HOLDER: "This code was issued to another customer.",
    RefusalCode.CUSTOMER_REQUIRED: "This promotion needs to know which customer redeems.",
    RefusalCode.ALREADY_REDEEMED: "This code has been used {uses} of {limit} times.",
    RefusalCode.CUSTOMER_CAP_REACHED: "This customer has used the promotion {uses} of {limit} times.",
    RefusalCode.AUDIENCE_CAP_REACHED: "The promotion has reached its audience cap of {limit} customers.",
    RefusalCode.POOL_EMPTY: "The promotion has no code left to issue.",
    RefusalCode.NOTHING_HELD: "This customer has been given no code of this promotion, so there is none to repeat.",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """`data` holds what a program needs to act on the refusal (limits, instants as RFC 3339 texts)."""

    code: RefusalCode
    data: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def message(self) -> str:
        return _SENTENCES[self.code].format_map(self.data)


def refuse(code: RefusalCode, **data: str | int) -> Refusal:
    return Refusal(code, data)


# What a stranger to a code learns is the same as of a code that never was: only reasons that leave the
# code usable (later, or by naming the customer) are told, since a guesser would learn as much from a yes.
_OPEN_TO_ALL = frozenset({RefusalCode.NOT_STARTED, RefusalCode.CUSTOMER_REQUIRED, RefusalCode.TEST_CODE})


def coarsened(refusals: tuple[Refusal, ...]) -> tuple[Refusal, ...]:
    """The answer for a caller who may not know which codes exist."""
    if all(refusal.code in _OPEN_TO_ALL for refusal in refusals):
        return refusals
    return (Refusal(RefusalCode.NOT_FOUND),)
