"""Lists of thousands of input objects, checked against their type several times as fast as graphql-core does it.

Checking ten thousand customers takes graphql-core as long as everything that is then done with them. So a long list
that stands in an input of its own (`input: {customers: [...]}`) is taken out of the variables, checked here, and put
back when the library has checked the rest. Where anything is off it stays where it is, and the library says what.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import is_
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLID,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    GraphQLString,
    OperationDefinitionNode,
    Undefined,
    type_from_ast,
)
from graphql.type import assert_leaf_type, is_required_input_field
from graphql.utilities.coerce_input_value import coerce_default_value
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from promograph.api.plain_lists import are_plain

LONG = 200
"""From so many items on a list is worth the trouble."""

Coercer = Callable[[Any], Any]
Long = dict[tuple[str, str], list[Any]]
"""Lists as they were checked, by the name of their variable and of the field there."""


class Irregular(Exception):
    """Not what the type says, or a type that is left to the library."""


class LongListExecutor(StrawberryGraphQLCoreExecutionContext):
    """Builds an execution whose long lists were checked here."""

    @classmethod
    def build(
        cls,
        schema: GraphQLSchema,
        document: DocumentNode,
        root_value: Any = None,
        context_value: Any = None,
        raw_variable_values: dict[str, Any] | None = None,
        *others: Any,
        **more: Any,
    ) -> Any:
        given = raw_variable_values or {}
        long = _checked(schema, document, given) if _has_long(given) else {}
        if long:
            given = {name: _without(name, value, long) for name, value in given.items()}
        built = super().build(schema, document, root_value, context_value, given, *others, **more)
        if not isinstance(built, list):  # of errors
            for (variable, field), checked in long.items():
                built.variable_values.coerced[variable][field] = checked
        return built


def _has_long(given: Mapping[str, Any]) -> bool:
    return any(
        isinstance(part, list) and len(part) >= LONG
        for value in given.values()
        if isinstance(value, dict)
        for part in value.values()
    )


def _without(name: str, value: Any, long: Long) -> Any:
    taken = {field for variable, field in long if variable == name}
    return {field: [] if field in taken else part for field, part in value.items()} if taken else value


def _checked(schema: GraphQLSchema, document: DocumentNode, given: Mapping[str, Any]) -> Long:
    """The long lists that are as their types say."""
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    if len(operations) != 1:
        return {}
    found: Long = {}
    for definition in operations[0].variable_definitions or ():
        variable = definition.variable.name.value
        kind, value = _bare(type_from_ast(schema, definition.type)), given.get(variable)
        if not isinstance(kind, GraphQLInputObjectType) or not isinstance(value, dict):
            continue
        for field, part in value.items():
            if field not in kind.fields or not isinstance(part, list) or len(part) < LONG:
                continue
            items = _bare(kind.fields[field].type)
            if isinstance(items, GraphQLList):
                try:
                    coerce = coercer(items.of_type)
                    coerced = part if are_plain(items.of_type, part) else [coerce(item) for item in part]
                    found[variable, kind.fields[field].out_name or field] = coerced
                except Irregular:
                    continue
    return {} if any(name[1] not in given[name[0]] for name in found) else found


def _bare(kind: Any) -> Any:
    return kind.of_type if isinstance(kind, GraphQLNonNull) else kind


@lru_cache(maxsize=64)
def coercer(kind: GraphQLInputType) -> Coercer:
    """What turns a value of that type into what resolvers get; Irregular for a type that leads back to itself."""
    return _build(kind, ())


def _build(kind: GraphQLInputType, above: tuple[GraphQLInputType, ...]) -> Coercer:
    if isinstance(kind, GraphQLNonNull):
        return _never_null(_build(kind.of_type, above))
    if isinstance(kind, GraphQLList):
        inner = _list_of(_build(kind.of_type, above))
    elif isinstance(kind, GraphQLInputObjectType):
        if kind in above or kind.is_one_of:
            raise Irregular
        inner = _object(kind, {name: _build(field.type, (*above, kind)) for name, field in kind.fields.items()})
    else:
        inner = _leaf(kind)
    return lambda value: None if value is None else inner(value)


def _never_null(inner: Coercer) -> Coercer:
    def coerce(value: Any) -> Any:
        if value is None:
            raise Irregular
        return inner(value)

    return coerce


def _list_of(inner: Coercer) -> Coercer:
    def coerce(value: Any) -> Any:
        if not isinstance(value, list):
            raise Irregular
        found = [inner(item) for item in value]
        return value if all(map(is_, found, value)) else found

    return coerce


def _object(kind: GraphQLInputObjectType, inner: Mapping[str, Coercer]) -> Coercer:
    fields = kind.fields
    if any(field.out_name not in (None, name) for name, field in fields.items()):
        raise Irregular
    needed = [name for name, field in fields.items() if is_required_input_field(field)]
    defaults = {name: coerce_default_value(field) for name, field in fields.items()}
    defaults = {name: default for name, default in defaults.items() if default is not Undefined}

    def coerce(value: Any) -> Any:
        """The object itself, where it can be taken as it is: fewer objects to make, and to pass over for garbage."""
        if not isinstance(value, dict):
            raise Irregular
        others: dict[str, Any] = {}
        for name, part in value.items():
            if name not in inner:
                raise Irregular
            found = inner[name](part)
            if found is not part:
                others[name] = found
        for name in needed:
            if name not in value:
                raise Irregular
        for name, default in defaults.items():
            if name not in value:
                others[name] = default
        return kind.out_type({**value, **others} if others else value)

    return coerce


def _leaf(kind: GraphQLInputType) -> Coercer:
    slowly = assert_leaf_type(kind).coerce_input_value

    def coerce(value: Any) -> Any:
        try:
            return slowly(value)
        except Exception:
            raise Irregular from None

    def text(value: Any) -> Any:
        return value if isinstance(value, str) else coerce(value)

    return text if kind in (GraphQLString, GraphQLID) else coerce
