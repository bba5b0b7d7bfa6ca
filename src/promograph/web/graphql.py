"""The GraphQL endpoint: one small ASGI application between HTTP and the schema.

It is not Strawberry's own view, which answers malformed bodies with 500 and knows no
`application/graphql-response+json`. Everything before execution (limits, validation, rights) happens in the schema's
extensions, so that other transports meet it as well. There are no batches here; subscriptions are answered by events,
or by `graphql_socket`.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import strawberry
from graphql import GraphQLError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.types import Receive, Scope, Send
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.graphql import OperationType

from promograph.web.bodies import DEFAULT_BOUNDS, BodyBounds, BoundedBodies
from promograph.web.graphql_answers import EVENTS, GRAPHQL, JSON, Answer, answer_to, chosen_media_type, failure, fault
from promograph.web.graphql_direct import direct_body, direct_media_type
from promograph.web.graphql_events import EventStream
from promograph.web.graphql_requests import (
    Operation,
    Read,
    body_type,
    operation_from,
    operation_in_body,
    operation_in_url,
    parsed_json,
)
from promograph.web.graphql_streams import results_of
from promograph.web.graphql_uploads import operation_in_form
from promograph.web.live import Live, LiveBounds, TooManyConnections
from promograph.web.refusing import Refused

_ALLOWED = {
    "GET": (OperationType.QUERY,),
    "POST": (OperationType.QUERY, OperationType.MUTATION),
}
_CODE_OF_STATUS = {401: "UNAUTHENTICATED", 403: "FORBIDDEN", 429: "TOO_MANY_REQUESTS", 503: "UNAVAILABLE"}


class GraphQLEndpoint:
    """ASGI application for `Route("/graphql", endpoint)`.

    `get_context` makes the context of one operation; it may raise `HTTPException` or a `PromographError`, and is
    called again while events are streamed. Uploaded files are closed when the answer is sent. With `graphiql`, a
    browser that opens the URL is led to the page of `graphiql_routes()`, at `graphiql/` beside this endpoint.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        get_context: Callable[[HTTPConnection], Awaitable[Any]],
        *,
        bounds: BodyBounds = DEFAULT_BOUNDS,
        live: Live | None = None,
        graphiql: bool = False,
        read: Read = operation_from,
    ) -> None:
        self._schema = schema
        self._get_context = get_context
        self._max_body_bytes = bounds.max_body_bytes
        self._live = live or Live(LiveBounds())
        self._graphiql = graphiql
        self._read = read
        self._bounded = BoundedBodies(self._serve, bounds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        media_type = direct_media_type(scope, self._max_body_bytes)
        if media_type is None:
            await self._bounded(scope, receive, send)
        else:
            await self._serve_directly(scope, receive, send, media_type)

    async def _serve_directly(self, scope: Scope, receive: Receive, send: Send, media_type: str) -> None:
        try:
            body = await direct_body(receive, self._max_body_bytes)
            operation = self._read(parsed_json(body, "body"))
            context = await self._get_context(HTTPConnection(scope))
            answer = await self._executed(operation, context, "POST", media_type)
        except ClientDisconnect:
            return
        except Exception as error:
            answer = _answer_to_exception(error)
        await answer.send(send, media_type)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        accept = request.headers.get("accept")
        media_type = chosen_media_type(accept)
        try:
            if self._graphiql and _is_browser(request, accept):
                answer = _see_other(scope, "/graphiql/")
            elif media_type is None:
                message = f"The answer can be {GRAPHQL}, {JSON} or {EVENTS}; the header Accept names none of them."
                answer = failure([GraphQLError(message, extensions={"code": "NOT_ACCEPTABLE"})], 406)
            elif media_type == EVENTS:
                await self._stream(request, send)
                return
            else:
                answer = await self._answer(request, media_type)
        except ClientDisconnect:
            return
        except Exception as error:
            answer = _answer_to_exception(error)
        finally:
            await request.close()
        await answer.send(send, JSON if media_type in (None, EVENTS) else media_type)

    async def _answer(self, request: Request, media_type: str) -> Answer:
        operation = await self._operation(request)
        context = await self._get_context(request)
        return await self._executed(operation, context, request.method, media_type)

    async def _executed(self, operation: Operation, context: Any, method: str, media_type: str) -> Answer:
        try:
            result = await self._schema.execute(
                operation.query,
                variable_values=operation.variables,
                context_value=context,
                operation_name=operation.name,
                allowed_operation_types=_ALLOWED[method],
                operation_extensions=operation.extensions,
            )
        except InvalidOperationTypeError as error:
            raise _not_here(error.operation_type) from error
        except CannotGetOperationTypeError:
            message = "The document has no operation"
            message += f" named {operation.name!r}." if operation.name else "."
            unknown = GraphQLError(message, extensions={"code": "OPERATION_NOT_FOUND"})
            return failure([unknown], 400 if media_type == GRAPHQL else 200)
        return answer_to(result, media_type)

    async def _stream(self, request: Request, send: Send) -> None:
        """Answer with events. Until they begin, what is raised is answered as ever."""
        operation = await self._operation(request)
        with self._live.admitted():
            context = await self._get_context(request)
            allowed = (*_ALLOWED[request.method], OperationType.SUBSCRIPTION)
            results = await results_of(self._schema, operation, context, allowed)
            await EventStream(self._live, lambda: self._get_context(request), request.receive, send).run(results)

    async def _operation(self, request: Request) -> Operation:
        if request.method == "GET":
            return operation_in_url(request, self._read)
        if request.method != "POST":
            raise _method_not_allowed("GraphQL is asked by GET or POST.", allow=b"GET, POST")
        kind = body_type(request.headers.get("content-type"))
        if kind == "application/json":
            return await operation_in_body(request, self._read)
        if kind == "multipart/form-data":
            return await operation_in_form(request, self._read, max_text_bytes=self._max_body_bytes)
        message = "The request's body is to be application/json, or multipart/form-data with files."
        raise Refused(message, status=415, code="UNSUPPORTED_MEDIA_TYPE")


def _is_browser(request: Request, accept: str | None) -> bool:
    return request.method == "GET" and "text/html" in (accept or "") and "query" not in request.query_params


def _see_other(scope: Scope, path: str) -> Answer:
    prefix = scope.get("app_root_path", scope.get("root_path", ""))
    return Answer(b"", 303, ((b"location", f"{prefix}{path}".encode()),))


def _not_here(operation: OperationType) -> Refused:
    if operation is OperationType.MUTATION:
        return _method_not_allowed("A mutation is sent by POST.", allow=b"POST")
    message = f"A subscription is answered over WebSocket, or by events: ask with 'Accept: {EVENTS}'."
    return Refused(message, code="SUBSCRIPTION_NOT_HERE")


def _method_not_allowed(message: str, *, allow: bytes) -> Refused:
    return Refused(message, status=405, code="METHOD_NOT_ALLOWED", headers=((b"allow", allow),))


def _answer_to_exception(error: Exception) -> Answer:
    if isinstance(error, Refused):
        refusal = GraphQLError(str(error), extensions={"code": error.code})
        return failure([refusal], error.status, error.headers)
    if isinstance(error, TooManyConnections):
        return failure([GraphQLError(str(error), extensions={"code": "TOO_MANY_CONNECTIONS"})], 503)
    if isinstance(error, HTTPException):
        headers = tuple((name.lower().encode(), value.encode()) for name, value in (error.headers or {}).items())
        code = _CODE_OF_STATUS.get(error.status_code, "HTTP_ERROR")
        return failure([GraphQLError(error.detail, extensions={"code": code})], error.status_code, headers)
    return fault(error)
