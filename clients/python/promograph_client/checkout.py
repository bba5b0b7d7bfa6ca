"""The round of a checkout: validate, hold, redeem, roll back; and what becomes of a sale when nobody answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, Generic, Self, TypeVar, Unpack
from uuid import uuid4

from promograph_client import operations
from promograph_client.late import LateSale, LateSales, Wish, now
from promograph_client.operations import (
    CartInput,
    CartValidation,
    CodeHoldInput,
    CodeHoldPayload,
    CodeRedeemInput,
    CodeRedeemPayload,
    CodesRedeemInput,
    CodesRedeemPayload,
    CodesValidateInput,
    CodeValidateInput,
    HoldReleaseInput,
    HoldReleasePayload,
    MoneyInput,
    Operation,
    Redemption,
    RedemptionRollbackInput,
    RedemptionRollbackPayload,
    Validation,
)
from promograph_client.transport import Options, Rejected, Transport, Unreachable, to_json

P = TypeVar("P", CodeRedeemPayload, CodesRedeemPayload)

_LONGEST_KEY = 110  # what undoes a sale has the sale's key, and some more, in the 128 characters that there are


class Grace(Enum):
    """What a sale comes to when promograph does not answer.

    REFUSE: the discount is not given, and Unreachable raised. What promograph may have done meanwhile is undone later.
    ACCEPT_AND_REPORT_LATER: the discount is given, the sale kept on disk, and reported by a later `report_late`.
    """

    REFUSE = "REFUSE"
    ACCEPT_AND_REPORT_LATER = "ACCEPT_AND_REPORT_LATER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale(Generic[P]):
    """`answer` is promograph's; None where there was none, and the shop took the sale upon itself."""

    key: str
    answer: P | None

    @property
    def is_accepted(self) -> bool:
        """Whether the shopper gets the discount."""
        return self.answer is None or not self.answer.user_errors


@dataclass(slots=True)
class Reported:
    """What became of late sales. `waiting`: how many are left, because nobody answers; call again later."""

    reported: list[LateSale] = field(default_factory=list)
    refused: list[LateSale] = field(default_factory=list)
    undone: list[LateSale] = field(default_factory=list)
    waiting: int = 0


class CheckoutClient:
    """One shop's checkout. `url` ends in /graphql; `token` needs the scope `codes:redeem` and no other.

    `late` is a file of the shop's own, beside its orders, that outlives the process. May be shared by threads.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        late: LateSales | Path | str,
        when_unreachable: Grace = Grace.REFUSE,
        clock: Callable[[], datetime] = now,
        **options: Unpack[Options],
    ) -> None:
        self._transport = Transport(url, token, **options)
        self.late = late if isinstance(late, LateSales) else LateSales(late)
        self._grace = when_unreachable
        self._clock = clock

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._transport.close()

    def validate(self, code: str, *, customer: str | None = None, cart: CartInput | None = None) -> Validation:
        asked = CodeValidateInput(code=code, customer=customer, cart=cart)
        return self._transport.ask(operations.CODE_VALIDATE, {"input": asked})

    def validate_together(
        self, codes: Sequence[str], *, promotions: Sequence[str] = (), customer: str | None = None, cart: CartInput
    ) -> CartValidation:
        """Several on one cart, each on what those of a higher priority leave."""
        asked = CodesValidateInput(codes=codes, promotions=promotions, customer=customer, cart=cart)
        return self._transport.ask(operations.CODES_VALIDATE, {"input": asked})

    def promotions_for(self, cart: CartInput, *, customer: str | None = None) -> list[Validation]:
        """Those that need no code."""
        return self._transport.ask(operations.PROMOTIONS_FOR_CART, {"cart": cart, "customer": customer})

    def hold(self, asked: CodeHoldInput) -> CodeHoldPayload:
        """Unreachable under either grace: without a hold the sale can go on, and redeem the code itself."""
        keyed = replace(asked, idempotency_key=asked.idempotency_key or uuid4().hex)
        return self._transport.ask(operations.CODE_HOLD, {"input": keyed})

    def release(self, token: str) -> HoldReleasePayload:
        return self._transport.ask(operations.HOLD_RELEASE, {"input": HoldReleaseInput(token=token)})

    def redeem(self, asked: CodeRedeemInput) -> Sale[CodeRedeemPayload]:
        """One code, promotion or hold. The idempotency key is needed: make it of the order's own number."""
        return self._redeem(operations.CODE_REDEEM, asked)

    def redeem_together(self, asked: CodesRedeemInput) -> Sale[CodesRedeemPayload]:
        """Several on one order: all or none. The idempotency key is needed."""
        return self._redeem(operations.CODES_REDEEM, asked)

    def roll_back(
        self, redemption: str, *, key: str, amount: MoneyInput | None = None, reason: str | None = None
    ) -> RedemptionRollbackPayload:
        """All that is left of a redemption, by its id, or so much of its discount."""
        asked = RedemptionRollbackInput(id=redemption, amount=amount, reason=reason, idempotency_key=key)
        return self._transport.ask(operations.REDEMPTION_ROLLBACK, {"input": asked})

    def report_late(self) -> Reported:
        """Tell promograph of the late sales, the oldest first, until it gives no answer. Safe to run anywhere, often.

        What is turned down stays in `late.refused()`.
        """
        done, sales = Reported(), self.late.waiting()
        for place, sale in enumerate(sales):
            try:
                self._settle(sale, done)
            except Unreachable:
                done.waiting = len(sales) - place
                break
        return done

    def _redeem(self, operation: Operation[P], asked: CodeRedeemInput | CodesRedeemInput) -> Sale[P]:
        key = asked.idempotency_key
        if not key or len(key) > _LONGEST_KEY:
            raise ValueError(f"a sale needs an idempotency_key of at most {_LONGEST_KEY} characters")
        if self.late.is_undone(key):
            raise ValueError(f"the sale {key!r} was given up: a new try needs a new idempotency_key")
        try:
            return Sale(key=key, answer=self._transport.ask(operation, {"input": asked}))
        except Unreachable as failure:
            accepts = self._grace is Grace.ACCEPT_AND_REPORT_LATER
            if accepts or failure.maybe_done:
                wish = Wish.REPORT if accepts else Wish.UNDO
                self.late.keep(
                    LateSale(key=key, operation=operation.name, input=to_json(asked), wish=wish, sold_at=self._clock())
                )
            if not accepts:
                raise
            return Sale(key=key, answer=None)

    def _settle(self, sale: LateSale, done: Reported) -> None:
        # The same key says that it is the same sale, whether or not it comes with the time of the sale.
        when = {"redeemedAt": sale.sold_at.isoformat()} if sale.wish is Wish.REPORT else {}
        redeemed, errors = self._ask_again(sale, {**sale.input, **when})
        if sale.wish is Wish.UNDO:
            for number, redemption in enumerate(redeemed):
                self.roll_back(redemption.id, key=f"{sale.key}:undo:{number}", reason="the sale was not made")
            done.undone.append(sale)
        elif errors:
            self.late.turned_down(sale, errors)
            done.refused.append(replace(sale, refusals=errors))
            return
        else:
            done.reported.append(sale)
        self.late.done(sale)

    def _ask_again(self, sale: LateSale, asked: dict[str, Any]) -> tuple[list[Redemption], list[dict[str, Any]]]:
        if sale.operation == operations.CODE_REDEEM.name:
            one = self._transport.ask(operations.CODE_REDEEM, {"input": asked})
            return [one.redemption] if one.redemption else [], to_json(one.user_errors)
        if sale.operation != operations.CODES_REDEEM.name:
            raise Rejected(f"the file of late sales has the operation {sale.operation!r}")
        several = self._transport.ask(operations.CODES_REDEEM, {"input": asked})
        return several.redemptions, to_json(several.user_errors)
