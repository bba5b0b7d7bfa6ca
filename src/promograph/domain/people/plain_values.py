"""Values of attributes that are plainly right: they can be kept as they are, and nobody has to look more closely.

Asked of one value, or of all that an attribute has in a list of customers: that takes a fraction of the time for each.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from types import NoneType
from typing import Any

from promograph.domain.conditions.value_reading import MOST_VALUES
from promograph.domain.conditions.values import ValueType

LONGEST_LIST = 5_000
"""How many characters the texts of one list may have together."""

_LONGEST_TEXT = 500
_LARGEST_PLAIN = 10**15
_SMALLEST_PLAIN = 10**-4
_MOST_DECIMALS = 9
_LENGTH_OF_DATE = 10
# All days of all years but the 29th of February.
_DAY = (
    "(?!0000)[0-9]{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
)
_DAYS = re.compile(rf"{_DAY}(?: {_DAY})*+")


def _is_text(value: object) -> bool:
    # What prints can be stored; of what does not, some can.
    return isinstance(value, str) and len(value) <= _LONGEST_TEXT and value.isprintable()


def _is_number(value: object) -> bool:
    if isinstance(value, int):
        return not isinstance(value, bool) and -_LARGEST_PLAIN <= value <= _LARGEST_PLAIN
    if not isinstance(value, float) or not _SMALLEST_PLAIN <= abs(value) <= _LARGEST_PLAIN or value.is_integer():
        return False
    text = repr(value)
    return len(text) - text.index(".") - 1 <= _MOST_DECIMALS


def _is_boolean(value: object) -> bool:
    return isinstance(value, bool)


def _is_date(value: object) -> bool:
    if not isinstance(value, dict) or len(value) != 1:
        return False
    text = value.get("date")
    return isinstance(text, str) and len(text) == _LENGTH_OF_DATE and _is_day(text)


@lru_cache(maxsize=2**15)
def _is_day(text: str) -> bool:
    """There are few days, and many customers with each."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _is_list(value: object) -> bool:
    """Of texts: what lists are of as a rule."""
    if not isinstance(value, list) or len(value) > MOST_VALUES:
        return False
    if not all(isinstance(member, str) and len(member) <= _LONGEST_TEXT for member in value):
        return False
    together = "".join(value)
    return len(together) <= LONGEST_LIST and together.isprintable()


PLAINLY_RIGHT: Mapping[ValueType, Callable[[object], bool]] = {
    ValueType.TEXT: _is_text,
    ValueType.NUMBER: _is_number,
    ValueType.BOOLEAN: _is_boolean,
    ValueType.DATE: _is_date,
    ValueType.LIST: _is_list,
}


def are_plainly_right(values: Sequence[object], kind: ValueType) -> bool:
    """Whether all of these values of an attribute can be kept as they are; None is one that is taken away."""
    kinds = set(map(type, values))
    if NoneType in kinds:
        kinds.remove(NoneType)
        values = [value for value in values if value is not None]
    return not values or _ARE_PLAINLY_RIGHT[kind](values, kinds)


def _are_texts(values: Any, kinds: set[type]) -> bool:
    return kinds == {str} and len(max(values, key=len)) <= _LONGEST_TEXT and "".join(values).isprintable()


def _are_numbers(values: Sequence[Any], kinds: set[type]) -> bool:
    if kinds == {int}:
        return all(abs(value) <= _LARGEST_PLAIN for value in (min(values), max(values)))
    return kinds <= {int, float} and all(map(_is_number, values))


def _are_booleans(_values: Any, kinds: set[type]) -> bool:
    return kinds == {bool}


def _are_dates(values: Any, kinds: set[type]) -> bool:
    if kinds != {dict} or set(map(len, values)) != {1} or set[object]().union(*values) != {"date"}:
        return False
    days = list(map(itemgetter("date"), values))
    if set(map(type, days)) != {str} or set(map(len, days)) != {_LENGTH_OF_DATE}:
        return False
    return bool(_DAYS.fullmatch(" ".join(days))) or all(map(_is_day, set(days)))


def _are_lists(values: Any, kinds: set[type]) -> bool:
    if kinds != {list} or len(max(values, key=len)) > MOST_VALUES:
        return False
    members = list(chain.from_iterable(values))
    if not members:
        return True
    return (
        set(map(type, members)) == {str}
        and len(max(members, key=len)) <= _LONGEST_TEXT
        and max(map(len, map("".join, values))) <= LONGEST_LIST
        and "".join(members).isprintable()
    )


_ARE_PLAINLY_RIGHT: Mapping[ValueType, Callable[[Any, set[type]], bool]] = {
    ValueType.TEXT: _are_texts,
    ValueType.NUMBER: _are_numbers,
    ValueType.BOOLEAN: _are_booleans,
    ValueType.DATE: _are_dates,
    ValueType.LIST: _are_lists,
}
