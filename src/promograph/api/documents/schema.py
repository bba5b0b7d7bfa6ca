"""A Strawberry schema with the gate of `documents` built in, and a short way for documents that are known."""

from collections.abc import Iterable
from inspect import isawaitable
from typing import Any

import strawberry
from graphql import GraphQLError, execute
from strawberry.execution import optimized_is_awaitable
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.types.graphql import OperationType

from promograph.api.documents import Documents
from promograph.api.documents.compiling import OperationCompiler
from promograph.api.documents.masking import public_error
from promograph.api.documents.memory import KnownDocument, KnownOperation
from promograph.api.scopes import caller_of, refusal
from promograph.domain.access import Caller

# It answers what graphql-core asks, but is not typed as the guard that graphql-core wants.
_is_awaitable: Any = optimized_is_awaitable


class Schema(strawberry.Schema):
    """Takes what `strawberry.Schema` takes, and `documents`; without `compiling`, no operation is compiled.

    Errors are fit for clients over whatever transport, and logged only where they are ours.
    """

    def __init__(
        self,
        query: type,
        *,
        documents: Documents,
        extensions: Iterable[Any] = (),
        compiling: bool = True,
        **others: Any,
    ) -> None:
        super().__init__(query, extensions=[documents.extension, *extensions], **others)
        self._documents = documents
        self._compiler = OperationCompiler(documents.memory) if compiling else None
        # Anything else that wants to see each operation is shown them all.
        self._may_take_short_way = len(self.get_extensions()) == 1

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        # Strawberry goes on with this very list; its own MaskErrors costs every request an extension.
        errors[:] = [public_error(error) for error in errors]

    async def execute(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any | None = None,
        root_value: Any | None = None,
        operation_name: str | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
        operation_extensions: dict[str, Any] | None = None,
    ) -> ExecutionResult:
        """As in Strawberry; a known document whose operation is allowed skips the hooks, a fifth of a small request."""
        ready = self._ready(query, operation_name, allowed_operation_types, context_value)
        if ready is None:
            return await super().execute(
                query,
                variable_values,
                context_value,
                root_value,
                operation_name,
                allowed_operation_types,
                operation_extensions,
            )
        known, operation = ready
        result: Any = None
        if self._compiler is not None:
            compiled = self._compiler.compiled(self, query or "", known, operation, operation_name)
            if compiled is not None:
                result = await compiled(
                    variable_values, context=context_value, root=root_value, extensions=operation_extensions
                )
        if result is None:
            result = execute(
                self._schema,
                known.document,
                root_value=root_value,
                context_value=context_value,
                variable_values=variable_values,
                operation_name=operation_name,
                executor_class=self.execution_context_class,
                is_awaitable=_is_awaitable,
                operation_extensions=operation_extensions,
            )
            if isawaitable(result):
                result = await result
        if result.errors:
            self._documents.keep_secrets(result.errors)
            self.process_errors(result.errors)
        return ExecutionResult(data=result.data, errors=result.errors, extensions={})

    def _ready(
        self, query: str | None, name: str | None, allowed: Iterable[OperationType] | None, context: Any
    ) -> tuple[KnownDocument, KnownOperation] | None:
        """The document and its operation if nothing stands in its way; whatever does is reported by the long way."""
        known = self._documents.recall(self, query or "") if self._may_take_short_way else None
        operation = known.chosen(name) if known else None
        if known is None or operation is None or (allowed is not None and operation.type not in allowed):
            return None
        if operation.needs and not _may(operation, caller_of(context)):
            return None
        return known, operation


def _may(operation: KnownOperation, caller: Caller) -> bool:
    if caller.scopes in operation.met_by:
        return True
    if refusal(operation.needs, caller):
        return False
    operation.met_by.add(caller.scopes)
    return True
