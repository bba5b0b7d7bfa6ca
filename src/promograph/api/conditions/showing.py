"""From the rules' conditions to the JSON of their inputs, and to what the schema shows of the single ones."""

from typing import Any

from promograph.api.conditions.leaves import (
    AttributeCondition,
    HoursCondition,
    IssuedCondition,
    LinesCondition,
    SubtotalCondition,
)
from promograph.api.line_filters import shown_filter
from promograph.api.money import shown_money
from promograph.api.values import shown_value, value_as_input
from promograph.domain.conditions.attributes import AttributeIs
from promograph.domain.conditions.carts import FirstOrder, SalesChannelIn, SubtotalIs
from promograph.domain.conditions.customers import CodesIssued, HasRedeemed, HoldsCode, InSegment
from promograph.domain.conditions.lines import HasLines
from promograph.domain.conditions.nodes import AllOf, AnyOf, Condition, Not
from promograph.domain.conditions.times import Hours


def as_input(condition: Condition) -> dict[str, Any]:
    """What a ConditionInput of this condition is as JSON."""
    match condition:
        case AllOf(conditions=inner):
            return {"all": [as_input(each) for each in inner]}
        case AnyOf(conditions=inner):
            return {"any": [as_input(each) for each in inner]}
        case Not(condition=only):
            return {"not": as_input(only)}
        case _:
            [(kind, data)] = condition.dump().items()
            if isinstance(data, dict):
                data = {name: part for name, part in data.items() if part is not None}
            if isinstance(condition, AttributeIs) and condition.value is not None:
                data["value"] = value_as_input(condition.value)
            return {kind: data}


def shown_leaf(condition: Condition) -> tuple[str, Any]:
    """Of a condition that is not made of others, the field that has it, and what that holds."""
    match condition:
        case AttributeIs(name=name, op=op, value=value):
            shown = None if value is None else shown_value(value)
            return "attribute", AttributeCondition(name=name, op=op, value=shown)
        case InSegment(segment=handle):
            return "segment", handle
        case CodesIssued(op=op, count=count, promotion=promotion, since=since):
            return "issued", IssuedCondition(op=op, count=count, promotion=promotion, since=since)
        case HoldsCode(promotion=promotion):
            return "holds", promotion
        case HasRedeemed(promotion=promotion):
            return "redeemed", promotion
        case SubtotalIs(op=op, value=money):
            return "subtotal", SubtotalCondition(op=op, value=shown_money(money))
        case HasLines(only=only, quantity=quantity, amount=amount):
            lines = LinesCondition(filter=shown_filter(only), quantity=quantity, amount=shown_money(amount))
            return "lines", lines
        case FirstOrder(expected=expected):
            return "first_order", expected
        case SalesChannelIn(channels=channels):
            return "sales_channel", list(channels)
        case Hours(weekdays=weekdays):
            said = condition.dump()["hours"]
            return "hours", HoursCondition(weekdays=list(weekdays), start=said["start"], end=said["end"])
    raise TypeError(f"the schema has no field for a {type(condition).__name__}")
