"""The attributes of customers: their names and types, which are learned from the values, and reading the values fast.

Ten thousand customers with a dozen attributes each come in one call. What is plainly right is taken as it is; whatever
is not goes through `condition_value_reading`, which says what is wrong and where.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from promograph.domain.carts import MOST_ATTRIBUTES
from promograph.domain.conditions.reading import Place
from promograph.domain.conditions.value_reading import read_value
from promograph.domain.conditions.values import Scalar, Value, ValueType, type_of
from promograph.domain.keys import LONGEST
from promograph.domain.people.plain_values import LONGEST_LIST, PLAINLY_RIGHT, are_plainly_right
from promograph.errors import BadInput, InputProblem

Written = Any
"""A value as such or, which comes to the same, as JSON has it: a date as `{"date": "2026-12-15"}`, a list as a list, a
number with decimals as one whose digits are those that were written."""

MOST_KNOWN = 500
"""How many names attributes may have in a store."""

_UNNAMEABLE = re.compile(r'["\\]')


@dataclass(frozen=True, slots=True)
class Attribute:
    """A name that customers' attributes have, and the type of all its values."""

    name: str
    type: ValueType


def checked_name(name: object, path: tuple[str, ...]) -> str:
    """A name for an attribute. No quotation marks and backslashes: paths into JSON cannot be written with them."""
    place = Place(data=name, path=path)
    key = place.key()
    if _UNNAMEABLE.search(key):
        raise place.bad('The name of an attribute has no " and no \\.')
    return key


class AttributeReader:
    """Reads attributes by what is known of their types, and learns the types of those whose names are new."""

    def __init__(self, types: Mapping[str, ValueType]) -> None:
        self.learned: dict[str, ValueType] = {}
        self._types = dict(types)
        # By name, and not by type: looking up a member of an enumeration takes longer than most of these do.
        self._checks = {name: PLAINLY_RIGHT[known] for name, known in types.items()}

    def read(self, data: object) -> Mapping[str, Written]:
        """By name; None for one that is null. BadInput with the path from the attributes' name on.

        The data itself, where it can be taken as it is. Nothing is learned from data that is bad.
        """
        path = ("attributes",)
        if not isinstance(data, Mapping):
            raise BadInput(InputProblem.INVALID, "attributes must be an object.", field=path)
        if len(data) > MOST_ATTRIBUTES:
            sentence = f"One call sets at most {MOST_ATTRIBUTES} attributes of a customer."
            raise BadInput(InputProblem.TOO_MANY, sentence, field=path)
        others: dict[str, Value | None] = {}
        checks = self._checks
        for name, value in data.items():
            is_right = checks.get(name)
            if is_right is None or not is_right(value):
                others[name] = self._closely(name, value)
        if not others:
            return data
        new = {name: type_of(value) for name, value in others.items() if value is not None and name not in checks}
        if new:
            self._learn(new)
        return {**data, **others}

    def odd(self, data: Sequence[Mapping[str, object]]) -> set[int]:
        """The places of those that `read` might not take as they are; the values of an attribute are asked together."""
        found: set[int] = set()
        if max(map(len, data), default=0) > MOST_ATTRIBUTES:
            found.update(place for place, one in enumerate(data) if len(one) > MOST_ATTRIBUTES)
        for name, values in _columns(data).items():
            known = self._types.get(name)
            if known is None or not are_plainly_right(values, known):
                is_right = self._checks.get(name, _is_never_right)
                found.update(place for place, one in enumerate(data) if name in one and not is_right(one[name]))
        return found

    def _learn(self, new: Mapping[str, ValueType]) -> None:
        if len(self._types) + len(new) > MOST_KNOWN:
            sentence = f"Attributes have at most {MOST_KNOWN} names; {next(iter(new))!r} would be one more."
            raise BadInput(InputProblem.TOO_MANY, sentence, field=("attributes", next(iter(new))))
        self.learned |= new
        self._types |= new
        self._checks |= {name: PLAINLY_RIGHT[known] for name, known in new.items()}

    def _closely(self, name: object, value: object) -> Value | None:
        """A value that is not plainly right. A DATE may come as a text: its type is known."""
        # A name that is too long is told by its beginning.
        place = Place(data=value, path=("attributes", str(name)[: 2 * LONGEST]))
        known = self._types.get(checked_name(name, place.path))
        if value is None:
            return None
        if known is ValueType.DATE and isinstance(value, str):
            place = Place(data={"date": value}, path=place.path)
        found = _plain(read_value(place))
        if known is not None and type_of(found) is not known:
            raise place.bad(f"The attribute {name!r} is a {known}, and this is a {type_of(found)}.")
        if isinstance(found, tuple) and sum(len(text) for text in found if isinstance(text, str)) > LONGEST_LIST:
            sentence = f"The texts of one list have at most {LONGEST_LIST:,} characters together."
            raise place.bad(sentence, InputProblem.OUT_OF_RANGE)
        return found


def _columns(data: Sequence[Mapping[str, object]]) -> Mapping[str, Sequence[object]]:
    """The values of each attribute that any of these has."""
    names = set(map(tuple, data))
    if len(names) == 1:  # as it is where somebody writes out a table
        return dict(zip(*names, zip(*(one.values() for one in data), strict=True), strict=True))
    columns: defaultdict[str, list[object]] = defaultdict(list)
    for one in data:
        for name, value in one.items():
            columns[name].append(value)
    return columns


def _is_never_right(_value: object) -> bool:
    return False


def _plain(value: Value) -> Value:
    """With whole numbers as such, however they were written: the same value is kept as the same text."""
    return tuple(map(plain_scalar, value)) if isinstance(value, tuple) else plain_scalar(value)


def plain_scalar(value: Scalar) -> Scalar:
    if not isinstance(value, Decimal):
        return value
    return int(value) if value == value.to_integral_value() else value.normalize()
