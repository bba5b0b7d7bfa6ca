"""A condition over one attribute of the customer."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Self

from promograph.domain.conditions.days import MovingDay
from promograph.domain.conditions.facts import Facts, Needs
from promograph.domain.conditions.nodes import Condition, Names
from promograph.domain.conditions.reading import Place
from promograph.domain.conditions.value_reading import read_scalar, read_scalars
from promograph.domain.conditions.values import (
    ORDERED,
    ORDERING,
    Op,
    Scalar,
    Value,
    ValueType,
    compares,
    dump_value,
    phrase,
    show_value,
    type_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeIs(Condition):
    """How the customer's attribute `name` compares with `value`.

    The value of IN is a list of values of one type, EXISTS has None, all others one value. An attribute that is
    itself a list satisfies what any of its members satisfies. Texts are equal letter by letter, case included. A
    MovingDay is compared as the day that it is at the time.
    """

    name: str
    op: Op
    value: Value | MovingDay | None = None

    @classmethod
    def read(cls, place: Place) -> Self:
        fields = place.fields("name", "op", "value")
        name = place.needed("name", fields).key()
        op = place.needed("op", fields).choice(Op)
        if op is Op.EXISTS:
            if "value" in fields:
                raise fields["value"].bad("EXISTS takes no value; put it into a not to ask whether it is missing.")
            return cls(name=name, op=op)
        given = place.needed("value", fields)
        value = _read_day(given, op) or (read_scalars(given) if op is Op.IN else read_scalar(given))
        _check_type(given, name, op, value)
        return cls(name=name, op=op, value=value)

    def at(self, now: datetime) -> Self:
        """The same with a day that stands still."""
        return replace(self, value=self.value.on(now)) if isinstance(self.value, MovingDay) else self

    def holds(self, facts: Facts) -> bool:
        if isinstance(self.value, MovingDay):
            return self.at(facts.now).holds(facts)
        held = None if facts.customer is None else facts.customer.attributes.get(self.name)
        if held is None:
            return False
        if self.op is Op.EXISTS:
            return True
        return any(self._satisfies(member) for member in (held if isinstance(held, tuple) else (held,)))

    def needs(self) -> Needs:
        return Needs(attributes=frozenset({self.name}), day=isinstance(self.value, MovingDay))

    def dump(self) -> dict[str, Any]:
        data: dict[str, Any] = {"name": self.name, "op": str(self.op)}
        if isinstance(self.value, MovingDay):
            data["value"] = {"day": self.value.dump()}
        elif self.value is not None:
            data["value"] = dump_value(self.value)
        return {"attribute": data}

    def render(self, names: Names) -> str:
        if isinstance(self.value, MovingDay):
            return f"customer's {self.name} {phrase(self.op, date.min)} {self.value}"
        shown = "" if self.value is None else f" {show_value(self.value)}"
        return f"customer's {self.name} {phrase(self.op, self.value)}{shown}"

    def _satisfies(self, member: Scalar) -> bool:
        if isinstance(self.value, tuple):
            return any(compares(Op.EQUALS, member, value) for value in self.value)
        assert not isinstance(self.value, MovingDay), "compared as the day that it is"
        return self.value is not None and compares(self.op, member, self.value)


def _read_day(place: Place, op: Op) -> MovingDay | None:
    """What moves; None for any other value."""
    if not isinstance(place.data, Mapping) or "day" not in place.data:
        return None
    if op is Op.IN:
        raise place.bad("IN takes a list of values, and a day that moves is none; use any for several.")
    return MovingDay.read(place.needed("day", place.fields("day")))


def _check_type(place: Place, name: str, op: Op, value: Value | MovingDay) -> None:
    """An attribute whose type is known is compared with a value of that type; a list, with any that it may hold."""
    first = value[0] if isinstance(value, tuple) else value
    given = ValueType.DATE if isinstance(first, MovingDay) else type_of(first)
    if op in ORDERING and given not in ORDERED:
        raise place.bad(f"{op} compares numbers and dates; this is a {given}, which has no order.")
    known = place.types.get(name, ValueType.LIST)
    if known is not ValueType.LIST and known is not given:
        raise place.bad(f"The attribute {name!r} is a {known}, and this is a {given}.")
