"""Reading the values in a condition, and the attributes of a customer: see `condition_values`.

Besides what JSON has, numbers may come as Decimal and dates as such.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from promograph.domain.carts import MOST_ATTRIBUTES
from promograph.domain.conditions.reading import Place
from promograph.domain.conditions.values import Scalar, Value, type_of
from promograph.domain.storable import is_storable
from promograph.errors import InputProblem

Number = TypeVar("Number", int, Decimal)

MOST_VALUES = 100
_LONGEST_TEXT = 500
_LONGEST_NUMBER = 40  # characters
_LARGEST_NUMBER = 10**18
_MOST_DECIMALS = 9
_MOST_ZEROS = 18


def read_scalar(place: Place) -> Scalar:
    match place.data:
        case bool():
            return place.data
        case str():
            return _text(place)
        case int():
            return _bounded(place, place.data)
        case float() | Decimal():
            return read_number(place)
        case Mapping():
            return _tagged(place)
        case date() if not isinstance(place.data, datetime):
            return place.data
        case _:
            raise place.bad(f"{place.name} must be a text, a number, true or false, or a date.")


def read_scalars(place: Place) -> tuple[Scalar, ...]:
    """A list of values of one type."""
    items = place.items(most=MOST_VALUES)
    values = tuple(read_scalar(item) for item in items)
    for item, value in zip(items, values, strict=True):
        if type_of(value) is not type_of(values[0]):
            raise item.bad(
                f"A list holds values of one type: this is a {type_of(value)}, the first {type_of(values[0])}."
            )
    return values


def read_value(place: Place) -> Value:
    """Of an attribute, which may be a list of nothing: of a customer who likes nothing, say."""
    if not isinstance(place.data, list | tuple):
        return read_scalar(place)
    return read_scalars(place) if place.data else ()


def read_attributes(data: object, *, path: Sequence[str] = ("attributes",)) -> dict[str, Value]:
    """The attributes of a customer by name; those that are null are left out. BadInput with the path."""
    whole = Place(data=data, path=tuple(path))
    if not isinstance(data, Mapping):
        raise whole.bad("attributes must be an object.")
    if len(data) > MOST_ATTRIBUTES:
        raise whole.bad(f"A customer has at most {MOST_ATTRIBUTES} attributes.", InputProblem.TOO_MANY)
    names = [whole.below(str(name), name).key() for name in data]
    return {name: read_value(whole.below(name, data[name])) for name in names if data[name] is not None}


def read_number(place: Place) -> Decimal:
    """From a number, or from its text."""
    match place.data:
        case bool():
            raise place.bad(f"{place.name} must be a number.")
        case int():
            return Decimal(_bounded(place, place.data))
        case float() | Decimal():
            text = str(place.data)
        case _:
            text = place.text()
    try:
        number = Decimal(text[: _LONGEST_NUMBER + 1])
    except InvalidOperation:
        raise place.bad(f"{place.name} must be a number.") from None
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int):  # infinite, or no number
        raise place.bad(f"{place.name} must be a number.")
    if len(text) > _LONGEST_NUMBER or not -_MOST_DECIMALS <= exponent <= _MOST_ZEROS:
        sentence = f"{place.name} has at most {_MOST_DECIMALS} decimal places and {_LONGEST_NUMBER} characters."
        raise place.bad(sentence, InputProblem.OUT_OF_RANGE)
    return _bounded(place, number)


def _bounded(place: Place, number: Number) -> Number:
    if abs(number) > _LARGEST_NUMBER:
        raise place.bad(f"{place.name} is beyond {_LARGEST_NUMBER:,}.", InputProblem.OUT_OF_RANGE)
    return number


def _tagged(place: Place) -> Scalar:
    fields = place.fields("number", "date")
    if len(fields) != 1:
        raise place.bad(f"{place.name} must be a number or a date, one of the two.")
    [(kind, inner)] = fields.items()
    return read_number(inner) if kind == "number" else _date(inner)


def _date(place: Place) -> date:
    if isinstance(place.data, date) and not isinstance(place.data, datetime):
        return place.data
    try:
        return date.fromisoformat(place.text())
    except ValueError:
        raise place.bad(f"{place.name} must be a date such as 2026-12-15.") from None


def _text(place: Place) -> str:
    text = place.text()
    if len(text) > _LONGEST_TEXT:
        raise place.bad(f"{place.name} has at most {_LONGEST_TEXT} characters.", InputProblem.OUT_OF_RANGE)
    if not is_storable(text):
        raise place.bad(f"{place.name} holds a character that cannot be stored.")
    return text
