"""What a checkout asks with."""

from datetime import datetime, timedelta

import strawberry

from promograph.api.carts import CartInput, read_cart
from promograph.api.money import MoneyInput, read_money
from promograph.api.scalars import Duration
from promograph.domain.redeeming import HoldRequest, RedeemCall, RedeemRequest, ValidateRequest
from promograph.domain.stacking import MOST_TOGETHER
from promograph.errors import BadInput, InputProblem

_CODE = "The code as entered; letter case and spaces around it do not matter."
_PROMOTION = "Instead of a code: the handle of a promotion that needs none."
_CUSTOMER = "Who uses it, by your own id. Naming the holder of the code also gets you the exact reason of a refusal."
_CART = "The shopper's cart; needed where the reward or a condition looks at it."
_DISCOUNT = "What you take off, for an external reward; needed where the promotion has a budget."
_KEY = "Repeat the call with the same key and you get the first answer: at most 128 characters."
_ORDER = "Your reference of the order."
_CHANNEL = "Where it is used."
_REDEEMED_AT = (
    "When the sale was made, if it is reported late: at most 31 days ago, with the idempotencyKey under which it was "
    "tried before, if it was. What a clock decides is decided as of then; limits, and what was stopped since, as they "
    "are now."
)


@strawberry.input(description="Which code, for whom, on which cart.")
class CodeValidateInput:
    code: str | None = strawberry.field(default=None, description=_CODE)
    promotion: str | None = strawberry.field(default=None, description=_PROMOTION)
    customer: str | None = strawberry.field(default=None, description=_CUSTOMER)
    cart: CartInput | None = strawberry.field(default=None, description=_CART)


@strawberry.input(description="Which codes on one cart, for whom.")
class CodesValidateInput:
    codes: list[str] = strawberry.field(default_factory=list, description=f"The codes, at most {MOST_TOGETHER}.")
    promotions: list[str] = strawberry.field(
        default_factory=list, description="The handles of promotions that need no code."
    )
    customer: str | None = strawberry.field(default=None, description=_CUSTOMER)
    cart: CartInput | None = strawberry.field(default=None, description=_CART)


@strawberry.input(description="Which code to use, for whom, on which order.")
class CodeRedeemInput:
    code: str | None = strawberry.field(default=None, description=_CODE)
    promotion: str | None = strawberry.field(default=None, description=_PROMOTION)
    hold: str | None = strawberry.field(
        default=None,
        description="Instead of a code: the token of a hold. Without a cart it gives the discount that was promised.",
    )
    customer: str | None = strawberry.field(default=None, description=_CUSTOMER)
    cart: CartInput | None = strawberry.field(default=None, description=_CART)
    order: str | None = strawberry.field(default=None, description=_ORDER)
    order_amount: MoneyInput | None = strawberry.field(default=None, description="What the order comes to.")
    discount: MoneyInput | None = strawberry.field(default=None, description=_DISCOUNT)
    channel: str | None = strawberry.field(default=None, description=_CHANNEL)
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)
    redeemed_at: datetime | None = strawberry.field(default=None, description=_REDEEMED_AT)


@strawberry.input(description="One of the codes to use on a cart.")
class CartCodeInput:
    code: str | None = strawberry.field(default=None, description=_CODE)
    promotion: str | None = strawberry.field(default=None, description=_PROMOTION)
    hold: str | None = strawberry.field(default=None, description="Instead of a code: the token of a hold.")
    discount: MoneyInput | None = strawberry.field(default=None, description=_DISCOUNT)


@strawberry.input(description="Which codes to use on one order: all of them, or none.")
class CodesRedeemInput:
    codes: list[CartCodeInput] = strawberry.field(description=f"At most {MOST_TOGETHER}.")
    customer: str | None = strawberry.field(default=None, description=_CUSTOMER)
    cart: CartInput | None = strawberry.field(default=None, description=_CART)
    order: str | None = strawberry.field(default=None, description=_ORDER)
    order_amount: MoneyInput | None = strawberry.field(default=None, description="What the order comes to.")
    channel: str | None = strawberry.field(default=None, description=_CHANNEL)
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)
    redeemed_at: datetime | None = strawberry.field(default=None, description=_REDEEMED_AT)


@strawberry.input(description="Which use to set aside while a checkout runs.")
class CodeHoldInput:
    code: str | None = strawberry.field(default=None, description=_CODE)
    promotion: str | None = strawberry.field(default=None, description=_PROMOTION)
    valid_for: Duration = strawberry.field(
        default=Duration(timedelta(minutes=15)),
        description="How long, one second to one day. It then lapses by itself.",
    )
    replaces: str | None = strawberry.field(
        default=None, description="The token of an open hold of the same code, which this one takes the place of."
    )
    customer: str | None = strawberry.field(default=None, description=_CUSTOMER)
    cart: CartInput | None = strawberry.field(default=None, description=_CART)
    order: str | None = strawberry.field(default=None, description=_ORDER)
    discount: MoneyInput | None = strawberry.field(default=None, description=_DISCOUNT)
    channel: str | None = strawberry.field(default=None, description=_CHANNEL)
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


def validate_request(input: CodeValidateInput) -> ValidateRequest:
    return ValidateRequest(
        code=input.code,
        promotion=input.promotion,
        customer=input.customer,
        cart=read_cart(input.cart, input.customer),
    )


def validate_requests(input: CodesValidateInput) -> list[ValidateRequest]:
    """Codes first, then promotions. BadInput for more than one cart takes."""
    if len(input.codes) + len(input.promotions) > MOST_TOGETHER:
        raise BadInput(
            InputProblem.TOO_MANY, f"One cart takes at most {MOST_TOGETHER} codes and promotions.", field=("codes",)
        )
    cart = read_cart(input.cart, input.customer)
    of_codes = [ValidateRequest(code=code, customer=input.customer, cart=cart) for code in input.codes]
    return of_codes + [
        ValidateRequest(promotion=handle, customer=input.customer, cart=cart) for handle in input.promotions
    ]


def redeem_request(input: CodeRedeemInput) -> RedeemRequest:
    return RedeemRequest(
        code=input.code,
        promotion=input.promotion,
        hold=input.hold,
        customer=input.customer,
        cart=read_cart(input.cart, input.customer),
        order=input.order,
        order_amount=read_money(input.order_amount, "orderAmount"),
        discount=read_money(input.discount, "discount"),
        channel=input.channel,
        idempotency_key=input.idempotency_key,
        redeemed_at=input.redeemed_at,
    )


def redeem_call(input: CodesRedeemInput) -> RedeemCall:
    cart, amount = read_cart(input.cart, input.customer), read_money(input.order_amount, "orderAmount")
    requests = tuple(
        RedeemRequest(
            code=one.code,
            promotion=one.promotion,
            hold=one.hold,
            customer=input.customer,
            cart=cart,
            order=input.order,
            order_amount=amount,
            discount=read_money(one.discount, "discount"),
            channel=input.channel,
            redeemed_at=input.redeemed_at,
        )
        for one in input.codes
    )
    return RedeemCall(requests=requests, idempotency_key=input.idempotency_key)


def hold_request(input: CodeHoldInput) -> HoldRequest:
    return HoldRequest(
        code=input.code,
        promotion=input.promotion,
        replaces=input.replaces,
        ttl=input.valid_for,
        customer=input.customer,
        cart=read_cart(input.cart, input.customer),
        order=input.order,
        discount=read_money(input.discount, "discount"),
        channel=input.channel,
        idempotency_key=input.idempotency_key,
    )
