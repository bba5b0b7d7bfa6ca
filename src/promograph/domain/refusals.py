"""A *no* that belongs to the business: a stable reason, its data, a sentence. Never an exception."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class RefusalCode(StrEnum):
    """Why a code was not issued, or would not be (or was not) redeemed."""

    NOT_FOUND = "NOT_FOUND"
    MISTYPED = "MISTYPED"
    TEST_CODE = "TEST_CODE"
    NOT_STARTED = "NOT_STARTED"
    EXPIRED = "EXPIRED"
    PROMOTION_INACTIVE = "PROMOTION_INACTIVE"
    CODE_BLOCKED = "CODE_BLOCKED"
    CODE_VOID = "CODE_VOID"
    NOT_ISSUED = "NOT_ISSUED"
    CODE_SHARED = "CODE_SHARED"
    MAYBE_SEEN = "MAYBE_SEEN"
    CODE_RETURNED = "CODE_RETURNED"
    NOT_HOLDER = "NOT_HOLDER"
    CUSTOMER_REQUIRED = "CUSTOMER_REQUIRED"
    ALREADY_REDEEMED = "ALREADY_REDEEMED"
    CUSTOMER_CAP_REACHED = "CUSTOMER_CAP_REACHED"
    AUDIENCE_CAP_REACHED = "AUDIENCE_CAP_REACHED"
    POOL_EMPTY = "POOL_EMPTY"
    NOTHING_HELD = "NOTHING_HELD"
    CODE_REQUIRED = "CODE_REQUIRED"
    CART_REQUIRED = "CART_REQUIRED"
    DISCOUNT_REQUIRED = "DISCOUNT_REQUIRED"
    HELD_BY_OTHER = "HELD_BY_OTHER"
    USE_CAP_REACHED = "USE_CAP_REACHED"
    BUDGET_EXHAUSTED = "BUDGET_EXHAUSTED"
    NOT_IN_SEGMENT = "NOT_IN_SEGMENT"
    MINIMUM_NOT_MET = "MINIMUM_NOT_MET"
    CONDITION_FAILED = "CONDITION_FAILED"
    OUTSIDE_WINDOW = "OUTSIDE_WINDOW"
    CURRENCY_MISMATCH = "CURRENCY_MISMATCH"
    NOTHING_ELIGIBLE = "NOTHING_ELIGIBLE"
    NOT_COMBINABLE = "NOT_COMBINABLE"
    HOLD_NOT_FOUND = "HOLD_NOT_FOUND"
    HOLD_OVER = "HOLD_OVER"
    NOTHING_LEFT = "NOTHING_LEFT"


_SENTENCES = {
    RefusalCode.NOT_FOUND: "This code is not valid.",
    RefusalCode.MISTYPED: "There is a typing error in this code: its characters do not fit together.",
    RefusalCode.TEST_CODE: "This is a placeholder from a test or a preview; it cannot be redeemed.",
    RefusalCode.NOT_STARTED: "This promotion starts at {starts_at}.",
    RefusalCode.EXPIRED: "This code expired at {expired_at}.",
    RefusalCode.PROMOTION_INACTIVE: "This promotion is {status}.",
    RefusalCode.CODE_BLOCKED: "This code is blocked.",
    RefusalCode.CODE_VOID: "This code is void: it was stopped for good.",
    RefusalCode.CODE_SHARED: "This code is everybody's: it can be neither replaced nor given back.",
    RefusalCode.MAYBE_SEEN: "Somebody may have seen this code, or is about to: it stays where it is.",
    RefusalCode.CODE_RETURNED: "The code of the first answer went back to its pool: ask anew, under another key.",
    RefusalCode.NOT_ISSUED: "This code has not been issued to anybody yet.",
    RefusalCode.NOT_HOLDER: "This code was issued to another customer.",
    RefusalCode.CUSTOMER_REQUIRED: "This promotion needs to know which customer redeems.",
    RefusalCode.ALREADY_REDEEMED: "This code has been used {uses} of {limit} times.",
    RefusalCode.CUSTOMER_CAP_REACHED: "This customer has used the promotion {uses} of {limit} times.",
    RefusalCode.AUDIENCE_CAP_REACHED: "The promotion has reached its audience cap of {limit} customers.",
    RefusalCode.POOL_EMPTY: "The promotion has no code left to issue.",
    RefusalCode.NOTHING_HELD: "This customer has been given no code of this promotion, so there is none to repeat.",
    RefusalCode.CODE_REQUIRED: "This promotion needs a code.",
    RefusalCode.CART_REQUIRED: "This promotion looks at the cart: send it along.",
    RefusalCode.DISCOUNT_REQUIRED: "This promotion has a budget: say what you take off.",
    RefusalCode.HELD_BY_OTHER: "Another checkout holds this code; it is free again by {until} at the latest.",
    RefusalCode.USE_CAP_REACHED: "The promotion has been used all of the {limit} times that it may be.",
    RefusalCode.BUDGET_EXHAUSTED: "The promotion's budget has {left} {currency} left, and this takes {asked}.",
    RefusalCode.NOT_IN_SEGMENT: "This is for others: {condition}.",
    RefusalCode.MINIMUM_NOT_MET: "Not enough yet: {condition}.",
    RefusalCode.CONDITION_FAILED: "This does not hold: {condition}.",
    RefusalCode.OUTSIDE_WINDOW: "Not at this hour: {condition}.",
    RefusalCode.CURRENCY_MISMATCH: "This promotion is in {expected}, and this is in {given}.",
    RefusalCode.NOTHING_ELIGIBLE: "Nothing in the cart is eligible for this promotion.",
    RefusalCode.NOT_COMBINABLE: "The promotion {promotion!r} shares a cart with no other.",
    RefusalCode.HOLD_NOT_FOUND: "No hold has this token.",
    RefusalCode.HOLD_OVER: "This hold is {state}.",
    RefusalCode.NOTHING_LEFT: "Nothing is left of this redemption that could be rolled back.",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """`data` holds what a program needs to act on the refusal (limits, instants as RFC 3339 texts)."""

    code: RefusalCode
    data: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def message(self) -> str:
        said = _SENTENCES[self.code].format_map(self.data)
        return f"{said} {missing}" if (missing := _missing(self.data)) else said


def _missing(data: Mapping[str, str | int]) -> str:
    """What would mend it, where that is so much more of something."""
    if "missing" in data:
        return f"{data['missing']} {data['currency']} more will do."
    return f"{data['missing_quantity']} more will do." if "missing_quantity" in data else ""


def refuse(code: RefusalCode, **data: str | int) -> Refusal:
    return Refusal(code, data)


# What a stranger to a code learns is the same as of a code that never was: only reasons that leave the
# code usable (later, or by naming the customer) are told, since a guesser would learn as much from a yes.
_OPEN_TO_ALL = frozenset(
    {
        RefusalCode.NOT_STARTED,
        RefusalCode.CUSTOMER_REQUIRED,
        RefusalCode.TEST_CODE,
        RefusalCode.CART_REQUIRED,
        RefusalCode.DISCOUNT_REQUIRED,
        RefusalCode.MINIMUM_NOT_MET,
        RefusalCode.OUTSIDE_WINDOW,
        RefusalCode.CURRENCY_MISMATCH,
        RefusalCode.NOTHING_ELIGIBLE,
        RefusalCode.NOT_COMBINABLE,
        # About something that the caller names by a secret of its own.
        RefusalCode.HOLD_NOT_FOUND,
        RefusalCode.HOLD_OVER,
    }
)


def sharpened(refusals: tuple[Refusal, ...], *, mistyped: bool) -> tuple[Refusal, ...]:
    """What is told of a code that is not there, where its very text shows a typing error.

    Called last: whether there is such a code after all, of which the caller may not know, makes no difference then.
    """
    unknown = mistyped and [refusal.code for refusal in refusals] == [RefusalCode.NOT_FOUND]
    return (Refusal(RefusalCode.MISTYPED),) if unknown else refusals


def coarsened(refusals: tuple[Refusal, ...]) -> tuple[Refusal, ...]:
    """The answer for a caller who may not know which codes exist."""
    if all(refusal.code in _OPEN_TO_ALL for refusal in refusals):
        return refusals
    return (Refusal(RefusalCode.NOT_FOUND),)
