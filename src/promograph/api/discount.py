"""What is taken off a cart, as the schema shows it."""

import strawberry

from promograph.api.money import Money, shown_money
from promograph.api.rights import EVERYBODY
from promograph.domain import carts, discounts


@strawberry.type(description="What comes off a line.", directives=EVERYBODY)
class LineDiscount:
    line: str = strawberry.field(description="The line's id in the cart.")
    amount: Money = strawberry.field(description="How much comes off the whole line.")


@strawberry.type(description="What comes off a cart.", directives=EVERYBODY)
class Discount:
    total: Money = strawberry.field(description="All of it: the lines and the shipping together.")
    eligible: Money = strawberry.field(description="What it is taken from: the eligible lines, or the shipping.")
    lines: list[LineDiscount] = strawberry.field(description="What comes off each line; the others are left out.")
    shipping: Money = strawberry.field(description="What comes off the shipping.")
    gift: str | None = strawberry.field(description="The article to add, one of it.")
    points: int = strawberry.field(description="How many loyalty points to credit.")


def shown_discount(taken: discounts.Discount | None) -> Discount | None:
    if taken is None:
        return None

    def money(minor: int) -> Money:
        return shown_money(carts.Money(minor=minor, currency=taken.currency))

    return Discount(
        total=money(taken.total),
        eligible=money(taken.eligible),
        lines=[LineDiscount(line=id_, amount=money(minor)) for id_, minor in taken.lines.items()],
        shipping=money(taken.shipping),
        gift=taken.gift,
        points=taken.points,
    )
