"""Reading customers from plain data that anybody may have written, thousands at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any, cast

from promograph.domain.conditions.values import ValueType
from promograph.domain.keys import checked_key
from promograph.domain.people.attributes import AttributeReader
from promograph.domain.people.customers import CHECKS, CustomerChange, checked_consent, followed
from promograph.domain.people.plain_customers import plain_changes
from promograph.errors import BadInput, InputProblem

MOST_CUSTOMERS = 10_000

_TOGETHER = 250
"""So few at a time are still in the processor's cache when the next of their fields is looked at."""
_FEW = 16
"""Fewer are looked at one by one: asking them together costs as much as asking some ten."""


@dataclass(slots=True)
class ReadCustomers:
    """What a call asks for: `changes`, one a customer, in the order of their first mention.

    `problems` are of the customers that are left out, by their place in the call. `learned`: the types of attributes
    that are new. `mentions`: how many customers are in `changes`, repeated ones counted as often as they come.
    """

    changes: list[CustomerChange] = field(default_factory=list)
    problems: list[tuple[int, BadInput]] = field(default_factory=list)
    learned: dict[str, ValueType] = field(default_factory=dict)
    mentions: int = 0


def read_customers(data: Sequence[Mapping[str, Any]], types: Mapping[str, ValueType]) -> ReadCustomers:
    """Each as an object with `id` and, where it is to change, `email`, `phone`, `locale`, `consent`, `attributes`.

    A customer who comes twice is changed as if the second had come later. BadInput for too many.
    """
    if len(data) > MOST_CUSTOMERS:
        sentence = f"One call takes at most {MOST_CUSTOMERS:,} customers; these are {len(data):,}."
        raise BadInput(InputProblem.TOO_MANY, sentence, field=("customers",))
    reader = AttributeReader(types)
    read = ReadCustomers()
    found: dict[str, CustomerChange] = {}
    for first in range(0, len(data), _TOGETHER):
        part = data[first : first + _TOGETHER]
        plain = plain_changes(part, reader) if len(part) >= _FEW else None
        for place, change in enumerate(plain or repeat(None, len(part))):
            if change is None:
                try:
                    change = _read(part[place], reader)
                except BadInput as problem:
                    read.problems.append((first + place, problem))
                    continue
            read.mentions += 1
            id_ = change["id"]
            found[id_] = followed(found[id_], change) if id_ in found else change
    read.changes = list(found.values())
    read.learned = reader.learned
    return read


def _read(data: Mapping[str, Any], reader: AttributeReader) -> CustomerChange:
    change: dict[str, Any] = {"id": checked_key(data["id"], "id")}
    for name, check in CHECKS.items():
        if name in data:
            value = data[name]
            change[name] = None if value is None else check(value)
    consent = data.get("consent")
    if consent is not None:
        change["consent"] = checked_consent(consent)
    attributes = data.get("attributes")
    if attributes is not None:
        change["attributes"] = reader.read(attributes)
    return cast(CustomerChange, change)
