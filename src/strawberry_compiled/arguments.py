"""The arguments of one field, as the document gives them: variables, literals, literals with variables inside.

A literal with variables is put together as the JSON that a client could have sent, and read like it.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass
from inspect import Parameter
from typing import Any

from graphql import (
    BooleanValueNode,
    EnumValueNode,
    GraphQLArgument,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    StringValueNode,
    Undefined,
    ValueNode,
    VariableNode,
)
from graphql.type import is_leaf_type, is_required_argument
from graphql.utilities import coerce_input_literal

from strawberry_compiled.inputs import Build, Inputs, Irregular, Unfit, is_fixed
from strawberry_compiled.variables import Variable

Make = Callable[[Mapping[str, Any]], Any]
"""From the variables as they came to an argument as the resolver gets it; Irregular."""

_Raw = Callable[[Mapping[str, Any]], Any]
"""From the variables as they came to JSON; MISSING where a variable was left out."""


@dataclass(frozen=True, slots=True)
class Argument:
    """How it is made, and the variables that are checked thereby."""

    make: Make
    reads: frozenset[str]


class Arguments:
    """Reads the arguments of fields."""

    def __init__(self, inputs: Inputs, variables: Mapping[str, Variable]) -> None:
        self._inputs = inputs
        self._variables = variables

    def of(self, argument: Any, declared: GraphQLArgument, node: ValueNode | None) -> Argument:
        """One argument of a Strawberry resolver; Unfit where it is left to the library."""
        reads: set[str] = set()
        return Argument(self._made(argument, declared, node, reads), frozenset(reads))

    def _made(self, argument: Any, declared: GraphQLArgument, node: ValueNode | None, reads: set[str]) -> Make:
        absent = self._absent(argument, declared)
        if node is None:
            return lambda _: absent()
        constant = self._constant(argument, declared, node)
        if constant is not None:
            return lambda _: constant[0]
        raw = self._raw(node, declared.type, reads)
        return _built(raw, self._inputs.builder(declared.type, argument.type), absent)

    def _absent(self, argument: Any, declared: GraphQLArgument) -> Callable[[], Any]:
        if is_required_argument(declared):
            return _irregular
        found, value = self._inputs.default(declared, argument.type)
        if not found:
            value = argument.default
            return _irregular if value in (Parameter.empty, MISSING) else lambda: value
        if is_fixed(value):
            return lambda: value
        return lambda: self._inputs.default(declared, argument.type)[1]

    def _constant(self, argument: Any, declared: GraphQLArgument, node: ValueNode) -> tuple[Any] | None:
        kind = _bare(declared.type)
        if (
            isinstance(node, VariableNode)
            or not is_leaf_type(kind)
            or isinstance(node, ListValueNode | ObjectValueNode)
        ):
            return None
        self._inputs.builder(declared.type, argument.type)
        value = coerce_input_literal(node, declared.type)
        if value is Undefined or not is_fixed(value):
            raise Unfit
        return (value,)

    def _raw(self, node: ValueNode, kind: Any, reads: set[str]) -> _Raw:
        if isinstance(node, VariableNode):
            return self._variable(node.name.value, kind, reads)
        if isinstance(node, NullValueNode):
            return lambda _: None
        kind = _bare(kind)
        if isinstance(kind, GraphQLList):
            nodes = node.values if isinstance(node, ListValueNode) else (node,)
            items = [self._raw(each, kind.of_type, reads) for each in nodes]
            # A variable without a value is null in a list; as it is so rare, the library does it.
            return lambda given: [_present(item(given)) for item in items]
        if isinstance(kind, GraphQLInputObjectType):
            assert isinstance(node, ObjectValueNode)
            fields = {
                field.name.value: self._raw(field.value, kind.fields[field.name.value].type, reads)
                for field in node.fields
            }
            return lambda given: {name: value for name, raw in fields.items() if (value := raw(given)) is not MISSING}
        return _leaf(node, kind)

    def _variable(self, name: str, kind: Any, reads: set[str]) -> _Raw:
        variable = self._variables[name]
        if str(_bare(variable.kind)) != str(_bare(kind)):
            raise Unfit
        reads.add(name)
        default, required = variable.default, isinstance(variable.kind, GraphQLNonNull)

        def raw(given: Mapping[str, Any]) -> Any:
            value = given.get(name, default)
            if required and (value is None or value is MISSING):
                raise Irregular
            return value

        return raw


def _leaf(node: ValueNode, kind: Any) -> _Raw:
    """As JSON, where that is read as the literal is."""
    plain: Any
    if isinstance(node, StringValueNode | EnumValueNode | BooleanValueNode):
        plain = node.value
    elif isinstance(node, IntValueNode):
        plain = int(node.value)
    else:
        raise Unfit
    try:
        as_json, as_literal = kind.coerce_input_value(plain), coerce_input_literal(node, kind)
        is_same = type(as_json) is type(as_literal) and as_json == as_literal
    except Exception:  # a value that is wrong, or cannot even be compared
        raise Unfit from None
    if not is_same:
        raise Unfit
    return lambda _: plain


def _built(raw: _Raw, build: Build, absent: Callable[[], Any]) -> Make:
    def make(given: Mapping[str, Any]) -> Any:
        value = raw(given)
        return absent() if value is MISSING else build(value)

    return make


def _present(value: Any) -> Any:
    if value is MISSING:
        raise Irregular
    return value


def _irregular() -> Any:
    raise Irregular


def _bare(kind: Any) -> Any:
    return kind.of_type if isinstance(kind, GraphQLNonNull) else kind
