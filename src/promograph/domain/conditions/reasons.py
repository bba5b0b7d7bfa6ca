"""Why a condition holds, in words: for somebody who looks at whom a segment has found."""

from promograph.domain.conditions.attributes import AttributeIs
from promograph.domain.conditions.customers import CodesIssued
from promograph.domain.conditions.facts import Facts
from promograph.domain.conditions.nodes import AllOf, AnyOf, Condition, Names
from promograph.domain.conditions.values import Op, show_value


def reasons(condition: Condition, facts: Facts, names: Names) -> tuple[str, ...]:
    """Each part that makes it hold, with what was found in brackets; empty where it does not hold.

    Of an `any` these are the parts that hold. `names`: what segments are called, by handle.
    """
    if not condition.holds(facts):
        return ()
    match condition:
        case AllOf(conditions=inner) | AnyOf(conditions=inner):
            return tuple(reason for each in inner for reason in reasons(each, facts, names))
        case _:
            return (f"{condition.render(names)}{_found(condition, facts)}",)


def _found(condition: Condition, facts: Facts) -> str:
    """What the reader could not tell from the condition."""
    customer = facts.customer
    match condition:
        case AttributeIs(name=name, op=op) if customer is not None and name in customer.attributes:
            held = customer.attributes[name]
            says_all = op is Op.EQUALS and not isinstance(held, tuple)
            return "" if says_all else f" ({show_value(held)})"
        case CodesIssued(op=op) if customer is not None and op is not Op.EQUALS:
            return f" ({customer.issued.get(condition.key, 0):,})"
        case _:
            return ""
