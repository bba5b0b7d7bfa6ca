"""The values that templates show and compare, and what may be done with them.

Every function here takes whatever a template may hand it and raises nothing but `CannotRender`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from operator import ge, gt, le, lt
from typing import Any
from urllib.parse import quote

from promograph.domain.refusals import Refusal

LONGEST_VALUE = 10_000
"""Characters of one value. Longer than any attribute; what is put together from others is bounded by it."""

_PLACES = re.compile("YYYY|YY|MM|DD")
_MISSPELT = re.compile(r"(?<![A-Za-z])(?:[YMD]+|y{2,}|m{2,}|d{2,})(?![A-Za-z])|%[A-Za-z]")


class CannotRender(Exception):
    """This message cannot be had. `refusal`: the code that it lacks, and has no other text for."""

    def __init__(self, message: str, refusal: Refusal | None = None) -> None:
        super().__init__(message)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Missing:
    """A code that there is none of. It counts as nothing in a condition, and cannot be shown."""

    refusal: Refusal

    def __bool__(self) -> bool:
        return False


def show(value: Any) -> str:
    """As a customer reads it; what nobody knows is nothing."""
    match value:
        case str():
            return value
        case None:
            return ""
        case Missing():
            raise CannotRender(value.refusal.message, value.refusal)
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.date().isoformat()
        case date():
            return value.isoformat()
        case tuple():
            return join(value)
        case _:
            return str(value)


def join(value: Any, between: Any = ", ") -> str:
    """A list as one text; any other value as it is."""
    if not isinstance(value, tuple):
        return show(value)
    texts, gap = [show(member) for member in value], show(between)
    _check_length(sum(map(len, texts)) + len(gap) * max(len(texts) - 1, 0))
    return gap.join(texts)


def default(value: Any, other: Any = "") -> Any:
    """`other` where there is no code, where nothing is known, and for an empty text or list."""
    return other if value is None or isinstance(value, Missing) or value == "" or value == () else value


@dataclass(frozen=True, slots=True)
class _Known:
    """Any value, as something that counts as true."""

    value: Any


def perhaps(value: Any) -> _Known | None:
    """None where `default` would take the other."""
    return None if default(value, None) is None else _Known(value)


def known(value: Any) -> Any:
    """What `perhaps` wrapped; everything else as it is."""
    return value.value if isinstance(value, _Known) else value


def concat(*values: Any) -> str:
    texts = [show(value) for value in values]
    _check_length(sum(map(len, texts)))
    return "".join(texts)


def formatted(value: Any, pattern: Any = "YYYY-MM-DD") -> str:
    """A day by a pattern of YYYY (or YY), MM and DD; any other value as it is."""
    if not isinstance(value, date):
        return show(value)
    text = show(pattern)
    year = f"{value.year:04}"
    numbers = {"YYYY": year, "YY": year[-2:], "MM": f"{value.month:02}", "DD": f"{value.day:02}"}
    return _PLACES.sub(lambda found: numbers[found[0]], text)


def is_pattern(text: str) -> bool:
    """Whether a day's pattern has places for it, and nothing that would stand in the message: dd.mm.yyyy, %Y."""
    return bool(_PLACES.search(text)) and not _MISSPELT.search(_PLACES.sub(" ", text))


def first(value: Any) -> Any:
    return _member(value, 0)


def last(value: Any) -> Any:
    return _member(value, -1)


def length(value: Any) -> int:
    return len(value) if isinstance(value, tuple) else len(show(value))


def each(value: Any) -> tuple[Any, ...]:
    """What a loop goes over: the members of a list, or the one value there is."""
    if isinstance(value, tuple):
        return value
    return () if default(value, None) is None else (value,)


def compare(left: Any, op: str, right: Any) -> bool:
    """Values of two kinds are different, and neither is larger."""
    match op:
        case "eq":
            return _same(left, right)
        case "ne":
            return not _same(left, right)
        case "in":
            return _within(left, right)
        case "notin":
            return not _within(left, right)
    kind = _kind(left)
    return kind in _ORDERED and kind == _kind(right) and bool(_ORDERS[op](left, right))


_ORDERED = frozenset({"number", "day"})
_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {"lt": lt, "lteq": le, "gt": gt, "gteq": ge}


def _kind(value: Any) -> str:
    match value:
        case bool():
            return "truth"
        case int() | Decimal():
            return "number"
        case datetime():
            return "instant"
        case date():
            return "day"
    return type(value).__name__


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return str(left) == str(right)
    return _kind(left) == _kind(right) and bool(left == right)


def _within(left: Any, right: Any) -> bool:
    if isinstance(right, tuple):
        return any(_same(left, member) for member in right)
    return isinstance(left, str) and isinstance(right, str) and left in right


def _member(value: Any, place: int) -> Any:
    if not isinstance(value, tuple):
        return value
    return value[place] if value else None


def _bounded(change: Callable[[str], str]) -> Callable[[Any], str]:
    """Changing letters may lengthen a text, by a little each time."""

    def changed(value: Any) -> str:
        text = change(show(value))
        _check_length(len(text))
        return text

    return changed


def _check_length(length: int) -> None:
    if length > LONGEST_VALUE:
        raise CannotRender(f"A value became longer than {LONGEST_VALUE:,} characters.")


FILTERS: Mapping[str, tuple[Callable[..., Any], int]] = {
    "default": (default, 1),
    "join": (join, 1),
    "first": (first, 0),
    "last": (last, 0),
    "length": (length, 0),
    "date": (formatted, 1),
    "upper": (_bounded(str.upper), 0),
    "lower": (_bounded(str.lower), 0),
    "capitalize": (_bounded(str.capitalize), 0),
    "title": (_bounded(str.title), 0),
    "trim": (_bounded(str.strip), 0),
    "urlencode": (_bounded(lambda text: quote(text, safe="")), 0),
}
"""By the name that templates use: the function, and how many arguments it may have."""
