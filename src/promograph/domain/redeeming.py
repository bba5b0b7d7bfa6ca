"""Validating, holding, redeeming and rolling back: the requests and their answers."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from promograph.domain.carts import Cart, Money
from promograph.domain.discounts import Discount
from promograph.domain.promotions import Promotion
from promograph.domain.refusals import Refusal
from promograph.errors import BadInput


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemRequest:
    """Use a code once; or a promotion that needs no code, by its handle; or what `hold`, by its token, has set aside.

    `discount` is what the shop took off (for an external reward); `order` is its own reference. With a hold and no cart
    the discount is what was promised; with a cart it is worked out anew. `redeemed_at` is when the sale was, of
    one that is reported late.
    """

    code: str | None = None
    promotion: str | None = None
    hold: str | None = None
    customer: str | None = None
    cart: Cart | None = None
    order: str | None = None
    order_amount: Money | None = None
    discount: Money | None = None
    channel: str | None = None
    idempotency_key: str | None = None
    redeemed_at: datetime | None = None

    @property
    def token(self) -> str | None:
        """Of the hold that it brings along."""
        return self.hold


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemCall:
    """All of these are redeemed, or none: the codes of one cart."""

    requests: tuple[RedeemRequest, ...]
    idempotency_key: str | None = None

    @property
    def redeemed_at(self) -> datetime | None:
        """They are one sale."""
        return self.requests[0].redeemed_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """One use. `number` counts a promotion's redemptions from 1; `handle` is the promotion's.

    `seq` and `text` are None where no code was needed. `taken` says how a discount worked out here is made up.
    `redeemed_at` is when the sale was; `reported_at` is None unless it was reported only later.
    """

    promotion_id: int
    handle: str
    number: int
    seq: int | None
    text: str | None
    customer: str | None
    redeemed_at: datetime
    order: str | None = None
    order_amount: Money | None = None
    discount: Money | None = None
    channel: str | None = None
    taken: Discount | None = None
    reported_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RedeemOutcome:
    """A redemption, or every reason why not. `holder_named`: the caller named the customer who holds the code.

    `mistyped`: the text of a refused code shows a typing error.
    """

    redemption: Redemption | None = None
    refusals: tuple[Refusal, ...] = ()
    problem: BadInput | None = None
    holder_named: bool = False
    replayed: bool = False
    mistyped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRequest:
    """Set a use aside for `ttl`, as `redeem` would take it. `replaces`: the token of an open hold that gives way."""

    code: str | None = None
    promotion: str | None = None
    replaces: str | None = None
    ttl: timedelta
    customer: str | None = None
    cart: Cart | None = None
    order: str | None = None
    discount: Money | None = None
    channel: str | None = None
    idempotency_key: str | None = None

    @property
    def token(self) -> str | None:
        """Of the hold that it brings along."""
        return self.replaces


class HoldState(StrEnum):
    """LAPSED is an open hold whose time is over: derived from the clock."""

    OPEN = "OPEN"
    REDEEMED = "REDEEMED"
    RELEASED = "RELEASED"
    LAPSED = "LAPSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A use set aside. Whoever has `token` may redeem or release it. `discount` counts against the budget meanwhile."""

    promotion_id: int
    handle: str
    number: int
    seq: int | None
    text: str | None
    token: str
    held_at: datetime
    expires_at: datetime
    customer: str | None = None
    order: str | None = None
    discount: Money | None = None
    channel: str | None = None
    taken: Discount | None = None
    ended: HoldState | None = None
    ended_at: datetime | None = None

    def state(self, now: datetime) -> HoldState:
        if self.ended is not None:
            return self.ended
        return HoldState.OPEN if now < self.expires_at else HoldState.LAPSED


@dataclass(frozen=True, slots=True)
class HoldOutcome:
    """A hold, or every reason why not; the rest as in `RedeemOutcome`."""

    hold: Hold | None = None
    refusals: tuple[Refusal, ...] = ()
    problem: BadInput | None = None
    holder_named: bool = False
    replayed: bool = False
    mistyped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackRequest:
    """Undo redemption `number` of the promotion: so much of its discount, or all that is left of it (None).

    The use comes back with the last of it.
    """

    promotion_id: int
    number: int
    amount: Money | None = None
    reason: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """`part` counts a redemption's rollbacks from 1. `is_whole`: nothing of the redemption is left, its use is back."""

    promotion_id: int
    number: int
    part: int
    is_whole: bool
    rolled_back_at: datetime
    amount: Money | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class RollbackOutcome:
    """A rollback and what it undid, or why not."""

    rollback: Rollback | None = None
    redemption: Redemption | None = None
    refusals: tuple[Refusal, ...] = ()
    problem: BadInput | None = None
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateRequest:
    """As a `RedeemRequest`; several of one cart are looked at together."""

    code: str | None = None
    promotion: str | None = None
    customer: str | None = None
    cart: Cart | None = None
    discount: Money | None = None

    @property
    def token(self) -> None:
        """A hold is not looked at: it says itself how it stands."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """Whether it would be redeemed now; `promotion` and what follows are None where there is no such thing.

    `discount` is None where only the shop knows it. Of several for one cart, one without refusals of its own is not
    valid either while another is refused: `is_valid` says so.
    """

    text: str | None
    refusals: tuple[Refusal, ...] = ()
    promotion: Promotion | None = None
    expires_at: datetime | None = None
    uses_left: int | None = None
    discount: Discount | None = None
    problem: BadInput | None = None
    holder_named: bool = False
    mistyped: bool = False
    is_valid: bool = False
