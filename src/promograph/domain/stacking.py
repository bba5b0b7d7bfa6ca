"""Several promotions in one cart: which may share it, and who takes its discount first.

A promotion shares a cart only if it is combinable and so are all others. The one of the higher priority comes first,
among equals the older; each takes its discount from what those before it have left of the lines and of the shipping.
Conditions are asked of the cart as the shopper filled it.
"""

from collections.abc import Sequence
from dataclasses import replace

from promograph.domain.carts import Cart
from promograph.domain.discounts import Discount
from promograph.domain.promotions import Promotion
from promograph.domain.refusals import Refusal, RefusalCode, refuse

MOST_TOGETHER = 20
"""How many codes one cart may be asked about."""


def in_order(promotions: Sequence[Promotion]) -> list[int]:
    """The places of the promotions, in the order in which they take their discounts."""
    return sorted(range(len(promotions)), key=lambda place: (-promotions[place].terms.priority, promotions[place].id))


def why_not_together(promotions: Sequence[Promotion]) -> Refusal | None:
    """Why these may not share a cart; None where they may."""
    alone = next((promotion for promotion in promotions if not promotion.terms.combinable), None)
    if alone is None or len(promotions) < 2:
        return None
    return refuse(RefusalCode.NOT_COMBINABLE, promotion=alone.terms.name)


def what_is_left(cart: Cart, taken: Discount | None) -> Cart:
    """The cart after a discount."""
    if taken is None or not taken.total:
        return cart
    lines = tuple(
        replace(line, amount=line.amount - taken.lines[line.id]) if line.id in taken.lines else line
        for line in cart.lines
    )
    return replace(cart, lines=lines, shipping=cart.shipping - taken.shipping)
