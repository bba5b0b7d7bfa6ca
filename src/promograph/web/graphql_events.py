"""Answers as server-sent events: the distinct connections mode of the GraphQL-over-SSE protocol.

Each operation has a request of its own. What is wrong with the document is told in the stream, as the protocol wants
it, because a browser's EventSource shows nobody the body of a 400. Lines end in LF: some clients read no others.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

import orjson
from graphql import GraphQLError
from starlette.types import Receive, Send
from strawberry.types import ExecutionResult

from promograph.api.documents.masking import error_outside
from promograph.web.graphql_answers import EVENTS
from promograph.web.graphql_streams import Results, formatted, payload_of
from promograph.web.live import Live, Over

_HEADERS = [
    (b"content-type", f"{EVENTS}; charset=utf-8".encode()),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-accel-buffering", b"no"),  # nginx would hold the events back
]
_COMPLETE = b"event: complete\ndata:\n\n"
_SIGN_OF_LIFE = b":\n\n"


class EventStream:
    """One response of events. The request's body has been read, so that `receive` waits for the client to go."""

    def __init__(self, live: Live, look: Callable[[], Awaitable[Any]], receive: Receive, send: Send) -> None:
        self._live = live
        self._look = look
        self._receive = receive
        self._send = send

    async def run(self, results: Results) -> None:
        await self._send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        gone = asyncio.ensure_future(self._gone())
        over = asyncio.ensure_future(self._live.until_over(self._look))
        try:
            async with aclosing(results):
                await self._tell(results, gone, over)
        except (TimeoutError, OSError):
            return  # the client went away, or takes nothing in
        except Exception as fault:
            error_outside(fault)  # for the log: the response has begun, and nothing else can be said
        finally:
            gone.cancel()
            over.cancel()

    async def _tell(self, results: Results, gone: "asyncio.Future[None]", over: "asyncio.Future[Over]") -> None:
        await self._write(_SIGN_OF_LIFE)  # proxies and clients see at once that the stream has begun
        coming: asyncio.Future[ExecutionResult | None] = asyncio.ensure_future(anext(results, None))
        try:
            while True:
                first: set[asyncio.Future[Any]] = {coming, gone, over}
                await asyncio.wait(first, timeout=self._live.bounds.ping, return_when=asyncio.FIRST_COMPLETED)
                if gone.done():
                    return
                if over.done():
                    await self._end(over.result())
                    return
                if not coming.done():
                    await self._write(_SIGN_OF_LIFE)
                    continue
                event = _event(coming)
                if event is None:
                    break
                await self._write(event)
                coming = asyncio.ensure_future(anext(results, None))
            await self._write(_COMPLETE, more=False)
        finally:
            coming.cancel()
            await asyncio.wait([coming])  # a generator that runs cannot be closed

    async def _end(self, why: Over) -> None:
        """A stream that just breaks off is begun again by its client; one without a token is not to be."""
        if why is Over.REVOKED:
            error = GraphQLError(why.value, extensions={"code": "UNAUTHENTICATED"})
            await self._write(_next(orjson.dumps({"errors": formatted([error])})))
            await self._write(_COMPLETE, more=False)
        else:
            await self._write(b"", more=False)

    async def _gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _write(self, chunk: bytes, *, more: bool = True) -> None:
        async with asyncio.timeout(self._live.bounds.send):
            await self._send({"type": "http.response.body", "body": chunk, "more_body": more})


def _event(coming: "asyncio.Future[ExecutionResult | None]") -> bytes | None:
    """The event of a result; None at the end."""
    failure = coming.exception()
    if isinstance(failure, Exception):
        return _next(orjson.dumps({"errors": formatted([error_outside(failure)])}))
    result = coming.result()
    return None if result is None else _next(payload_of(result))


def _next(payload: bytes) -> bytes:
    return b"event: next\ndata: " + payload + b"\n\n"
