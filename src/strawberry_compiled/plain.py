"""Classes whose values are just values: neither awaitable, nor an exception, nor "undefined".

Asking a value whether it can be awaited costs more than reading a field. The answer is the same for every object of an
ordinary class, so it is asked of the class, once.
"""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from types import CoroutineType, GeneratorType
from typing import Any
from uuid import UUID

from graphql import Undefined
from strawberry.execution import optimized_is_awaitable

is_awaitable = optimized_is_awaitable

_VALUES = (
    str,
    int,
    float,
    bool,
    bytes,
    list,
    tuple,
    dict,
    set,
    frozenset,
    datetime,
    date,
    time,
    timedelta,
    Decimal,
    UUID,
)
PLAIN: set[type] = {type(None), *_VALUES}
"""Grows with the classes that `is_plain` meets; generated code looks here first."""

_OWN_MIND = ("__await__", "__getattr__")
_NEVER = (CoroutineType, GeneratorType, BaseException, type(Undefined))


def is_plain(value: Any) -> bool:
    """Whether a value is just a value. The class of an instance that plays another's does not say."""
    kind = type(value)
    if is_plain_class(kind):
        return True
    if issubclass(kind, _NEVER) or any(hasattr(kind, name) for name in _OWN_MIND):
        return False
    return _stays(kind) or not is_awaitable(value)


def is_plain_class(kind: type) -> bool:
    """Whether whatever is of exactly this class is just a value, as far as the class itself can tell."""
    if kind in PLAIN:
        return True
    if issubclass(kind, _NEVER) or any(hasattr(kind, name) for name in _OWN_MIND) or not _stays(kind):
        return False
    if not issubclass(kind, Enum) and "__getattribute__" in vars(kind):
        return False
    PLAIN.add(kind)
    return True


def _stays(kind: type) -> bool:
    """Only classes made to stay are remembered: one made for each request would fill the set."""
    return issubclass(kind, Enum) or "__strawberry_definition__" in kind.__dict__
