"""Which fields of which types an operation selects."""

from collections.abc import Iterator

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    get_named_type,
)

Composite = GraphQLObjectType | GraphQLInterfaceType

_Step = tuple[GraphQLNamedType, SelectionSetNode]


def operations(document: DocumentNode) -> list[OperationDefinitionNode]:
    return [definition for definition in document.definitions if isinstance(definition, OperationDefinitionNode)]


def fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}


def selected_fields(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode
) -> Iterator[tuple[Composite, str]]:
    """Each (type, field) of `operation`, fragments included, without introspection. The document must be valid.

    A field comes with the type it was asked of: inside `... on Promotion` that is Promotion. Each named fragment is
    read once, however often it is spread, because its type condition alone decides what its fields belong to.
    """
    named = fragments(document)
    root = schema.get_root_type(operation.operation)
    waiting: list[_Step] = [(root, operation.selection_set)] if root else []
    while waiting:
        parent, selection_set = waiting.pop()
        for selection in selection_set.selections:
            if isinstance(selection, FieldNode) and isinstance(parent, Composite):
                if selection.name.value.startswith("__"):
                    continue
                yield parent, selection.name.value
            step = _step(schema, parent, selection, named)
            if step:
                waiting.append(step)


def _step(
    schema: GraphQLSchema, parent: GraphQLNamedType, selection: SelectionNode, named: dict[str, FragmentDefinitionNode]
) -> _Step | None:
    """The selections below `selection` and their type; takes a named fragment out of `named`, once is enough."""
    if isinstance(selection, FragmentSpreadNode):
        fragment = named.pop(selection.name.value, None)
        return (schema.type_map[fragment.type_condition.name.value], fragment.selection_set) if fragment else None
    if isinstance(selection, InlineFragmentNode):
        condition = selection.type_condition
        return (schema.type_map[condition.name.value] if condition else parent), selection.selection_set
    if isinstance(selection, FieldNode) and selection.selection_set and isinstance(parent, Composite):
        return get_named_type(parent.fields[selection.name.value].type), selection.selection_set
    return None
