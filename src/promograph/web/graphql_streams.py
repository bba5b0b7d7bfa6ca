"""What is streamed of an operation, whichever way it goes to the client."""

from collections.abc import AsyncGenerator, Iterable
from typing import Any, cast

import orjson
import strawberry
from graphql import GraphQLError
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from promograph.api.documents.masking import error_outside
from promograph.web.graphql_requests import Operation

Results = AsyncGenerator[ExecutionResult, None]


async def results_of(
    schema: strawberry.Schema, operation: Operation, context: Any, allowed: Iterable[OperationType]
) -> Results:
    """Its results: one of a query or a mutation, any number of a subscription. Close it to end the operation."""
    made = await schema.stream(
        operation.query,
        variable_values=operation.variables,
        context_value=context,
        operation_name=operation.name,
        operation_extensions=operation.extensions,
        allowed_operation_types=allowed,
    )
    return cast(Results, made)


def payload_of(result: ExecutionResult) -> bytes:
    """The result as JSON; one that JSON cannot hold is an internal error."""
    # What was not executed has no data, not even none.
    payload: dict[str, Any] = {} if isinstance(result, PreExecutionError) else {"data": result.data}
    if result.errors:
        payload["errors"] = formatted(result.errors)
    try:
        return orjson.dumps(payload)
    except TypeError as error:
        return orjson.dumps({"errors": formatted([error_outside(error)])})


def formatted(errors: Iterable[GraphQLError]) -> list[Any]:
    return [error.formatted for error in errors]
