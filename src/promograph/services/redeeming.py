"""Use cases of a checkout: would this work, set it aside, use it, undo that."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from promograph.domain.carts import Cart
from promograph.domain.clock import Clock
from promograph.domain.keys import checked_optional
from promograph.domain.redeeming import (
    HoldOutcome,
    HoldRequest,
    RedeemCall,
    RedeemOutcome,
    RedeemRequest,
    RollbackOutcome,
    RollbackRequest,
    ValidateRequest,
    Validation,
)
from promograph.domain.storable import check_storable
from promograph.errors import BadInput
from promograph.services import checkout_checks as checks
from promograph.services.batching import Gatherer
from promograph.services.keyed_writes import write_again
from promograph.services.telling import Telling
from promograph.services.typing_errors import TypingErrors
from promograph.store import holding, late_sales, promotions, redeeming, rolling_back
from promograph.store.databases.database import Connection, Database
from promograph.store.holding import ReleaseOutcome

_AT_ONCE = 500
_FEW = 16  # of them the loop's own thread takes care, as of any small transaction

A = TypeVar("A", RedeemOutcome, HoldOutcome, Validation)
Req = TypeVar("Req")
Out = TypeVar("Out")


class Redeeming:
    """Refusals and bad input are outcomes; only faults of the store are raised."""

    def __init__(self, database: Database, clock: Clock, telling: Telling) -> None:
        self._database = database
        self._clock = clock
        self._telling = telling
        self._typing_errors = TypingErrors(database)
        self._redeemer = Gatherer(self._redeem)
        self._call_redeemer = Gatherer(self._redeem_calls)
        # Each is decided as of an instant of its own, so they cannot share a transaction.
        self._late = Gatherer(self._redeem_late, limit=1)
        self._late_calls = Gatherer(self._redeem_late_calls, limit=1)
        self._holder = Gatherer(self._hold)
        self._validator = Gatherer(self._validate)

    async def redeem(self, request: RedeemRequest) -> RedeemOutcome:
        redeemer = self._redeemer
        try:
            checks.check_redeem(request)
            if request.redeemed_at is not None:
                sold_at = checks.checked_sale(request.redeemed_at, request.idempotency_key, self._clock())
                request, redeemer = replace(request, redeemed_at=sold_at), self._late
        except BadInput as problem:
            return RedeemOutcome(problem=problem)
        (outcome,) = await self._read_closely([request.code], [await redeemer.submit(request)])
        return outcome

    async def redeem_many(self, requests: Sequence[RedeemRequest]) -> list[RedeemOutcome]:
        """Each by itself, in as few transactions as will do: an outcome a request, in their order."""

        def run(part: Sequence[RedeemRequest], connection: Connection) -> list[RedeemOutcome]:
            return redeeming.redeem(connection, part, self._clock())

        punctual = await self._many([one for one in requests if one.redeemed_at is None], _why_not_redeem, run)
        self._telling.redeemed(punctual)
        made = iter(punctual)
        # Those reported late are decided as of an instant of their own each.
        return [next(made) if one.redeemed_at is None else await self.redeem(one) for one in requests]

    async def redeem_together(self, call: RedeemCall) -> list[RedeemOutcome]:
        """All of one cart's, or none: an outcome each, in the order of the requests. BadInput with its field."""
        checks.check_number(len(call.requests))
        checked_optional(call.idempotency_key, "idempotencyKey")
        for place, request in enumerate(call.requests):
            checks.at(place, partial(checks.check_redeem, request))
        if call.redeemed_at is None:
            outcomes = await self._call_redeemer.submit(call)
        else:
            sold_at = checks.checked_sale(call.redeemed_at, call.idempotency_key, self._clock())
            requests = tuple(replace(request, redeemed_at=sold_at) for request in call.requests)
            outcomes = await self._late_calls.submit(replace(call, requests=requests))
        return await self._read_closely([request.code for request in call.requests], outcomes)

    async def hold(self, request: HoldRequest) -> HoldOutcome:
        try:
            checks.check_hold(request)
        except BadInput as problem:
            return HoldOutcome(problem=problem)
        (outcome,) = await self._read_closely([request.code], [await self._holder.submit(request)])
        return outcome

    async def release(self, token: str) -> ReleaseOutcome:
        """End a hold; one that is over already is fine."""
        check_storable(token, "hold")
        now = self._clock()
        return await self._database.write(lambda connection: holding.release(connection, token, now))

    async def roll_back(self, request: RollbackRequest) -> RollbackOutcome:
        (outcome,) = await self.roll_back_many([request])
        return outcome

    async def roll_back_many(self, requests: Sequence[RollbackRequest]) -> list[RollbackOutcome]:
        """Each by itself, in as few transactions as will do: an outcome a request, in their order."""

        def run(part: Sequence[RollbackRequest], connection: Connection) -> list[RollbackOutcome]:
            return rolling_back.roll_back(connection, part, self._clock())

        return await self._many(requests, _why_not_roll_back, run)

    async def validate(self, request: ValidateRequest) -> Validation:
        """BadInput with its field."""
        (answer,) = await self.validate_together([request])
        return answer

    async def validate_together(self, requests: Sequence[ValidateRequest]) -> Sequence[Validation]:
        """Several of one cart, as redeeming them together would take them. BadInput with its field."""
        checks.check_number(len(requests))
        for place, request in enumerate(requests):
            if len(requests) == 1:
                checks.check_validate(request)
            else:
                checks.at(place, partial(checks.check_validate, request))
        answers = await self._validator.submit(requests)
        problem = next((answer.problem for answer in answers if answer.problem is not None), None)
        if problem is not None:
            raise problem
        return await self._read_closely([request.code for request in requests], answers)

    async def promotions_for_cart(self, cart: Cart, customer: str | None) -> list[Validation]:
        """The promotions without codes that the cart is eligible for, in the order in which they would be taken.

        Each is looked at by itself. BadInput with its field.
        """
        checks.check_visitor(customer, cart)
        handles = await self._database.read(promotions.without_codes)
        requests = [[ValidateRequest(promotion=handle, customer=customer, cart=cart)] for handle in handles]
        now = self._clock()
        answers = await self._database.read(lambda connection: redeeming.look(connection, requests, now))
        return [answer for (answer,) in answers if answer.is_valid]

    async def _read_closely(self, texts: Iterable[str | None], answers: Sequence[A]) -> list[A]:
        """The answers, in which refused codes say so whose texts show a typing error."""
        return [
            replace(answer, mistyped=True)
            if answer.refusals and text is not None and await self._typing_errors.is_one(text)
            else answer
            for text, answer in zip(texts, answers, strict=False)
        ]

    async def _many(
        self,
        requests: Sequence[Req],
        why_not: Callable[[Req], Out | None],
        run: Callable[[Sequence[Req], Connection], list[Out]],
    ) -> list[Out]:
        """What cannot even be asked is answered by `why_not`; all the rest by `run`, so many in a transaction."""
        answers = [why_not(request) for request in requests]
        fresh = [request for request, answer in zip(requests, answers, strict=True) if answer is None]
        outcomes: list[Out] = []
        for start in range(0, len(fresh), _AT_ONCE):
            work = partial(run, fresh[start : start + _AT_ONCE])
            outcomes += await write_again(self._database, work, heavy=len(fresh) > _FEW)
        made = iter(outcomes)
        return [next(made) if answer is None else answer for answer in answers]

    async def _redeem(self, requests: Sequence[RedeemRequest]) -> Sequence[RedeemOutcome]:
        now = self._clock()
        outcomes = await self._database.write(lambda connection: redeeming.redeem(connection, requests, now))
        self._telling.redeemed(outcomes)
        return outcomes

    async def _redeem_calls(self, calls: Sequence[RedeemCall]) -> Sequence[list[RedeemOutcome]]:
        now = self._clock()
        answers = await self._database.write(lambda connection: redeeming.redeem_calls(connection, calls, now))
        for outcomes in answers:
            self._telling.redeemed(outcomes)
        return answers

    async def _redeem_late(self, requests: Sequence[RedeemRequest]) -> Sequence[RedeemOutcome]:
        (request,), now = requests, self._clock()
        outcome = await self._database.write(lambda connection: late_sales.redeem(connection, request, now))
        self._telling.redeemed([outcome])
        return [outcome]

    async def _redeem_late_calls(self, calls: Sequence[RedeemCall]) -> Sequence[list[RedeemOutcome]]:
        (call,), now = calls, self._clock()
        outcomes = await self._database.write(lambda connection: late_sales.redeem_call(connection, call, now))
        self._telling.redeemed(outcomes)
        return [outcomes]

    async def _hold(self, requests: Sequence[HoldRequest]) -> Sequence[HoldOutcome]:
        now = self._clock()
        return await self._database.write(lambda connection: holding.hold(connection, requests, now))

    async def _validate(self, carts: Sequence[Sequence[ValidateRequest]]) -> Sequence[Sequence[Validation]]:
        now = self._clock()
        return await self._database.read(lambda connection: redeeming.look(connection, carts, now))


def _why_not_redeem(request: RedeemRequest) -> RedeemOutcome | None:
    try:
        checks.check_redeem(request)
    except BadInput as problem:
        return RedeemOutcome(problem=problem)
    return None


def _why_not_roll_back(request: RollbackRequest) -> RollbackOutcome | None:
    try:
        checks.check_rollback(request)
    except BadInput as problem:
        return RollbackOutcome(problem=problem)
    return None
