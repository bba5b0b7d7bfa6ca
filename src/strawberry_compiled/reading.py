"""Which fields an operation selects, for given values of the variables in its `@skip` and `@include`."""

from collections.abc import Iterator
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_fields, collect_subfields
from graphql.execution.values import VariableValues
from graphql.language import SelectionNode, SelectionSetNode

from strawberry_compiled.declined import Declined

Grouped = dict[str, list[FieldDetails]]

_KNOWN_DIRECTIVES = ("skip", "include")


class Reading:
    """One operation of a valid document. `conditions` are the variables on which it depends what is selected."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, operation_name: str | None) -> None:
        self.schema = schema
        self.operation = _chosen(document, operation_name)
        self._fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        root = schema.get_root_type(self.operation.operation)
        if root is None or self.operation.operation is OperationType.SUBSCRIPTION or self.operation.directives:
            raise Declined("a subscription, or an operation with directives")
        self.root: GraphQLObjectType = root
        self.conditions = tuple(sorted(self._conditions()))

    def root_fields(self, conditions: dict[str, bool]) -> Grouped:
        found = collect_fields(self.schema, self._details(), _values(conditions), self.root, self.operation)
        return dict(found.grouped_field_set)

    def subfields(self, kind: GraphQLObjectType, details: list[FieldDetails], conditions: dict[str, bool]) -> Grouped:
        values = _values(conditions)
        found = collect_subfields(self.schema, self._details(), values, self.operation, kind, details)
        return dict(found.grouped_field_set)

    def _details(self) -> dict[str, FragmentDetails]:
        return {name: FragmentDetails(fragment) for name, fragment in self._fragments.items()}

    def _conditions(self) -> Iterator[str]:
        for selection in self._selections():
            for directive in selection.directives or ():
                if directive.name.value not in _KNOWN_DIRECTIVES:
                    raise Declined(f"the directive @{directive.name.value}")
                for argument in directive.arguments or ():
                    if isinstance(argument.value, VariableNode):
                        yield argument.value.name.value

    def _selections(self) -> Iterator[SelectionNode]:
        """Every selection, each fragment once."""
        seen: set[str] = set()
        waiting: list[SelectionSetNode] = [self.operation.selection_set]
        while waiting:
            for selection in waiting.pop().selections:
                yield selection
                below: Any = getattr(selection, "selection_set", None)
                if isinstance(selection, FragmentSpreadNode) and selection.name.value not in seen:
                    seen.add(selection.name.value)
                    fragment = self._fragments[selection.name.value]
                    if fragment.directives or fragment.variable_definitions:
                        raise Declined("a fragment with variables or directives")
                    below = fragment.selection_set
                if below is not None:
                    waiting.append(below)


def _chosen(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    if name is None and len(operations) == 1:
        return operations[0]
    for operation in operations:
        if operation.name is not None and operation.name.value == name:
            return operation
    raise Declined("no such operation")


def _values(conditions: dict[str, bool]) -> VariableValues:
    return VariableValues({}, dict(conditions))
