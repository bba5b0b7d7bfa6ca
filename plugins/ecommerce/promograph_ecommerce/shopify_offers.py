"""A promotion in Shopify's words: https://shopify.dev/docs/api/admin-graphql/latest/input-objects/DiscountCodeBasicInput.

All codes of a discount share its terms. Its limit of uses counts for each code by itself.
"""

from collections.abc import Iterator
from typing import Any

from promograph import AmountOff, FreeShipping, Money, Offer, Percentage, Single

# Shopify wants a beginning of every discount.
_ALWAYS = "2020-01-01T00:00:00+00:00"
_LONGEST_TITLE = 255


def obstacles(offer: Offer) -> Iterator[str]:
    """What a discount with codes cannot say."""
    reward = offer.reward
    assert isinstance(reward, Single), "of others no shop is told"
    if not isinstance(reward.value, Percentage | AmountOff | FreeShipping):
        yield f"Shopify gives a percentage, an amount or free shipping for a code, and no {reward.effect}."
    if reward.maximum is not None:
        yield "Shopify knows no maximum of a discount: leave it out."
    if reward.lines is not None:
        yield "Shopify does not know which lines are meant, as it has products of its own: leave the lines out."
    if offer.uses_per_customer not in (None, 1):
        yield "Shopify lets a customer use a discount once or without limit: set usesPerCustomer to 1 or leave it out."


def is_shipping(offer: Offer) -> bool:
    return isinstance(offer.reward, Single) and isinstance(offer.reward.value, FreeShipping)


def title(offer: Offer) -> str:
    """Ends with what tells our discounts from others."""
    mark = f" ({offer.handle})"
    return f"{offer.name[: _LONGEST_TITLE - len(mark)]}{mark}"


def is_ours(found: str, offer: Offer) -> bool:
    return found.endswith(f" ({offer.handle})")


def moneys(offer: Offer) -> list[Money]:
    """All money that it names: Shopify takes it for the shop's own currency."""
    value = offer.reward.value if isinstance(offer.reward, Single) else None
    own = [value.money] if isinstance(value, AmountOff) else []
    return own if offer.minimum is None else [*own, offer.minimum]


def as_input(offer: Offer) -> dict[str, Any]:
    """Without a code."""
    minimum = None if offer.minimum is None else {"greaterThanOrEqualToSubtotal": offer.minimum.amount}
    terms: dict[str, Any] = {
        "title": title(offer),
        "startsAt": _ALWAYS if offer.starts_at is None else offer.starts_at.isoformat(),
        "endsAt": None if offer.ends_at is None else offer.ends_at.isoformat(),
        "context": {"all": "ALL"},
        "usageLimit": offer.uses_per_code,
        "appliesOncePerCustomer": offer.uses_per_customer == 1,
        "minimumRequirement": None if minimum is None else {"subtotal": minimum},
        "combinesWith": {"orderDiscounts": offer.combinable, "productDiscounts": offer.combinable},
    }
    if is_shipping(offer):
        return {**terms, "destination": {"all": True}}
    # Free shipping combines with all but itself.
    terms["combinesWith"]["shippingDiscounts"] = offer.combinable
    return {**terms, "customerGets": {"value": _value(offer), "items": {"all": True}}}


def _value(offer: Offer) -> dict[str, Any]:
    assert isinstance(offer.reward, Single)
    value = offer.reward.value
    if isinstance(value, Percentage):
        return {"percentage": value.basis_points / 10_000}
    assert isinstance(value, AmountOff), "others are obstacles"
    return {"discountAmount": {"amount": value.money.amount, "appliesOnEachItem": False}}
