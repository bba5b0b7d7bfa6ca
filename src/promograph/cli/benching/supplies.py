"""What is put into a store before it is measured: promotions, codes, and codes that customers hold already."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from promograph.api.nodes import global_id
from promograph.cli.benching.failures import BenchFailed
from promograph.cli.benching.plan import Plan
from promograph.domain.access import Scope
from promograph.domain.durations import parse_duration
from promograph.domain.issuing import IssueRequest
from promograph.domain.promotions import OnEmpty, Promotion, PromotionTerms
from promograph.services.app import Services
from promograph.services.promoting import Draft

HOT = "hot"
LARGE = "large"
SMALL = "small"
IMPORTED = "imported"

_A_CALL = 10_000


class Supply:
    """Inputs of one operation that can be sent once, such as customers who have no code yet.

    Each of the `shares` still to come is offered its part of what is left, so that the last one finds some as well.
    """

    def __init__(self, make: Callable[[int], dict[str, Any]], size: int, *, shares: int) -> None:
        self._make = make
        self._size = size
        self._shares = shares
        self._next = 0

    def input(self, number: int) -> dict[str, Any]:
        """The input of that number, whoever's share it is in."""
        return self._make(number)

    def offer(self) -> list[dict[str, Any]]:
        """The inputs of the next share, in the order in which they must be sent."""
        count = (self._size - self._next) // max(self._shares, 1)
        if not count:
            raise BenchFailed("The codes that were prepared are used up; a larger plan is needed.")
        return [self._make(number) for number in range(self._next, self._next + count)]

    def used(self, count: int) -> None:
        """How many of those offered last were sent."""
        self._next += count
        self._shares -= 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A code and the customer who holds it."""

    code: str
    customer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stocked:
    """A store that is ready to be measured. `held` codes are not redeemed yet; ids are those of the API."""

    token: str
    spread: tuple[str, ...]
    held_spread: list[Held]
    held_hot: list[Held]
    held_ruled: list[Held]
    large_id: str
    imported_id: str


async def stock(services: Services, plan: Plan, *, ruled: str) -> Stocked:
    """Fill an empty store, where the promotion `ruled` is set up already, all of its codes yet to be issued.

    Half of the codes of the spread and of the hot promotions are issued, to be redeemed.
    """
    token, _ = await services.access.create("bench", [Scope.ADMIN])
    spread = tuple(f"spread-{number}" for number in range(plan.promotions))
    codes_each = -(-plan.codes // plan.promotions)
    for handle in spread:
        await _promotion(services, handle, codes_each * 2)
    await _promotion(services, HOT, plan.codes * 2)
    await _promotion(services, SMALL, plan.small)
    large = await _promotion(services, LARGE, 0)
    imported = await _promotion(services, IMPORTED, 0)
    return Stocked(
        token=token,
        spread=spread,
        held_spread=await issued(services, spread, plan.codes),
        held_hot=await issued(services, (HOT,), plan.codes),
        held_ruled=await issued(services, (ruled,), plan.codes),
        large_id=global_id("Promotion", large.id),
        imported_id=global_id("Promotion", imported.id),
    )


async def _promotion(services: Services, handle: str, codes: int) -> Promotion:
    terms = PromotionTerms(
        handle=handle,
        name=f"Bench: {handle}",
        valid_for=parse_duration("P30D"),
        on_empty=OnEmpty.REFUSE if codes else OnEmpty.GENERATE,
    )
    return await run_promotion(services, terms, codes)


async def run_promotion(services: Services, terms: PromotionTerms, codes: int) -> Promotion:
    """A new active promotion with so many codes."""
    made = await services.promoting.create(Draft(terms=terms))
    if codes:
        await services.stocking.generate(made.id, codes, None, channel=None)
    return await services.promoting.activate(made.id)


async def issued(services: Services, handles: tuple[str, ...], count: int) -> list[Held]:
    """So many codes of these promotions in turn, each to a customer of its own."""
    held: list[Held] = []
    while len(held) < count:
        numbers = range(len(held), min(len(held) + _A_CALL, count))
        requests = [
            IssueRequest(promotion=handles[number % len(handles)], customer=f"holder-{number}") for number in numbers
        ]
        for outcome in await services.issuing.issue_many(requests):
            if outcome.issuance is None:
                raise BenchFailed(f"A code could not be issued: {outcome.problem}")
            held.append(Held(code=outcome.issuance.text, customer=outcome.issuance.customer))
    return held


def to_issue(handles: tuple[str, ...], size: int, *, shares: int) -> Supply:
    """New customers, over these promotions in turn."""
    return Supply(
        lambda number: {
            "promotion": handles[number % len(handles)],
            "customer": f"customer-{number}",
            "channel": "bench",
        },
        size,
        shares=shares,
    )


def to_redeem(held: list[Held], *, shares: int) -> Supply:
    """Each held code once, by its holder."""
    return Supply(
        lambda number: {
            "code": held[number].code,
            "customer": held[number].customer,
            "order": f"order-{number}",
            "channel": "bench",
        },
        len(held),
        shares=shares,
    )


def to_validate(held: list[Held], count: int) -> list[dict[str, Any]]:
    """Codes to ask about, over and over: asking uses nothing up."""
    return [{"code": each.code, "customer": each.customer} for each in held[:count]]
