"""Conditions over customer, cart and clock: one typed tree, going in and coming out."""

from collections.abc import Mapping
from typing import Any

import strawberry
from strawberry import UNSET
from strawberry.scalars import JSON

from promograph.api.conditions.leaves import (
    AttributeCondition,
    AttributeConditionInput,
    HoursCondition,
    HoursConditionInput,
    IssuedCondition,
    IssuedConditionInput,
    LeafInput,
    LinesCondition,
    LinesConditionInput,
    SubtotalCondition,
    SubtotalConditionInput,
)
from promograph.api.conditions.showing import as_input, shown_leaf
from promograph.api.rights import EVERYBODY
from promograph.api.values import ValueInput, given_field
from promograph.domain import conditions
from promograph.domain.conditions import nodes as condition_nodes
from promograph.domain.conditions.nodes import AllOf, AnyOf, Names, Not
from promograph.domain.conditions.values import ValueType
from promograph.errors import BadInput

_ALL, _ANY, _NOT = "Every one holds.", "At least one holds.", "It does not hold."
_ATTRIBUTE = "An attribute of the customer compares."
_SEGMENT = "The customer is in the segment of this handle."
_ISSUED = "The number of codes issued to the customer compares."
_HOLDS = "The customer holds a code of the promotion of this handle, not used up and not blocked."
_REDEEMED = "The customer has redeemed a code of the promotion of this handle."
_SUBTOTAL = "What the lines of the cart cost together compares."
_LINES = "The cart has these lines."
_FIRST_ORDER = "Whether it is the customer's first order."
_SALES_CHANNEL = "The cart is bought through one of these channels."
_HOURS = "It is one of these days and hours."


@strawberry.input(
    one_of=True,
    description="A condition over customer, cart and clock. What is not known makes no comparison true: the customer "
    f"of an anonymous checkout, an attribute that a customer has not. At most {conditions.DEEPEST} conditions may lie "
    f"one in another, and {conditions.MOST_NODES} in one tree.",
)
class ConditionInput:
    all: list["ConditionInput"] | None = strawberry.field(default=UNSET, description=_ALL)
    any: list["ConditionInput"] | None = strawberry.field(default=UNSET, description=_ANY)
    not_: "ConditionInput | None" = strawberry.field(name="not", default=UNSET, description=_NOT)
    attribute: AttributeConditionInput | None = strawberry.field(default=UNSET, description=_ATTRIBUTE)
    segment: str | None = strawberry.field(default=UNSET, description=_SEGMENT)
    issued: IssuedConditionInput | None = strawberry.field(default=UNSET, description=_ISSUED)
    holds: str | None = strawberry.field(default=UNSET, description=_HOLDS)
    redeemed: str | None = strawberry.field(default=UNSET, description=_REDEEMED)
    subtotal: SubtotalConditionInput | None = strawberry.field(default=UNSET, description=_SUBTOTAL)
    lines: LinesConditionInput | None = strawberry.field(default=UNSET, description=_LINES)
    first_order: bool | None = strawberry.field(default=UNSET, description=_FIRST_ORDER)
    sales_channel: list[str] | None = strawberry.field(default=UNSET, description=_SALES_CHANNEL)
    hours: HoursConditionInput | None = strawberry.field(default=UNSET, description=_HOURS)


@strawberry.type(
    description="A condition over customer, cart and clock; of the fields of its ConditionInput, the one that is not "
    "null has it.",
    directives=EVERYBODY,
)
class Condition:
    text: str = strawberry.field(description="In plain words, on one line.")
    as_input: JSON = strawberry.field(
        description="The whole tree, however deep, as the JSON of a ConditionInput: ready to be sent back."
    )
    all: list["Condition"] | None = strawberry.field(default=None, description=_ALL)
    any: list["Condition"] | None = strawberry.field(default=None, description=_ANY)
    not_: "Condition | None" = strawberry.field(name="not", default=None, description=_NOT)
    attribute: AttributeCondition | None = strawberry.field(default=None, description=_ATTRIBUTE)
    segment: str | None = strawberry.field(default=None, description=_SEGMENT)
    issued: IssuedCondition | None = strawberry.field(default=None, description=_ISSUED)
    holds: str | None = strawberry.field(default=None, description=_HOLDS)
    redeemed: str | None = strawberry.field(default=None, description=_REDEEMED)
    subtotal: SubtotalCondition | None = strawberry.field(default=None, description=_SUBTOTAL)
    lines: LinesCondition | None = strawberry.field(default=None, description=_LINES)
    first_order: bool | None = strawberry.field(default=None, description=_FIRST_ORDER)
    sales_channel: list[str] | None = strawberry.field(default=None, description=_SALES_CHANNEL)
    hours: HoursCondition | None = strawberry.field(default=None, description=_HOURS)


def read_condition(
    input: ConditionInput,
    path: tuple[str, ...] = ("condition",),
    *,
    types: Mapping[str, ValueType] | None = None,
) -> condition_nodes.Condition:
    """The condition that is meant; BadInput whose field is `path` and the path below it, as the caller wrote it.

    `types`: of the customers' attributes, as far as known, so that comparing a number with a word is found out.
    """
    try:
        return conditions.parse(_data(input), path=(), types=types)
    except BadInput as bad:
        raise BadInput(bad.problem, str(bad), field=(*path, *_as_written(input, bad.field))) from None


def shown_condition(condition: condition_nodes.Condition, *, names: Names | None = None) -> Condition:
    """`names`: what segments are called, by handle."""
    known = names or {}
    shown = Condition(text=conditions.render(condition, names=known), as_input=JSON(as_input(condition)))
    match condition:
        case AllOf(conditions=inner):
            shown.all = [shown_condition(each, names=known) for each in inner]
        case AnyOf(conditions=inner):
            shown.any = [shown_condition(each, names=known) for each in inner]
        case Not(condition=only):
            shown.not_ = shown_condition(only, names=known)
        case _:
            field, leaf = shown_leaf(condition)
            setattr(shown, field, leaf)
    return shown


# Named as in Python, where `not` is no name; as in the schema.
_NAMES = {"not_": "not", "first_order": "firstOrder", "sales_channel": "salesChannel"}
_FIELDS = {_NAMES.get(name, name): name for name in ConditionInput.__annotations__}


def _given(input: ConditionInput) -> tuple[str, Any]:
    """The one field that the caller has filled in, by its name in the schema, and what it holds."""
    return next((name, value) for name, field in _FIELDS.items() if (value := getattr(input, field)) is not UNSET)


def _data(input: ConditionInput) -> dict[str, Any]:
    """As `domain.conditions` reads it."""
    name, given = _given(input)
    match given:
        case ConditionInput():
            return {name: _data(given)}
        case list() if name in ("all", "any"):
            return {name: [_data(each) for each in given]}
        case _:
            return {name: given.data() if isinstance(given, LeafInput) else given}


def _as_written(input: ConditionInput, path: tuple[str, ...]) -> list[str]:
    """The path in the input: the rules know a value as one thing, and here it has a field for each type."""
    written: list[str] = []
    place: Any = input
    for step in path:
        written.append(step)
        place = place[int(step)] if isinstance(place, list) else getattr(place, _FIELDS.get(step, step), None)
        if isinstance(place, ValueInput):
            field = given_field(place)
            written.append(field)
            place = getattr(place, field)
    return written
