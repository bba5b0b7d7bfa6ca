"""How a field gets its value: an attribute, a resolver called directly, or the library."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import isasyncgenfunction, iscoroutinefunction
from keyword import iskeyword
from typing import Any

from graphql import GraphQLNonNull
from graphql.type import is_leaf_type
from strawberry import Schema
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

from strawberry_compiled.arguments import Argument, Arguments
from strawberry_compiled.inputs import Unfit
from strawberry_compiled.plans import Plan, is_strawberrys_own


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of the source."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A resolver: which function, and what it is handed besides its arguments, by keyword."""

    function: Callable[..., Any]
    is_async: bool
    wants_self: bool
    source_names: tuple[str, ...]
    info_name: str | None
    arguments: Mapping[str, Argument]


Way = Attribute | Call | None
"""None: the library takes the whole field."""


def way_of(schema: Schema, plan: Plan, arguments: Arguments, *, once: bool) -> Way:
    """`once`: no list is above the field, so that its arguments are made once a request."""
    field: Any = plan.strawberry_field
    if not isinstance(field, StrawberryField) or not is_strawberrys_own(plan.definition.resolve):
        return None
    # A kind of field of somebody's own, or something around the resolver (permissions, say), keeps its own way.
    if type(field).get_result is not StrawberryField.get_result or field.extensions or schema.exception_handlers:
        return None
    if field.base_resolver is None:
        is_usual = field.default_resolver is getattr and _is_name(field.python_name)
        return Attribute(field.python_name) if is_usual else None
    try:
        return _call(schema, field, plan, arguments, once=once)
    except Unfit:
        return None


def _call(schema: Schema, field: StrawberryField, plan: Plan, arguments: Arguments, *, once: bool) -> Way:
    resolver = field.base_resolver
    assert resolver is not None
    function = resolver.wrapped_func
    if type(resolver).__call__ is not StrawberryResolver.__call__ or not callable(function):
        return None
    if isasyncgenfunction(function) or field.is_async is not iscoroutinefunction(function):
        return None
    given = {node.name.value: node.value for node in plan.details[0].node.arguments or ()}
    made: dict[str, Argument] = {}
    for argument in field.arguments:
        name = schema.config.name_converter.from_argument(argument)
        declared = plan.definition.args.get(name)
        if declared is None or declared.out_name not in (None, name) or not _is_name(argument.python_name):
            raise Unfit
        # Below a list the resolver is called often: each call would have to get an object of its own.
        if not once and not is_leaf_type(_bare(declared.type)):
            raise Unfit
        made[argument.python_name] = arguments.of(argument, declared, given.get(name))
    reserved = (resolver.parent_parameter, resolver.root_parameter)
    return Call(
        function=function,
        is_async=field.is_async,
        wants_self=bool(resolver.self_parameter),
        source_names=tuple(parameter.name for parameter in reserved if parameter),
        info_name=resolver.info_parameter.name if resolver.info_parameter else None,
        arguments=made,
    )


def _bare(kind: Any) -> Any:
    return kind.of_type if isinstance(kind, GraphQLNonNull) else kind


def _is_name(text: str) -> bool:
    return text.isidentifier() and not iskeyword(text)
