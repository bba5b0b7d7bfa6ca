"""How large a document may be: text, tokens and directives before it is validated, depth and aliases after.

Every measure here takes time linear in the tokens of the document. A fragment is measured once and remembered:
following each spread anew doubles the work with every fragment that is spread twice, and a document of a few
hundred tokens then never ends.
"""

from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    TokenKind,
)

from promograph.api.scopes_reading import fragments, operations


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLimits:
    """The most that one document may have: `text` in characters, the others counted.

    Validation compares every two selections of one field, so its time grows with the square of `tokens`:
    the worst document of 1,000 holds the process up for about a tenth of a second, once.
    """

    text: int = 64 * 1024
    tokens: int = 1_000
    directives: int = 50
    depth: int = 16
    aliases: int = 30


def too_many_directives(document: DocumentNode, limits: DocumentLimits) -> GraphQLError | None:
    """Counts the tokens `@`, because validating a flood of directives is what is to be spared."""
    token = document.loc.start_token if document.loc else None
    count = 0
    while token is not None:
        count += token.kind is TokenKind.AT
        token = token.next
    return _over("directives", count, limits.directives) if count > limits.directives else None


def too_deep_or_wide(document: DocumentNode, limits: DocumentLimits) -> list[GraphQLError]:
    """The document must be valid: fragments in a circle would never end. Introspection is not measured here."""
    measure = _Measure(fragments(document))
    extents = [measure.of(operation.selection_set) for operation in operations(document)]
    depth = max((extent.depth for extent in extents), default=0)
    aliases = sum(extent.aliases for extent in extents)
    errors = []
    if depth > limits.depth:
        errors.append(_over("levels of fields", depth, limits.depth))
    if aliases > limits.aliases:
        errors.append(_over("aliases", aliases, limits.aliases))
    return errors


def _over(what: str, count: int, most: int) -> GraphQLError:
    # Fragments that spread fragments multiply their aliases to numbers of hundreds of digits.
    found = str(count) if count < 1_000_000 else "over a million"
    message = f"The document has {found} {what}; at most {most} are allowed."
    return GraphQLError(message, extensions={"code": "DOCUMENT_TOO_LARGE"})


@dataclass(frozen=True, slots=True)
class _Extent:
    depth: int
    aliases: int


class _Measure:
    def __init__(self, named: dict[str, FragmentDefinitionNode]) -> None:
        self._named = named
        self._known: dict[str, _Extent] = {}

    def of(self, selection_set: SelectionSetNode) -> _Extent:
        parts = [self._of_selection(selection) for selection in selection_set.selections]
        return _Extent(max((part.depth for part in parts), default=0), sum(part.aliases for part in parts))

    def _of_selection(self, selection: SelectionNode) -> _Extent:
        if isinstance(selection, FragmentSpreadNode):
            return self._of_fragment(selection.name.value)
        if isinstance(selection, InlineFragmentNode):
            return self.of(selection.selection_set)
        assert isinstance(selection, FieldNode)
        aliases = int(selection.alias is not None)
        if selection.selection_set is None or selection.name.value.startswith("__"):
            return _Extent(1, aliases)
        below = self.of(selection.selection_set)
        return _Extent(below.depth + 1, below.aliases + aliases)

    def _of_fragment(self, name: str) -> _Extent:
        if name not in self._known:
            self._known[name] = self.of(self._named[name].selection_set)
        return self._known[name]
