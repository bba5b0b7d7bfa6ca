"""What happens to a document before it is executed: limits, validation, rights; all but the rights once per text.

Parsing and validating take ten times as long as executing a small mutation, so a text is judged when it is first
seen and remembered. Only good documents are: a bad one costs its limits at most, whoever floods the server with bad
ones can vary them anyway, and remembering them would push out the good ones.

`Documents(...).extension` goes into `extensions=[...]` of a schema: a factory, because an extension holds the
request at hand; the memory behind it is shared. The context of an operation has a `caller`.
"""

import re
from collections.abc import Iterable, Iterator
from typing import cast

import strawberry
from graphql import DocumentNode, GraphQLError, GraphQLSyntaxError
from strawberry.extensions import SchemaExtension
from strawberry.types.graphql import OperationType

from promograph.api.documents.limits import DocumentLimits, too_deep_or_wide, too_many_directives
from promograph.api.documents.memory import DocumentMemory, KnownDocument, KnownOperation
from promograph.api.documents.rules import invalidities
from promograph.api.scopes import caller_of, needed_scopes, refusal
from promograph.api.scopes_reading import operations

_DEFAULT_LIMITS = DocumentLimits()
_SUGGESTION = re.compile(r"\s*Did you mean .*\?")


class Documents:
    """The documents of *one* schema, within `limits`.

    Without `introspection` the schema is not told, neither by `__schema` and `__type` nor by suggestions in errors.
    `max_documents` and `max_bytes` bound what is remembered.
    """

    def __init__(
        self,
        *,
        limits: DocumentLimits = _DEFAULT_LIMITS,
        introspection: bool = True,
        max_documents: int = 1024,
        max_bytes: int = 64 * 1024 * 1024,
    ) -> None:
        self.limits = limits
        self.introspection = introspection
        self.memory = DocumentMemory(max_documents=max_documents, max_bytes=max_bytes)
        self._schema: strawberry.Schema | None = None

    def extension(self) -> SchemaExtension:
        return _Gate(self) if self.introspection else _SecretiveGate(self)

    def recall(self, schema: strawberry.Schema, text: str) -> KnownDocument | None:
        """The document if it is remembered; RuntimeError where two schemas share this object, and so the rights."""
        if self._schema is not schema:
            if self._schema is not None:
                raise RuntimeError("These documents belong to another schema: make a Documents for each.")
            self._schema = schema
        return self.memory.get(text)

    def judge(self, schema: strawberry.Schema, text: str, document: DocumentNode) -> KnownDocument | list[GraphQLError]:
        """Read a parsed document that is seen for the first time, and remember it if nothing is wrong with it."""
        flood = too_many_directives(document, self.limits)
        if flood:
            return [flood]
        errors = invalidities(schema._schema, document, introspection=self.introspection)
        errors = errors or too_deep_or_wide(document, self.limits)
        if errors:
            return errors
        known = _read(schema, document)
        self.memory.put(text, known)
        return known

    def keep_secrets(self, errors: Iterable[GraphQLError]) -> None:
        """Take the suggestions out of the errors of variables, which are made while executing and always have them."""
        if self.introspection:
            return
        for error in errors:
            if error.path is None:
                error.message = _SUGGESTION.sub("", error.message)


def _read(schema: strawberry.Schema, document: DocumentNode) -> KnownDocument:
    known: dict[str | None, KnownOperation] = {}
    for operation in operations(document):
        name = operation.name.value if operation.name else None
        known[name] = KnownOperation(OperationType(operation.operation.value), needed_scopes(schema, document, name))
    return KnownDocument(document, known)


class _Gate(SchemaExtension):
    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._known: KnownDocument | None = None

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        self._known = self._documents.recall(context.schema, context.query or "")
        if self._known is not None:
            context.graphql_document = self._known.document
            yield
            return
        # Strawberry parses, not we: an error raised by a hook would escape from subscriptions.
        limits = self._documents.limits
        cast(dict[str, int], context.parse_options).update(max_tokens=limits.tokens, max_source_length=limits.text)
        yield
        for error in context.pre_execution_errors or ():
            _name_parse_error(error)

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        known: KnownDocument | list[GraphQLError] | None = self._known
        if known is None:
            assert context.graphql_document is not None
            known = self._documents.judge(context.schema, context.query or "", context.graphql_document)
        # An empty list tells Strawberry that the document has been validated.
        context.pre_execution_errors = known if isinstance(known, list) else self._objections(known)
        yield

    def _objections(self, known: KnownDocument) -> list[GraphQLError]:
        context = self.execution_context
        # Strawberry would take the first of several operations; the specification says that the caller chooses.
        operation = known.chosen(context._provided_operation_name)
        if operation is None:
            names = ", ".join(str(name) for name in known.operations)
            message = f"The document has several operations ({names}): choose one with operationName."
            return [GraphQLError(message, extensions={"code": "OPERATION_NAME_MISSING"})]
        error = refusal(operation.needs, caller_of(context.context)) if operation.needs else None
        return [error] if error else []


class _SecretiveGate(_Gate):
    def on_execute(self) -> Iterator[None]:
        yield
        result = self.execution_context.result
        self._documents.keep_secrets((result.errors if result else None) or ())


def _name_parse_error(error: GraphQLError) -> None:
    """graphql-core reports a document over a limit as a syntax error that says "Parsing aborted."."""
    if isinstance(error, GraphQLSyntaxError):
        too_large = error.message.endswith("Parsing aborted.")
        error.extensions = {"code": "DOCUMENT_TOO_LARGE" if too_large else "GRAPHQL_PARSE_FAILED"}
