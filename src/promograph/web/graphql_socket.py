"""GraphQL over WebSocket: the protocol `graphql-transport-ws`, for subscriptions, queries and mutations.

It is not Strawberry's own handler, which ends the whole connection over one document that cannot be parsed, stumbles
over messages that are not objects, and keeps one context, and so one caller, for as long as the connection lasts.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import strawberry
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from promograph.web.graphql_requests import Read, operation_from
from promograph.web.graphql_socket_operations import Operations
from promograph.web.live import Live, Over, TooManyConnections
from promograph.web.refusing import Refused

PROTOCOL = "graphql-transport-ws"

_LONGEST_REASON = 123  # bytes that fit into a closing frame
_CODE_OF_END = {Over.STOPPING: 1012, Over.REVOKED: 4403}


class Close(Exception):
    """The connection ends, with a code of the protocol."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class GraphQLSocket:
    """ASGI application for `WebSocketRoute("/graphql", socket)`; `get_context` is the one of the endpoint."""

    def __init__(
        self,
        schema: strawberry.Schema,
        get_context: Callable[[HTTPConnection], Awaitable[Any]],
        live: Live,
        read: Read = operation_from,
    ) -> None:
        self._schema = schema
        self._read_operation = read
        self._get_context = get_context
        self._live = live

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        socket = WebSocket(scope, receive, send)
        offered = PROTOCOL in scope.get("subprotocols", ())
        await socket.accept(subprotocol=PROTOCOL if offered else None)
        try:
            if not offered:
                raise Close(4406, f"Only the subprotocol {PROTOCOL} is spoken here.")
            with self._live.admitted():
                await _Connection(socket, self._schema, self._get_context, self._live, self._read_operation).run()
        except Close as end:
            await _close(socket, end, self._live.bounds.send)
        except TooManyConnections as full:
            await _close(socket, Close(1013, str(full)), self._live.bounds.send)
        except (WebSocketDisconnect, TimeoutError, OSError):
            return  # the client went away, or takes nothing in


async def _close(socket: WebSocket, end: Close, seconds: float) -> None:
    reason = end.reason.encode()[:_LONGEST_REASON].decode(errors="ignore")
    try:
        async with asyncio.timeout(seconds):
            await socket.close(end.code, reason)
    except (RuntimeError, TimeoutError, OSError):
        return  # it is closed already


class _Connection:
    def __init__(
        self,
        socket: WebSocket,
        schema: strawberry.Schema,
        get_context: Callable[[HTTPConnection], Awaitable[Any]],
        live: Live,
        read: Read,
    ) -> None:
        self._socket = socket
        self._get_context = get_context
        self._live = live
        self._read_operation = read
        self._introduced = HTTPConnection(socket.scope)
        self._operations = Operations(schema, self._context, self._send, most=live.bounds.operations)

    async def run(self) -> None:
        try:
            async with asyncio.timeout(self._live.bounds.init):
                await self._begin()
        except TimeoutError:
            raise Close(4408, "Connection initialisation timeout") from None
        over = asyncio.ensure_future(self._live.until_over(self._context))
        try:
            await self._talk(over)
        finally:
            over.cancel()
            await self._operations.stop()

    async def _begin(self) -> None:
        """Wait for `connection_init`, and find out who it is."""
        while (message := self._read(await self._socket.receive()))["type"] != "connection_init":
            if message["type"] == "subscribe":
                raise Close(4401, "Unauthorized")
            await self._handle(message)
        payload = message.get("payload")
        if not isinstance(payload, dict | None):
            raise Close(4400, "The payload of connection_init is to be an object.")
        self._introduced = _with_token(self._introduced, payload or {})
        try:
            await self._context()
        except HTTPException as error:
            raise Close(4403, error.detail) from error
        await self._send({"type": "connection_ack"})

    async def _talk(self, over: "asyncio.Future[Over]") -> None:
        while True:
            reading = asyncio.ensure_future(self._socket.receive())
            try:
                first: set[asyncio.Future[Any]] = {reading, over, self._operations.broken}
                await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
                if over.done():
                    raise Close(_CODE_OF_END[over.result()], over.result().value)
                if self._operations.broken.done():
                    raise Close(*self._operations.broken.result())
                await self._handle(self._read(reading.result()))
            finally:
                reading.cancel()

    async def _handle(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "ping":
            await self._send({"type": "pong"})
        elif kind == "subscribe":
            await self._subscribe(message)
        elif kind == "complete":
            self._operations.end(_id_in(message))
        elif kind == "connection_init":
            raise Close(4429, "Too many initialisation requests")
        elif kind != "pong":
            raise Close(4400, f"No message has the type {kind[:50]!r}.")

    async def _subscribe(self, message: dict[str, Any]) -> None:
        id_ = _id_in(message)
        if id_ in self._operations:
            raise Close(4409, f"Subscriber for {id_[:50]} already exists")
        try:
            operation = self._read_operation(message.get("payload"))
        except Refused as refusal:
            raise Close(4400, str(refusal)) from refusal
        await self._operations.begin(id_, operation)

    def _read(self, event: Any) -> dict[str, Any]:
        """The message in what the server program received."""
        if event["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(event.get("code", 1005))
        text = event.get("text")
        if text is None:
            raise Close(4400, "Messages are texts.")
        if len(text) > self._live.bounds.message_bytes:
            raise Close(1009, f"A message has at most {self._live.bounds.message_bytes:,} bytes.")
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            message = None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise Close(4400, "A message is a JSON object with a 'type'.")
        return message

    async def _context(self) -> Any:
        return await self._get_context(self._introduced)

    async def _send(self, message: dict[str, Any]) -> None:
        async with asyncio.timeout(self._live.bounds.send):
            await self._socket.send_text(orjson.dumps(message).decode())


def _id_in(message: dict[str, Any]) -> str:
    id_ = message.get("id")
    if not isinstance(id_, str) or not id_:
        raise Close(4400, "An operation has an 'id', which is a text.")
    return id_


def _with_token(connection: HTTPConnection, payload: dict[str, Any]) -> HTTPConnection:
    """The connection as if it had come with the payload's `Authorization`: browsers cannot send headers here."""
    given = next((value for name, value in payload.items() if name.lower() == "authorization"), None)
    if given is None:
        return connection
    if not isinstance(given, str):
        raise Close(4400, "The payload's Authorization is to be a text: 'Bearer' and the token.")
    others = [(name, value) for name, value in connection.scope["headers"] if name != b"authorization"]
    header = (b"authorization", given.encode("latin-1", errors="replace"))
    return HTTPConnection({**connection.scope, "headers": [*others, header]})
