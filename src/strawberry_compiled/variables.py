"""The variables that an operation declares."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from typing import Any

from graphql import (
    BooleanValueNode,
    EnumValueNode,
    GraphQLError,
    GraphQLSchema,
    IntValueNode,
    NullValueNode,
    OperationDefinitionNode,
    StringValueNode,
)
from graphql.execution.get_variable_signature import get_variable_signature

from strawberry_compiled.declined import Declined


@dataclass(frozen=True, slots=True)
class Variable:
    """`default` is JSON; MISSING where there is none."""

    kind: Any
    default: Any


def variables_of(schema: GraphQLSchema, operation: OperationDefinitionNode) -> Mapping[str, Variable]:
    found = {}
    for node in operation.variable_definitions or ():
        signature = get_variable_signature(schema, node)
        if isinstance(signature, GraphQLError):
            raise Declined("a variable of no input type")
        found[signature.name] = Variable(signature.type, _json(node.default_value))
    return found


def _json(node: Any) -> Any:
    if node is None:
        return MISSING
    if isinstance(node, StringValueNode | EnumValueNode | BooleanValueNode):
        return node.value
    if isinstance(node, IntValueNode):
        return int(node.value)
    if isinstance(node, NullValueNode):
        return None
    raise Declined("a variable whose default is a list, an object or a float")
