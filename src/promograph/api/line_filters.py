"""Which lines of a cart are meant, for rewards and conditions."""

from typing import Any

import strawberry

from promograph.api.rights import EVERYBODY
from promograph.domain import carts


@strawberry.input(description="Lines whose attribute has one of these values.")
class LineFilterAttributeInput:
    name: str = strawberry.field(description="The attribute's name.")
    values: list[str] = strawberry.field(description="Any of these will do.")


@strawberry.input(
    description="Lines that fit every part that is given, each part by any one of what it lists: "
    '`{categories: ["shoes", "hats"], brands: ["Acme"]}` are Acme\'s shoes and hats. At most 1,000 texts in all.'
)
class LineFilterInput:
    skus: list[str] | None = strawberry.field(default=None, description="Of one of these articles.")
    categories: list[str] | None = strawberry.field(default=None, description="In one of these categories.")
    brands: list[str] | None = strawberry.field(default=None, description="Of one of these brands.")
    attributes: list[LineFilterAttributeInput] | None = strawberry.field(
        default=None, description="With all of these attributes."
    )


@strawberry.type(description="Lines whose attribute has one of these values.", directives=EVERYBODY)
class LineFilterAttribute:
    name: str = strawberry.field(description="The attribute's name.")
    values: list[str] = strawberry.field(description="Any of these will do.")


@strawberry.type(
    description="Lines that fit every part that is not empty, each part by any one of what it lists.",
    directives=EVERYBODY,
)
class LineFilter:
    skus: list[str] = strawberry.field(description="Of one of these articles.")
    categories: list[str] = strawberry.field(description="In one of these categories.")
    brands: list[str] = strawberry.field(description="Of one of these brands.")
    attributes: list[LineFilterAttribute] = strawberry.field(description="With all of these attributes.")


def filter_data(input: LineFilterInput) -> dict[str, Any]:
    """As conditions read it: what is left out or empty is not there."""
    attributes = [{"name": wanted.name, "values": wanted.values} for wanted in input.attributes or ()]
    parts = {"skus": input.skus, "categories": input.categories, "brands": input.brands, "attributes": attributes}
    return {name: part for name, part in parts.items() if part}


def read_filter(input: LineFilterInput | None) -> carts.LineFilter | None:
    """Not checked yet: that is the rules' part."""
    return None if input is None else carts.load_filter(filter_data(input))


def shown_filter(only: carts.LineFilter | None) -> LineFilter | None:
    if only is None:
        return None
    return LineFilter(
        skus=list(only.skus),
        categories=list(only.categories),
        brands=list(only.brands),
        attributes=[LineFilterAttribute(name=wanted.name, values=list(wanted.values)) for wanted in only.attributes],
    )
