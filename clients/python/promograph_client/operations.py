"""Made from schema.graphql and docs/checkout/*.graphql by `just client`; a change by hand does not last."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Generic, Self, TypeVar

Out = TypeVar("Out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[Out]):
    """A document with one root field; `id` is the SHA-256 of its text, by which a server may know it."""

    name: str
    field: str
    id: str
    text: str
    read: Callable[[Any], Out]


@dataclass(frozen=True, slots=True, kw_only=True)
class CartAttributeInput:
    """A property of an article."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CartLineInput:
    """So many of one article."""

    id: str
    sku: str
    quantity: int
    amount: Decimal
    categories: Sequence[str] = ()
    brand: str | None = None
    attributes: Sequence[CartAttributeInput] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CartInput:
    """A cart: what a reward is taken from, and what conditions look at."""

    currency: str
    lines: Sequence[CartLineInput]
    shipping: Decimal | None = None
    sales_channel: str | None = None
    first_order: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyInput:
    """An amount of money."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeHoldInput:
    """Which use to set aside while a checkout runs."""

    code: str | None = None
    promotion: str | None = None
    valid_for: str | None = None
    replaces: str | None = None
    customer: str | None = None
    cart: CartInput | None = None
    order: str | None = None
    discount: MoneyInput | None = None
    channel: str | None = None
    idempotency_key: str | None = None


class HoldState(StrEnum):
    """How a hold stands. A newer server may know more: fields that hold one are plain texts."""

    OPEN = "OPEN"
    REDEEMED = "REDEEMED"
    RELEASED = "RELEASED"
    LAPSED = "LAPSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """An amount of money."""

    amount: Decimal
    currency: str

    @classmethod
    def read(cls, data: Any) -> Self:
        return cls(amount=Decimal(data["amount"]), currency=data["currency"])


@dataclass(frozen=True, slots=True, kw_only=True)
class LineDiscount:
    """What comes off a line."""

    line: str
    amount: Money

    @classmethod
    def read(cls, data: Any) -> Self:
        return cls(line=data["line"], amount=Money.read(data["amount"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    """What comes off a cart."""

    total: Money
    eligible: Money
    lines: list[LineDiscount]
    shipping: Money
    gift: str | None
    points: int

    @classmethod
    def read(cls, data: Any) -> Self:
        return cls(
            total=Money.read(data["total"]),
            eligible=Money.read(data["eligible"]),
            lines=[LineDiscount.read(each) for each in data["lines"]],
            shipping=Money.read(data["shipping"]),
            gift=data["gift"],
            points=data["points"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A use set aside: it counts like a use until it lapses or is released."""

    token: str
    text: str | None
    promotion_handle: str
    state: str
    expires_at: datetime
    amount: Money | None
    discount: Discount | None

    @classmethod
    def read(cls, data: Any) -> Self:
        return cls(
            token=data["token"],
            text=data["text"],
            promotion_handle=data["promotionHandle"],
            state=data["state"],
            expires_at=datetime.fromisoformat(data["expiresAt"]),
            amount=None if data["amount"] is None else Money.read(data["amount"]),
            discount=None if data["discount"] is None else Discount.read(data["discount"]),
        )


class UserErrorCode(StrEnum):
    """Why something was not done. A newer server may know more: fields that hold one are plain texts."""

    INVALID = "INVALID"
    REQUIRED = "REQUIRED"
    TAKEN = "TAKEN"
    NOT_FOUND = "NOT_FOUND"
    TOO_MANY = "TOO_MANY"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    STATE = "STATE"
    KEY_REUSED = "KEY_REUSED"
    BUSY = "BUSY"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class UserError:
    """Why something was not done, and what would mend it."""

    code: str
    field: list[str] | None
    message: str
    data: Any

    @classmethod
    def read(cls, data: Any) -> Self:
        return cls(
            code=data["code"],
            field=None if data["field"] is None else list(data["field"]),
            message=data["message"],
            data=data["data"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeHoldPayload:
    """The setting aside of a use."""

    hold: Hold | None
    replayed: bool
    user_errors: list[UserError]

    @classmethod
    def read(cls, data: Any) -> Self:
        return cls(
            hold=None if data["hold"] is None else Hold.read(data["hold"]),
            replayed=data["replayed"],
            user_errors=[UserError.read(each) for each in data["userErrors"]],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRedeemInput:
    """Which code to use, for whom, on which order."""

    code: str | None = None
    promotion: str | None = None
    hold: str | None = None
    customer: str | None = None
    cart: CartInput | None = None
    order: str | None = None
    order_amount: MoneyInput | None = None
    discount: MoneyInput | None = None
    channel: str | None = None
    idempotency_key: str | None = None
    redeemed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """A use of a promotion, mostly by a code."""

    id: str
    text: str | None
    promotion_handle: str
    redeemed_at: datetime
    reported_at: datetime | None
    order: str | None
    discount: Money | None
    taken: Discount | None

    @classmethod
    def read(cls, data: Any) -> Self:
        return cls(
            id=data["id"],
            text=data["text"],
            promotion_handle=data["promotionHandle"],
            redeemed_at=datetime.fromisoformat(data["redeemedAt"]),
            reported_at=None if data["reportedAt"] is None else datetime.fromisoformat(data["reportedAt"]),
            order=data["order"],
            discount=None if data["discount"] is None else Money.read(data["discount"]),
            taken=None if data["taken"] is None else Discount.read(data["taken"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRedeemPayload:
    """The use of a code."""

    redemption: Redemption | None
    replayed: bool
    user_errors: list[UserError]

    @classmethod
    def read(cls, data: Any) -> Self:
        return cls(
            redemption=None if data["redemption"] is None else Redemption.read(data["redemption"]),
            replayed=data["replayed"],
            user_errors=[UserError.read(each) for each in data["userErrors"]],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeValidateInput:
    """Which code, for whom, on which cart."""

    code: str | None = None
    promotion: str | None = None
    customer: str | None = None
    cart: CartInput | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """Whether a code would be redeemed now. Who neither manages promotions nor names the code's holder gets the
    same answer to a code that cannot be used as to one that does not exist."""

    is_valid: bool
    text: str | None
    promotion_handle: str | None
    promotion_name: str | None
    expires_at: datetime | None
    uses_left: int | None
    discount: Discount | None
    user_errors: list[UserError]

    @classmethod
    def read(cls, data: Any) -> Self:
        return cls(
            is_valid=data["isValid"],
            text=data["text"],
            promotion_handle=data["promotionHandle"],
            promotion_name=data["promotionName"],
            expires_at=None if data["expiresAt"] is None else datetime.fromisoformat(data["expiresAt"]),
            uses_left=data["usesLeft"],
            discount=None if data["discount"] is None else Discount.read(data["discount"]),
            user_errors=[UserError.read(each) for each in data["userErrors"]],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CartCodeInput:
    """One of the codes to use on a cart."""

    code: str | None = None
    promotion: str | None = None
    hold: str | None = None
    discount: MoneyInput | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodesRedeemInput:
    """Which codes to use on one order: all of them, or none."""

    codes: Sequence[CartCodeInput]
    customer: str | None = None
    cart: CartInput | None = None
    order: str | None = None
    order_amount: MoneyInput | None = None
    channel: str | None = None
    idempotency_key: str | None = None
    redeemed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodesRedeemPayload:
    """The use of several codes on one order."""

    redemptions: list[Redemption]
    replayed: bool
    user_errors: list[UserError]

    @classmethod
    def read(cls, data: Any) -> Self:
        return cls(
            redemptions=[Redemption.read(each) for each in data["redemptions"]],
            replayed=data["replayed"],
            user_errors=[UserError.read(each) for each in data["userErrors"]],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CodesValidateInput:
    """Which codes on one cart, for whom."""

    codes: Sequence[str] = ()
    promotions: Sequence[str] = ()
    customer: str | None = None
    cart: CartInput | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CartValidation:
    """Whether all of these would be redeemed on one cart, as one: each takes its discount from what those of a
    higher priority leave."""

    is_valid: bool
    results: list[Validation]
    user_errors: list[UserError]

    @classmethod
    def read(cls, data: Any) -> Self:
        return cls(
            is_valid=data["isValid"],
            results=[Validation.read(each) for each in data["results"]],
            user_errors=[UserError.read(each) for each in data["userErrors"]],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldReleaseInput:
    """Which hold to give back."""

    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldReleasePayload:
    """The end of a hold."""

    hold: Hold | None
    user_errors: list[UserError]

    @classmethod
    def read(cls, data: Any) -> Self:
        return cls(
            hold=None if data["hold"] is None else Hold.read(data["hold"]),
            user_errors=[UserError.read(each) for each in data["userErrors"]],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RedemptionRollbackInput:
    """Which redemption to undo, and how much of it."""

    id: str
    amount: MoneyInput | None = None
    reason: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """An undoing of a redemption, all of it or a part."""

    amount: Money | None
    is_whole: bool
    rolled_back_at: datetime

    @classmethod
    def read(cls, data: Any) -> Self:
        return cls(
            amount=None if data["amount"] is None else Money.read(data["amount"]),
            is_whole=data["isWhole"],
            rolled_back_at=datetime.fromisoformat(data["rolledBackAt"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RedemptionRollbackPayload:
    """The undoing of a redemption."""

    rollback: Rollback | None
    redemption: Redemption | None
    replayed: bool
    user_errors: list[UserError]

    @classmethod
    def read(cls, data: Any) -> Self:
        return cls(
            rollback=None if data["rollback"] is None else Rollback.read(data["rollback"]),
            redemption=None if data["redemption"] is None else Redemption.read(data["redemption"]),
            replayed=data["replayed"],
            user_errors=[UserError.read(each) for each in data["userErrors"]],
        )


CODE_HOLD: Operation[CodeHoldPayload] = Operation(
    name="CodeHold",
    field="codeHold",
    id="7d913216ada5c0898753434eb6efc65aaa34f3ec40557b558a420203307708af",
    text="""# Set the use and its money aside while the shopper pays.
mutation CodeHold($input: CodeHoldInput!) {
  codeHold(input: $input) {
    hold {
      token
      text
      promotionHandle
      state
      expiresAt
      amount { amount currency }
      discount {
        total { amount currency }
        eligible { amount currency }
        lines { line amount { amount currency } }
        shipping { amount currency }
        gift
        points
      }
    }
    replayed
    userErrors { code field message data }
  }
}
""",
    read=lambda data: CodeHoldPayload.read(data),
)

CODE_REDEEM: Operation[CodeRedeemPayload] = Operation(
    name="CodeRedeem",
    field="codeRedeem",
    id="c0f86177e2d70a82f63de0e568a56757896e86c6bf73294bacfb2c12b6909787",
    text="""# The order is paid: use the code, once.
mutation CodeRedeem($input: CodeRedeemInput!) {
  codeRedeem(input: $input) {
    redemption {
      id
      text
      promotionHandle
      redeemedAt
      reportedAt
      order
      discount { amount currency }
      taken {
        total { amount currency }
        eligible { amount currency }
        lines { line amount { amount currency } }
        shipping { amount currency }
        gift
        points
      }
    }
    replayed
    userErrors { code field message data }
  }
}
""",
    read=lambda data: CodeRedeemPayload.read(data),
)

CODE_VALIDATE: Operation[Validation] = Operation(
    name="CodeValidate",
    field="codeValidate",
    id="49b2f7c7014b0a1718edb1ddff363c042b0f769e5b2037b6d8be6d5577e29dd8",
    text="""# Would this code be redeemed on this cart, and if not, why? Changes nothing.
query CodeValidate($input: CodeValidateInput!) {
  codeValidate(input: $input) {
    isValid
    text
    promotionHandle
    promotionName
    expiresAt
    usesLeft
    discount {
      total { amount currency }
      eligible { amount currency }
      lines { line amount { amount currency } }
      shipping { amount currency }
      gift
      points
    }
    userErrors { code field message data }
  }
}
""",
    read=lambda data: Validation.read(data),
)

CODES_REDEEM: Operation[CodesRedeemPayload] = Operation(
    name="CodesRedeem",
    field="codesRedeem",
    id="02ebaba26bee6ce46a42378137b77b4498fc60d7214411feb7792593da617e5c",
    text="""# The same for several codes on one order: all of them, or none.
mutation CodesRedeem($input: CodesRedeemInput!) {
  codesRedeem(input: $input) {
    redemptions {
      id
      text
      promotionHandle
      redeemedAt
      reportedAt
      order
      discount { amount currency }
      taken {
        total { amount currency }
        eligible { amount currency }
        lines { line amount { amount currency } }
        shipping { amount currency }
        gift
        points
      }
    }
    replayed
    userErrors { code field message data }
  }
}
""",
    read=lambda data: CodesRedeemPayload.read(data),
)

CODES_VALIDATE: Operation[CartValidation] = Operation(
    name="CodesValidate",
    field="codesValidate",
    id="97d3e800084f32ae2893a6cdf64938aea53dbddf09fae93c2029f2011deae572",
    text="""# The same for several codes on one cart, as redeeming them together would take them.
query CodesValidate($input: CodesValidateInput!) {
  codesValidate(input: $input) {
    isValid
    results {
      isValid
      text
      promotionHandle
      promotionName
      expiresAt
      usesLeft
      discount {
        total { amount currency }
        eligible { amount currency }
        lines { line amount { amount currency } }
        shipping { amount currency }
        gift
        points
      }
      userErrors { code field message data }
    }
    userErrors { code field message data }
  }
}
""",
    read=lambda data: CartValidation.read(data),
)

HOLD_RELEASE: Operation[HoldReleasePayload] = Operation(
    name="HoldRelease",
    field="holdRelease",
    id="a57ca9a5c33a149891e22c6537c90fbb67a3428919b98694b91ec2dc4cc5a367",
    text="""# The shopper went away: give the hold back. It lapses by itself where nobody does.
mutation HoldRelease($input: HoldReleaseInput!) {
  holdRelease(input: $input) {
    hold {
      token
      text
      promotionHandle
      state
      expiresAt
      amount { amount currency }
      discount {
        total { amount currency }
        eligible { amount currency }
        lines { line amount { amount currency } }
        shipping { amount currency }
        gift
        points
      }
    }
    userErrors { code field message data }
  }
}
""",
    read=lambda data: HoldReleasePayload.read(data),
)

PROMOTIONS_FOR_CART: Operation[list[Validation]] = Operation(
    name="PromotionsForCart",
    field="promotionsForCart",
    id="856caeb8e0c86e3c2dbd988e05f7df8827746df9e1ce0158152a406e3e6eda5b",
    text="""# The promotions without codes that this cart is eligible for.
query PromotionsForCart($cart: CartInput!, $customer: String) {
  promotionsForCart(cart: $cart, customer: $customer) {
    isValid
    text
    promotionHandle
    promotionName
    expiresAt
    usesLeft
    discount {
      total { amount currency }
      eligible { amount currency }
      lines { line amount { amount currency } }
      shipping { amount currency }
      gift
      points
    }
    userErrors { code field message data }
  }
}
""",
    read=lambda data: [Validation.read(each) for each in data],
)

REDEMPTION_ROLLBACK: Operation[RedemptionRollbackPayload] = Operation(
    name="RedemptionRollback",
    field="redemptionRollback",
    id="f7b1fbb4492e073799febdc75e598081b53a106fc599fd2243df02db25e15ce7",
    text="""# The order was cancelled or refunded: undo the use, whole or in part.
mutation RedemptionRollback($input: RedemptionRollbackInput!) {
  redemptionRollback(input: $input) {
    rollback { amount { amount currency } isWhole rolledBackAt }
    redemption {
      id
      text
      promotionHandle
      redeemedAt
      reportedAt
      order
      discount { amount currency }
      taken {
        total { amount currency }
        eligible { amount currency }
        lines { line amount { amount currency } }
        shipping { amount currency }
        gift
        points
      }
    }
    replayed
    userErrors { code field message data }
  }
}
""",
    read=lambda data: RedemptionRollbackPayload.read(data),
)
