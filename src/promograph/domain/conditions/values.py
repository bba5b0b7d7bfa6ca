"""The values that conditions compare: texts, numbers, truths, dates, and lists of one of these.

As JSON, a text, a whole number and a truth are themselves; a number with decimals is `{"number": "12.50"}` (a JSON
number is read too) and a date `{"date": "2026-12-15"}`.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from operator import eq, ge, gt, le, lt
from typing import Any

Scalar = str | int | Decimal | bool | date
Value = Scalar | tuple[Scalar, ...]

_LONGEST_JSON_NUMBER = 2**53
"""Beyond this, readers in other languages lose digits."""


class ValueType(StrEnum):
    TEXT = "TEXT"
    NUMBER = "NUMBER"
    BOOLEAN = "BOOLEAN"
    DATE = "DATE"
    LIST = "LIST"


class Op(StrEnum):
    """How a leaf compares. IN takes a list of values, EXISTS takes none."""

    EQUALS = "EQUALS"
    IN = "IN"
    LT = "LT"
    LTE = "LTE"
    GT = "GT"
    GTE = "GTE"
    EXISTS = "EXISTS"


ORDERING = frozenset({Op.LT, Op.LTE, Op.GT, Op.GTE})
COMPARING = ORDERING | {Op.EQUALS}
ORDERED = frozenset({ValueType.NUMBER, ValueType.DATE})
"""What has a before and an after. Texts have none: their order depends on the language."""

_COMPARES: Mapping[Op, Callable[[Any, Any], bool]] = {Op.EQUALS: eq, Op.LT: lt, Op.LTE: le, Op.GT: gt, Op.GTE: ge}

_PHRASES: Mapping[Op, str] = {
    Op.EQUALS: "is",
    Op.IN: "is one of",
    Op.LT: "under",
    Op.LTE: "at most",
    Op.GT: "over",
    Op.GTE: "at least",
    Op.EXISTS: "is known",
}
_DATE_PHRASES: Mapping[Op, str] = {
    **_PHRASES,
    Op.LT: "before",
    Op.LTE: "until",
    Op.GT: "after",
    Op.GTE: "from",
}


def type_of(value: Value) -> ValueType:
    match value:
        case bool():  # before int, which it is a kind of
            return ValueType.BOOLEAN
        case int() | Decimal():
            return ValueType.NUMBER
        case str():
            return ValueType.TEXT
        case datetime():
            raise TypeError("an instant is no value of a condition; take its date")
        case date():
            return ValueType.DATE
        case tuple():
            return ValueType.LIST


def compares(op: Op, left: Scalar, right: Scalar) -> bool:
    """Whether `left op right` holds, for an `op` of COMPARING; between values of two types nothing holds."""
    return type_of(left) is type_of(right) and _COMPARES[op](left, right)


def dump_value(value: Value) -> Any:
    """As plain JSON data."""
    match value:
        case tuple():
            return [dump_value(member) for member in value]
        case bool() | str():
            return value
        case int():
            return value if abs(value) < _LONGEST_JSON_NUMBER else {"number": str(value)}
        case Decimal():
            return {"number": f"{value:f}"}
        case date():
            return {"date": value.isoformat()}


def phrase(op: Op, value: object = None) -> str:
    """The comparison in words, to stand before `value`."""
    return (_DATE_PHRASES if isinstance(value, date) else _PHRASES)[op]


def show_value(value: Value) -> str:
    """For a reader, on one line whatever the text holds."""
    match value:
        case tuple():
            return ", ".join(show_value(member) for member in value)
        case bool():
            return "yes" if value else "no"
        case str():
            return quoted(value)
        case Decimal():
            return f"{value:f}"
        case _:
            return str(value)


def quoted(text: str) -> str:
    """In quotation marks that the text cannot end by itself, with what does not print escaped."""
    return repr(text)
