"""Reading customers from plain data that anybody may have written, thousands at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from promograph.domain.conditions.values import ValueType
from promograph.domain.keys import checked_key
from promograph.domain.people.attributes import AttributeReader
from promograph.domain.people.customers import CHECKS, CustomerChange, checked_consent
from promograph.errors import BadInput, InputProblem

MOST_CUSTOMERS = 10_000


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
    for place, one in enumerate(data):
        try:
            change = _read(one, reader)
        except BadInput as problem:
            read.problems.append((place, problem))
            continue
        read.mentions += 1
        earlier = found.get(change.id)
        found[change.id] = change if earlier is None else earlier.followed_by(change)
    read.changes = list(found.values())
    read.learned = reader.learned
    return read


def _read(data: Mapping[str, Any], reader: AttributeReader) -> CustomerChange:
    id_ = checked_key(data["id"], "id")
    fields: dict[str, str | None] = {}
    for name, check in CHECKS.items():
        if name in data:
            value = data[name]
            fields[name] = None if value is None else check(value)
    consent = data.get("consent")
    attributes = data.get("attributes")
    return CustomerChange(
        id=id_,
        fields=fields,
        consent={} if consent is None else checked_consent(consent),
        attributes={} if attributes is None else reader.read(attributes),
    )
