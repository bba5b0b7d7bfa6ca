"""The rules of validation, built once: a list made anew for each request is a new key to every cache behind it."""

from contextlib import suppress
from typing import Any

from graphql import (
    SKIP,
    ASTValidationRule,
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    ObjectValueNode,
    ValidationRule,
    VisitorAction,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule


class _OneOf(OneOfInputValidationRule):
    """Strawberry's rule looks a variable up in the operation that it has seen last; in a fragment there may be none.

    Such a value is then checked when it is coerced, as it is for variables anyway.
    """

    def enter_object_value(self, node: ObjectValueNode, *_args: Any) -> None:
        with suppress(AttributeError, KeyError):
            super().enter_object_value(node, *_args)


class _NoIntrospection(ValidationRule):
    def enter_field(self, node: FieldNode, *_args: Any) -> VisitorAction:
        if node.name.value not in ("__schema", "__type"):
            return None
        message = "Introspection is switched off here; the schema is published with the documentation."
        self.report_error(GraphQLError(message, node, extensions={"code": "INTROSPECTION_OFF"}))
        return SKIP


_RULES: tuple[type[ASTValidationRule], ...] = (*specified_rules, MaybeNullValidationRule, _OneOf)
_RULES_WITHOUT_INTROSPECTION = (*_RULES, _NoIntrospection)

_MAX_ERRORS = 20


def invalidities(schema: GraphQLSchema, document: DocumentNode, *, introspection: bool) -> list[GraphQLError]:
    """What is wrong with `document`, each error with a code; without introspection no error suggests names."""
    rules = _RULES if introspection else _RULES_WITHOUT_INTROSPECTION
    errors = validate(schema, document, rules, max_errors=_MAX_ERRORS, hide_suggestions=not introspection)
    for error in errors:
        error.extensions = {"code": "GRAPHQL_VALIDATION_FAILED", **(error.extensions or {})}
    return errors
