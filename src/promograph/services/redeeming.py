"""Use cases of a checkout: would this code work, and use it."""

from collections.abc import Sequence

from promograph.domain.clock import Clock
from promograph.domain.codes import MAX_LENGTH
from promograph.domain.keys import checked_optional
from promograph.domain.redeeming import Money, RedeemOutcome, RedeemRequest, ValidateRequest, Validation
from promograph.domain.terms import check_storable
from promograph.errors import BadInput, InputProblem
from promograph.services.batching import Gatherer
from promograph.store import redeeming
from promograph.store.database import Database

_LARGEST_AMOUNT = 10**15


class Redeeming:
    """Refusals and bad input are outcomes; only faults of the store are raised."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._redeemer = Gatherer(self._redeem)
        self._validator = Gatherer(self._validate)

    async def redeem(self, request: RedeemRequest) -> RedeemOutcome:
        try:
            _check_code(request.code)
            checked_optional(request.customer, "customer")
            checked_optional(request.order, "order")
            checked_optional(request.channel, "channel", longest=64)
            checked_optional(request.idempotency_key, "idempotencyKey")
            _check_amounts(request.order_amount, request.discount)
        except BadInput as problem:
            return RedeemOutcome(problem=problem)
        return await self._redeemer.submit(request)

    async def validate(self, request: ValidateRequest) -> Validation:
        _check_code(request.code)
        checked_optional(request.customer, "customer")
        return await self._validator.submit(request)

    async def _redeem(self, requests: Sequence[RedeemRequest]) -> Sequence[RedeemOutcome]:
        now = self._clock()
        return await self._database.write(lambda connection: redeeming.redeem(connection, requests, now))

    async def _validate(self, requests: Sequence[ValidateRequest]) -> Sequence[Validation]:
        now = self._clock()
        return await self._database.read(lambda connection: redeeming.look(connection, requests, now))


def _check_code(text: str) -> None:
    """A text that is no code is simply not found; this keeps out what could not even be looked up."""
    if not text.strip():
        raise BadInput(InputProblem.REQUIRED, "Give the code that the customer entered.", field=("code",))
    if len(text) > 4 * MAX_LENGTH:
        raise BadInput(InputProblem.OUT_OF_RANGE, f"A code has at most {MAX_LENGTH} characters.", field=("code",))
    check_storable(text, "code")


def _check_amounts(order: Money | None, discount: Money | None) -> None:
    for field, money in (("orderAmount", order), ("discount", discount)):
        if money is not None and not 0 <= money.minor <= _LARGEST_AMOUNT:
            raise BadInput(InputProblem.OUT_OF_RANGE, f"{field} must be zero or more.", field=(field,))
    if order is not None and discount is not None and order.currency != discount.currency:
        raise BadInput(
            InputProblem.INVALID, "orderAmount and discount must be in the same currency.", field=("discount",)
        )
