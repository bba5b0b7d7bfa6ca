"""How an order stands here, and what became of the codes in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from promograph.domain.orders.news import OrderState
from promograph.domain.redeeming import RedeemOutcome
from promograph.errors import InputProblem


class OrderCodeState(StrEnum):
    """What became of a code that an order names."""

    WAITING = "WAITING"
    """The order does not count yet."""

    UNUSED = "UNUSED"
    """The order came to nothing, or dropped the code, before it was redeemed."""

    REDEEMED = "REDEEMED"
    """It is used, and whatever was refunded of it is rolled back."""

    ROLLED_BACK = "ROLLED_BACK"
    """It was used, and all of it is undone."""

    REFUSED = "REFUSED"
    """The sale has happened, and the code's use could not be counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """Why a use was not counted: the code of a refusal or of bad input, its sentence, what a program needs."""

    code: str
    message: str
    data: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def is_bad_input(self) -> bool:
        return self.code in InputProblem.__members__


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCodeReport:
    """`redemption` is the number in the promotion; of one that was rolled back too."""

    key: str
    promotion_id: int
    seq: int
    state: OrderCodeState
    redemption: int | None = None
    objections: tuple[Objection, ...] = ()
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReport:
    """`order` is the shop's own id, `name` what people call it. `state` is None while only refunds were told of."""

    id: int
    channel: str
    shop: str
    order: str
    name: str | None
    state: OrderState | None
    customer: str | None
    heard_at: datetime
    changed_at: datetime
    codes: tuple[OrderCodeReport, ...] = ()


def objections(outcome: RedeemOutcome) -> tuple[Objection, ...]:
    if outcome.problem is not None:
        return (Objection(code=outcome.problem.problem.value, message=str(outcome.problem)),)
    return tuple(Objection(code=one.code.value, message=one.message, data=dict(one.data)) for one in outcome.refusals)
