"""A shopper's cart, as a checkout tells it."""

from decimal import Decimal

import strawberry

from promograph.api.scalars import CurrencyCode
from promograph.domain import carts
from promograph.domain.carts import under
from promograph.domain.currencies import to_minor
from promograph.errors import BadInput, InputProblem


@strawberry.input(description="A property of an article.")
class CartAttributeInput:
    name: str = strawberry.field(description="The attribute's name.")
    value: str = strawberry.field(description="Its value.")


@strawberry.input(description="So many of one article.")
class CartLineInput:
    id: str = strawberry.field(description="Your id of the line, once in the cart.")
    sku: str = strawberry.field(description="The article.")
    quantity: int = strawberry.field(description="How many, at least 1.")
    amount: Decimal = strawberry.field(description="What the whole line costs, in the cart's currency.")
    categories: list[str] = strawberry.field(default_factory=list, description="The article's categories.")
    brand: str | None = strawberry.field(default=None, description="The article's brand.")
    attributes: list[CartAttributeInput] = strawberry.field(
        default_factory=list, description="The article's other attributes, each name once."
    )


@strawberry.input(description="A cart: what a reward is taken from, and what conditions look at.")
class CartInput:
    currency: CurrencyCode = strawberry.field(description="The currency of all amounts in it.")
    lines: list[CartLineInput] = strawberry.field(description="At most 1,000.")
    shipping: Decimal = strawberry.field(default=Decimal(0), description="What shipping costs.")
    sales_channel: str | None = strawberry.field(default=None, description="Where it is filled, such as `web`.")
    first_order: bool | None = strawberry.field(
        default=None, description="Whether it is the customer's first order; left out: not known."
    )


def read_cart(input: CartInput | None, customer: str | None) -> carts.Cart | None:
    """Its amounts read, the rest not checked yet; BadInput below `cart`."""
    if input is None:
        return None
    if len(input.lines) > carts.MOST_LINES:
        raise BadInput(
            InputProblem.TOO_MANY, f"A cart has at most {carts.MOST_LINES:,} lines.", field=("cart", "lines")
        )
    try:
        return carts.Cart(
            currency=input.currency,
            lines=tuple(_line(line, place, input.currency) for place, line in enumerate(input.lines)),
            shipping=_minor(input.shipping, input.currency, "shipping"),
            sales_channel=input.sales_channel,
            is_first_order=input.first_order,
            customer=customer,
        )
    except BadInput as bad:
        raise under(bad, "cart") from None


def _minor(amount: Decimal, currency: str, name: str) -> int:
    """A plain decimal has no `amount` below its own name."""
    try:
        return to_minor(amount, currency, name)
    except BadInput as bad:
        raise BadInput(bad.problem, str(bad), field=(name,)) from None


def _line(line: CartLineInput, place: int, currency: str) -> carts.Line:
    try:
        amount = _minor(line.amount, currency, "amount")
        attributes = {attribute.name: attribute.value for attribute in line.attributes}
        if len(attributes) != len(line.attributes):
            raise BadInput(InputProblem.INVALID, "Each attribute is named once.", field=("attributes",))
    except BadInput as bad:
        raise under(bad, "lines", str(place)) from None
    return carts.Line(
        id=line.id,
        sku=line.sku,
        quantity=line.quantity,
        amount=amount,
        categories=tuple(line.categories),
        brand=line.brand,
        attributes=attributes,
    )
