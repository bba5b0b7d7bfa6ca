"""Conditions over customer, cart and clock: one typed tree for segments, audiences and the rules of redeeming.

As JSON data each condition is an object with one field, which names its kind:

    {"all": [...]}   {"any": [...]}   {"not": {...}}
    {"attribute": {"name": "age", "op": "GTE", "value": 18}}
    {"attribute": {"name": "departed", "op": "EQUALS", "value": {"day": {"days": -1, "timeZone": "Europe/Paris"}}}}
    {"segment": "gold"}
    {"issued": {"promotion": "summer", "since": "2026-06-01T00:00:00Z", "op": "LT", "count": 3}}
    {"holds": "summer"}
    {"redeemed": "summer"}
    {"subtotal": {"op": "GT", "value": {"amount": "50.00", "currency": "EUR"}}}
    {"lines": {"filter": {"categories": ["shoes"]}, "quantity": 2, "amount": {"amount": "80.00", "currency": "EUR"}}}
    {"firstOrder": true}
    {"salesChannel": ["web", "app"]}
    {"hours": {"weekdays": ["FRIDAY"], "start": "18:00", "end": "02:00"}}

What is missing makes no comparison true (see `condition_facts`); `not` turns true and false round and nothing else.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from promograph.domain.conditions.attributes import AttributeIs
from promograph.domain.conditions.carts import FirstOrder, SalesChannelIn, SubtotalIs
from promograph.domain.conditions.customers import CodesIssued, HasRedeemed, HoldsCode, InSegment
from promograph.domain.conditions.facts import Facts, Needs
from promograph.domain.conditions.lines import HasLines
from promograph.domain.conditions.nodes import AllOf, AnyOf, Condition, Names, Not
from promograph.domain.conditions.reading import Place
from promograph.domain.conditions.times import Hours
from promograph.domain.conditions.values import ValueType
from promograph.domain.conditions.verdicts import Verdict
from promograph.errors import InputProblem

DEEPEST = 8
"""How many conditions may lie one in another, the outermost and the leaf counted."""

MOST_NODES = 200
"""How many conditions a tree may hold, the ones made of others counted."""

_LEAVES: Mapping[str, Callable[[Place], Condition]] = {
    "attribute": AttributeIs.read,
    "segment": InSegment.read,
    "issued": CodesIssued.read,
    "holds": HoldsCode.read,
    "redeemed": HasRedeemed.read,
    "subtotal": SubtotalIs.read,
    "lines": HasLines.read,
    "firstOrder": FirstOrder.read,
    "salesChannel": SalesChannelIn.read,
    "hours": Hours.read,
}
_KINDS = ("all", "any", "not", *_LEAVES)
_NO_NAMES: Names = {}


def parse(
    data: object, *, path: Sequence[str] = ("condition",), types: Mapping[str, ValueType] | None = None
) -> Condition:
    """The condition that `data` describes; BadInput, its field the path below `path`, where it describes none.

    `types`: of the customers' attributes, as far as known, so that comparing a number with a word is found out here.
    Without it such a comparison is merely never true.
    """
    return _Parser().read(Place(data=data, path=tuple(path), types=types or {}), depth=1)


def dump(condition: Condition) -> dict[str, Any]:
    """As plain JSON data, which `parse` reads back to an equal condition."""
    return condition.dump()


def holds(condition: Condition, facts: Facts) -> bool:
    """As `evaluate` without the reasons, which are what takes long."""
    return condition.holds(facts)


def evaluate(condition: Condition, facts: Facts, *, names: Names = _NO_NAMES) -> Verdict:
    """Whether the condition holds; if not, what fails, in words, and what would mend it where something would."""
    return Verdict() if condition.holds(facts) else Verdict(condition.failures(facts, names))


def render(condition: Condition, *, names: Names = _NO_NAMES) -> str:
    """On one line, in plain words: "cart subtotal over 50.00 EUR and customer in 'Gold'".

    `names`: what segments are called, by handle.
    """
    return condition.render(names)


def needs(condition: Condition) -> Needs:
    """Which facts it looks at."""
    return condition.needs()


class _Parser:
    """Counts the conditions of one tree while it is read."""

    def __init__(self) -> None:
        self._nodes = 0

    def read(self, place: Place, *, depth: int) -> Condition:
        self._nodes += 1
        if depth > DEEPEST:
            raise place.bad(f"Conditions lie at most {DEEPEST} deep.", InputProblem.OUT_OF_RANGE)
        if self._nodes > MOST_NODES:
            raise place.bad(f"A condition holds at most {MOST_NODES} conditions.", InputProblem.TOO_MANY)
        fields = place.fields(*_KINDS)
        if len(fields) != 1:
            raise place.bad(f"A condition has exactly one of {', '.join(_KINDS)}.")
        [(kind, inner)] = fields.items()
        match kind:
            case "all":
                return AllOf(self._read_all(inner, depth + 1))
            case "any":
                return AnyOf(self._read_all(inner, depth + 1))
            case "not":
                return Not(self.read(inner, depth=depth + 1))
            case _:
                return _LEAVES[kind](inner)

    def _read_all(self, place: Place, depth: int) -> tuple[Condition, ...]:
        return tuple(self.read(item, depth=depth) for item in place.items(most=MOST_NODES))
