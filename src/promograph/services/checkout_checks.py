"""What a checkout may ask at all: BadInput, each with its field, before the store is asked anything."""

from collections.abc import Callable
from datetime import datetime, timedelta

from promograph.domain.carts import Cart, Money, checked_cart
from promograph.domain.codes import MAX_LENGTH
from promograph.domain.keys import checked_optional
from promograph.domain.redeeming import HoldRequest, RedeemRequest, RollbackRequest, ValidateRequest
from promograph.domain.stacking import MOST_TOGETHER
from promograph.domain.storable import check_storable
from promograph.errors import BadInput, InputProblem

SHORTEST_HOLD = timedelta(seconds=1)
LONGEST_HOLD = timedelta(days=1)
LATEST_REPORT = timedelta(days=31)
_LONGEST_REASON = 500
_CLOCKS_DIFFER = timedelta(minutes=5)
_LARGEST_AMOUNT = 10**15  # of an order, in the smallest unit


def check_redeem(request: RedeemRequest) -> None:
    _check_subject(request.code, request.promotion, request.hold)
    _check_common(request.customer, request.cart, request.order, request.channel)
    checked_optional(request.idempotency_key, "idempotencyKey")
    _check_amounts(request.order_amount, request.discount)


def check_hold(request: HoldRequest) -> None:
    _check_subject(request.code, request.promotion, None)
    _check_common(request.customer, request.cart, request.order, request.channel)
    checked_optional(request.idempotency_key, "idempotencyKey")
    _check_amount(request.discount, "discount")
    if not SHORTEST_HOLD <= request.ttl <= LONGEST_HOLD:
        raise BadInput(InputProblem.OUT_OF_RANGE, "A hold lasts from one second to one day.", field=("validFor",))


def check_rollback(request: RollbackRequest) -> None:
    checked_optional(request.idempotency_key, "idempotencyKey")
    check_storable(request.reason or "", "reason")
    if request.reason is not None and len(request.reason) > _LONGEST_REASON:
        sentence = f"A reason has at most {_LONGEST_REASON} characters."
        raise BadInput(InputProblem.OUT_OF_RANGE, sentence, field=("reason",))


def check_validate(request: ValidateRequest) -> None:
    _check_subject(request.code, request.promotion, None)
    check_visitor(request.customer, request.cart)
    _check_amount(request.discount, "discount")


def check_visitor(customer: str | None, cart: Cart | None) -> None:
    _check_common(customer, cart, None, None)


def checked_sale(said: datetime, key: str | None, now: datetime) -> datetime:
    """When a sale was that is reported late. BadInput where it cannot have been then, or has no key."""
    if key is None:
        sentence = "A sale that is reported late needs an idempotencyKey: the one under which it was tried before."
        raise BadInput(InputProblem.REQUIRED, sentence, field=("idempotencyKey",))
    if said.utcoffset() is None:
        sentence = "An instant needs its offset, such as 2026-12-01T09:00:00Z."
        raise BadInput(InputProblem.INVALID, sentence, field=("redeemedAt",))
    if not now - LATEST_REPORT <= said <= now + _CLOCKS_DIFFER:
        sentence = f"A sale is reported within {LATEST_REPORT.days} days, and not before it was made."
        raise BadInput(InputProblem.OUT_OF_RANGE, sentence, field=("redeemedAt",))
    return min(said, now)


def _check_subject(code: str | None, promotion: str | None, hold: str | None) -> None:
    """Exactly one of them says what it is about. A text that is no code is simply not found."""
    if sum(one is not None for one in (code, promotion, hold)) != 1:
        raise BadInput(
            InputProblem.REQUIRED,
            "Say what this is about: one of a code, a promotion, a hold.",
            field=("code",),
        )
    if code is not None:
        _check_code(code)
    check_storable(promotion or "", "promotion")
    check_storable(hold or "", "hold")


def _check_code(text: str) -> None:
    """This keeps out what could not even be looked up."""
    if not text.strip():
        raise BadInput(InputProblem.REQUIRED, "Give the code that the customer entered.", field=("code",))
    if len(text) > 4 * MAX_LENGTH:
        raise BadInput(InputProblem.OUT_OF_RANGE, f"A code has at most {MAX_LENGTH} characters.", field=("code",))
    check_storable(text, "code")


def _check_common(customer: str | None, cart: Cart | None, order: str | None, channel: str | None) -> None:
    checked_optional(customer, "customer")
    checked_optional(order, "order")
    checked_optional(channel, "channel", longest=64)
    if cart is not None:
        checked_cart(cart)


def _check_amounts(order: Money | None, discount: Money | None) -> None:
    _check_amount(order, "orderAmount")
    _check_amount(discount, "discount")
    if order is not None and discount is not None and order.currency != discount.currency:
        raise BadInput(
            InputProblem.INVALID, "orderAmount and discount must be in the same currency.", field=("discount",)
        )


def _check_amount(money: Money | None, field: str) -> None:
    if money is not None and not 0 <= money.minor <= _LARGEST_AMOUNT:
        raise BadInput(
            InputProblem.OUT_OF_RANGE, f"{field} must be zero or more, and not beyond all sense.", field=(field,)
        )


def check_number(count: int) -> None:
    if not 1 <= count <= MOST_TOGETHER:
        raise BadInput(
            InputProblem.TOO_MANY if count else InputProblem.REQUIRED,
            f"One cart takes 1 to {MOST_TOGETHER} codes; these are {count:,}.",
            field=("codes",),
        )


def at(place: int, check: Callable[[], None]) -> None:
    """A complaint about one of several says which."""
    try:
        check()
    except BadInput as bad:
        raise BadInput(bad.problem, str(bad), field=("codes", str(place), *bad.field)) from None
