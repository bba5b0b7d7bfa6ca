"""Rights in the schema: `@needs` says who may read a field; here a document is asked what it needs.

`Needs` on an object type counts for each of its fields; on a field it counts instead of the type's. Each of
several `Needs` at one place must be met. A field of Query, Mutation or Subscription must name its own: a default
there would decide about fields that nobody has thought of yet. A field for which nothing is named needs `admin`.

A field asked of an interface needs what the interface says *and* what every type behind it says, because which
type answers is known only when it is too late to refuse. So a directive on an interface never opens what a type
keeps shut, and `node(id:) { ... on Promotion { name } }` needs the rights of promotions alone. A field written in
the interface's Python class is inherited together with its own `Needs`: that is the way to open one, such as `id`.

A selection counts whether `@skip` or `@include` take it out or not.
"""

from typing import TypeAlias

import strawberry
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.schema_directive import Location

from promograph.api.scopes_reading import Composite, operations, selected_fields
from promograph.domain.access import NOBODY, Caller, Scope

Needed = frozenset[frozenset[Scope]]
"""What a document needs: one scope of each inner set. Empty: everybody may."""

NOTHING: Needed = frozenset()
_ADMIN_ONLY: Needed = frozenset({frozenset({Scope.ADMIN})})

_DESCRIPTIONS = {
    Scope.INVENTORY_READ: "Read promotions and how many codes they have, without code texts and people.",
    Scope.PROMOTIONS_WRITE: "Set up promotions, their codes and their rewards.",
    Scope.CODES_ISSUE: "Give codes to customers.",
    Scope.CODES_REDEEM: "Validate, hold, redeem and roll back: what a checkout does.",
    Scope.CUSTOMERS_WRITE: "Keep customers, segments and audiences.",
    Scope.SENDS_WRITE: "Set up, start and stop sends.",
    Scope.ADMIN: "Everything, tokens included.",
}

strawberry.enum(Scope, name="Scope", description="One right that a token carries.")
for _value in Scope.__strawberry_definition__.values:  # type: ignore[attr-defined]
    _value.description = _DESCRIPTIONS[_value.value]

ScopeEnum: TypeAlias = Scope
"""`Scope` after the lines above: importing it from here makes sure that the schema knows the enum."""


@strawberry.schema_directive(
    name="needs",
    locations=[Location.OBJECT, Location.INTERFACE, Location.FIELD_DEFINITION],
    description="A caller needs one of these scopes; where none is listed, everybody may, also without a token.",
)
class Needs:
    """`Needs(any=[Scope.A, Scope.B])`: A or B (or `admin`); `Needs(any=[])`: everybody."""

    any: list[Scope] = strawberry.directive_field(name="any")


def needed_scopes(schema: strawberry.Schema, document: DocumentNode, operation_name: str | None = None) -> Needed:
    """What one operation of a *valid* document needs; without a name, what all its operations need together."""
    core = schema._schema
    needed: Needed = NOTHING
    for operation in operations(document):
        if operation_name is None or (operation.name and operation.name.value == operation_name):
            for parent, field in set(selected_fields(core, document, operation)):
                needed |= _needs_of_field(core, parent, field)
    return needed


def refusal(needed: Needed, caller: Caller) -> GraphQLError | None:
    """The error for a caller who lacks some of `needed`: code `UNAUTHENTICATED` or `FORBIDDEN`; None for others."""
    lacking = [any_of for any_of in needed if not caller.may(*any_of)]
    if not lacking:
        return None
    wanted = " and ".join(sorted(_alternatives(any_of) for any_of in lacking))
    missing = sorted({scope.value for any_of in lacking for scope in any_of})
    if caller.is_known:
        message = f"This needs the scope {wanted}, which the token does not have."
        return GraphQLError(message, extensions={"code": "FORBIDDEN", "missing": missing})
    message = f"This needs a token with the scope {wanted}, sent as 'Authorization: Bearer …'."
    return GraphQLError(message, extensions={"code": "UNAUTHENTICATED", "missing": missing})


def caller_of(context: object) -> Caller:
    """The `caller` of an operation's context; a context that has none is nobody's."""
    caller = getattr(context, "caller", NOBODY)
    return caller if isinstance(caller, Caller) else NOBODY


def fields_without_scope(schema: strawberry.Schema) -> list[str]:
    """`Type.field` of each object's field for which nothing is named, sorted; a finished schema has none."""
    core = schema._schema
    objects = [t for t in core.type_map.values() if isinstance(t, GraphQLObjectType) and not t.name.startswith("__")]
    return sorted(f"{t.name}.{name}" for t in objects for name in t.fields if _named(core, t, name) is None)


def _alternatives(any_of: frozenset[Scope]) -> str:
    return f"{'either ' if len(any_of) > 1 else ''}{' or '.join(sorted(any_of))}"


def _needs_of_field(schema: GraphQLSchema, parent: Composite, field: str) -> Needed:
    named = _named(schema, parent, field)
    if not isinstance(parent, GraphQLInterfaceType):
        return _ADMIN_ONLY if named is None else named
    needed = named or NOTHING
    for possible in schema.get_possible_types(parent):
        needed |= _needs_of_field(schema, possible, field)
    return needed


def _named(schema: GraphQLSchema, parent: Composite, field: str) -> Needed | None:
    """What the field, or else its type, names; None where neither does, or where only a root type does."""
    own = _directives(parent.fields[field])
    if own is not None or parent in (schema.query_type, schema.mutation_type, schema.subscription_type):
        return own
    return _directives(parent)


def _directives(element: GraphQLField | GraphQLNamedType) -> Needed | None:
    definition = element.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    found = [d for d in getattr(definition, "directives", None) or () if isinstance(d, Needs)]
    return frozenset(frozenset(d.any) for d in found if d.any) if found else None
