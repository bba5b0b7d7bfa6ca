"""A promotion in WooCommerce's words: https://woocommerce.github.io/woocommerce-rest-api-docs/#coupon-properties.

Every coupon has the whole offer with it. WooCommerce keeps codes in small letters and knows no difference.
"""

from collections.abc import Iterator
from typing import Any

from promograph import AmountOff, FreeShipping, Money, Offer, Percentage, ShopCode, Single

MARK = "_promograph"
"""The key of the coupon's meta data that tells ours from others: its value is the promotion's handle."""


def obstacles(offer: Offer) -> Iterator[str]:
    """What a coupon cannot say."""
    reward = offer.reward
    assert isinstance(reward, Single), "of others no shop is told"
    if not isinstance(reward.value, Percentage | AmountOff | FreeShipping):
        yield f"WooCommerce gives a percentage, an amount or free shipping for a coupon, and no {reward.effect}."
    if reward.maximum is not None:
        yield "WooCommerce knows no maximum of a discount: leave it out."
    if reward.lines is not None:
        yield "WooCommerce does not know which lines are meant, as it has products of its own: leave the lines out."


def moneys(offer: Offer) -> list[Money]:
    """All money that it names: WooCommerce takes it for the shop's own currency."""
    value = offer.reward.value if isinstance(offer.reward, Single) else None
    own = [value.money] if isinstance(value, AmountOff) else []
    return own if offer.minimum is None else [*own, offer.minimum]


def offer_fields(offer: Offer) -> dict[str, Any]:
    """What all coupons of the offer share. Fields that say nothing are there all the same: they may have said more."""
    return {
        **_reward(offer),
        "status": "publish" if offer.is_open else "draft",
        "description": offer.name,
        "individual_use": not offer.combinable,
        "minimum_amount": "0" if offer.minimum is None else offer.minimum.amount,
        "usage_limit_per_user": offer.uses_per_customer or 0,
    }


def coupon(offer: Offer, code: ShopCode) -> dict[str, Any]:
    """A coupon as it is to be, without its code and its id."""
    # Of the two fields for this date, WooCommerce listens to this one only; with its offset it is taken as meant.
    expires = "" if code.expires_at is None else code.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {**offer_fields(offer), "usage_limit": code.uses or 0, "date_expires": expires}


def new_coupon(offer: Offer, code: ShopCode) -> dict[str, Any]:
    return {**coupon(offer, code), "code": code.text, "meta_data": [{"key": MARK, "value": offer.handle}]}


def is_ours(found: dict[str, Any], offer: Offer) -> bool:
    return any(meta.get("key") == MARK and meta.get("value") == offer.handle for meta in found.get("meta_data", ()))


def _reward(offer: Offer) -> dict[str, Any]:
    assert isinstance(offer.reward, Single)
    value = offer.reward.value
    if isinstance(value, FreeShipping):
        return {"discount_type": "fixed_cart", "amount": "0", "free_shipping": True}
    if isinstance(value, Percentage):
        percent = f"{value.basis_points // 100}.{value.basis_points % 100:02}"
        return {"discount_type": "percent", "amount": percent, "free_shipping": False}
    assert isinstance(value, AmountOff), "others are obstacles"
    return {"discount_type": "fixed_cart", "amount": value.money.amount, "free_shipping": False}
