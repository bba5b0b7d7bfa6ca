"""What tests of money say to the services most often, said shortly."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from promograph.domain.carts import Cart, Line, Money
from promograph.domain.promotions import Promotion, PromotionTerms
from promograph.domain.redeeming import (
    Hold,
    HoldOutcome,
    HoldRequest,
    RedeemCall,
    RedeemOutcome,
    RedeemRequest,
    Redemption,
    Rollback,
    RollbackOutcome,
    RollbackRequest,
    ValidateRequest,
    Validation,
)
from promograph.domain.rewards import Effect, Percentage, RewardType, Single
from promograph.services.app import Services
from promograph.services.promoting import Draft
from promograph.store.holding import ReleaseOutcome

from .world import World

QUARTER = timedelta(minutes=15)

Outcome = HoldOutcome | RedeemOutcome | RollbackOutcome | ReleaseOutcome | Validation


def eur(minor: int) -> Money:
    return Money(minor=minor, currency="EUR")


def cart(*amounts: int, shipping: int = 0, currency: str = "EUR") -> Cart:
    """Lines a, b, c, one unit each."""
    lines = (
        Line(id=name, sku=f"SKU-{name}", quantity=1, amount=amount)
        for name, amount in zip("abcdefgh", amounts, strict=False)
    )
    return Cart(currency=currency, lines=tuple(lines), shipping=shipping)


def percent(whole: int, **more: Any) -> Single:
    """Of the reward type that `set_up_types` makes."""
    return Single(type="percentage", value=Percentage(basis_points=whole * 100), **more)


async def set_up_types(services: Services) -> None:
    """A reward type for each effect, with the effect's name in small letters as its handle."""
    for effect in Effect:
        await services.reward_types.create(
            RewardType(handle=effect.lower().replace("_", "-"), name=effect.capitalize(), effect=effect)
        )


def why(outcome: Outcome) -> list[str]:
    """The codes of all refusals, or the field and the kind of what was bad input; empty when it is a yes."""
    problem = None if isinstance(outcome, ReleaseOutcome) else outcome.problem
    if problem is not None:
        return [f"{'.'.join(problem.field)}: {problem.problem}"]
    return [refusal.code.value for refusal in outcome.refusals]


async def hold(
    world: World, code: str | None = None, customer: str | None = None, *, ttl: timedelta = QUARTER, **more: Any
) -> HoldOutcome:
    return await world.services.redeeming.hold(HoldRequest(code=code, customer=customer, ttl=ttl, **more))


def held(outcome: HoldOutcome) -> Hold:
    """The hold of an outcome that must have one."""
    assert outcome.hold is not None, why(outcome)
    assert why(outcome) == []
    return outcome.hold


def redeemed(outcome: RedeemOutcome) -> Redemption:
    """The redemption of an outcome that must have one."""
    assert outcome.redemption is not None, why(outcome)
    assert why(outcome) == []
    return outcome.redemption


def rolled_back(outcome: RollbackOutcome) -> Rollback:
    """The rollback of an outcome that must have one."""
    assert outcome.rollback is not None, why(outcome)
    assert why(outcome) == []
    return outcome.rollback


async def redeem(world: World, **request: Any) -> RedeemOutcome:
    return await world.services.redeeming.redeem(RedeemRequest(**request))


async def redeem_together(world: World, *requests: RedeemRequest, key: str | None = None) -> Sequence[RedeemOutcome]:
    return await world.services.redeeming.redeem_together(RedeemCall(requests=requests, idempotency_key=key))


async def validate(world: World, **request: Any) -> Validation:
    return await world.services.redeeming.validate(ValidateRequest(**request))


async def release(world: World, token: str) -> ReleaseOutcome:
    return await world.services.redeeming.release(token)


async def roll_back(world: World, redemption: Redemption, minor: int | None = None, **more: Any) -> RollbackOutcome:
    """So many cents of it, or all that is left."""
    amount = more.pop("amount", None if minor is None else eur(minor))
    return await world.services.redeeming.roll_back(
        RollbackRequest(promotion_id=redemption.promotion_id, number=redemption.number, amount=amount, **more)
    )


def terms_with(before: PromotionTerms, **terms: Any) -> PromotionTerms:
    return replace(before, **terms)


async def change(world: World, promotion: Promotion, **terms: Any) -> Promotion:
    """As `promotionUpdate` does; its shared code stays."""
    return await world.services.promoting.update(
        promotion.id, lambda before: (Draft(terms=terms_with(before, **terms)), True)
    )


async def money(world: World, promotion: Promotion) -> tuple[int, int]:
    """What has been spent of its budget, and what is held."""
    found = (await world.services.lobby.budgets([promotion.id]))[promotion.id]
    assert found.left.minor == found.total.minor - found.spent.minor - found.held.minor >= 0
    return found.spent.minor, found.held.minor
