"""From the JSON of a variable to the argument of a resolver in one go: graphql-core's coercion and Strawberry's
conversion at once, for types of which both are known.

A builder raises `Irregular` for whatever is not plainly right; nothing has run by then, and the library says what is
wrong with it.
"""

from collections.abc import Callable
from dataclasses import MISSING
from enum import Enum
from keyword import iskeyword
from typing import Any, TypeAlias

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLID,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLString,
    Undefined,
)
from graphql.type import is_leaf_type, is_required_input_field
from graphql.utilities.coerce_input_value import coerce_default_value
from strawberry import Schema
from strawberry.relay import GlobalID
from strawberry.types.arguments import convert_argument
from strawberry.types.base import StrawberryList, StrawberryMaybe, StrawberryOptional, get_object_definition
from strawberry.types.lazy_type import LazyType

from strawberry_compiled.source import Source

Build: TypeAlias = Callable[[Any], Any]


class Irregular(Exception):
    """A value that is wrong, or right in an uncommon way."""


class Unfit(Exception):
    """A type whose values are left to the library."""


class Inputs:
    """The builders of one schema, each made once."""

    def __init__(self, schema: Schema) -> None:
        self._config = schema.config
        self._registry = schema.schema_converter.scalar_registry
        self._objects: dict[str, Build | None] = {}

    def builder(self, kind: Any, type_: Any) -> Build:
        """For a value given for the GraphQL type `kind` to an argument of Strawberry's type `type_`; or Unfit."""
        if isinstance(kind, GraphQLNonNull):
            return _never_null(self.builder(kind.of_type, type_))
        while isinstance(type_, StrawberryOptional | LazyType):
            if isinstance(type_, StrawberryMaybe):
                raise Unfit
            type_ = type_.resolve_type() if isinstance(type_, LazyType) else type_.of_type
        inner = self._of_value(kind, type_)
        return lambda value: None if value is None else inner(value)

    def default(self, field: Any, type_: Any) -> tuple[bool, Any]:
        """The default of an argument or an input field as a resolver gets it; whether it has one."""
        coerced = coerce_default_value(field)
        if coerced is Undefined:
            return False, None
        return True, convert_argument(coerced, type_, self._registry, self._config)

    def _of_value(self, kind: Any, type_: Any) -> Build:
        if isinstance(kind, GraphQLList):
            if not isinstance(type_, StrawberryList):
                raise Unfit
            return _list_of(self.builder(kind.of_type, type_.of_type), kind.of_type)
        if isinstance(kind, GraphQLInputObjectType):
            return self._object(kind, type_)
        if not is_leaf_type(kind) or type_ is GlobalID:
            raise Unfit
        return _enum(kind) if isinstance(kind, GraphQLEnumType) else _scalar(kind)

    def _object(self, kind: GraphQLInputObjectType, type_: Any) -> Build:
        if kind.name not in self._objects:
            self._objects[kind.name] = None  # a type that leads back to itself
            self._objects[kind.name] = self._new_object(kind, type_)
        found = self._objects[kind.name]
        if found is None:
            raise Unfit
        return found

    def _new_object(self, kind: GraphQLInputObjectType, type_: Any) -> Build:
        """Each name is looked for; what is left over is a name that the type does not have."""
        definition = get_object_definition(type_)
        if definition is None or definition.from_input is not None or definition.is_one_of or kind.is_one_of:
            raise Unfit
        source = Source(f"{kind.name} built")
        source.bind("Irregular", Irregular)
        source.bind("MISSING", MISSING)
        source.bind("Type", type_)
        source.write("def read(value):")
        with source.indented():
            source.write("if value.__class__ is not dict: raise Irregular")
            source.write("get = value.get")
            source.write("known = 0")
            given = [self._field(source, kind, field, definition) for field in definition.fields]
            source.write("if known != len(value): raise Irregular")
            source.write(f"return Type({', '.join(filter(None, given))})")
        built: Build = source.made()["read"]
        return built

    def _field(self, source: Source, kind: GraphQLInputObjectType, field: Any, definition: Any) -> str | None:
        """Write how its value is found; gives how the type is told."""
        name = self._config.name_converter.from_field(field)
        has_default = not (field.default is MISSING and field.default_factory is MISSING)
        if name not in kind.fields:
            return None if has_default else f"{field.python_name}=None"
        if iskeyword(field.python_name) or kind.fields[name].out_name not in (None, name):
            raise Unfit
        declared = kind.fields[name]
        type_ = field.resolve_type(type_definition=definition)
        build = source.bind("build", self.builder(declared.type, type_))
        local = f"v_{field.python_name}"
        source.write(f"{local} = get({name!r}, MISSING)")
        source.write(f"if {local} is MISSING: {self._absent(source, local, field, declared, type_)}")
        source.write("else:")
        with source.indented():
            source.write("known += 1")
            if _is_text(declared.type):
                source.write(f"if {local}.__class__ is not str: {local} = {build}({local})")
            else:
                source.write(f"{local} = {build}({local})")
        return f"{field.python_name}={local}"

    def _absent(self, source: Source, local: str, field: Any, declared: Any, type_: Any) -> str:
        if is_required_input_field(declared):
            return "raise Irregular"
        found, value = self.default(declared, type_)
        if not found:
            if field.default_factory is not MISSING:
                return f"{local} = {source.bind('make', field.default_factory)}()"
            return f"{local} = {source.bind('default', None if field.default is MISSING else field.default)}"
        if value == [] and type(value) is list:
            return f"{local} = []"
        if is_fixed(value):
            return f"{local} = {source.bind('default', value)}"
        # Each resolver gets an object of its own.
        return f"{local} = {source.bind('make', lambda: self.default(declared, type_)[1])}()"


def is_fixed(value: Any) -> bool:
    """Whether it may be handed to several resolvers, none of which can change it."""
    return (
        value is None
        or isinstance(value, Enum)
        or not (isinstance(value, list | dict | set) or hasattr(value, "__dict__"))
    )


def _is_text(kind: Any) -> bool:
    kind = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    return kind is GraphQLString or kind is GraphQLID


def _never_null(build: Build) -> Build:
    def built(value: Any) -> Any:
        if value is None:
            raise Irregular
        return build(value)

    return built


def _list_of(build: Build, items: Any) -> Build:
    if _is_text(items):

        def texts(value: Any) -> Any:
            if type(value) is not list:
                raise Irregular
            # Asked of all of them together, it is a third of the time for a list of thousands.
            return value[:] if set(map(type, value)) <= {str} else [build(item) for item in value]

        return texts

    def built(value: Any) -> Any:
        if type(value) is not list:
            raise Irregular
        return [build(item) for item in value]

    return built


def _enum(kind: GraphQLEnumType) -> Build:
    members = {name: kind.coerce_input_value(name) for name in kind.values}

    def built(value: Any) -> Any:
        if type(value) is not str or value not in members:
            raise Irregular
        return members[value]

    return built


def _scalar(kind: Any) -> Build:
    coerce = kind.coerce_input_value

    def built(value: Any) -> Any:
        try:
            found = coerce(value)
        except Exception:
            raise Irregular from None
        if found is Undefined:
            raise Irregular
        return found

    def text(value: Any) -> Any:
        return value if type(value) is str else built(value)

    def boolean(value: Any) -> Any:
        return value if value is True or value is False else built(value)

    if _is_text(kind):
        return text
    return boolean if kind is GraphQLBoolean else built
