"""A promotion with rules of every sort, and the cart that satisfies them: what deciding costs in earnest."""

from typing import Any

from promograph.cli.benching.supplies import Held, Supply, run_promotion, to_redeem
from promograph.domain import conditions
from promograph.domain.carts import Money
from promograph.domain.promotions import PromotionTerms
from promograph.domain.rewards import Effect, Percentage, RewardType, Single
from promograph.services.app import Services

RULED = "ruled"
CART = {
    "currency": "EUR",
    "salesChannel": "web",
    "shipping": "4.90",
    "lines": [
        {"id": "1", "sku": "SHIRT-M", "quantity": 2, "amount": "49.98", "categories": ["shirts"], "brand": "Acme"},
        {"id": "2", "sku": "SHOES-42", "quantity": 1, "amount": "79.95", "categories": ["shoes"]},
    ],
}
_CONDITION = {
    "all": [
        {"subtotal": {"op": "GT", "value": {"amount": "50.00", "currency": "EUR"}}},
        {"salesChannel": ["web", "app"]},
        {"lines": {"filter": {"categories": ["shoes", "hats"]}, "quantity": 1}},
    ]
}


async def set_up(services: Services, codes: int) -> None:
    """20 % off, with a budget, one use a customer, a minimum spend and two more conditions."""
    await services.reward_types.create(RewardType(handle="off", name="Percentage off", effect=Effect.PERCENTAGE))
    terms = PromotionTerms(
        handle=RULED,
        name="Bench: ruled",
        reward=Single(type="off", value=Percentage(basis_points=2_000)),
        condition=conditions.parse(_CONDITION),
        budget=Money(minor=10**11, currency="EUR"),
        uses_per_customer=1,
    )
    await run_promotion(services, terms, codes)


def to_redeem_with_carts(held: list[Held], *, shares: int) -> Supply:
    """Each held code once, by its holder, on a cart."""
    plain = to_redeem(held, shares=shares)

    def make(number: int) -> dict[str, Any]:
        return plain.input(number) | {"cart": CART}

    return Supply(make, len(held), shares=shares)
