"""Redeeming and validating: the requests and their answers."""

from dataclasses import dataclass
from datetime import datetime

from promograph.domain.promotions import Promotion
from promograph.domain.refusals import Refusal
from promograph.errors import BadInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """`minor` counts the currency's smallest unit (cents); `currency` is an ISO 4217 code."""

    minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemRequest:
    """Use a code once. `discount` is what the shop took off (for an external reward); `order` is its own reference."""

    code: str
    customer: str | None = None
    order: str | None = None
    order_amount: Money | None = None
    discount: Money | None = None
    channel: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """One use of a code. `number` counts a promotion's redemptions from 1; `handle` is the promotion's."""

    promotion_id: int
    handle: str
    number: int
    seq: int
    text: str
    customer: str | None
    redeemed_at: datetime
    order: str | None = None
    order_amount: Money | None = None
    discount: Money | None = None
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class RedeemOutcome:
    """A redemption, or every reason why not. `holder_named`: the caller named the customer who holds the code."""

    redemption: Redemption | None = None
    refusals: tuple[Refusal, ...] = ()
    problem: BadInput | None = None
    holder_named: bool = False
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateRequest:
    code: str
    customer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """Whether the code would be redeemed now. `promotion` and `uses_left` are told only when it would."""

    text: str
    refusals: tuple[Refusal, ...] = ()
    promotion: Promotion | None = None
    expires_at: datetime | None = None
    uses_left: int | None = None
    holder_named: bool = False

    @property
    def is_valid(self) -> bool:
        return not self.refusals
