"""Whether a long list is plainly as its type says, so that resolvers get the very list that was sent.

What the items have of each field is looked at together, in a few passes over all of it; to look at each value of each
item takes five times as long.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import chain
from operator import is_
from types import NoneType
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLID,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLString,
    Undefined,
)
from graphql.type import assert_leaf_type, is_required_input_field
from graphql.utilities.coerce_input_value import coerce_default_value

Check = Callable[[Sequence[Any]], bool]
"""Whether all of these values can be handed on as they are. False where one is wrong, or right in an uncommon way."""

_CLASSES: dict[GraphQLInputType, type] = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool}


_TOGETHER = 250
"""So few at a time are still in the processor's cache when the next of their fields is looked at."""


def are_plain(kind: GraphQLInputType, values: Sequence[Any]) -> bool:
    """Whether all of these values of that type can be handed on as they are."""
    check = _checker(kind)
    return all(check(values[first : first + _TOGETHER]) for first in range(0, len(values), _TOGETHER))


@lru_cache(maxsize=64)
def _checker(kind: GraphQLInputType) -> Check:
    return _built(kind, ())


def _built(kind: GraphQLInputType, above: tuple[GraphQLInputType, ...]) -> Check:
    if isinstance(kind, GraphQLNonNull):
        return _of(kind.of_type, above)
    inner = _of(kind, above)

    def or_null(values: Sequence[Any]) -> bool:
        if NoneType in set(map(type, values)):
            values = [value for value in values if value is not None]
        return inner(values)

    return or_null


def _of(kind: GraphQLInputType, above: tuple[GraphQLInputType, ...]) -> Check:
    """For values of which none is null."""
    if isinstance(kind, GraphQLList):
        items = _built(kind.of_type, above)
        return lambda values: _are(list, values) and items(list(chain.from_iterable(values)))
    if isinstance(kind, GraphQLInputObjectType):
        # A type that leads back to itself, or one whose values become something else.
        if kind in above or kind.is_one_of or kind.out_type is not GraphQLInputObjectType.out_type:
            return lambda values: not values
        return _objects(kind, above)
    found = _CLASSES.get(kind)
    return _scalars(kind) if found is None else lambda values: _are(found, values)


def _objects(kind: GraphQLInputObjectType, above: tuple[GraphQLInputType, ...]) -> Check:
    names = kind.fields.keys()
    checks = {name: _built(field.type, (*above, kind)) for name, field in kind.fields.items()}
    # Where these are left out, somebody has to say so, or to fill in their default.
    needed = {
        name
        for name, field in kind.fields.items()
        if is_required_input_field(field) or coerce_default_value(field) is not Undefined
    }
    is_renamed = any(field.out_name not in (None, name) for name, field in kind.fields.items())

    def are_plain(values: Sequence[Any]) -> bool:
        if is_renamed or not _are(dict, values) or not set[str]().union(*values) <= names:
            return False
        for name, check in checks.items():
            column = [value[name] for value in values if name in value]
            if (name in needed and len(column) < len(values)) or not check(column):
                return False
        return True

    return are_plain


def _scalars(kind: GraphQLInputType) -> Check:
    coerce = assert_leaf_type(kind).coerce_input_value

    def are_plain(values: Sequence[Any]) -> bool:
        try:
            return all(map(is_, map(coerce, values), values))
        except Exception:  # one is wrong: whoever looks at each says how
            return False

    return are_plain


def _are(kind: type, values: Sequence[Any]) -> bool:
    return set(map(type, values)) <= {kind}
