"""The domain's enumerations as the schema shows them, each value described."""

from enum import Enum
from typing import TypeVar

import strawberry

from promograph.domain.codes.placeholders import Purpose
from promograph.domain.codes.states import CodeState
from promograph.domain.conditions.times import Weekday
from promograph.domain.conditions.values import Op
from promograph.domain.issuing import IssuanceKind, IssuanceState
from promograph.domain.periods import Period
from promograph.domain.promotions import CodeKind, EndReason, IssuePolicy, OnEmpty, PromotionStatus, ReturnPolicy
from promograph.domain.refusals import RefusalCode
from promograph.domain.rewards import Effect
from promograph.domain.stock.batches import BatchSource
from promograph.errors import InputProblem

E = TypeVar("E", bound=Enum)


def described(enum: type[E], name: str, description: str, values: dict[str, str]) -> type[E]:
    """Make `enum` a GraphQL enum; KeyError where a value has no description."""
    made = strawberry.enum(enum, name=name, description=description)
    for value in made.__strawberry_definition__.values:  # type: ignore[attr-defined]
        value.description = values[value.name]
    return made


described(
    CodeState,
    "CodeState",
    "Where a code is in its life.",
    {
        "AVAILABLE": "Waits to be issued (or, of MULTIPLE, to be used).",
        "ISSUED": "Somebody has it.",
        "REDEEMED": "Used at least once.",
        "EXPIRED": "Its time is over, and nobody has used it.",
        "BLOCKED": "Stopped, for as long as nobody unblocks it.",
        "VOID": "Stopped for good.",
    },
)
described(
    PromotionStatus,
    "PromotionStatus",
    "Where a promotion is in its life.",
    {
        "DRAFT": "Being set up: gives and redeems nothing.",
        "SCHEDULED": "Activated, and its window has not begun.",
        "ACTIVE": "Running.",
        "PAUSED": "Stopped for a while: gives and redeems nothing.",
        "ENDED": "Issues no more; codes that people hold work until they expire, unless redeeming was stopped.",
        "ARCHIVED": "Put away: gives and redeems nothing.",
    },
)
described(
    EndReason,
    "EndReason",
    "Why a promotion has ended.",
    {
        "BY_HAND": "Somebody ended it.",
        "WINDOW_OVER": "Its window is over.",
        "AUDIENCE_CAP": "It has reached as many customers as it was to reach.",
        "BUDGET_SPENT": "Its budget is spent.",
        "USE_CAP": "It has been used as often as it may be.",
    },
)
described(
    CodeKind,
    "CodeKind",
    "How a promotion's codes relate to people.",
    {
        "SINGLE": "One code for everybody.",
        "MULTIPLE": "A pool of codes handed out anonymously, in print or by partners.",
        "PERSONALIZED": "A pool of codes, each issued to one customer.",
    },
)
described(
    IssuePolicy,
    "IssuePolicy",
    "What counts as the same occasion: one occasion of one customer gets one code.",
    {
        "PER_CUSTOMER": "A customer gets one code of the promotion, ever.",
        "PER_SEND": "A customer gets one code a send.",
        "PER_MESSAGE": "A customer gets one code a message.",
    },
)
described(
    OnEmpty,
    "OnEmpty",
    "What a customer gets when the pool has no code left.",
    {
        "GENERATE": "A code made at that moment, in the promotion's code format.",
        "FALLBACK": "The fallback code that everybody shares.",
        "REFUSE": "None: the refusal POOL_EMPTY.",
    },
)
described(
    ReturnPolicy,
    "ReturnPolicy",
    "What becomes of the code of a message that did not arrive: it bounced, or was cancelled before it left.",
    {
        "WHEN_UNSEEN": "It goes back to its pool, unless somebody may have seen it.",
        "NEVER": "It stays issued; nothing waits for what becomes of a message.",
    },
)
described(
    Effect,
    "RewardEffect",
    "What a reward does.",
    {
        "PERCENTAGE": "Takes a part off the eligible lines.",
        "AMOUNT": "Takes an amount of money off the eligible lines together, and never more than they cost.",
        "FIXED_PRICE": "Sells each unit of the eligible lines at one price, unless it costs less already.",
        "FREE_SHIPPING": "Takes the shipping off.",
        "GIFT": "Adds one unit of an article, which costs the cart nothing.",
        "POINTS": "Credits loyalty points.",
    },
)
described(
    Period,
    "Period",
    "A stretch of the calendar, in the promotion's time zone.",
    {"DAY": "A day.", "WEEK": "A week, which begins on Monday.", "MONTH": "A month."},
)
described(
    Op,
    "ConditionOp",
    "How a condition compares.",
    {
        "EQUALS": "Is the same; texts letter by letter, case included.",
        "IN": "Is one of a list.",
        "LT": "Is under (or before).",
        "LTE": "Is at most (or until).",
        "GT": "Is over (or after).",
        "GTE": "Is at least (or from).",
        "EXISTS": "Is known; takes no value.",
    },
)
described(
    Weekday,
    "Weekday",
    "A day of the week.",
    {day.name: f"{day.name.capitalize()}." for day in Weekday},
)
described(
    IssuanceKind,
    "IssuanceKind",
    "How a customer came by a code.",
    {
        "INITIAL": "A code of this occasion's own, for the first time.",
        "REPEAT": "The same code again.",
        "FALLBACK": "The fallback code, because the pool was empty.",
        "RETURNED": "Not any more: it went back to its pool before the customer had seen it.",
    },
)
described(
    IssuanceState,
    "IssuanceState",
    "Whether an issuance stands.",
    {
        "FINAL": "It stands: nothing is waited for, or its code cannot go back any more.",
        "TENTATIVE": "A message carries it, and what became of that is not known yet.",
        "DELIVERED": "It stands: a message with it was delivered, or somebody may have seen it otherwise.",
        "RETURNED": "Nobody had seen it, and its code went back to the pool.",
    },
)
described(
    Purpose,
    "Purpose",
    "Whether an issue is meant.",
    {
        "LIVE": "Meant: uses a code up.",
        "TEST": "A test send: a placeholder that no checkout redeems; nothing is counted.",
        "PREVIEW": "A preview: a placeholder that no checkout redeems; nothing is counted.",
    },
)
described(
    BatchSource,
    "BatchSource",
    "How a batch of codes came to be.",
    {"GENERATED": "Made here.", "IMPORTED": "Read from a file.", "PASTED": "Typed, pasted or sent over the API."},
)

_PROBLEMS = {
    "INVALID": "The value is not of its form; the message says what is.",
    "REQUIRED": "Something is missing.",
    "TAKEN": "It belongs to something else already.",
    "NOT_FOUND": "There is no such thing.",
    "TOO_MANY": "More than one call takes.",
    "OUT_OF_RANGE": "Too small, too large, too short or too long.",
    "STATE": "Not possible where the thing stands now.",
    "KEY_REUSED": "The idempotencyKey belongs to another request.",
    "BUSY": "Somebody else is at it; try again later.",
}
_REFUSALS = {
    "NOT_FOUND": _PROBLEMS["NOT_FOUND"],
    "MISTYPED": "There is no such code, and its text shows a typing error: its check character is wrong.",
    "TEST_CODE": "The code is a placeholder of a test or preview.",
    "NOT_STARTED": "The promotion's window has not begun; data: starts_at.",
    "EXPIRED": "The code's time is over; data: expired_at.",
    "PROMOTION_INACTIVE": "The promotion is not running; data: status.",
    "CODE_BLOCKED": "The code is blocked.",
    "CODE_VOID": "The code was stopped for good.",
    "NOT_ISSUED": "The code was not issued to anybody yet.",
    "CODE_SHARED": "The code is everybody's.",
    "MAYBE_SEEN": "The code was held, or a message with it was delivered or is on its way.",
    "CODE_RETURNED": "The code that this idempotencyKey was given first went back to its pool since.",
    "NOT_HOLDER": "The code was issued to somebody else.",
    "CUSTOMER_REQUIRED": "The promotion needs to know the customer.",
    "ALREADY_REDEEMED": "The code has no use left; data: uses, limit.",
    "CUSTOMER_CAP_REACHED": "The customer has no use left; data: uses, limit, and of a period: period, free_at.",
    "AUDIENCE_CAP_REACHED": "The promotion has reached all the customers it may; data: limit.",
    "POOL_EMPTY": "The promotion has no code left.",
    "NOTHING_HELD": "The customer has no code that could be repeated.",
    "CODE_REQUIRED": "The promotion does not apply without a code.",
    "CART_REQUIRED": "The promotion looks at the cart, and none was sent.",
    "DISCOUNT_REQUIRED": "The promotion has a budget and its worth is external: say what is taken off.",
    "HELD_BY_OTHER": "Another checkout holds the code; data: until.",
    "USE_CAP_REACHED": "The promotion has been used as often as it may be; data: limit.",
    "BUDGET_EXHAUSTED": "The promotion's budget has less left than this takes; data: left, currency, asked.",
    "NOT_IN_SEGMENT": "The customer is not in the segment; data: condition.",
    "MINIMUM_NOT_MET": "The cart comes to too little; data: condition, missing, currency.",
    "CONDITION_FAILED": "A condition of the promotion does not hold; data: condition, and what would mend it: missing "
    "with currency, missing_quantity.",
    "OUTSIDE_WINDOW": "The promotion's hours are others; data: condition, opens_at.",
    "CURRENCY_MISMATCH": "The promotion is in another currency; data: expected, given.",
    "NOTHING_ELIGIBLE": "Nothing in the cart is what the reward is for.",
    "NOT_COMBINABLE": "One of the promotions shares a cart with no other; data: promotion.",
    "HOLD_NOT_FOUND": "No hold has this token.",
    "HOLD_OVER": "The hold is not open any more; data: state.",
    "NOTHING_LEFT": "The redemption has been rolled back already.",
}

UserErrorCode = Enum(  # type: ignore[misc]
    "UserErrorCode", {member.name: member.value for member in (*InputProblem, *RefusalCode)}
)
described(UserErrorCode, "UserErrorCode", "Why something was not done.", _PROBLEMS | _REFUSALS)
