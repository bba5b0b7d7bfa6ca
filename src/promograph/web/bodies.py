"""Bounds the size of request bodies, whatever the application behind makes of them."""

from asyncio import timeout
from contextlib import suppress
from dataclasses import dataclass

import orjson
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyBounds:
    """Bytes: `max_upload_bytes` for multipart/form-data, `max_body_bytes` for everything else."""

    max_body_bytes: int = 1024 * 1024
    max_upload_bytes: int = 64 * 1024 * 1024

    def of(self, scope: Scope) -> int:
        content_type = _header(scope, b"content-type")
        is_upload = content_type.lstrip().lower().startswith(b"multipart/form-data")
        return self.max_upload_bytes if is_upload else self.max_body_bytes


DEFAULT_BOUNDS = BodyBounds()

_MOST_DRAINED_BYTES = 64 * 1024 * 1024
_LONGEST_DRAIN_SECONDS = 5.0


class BodyTooLarge(HTTPException):
    """What an application gets when it reads on past the bound; it need not answer."""

    def __init__(self, bound: int) -> None:
        super().__init__(413, f"The request's body is larger than {bound} bytes, the most that is taken.")


class BoundedBodies:
    """ASGI middleware: answers 413 with a JSON sentence to a body that is announced or turns out to be too large."""

    def __init__(self, app: ASGIApp, bounds: BodyBounds = DEFAULT_BOUNDS) -> None:
        self.app = app
        self.bounds = bounds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        bound = self.bounds.of(scope)
        announced = _header(scope, b"content-length")
        if announced.isdigit() and int(announced) > bound:
            # A client that asks first has not sent the body, and is spared it.
            if not _header(scope, b"expect"):
                await _drain(receive)
            await _refuse(send, bound)
            return
        await _Bounded(receive, send, bound).run(self.app, scope)


class _Bounded:
    """One request: counts what comes in, and holds back what the application says once it was too much."""

    def __init__(self, receive: Receive, send: Send, bound: int) -> None:
        self._receive = receive
        self._send = send
        self._bound = bound
        self._left = bound
        self._ended = False
        self._answering = False

    async def run(self, app: ASGIApp, scope: Scope) -> None:
        try:
            await app(scope, self.receive, self.send)
        except Exception:
            # The application may have turned our exception into its own.
            if self._left >= 0:
                raise
        if self._left < 0 and not self._answering:
            if not self._ended:
                await _drain(self._receive)
            await _refuse(self._send, self._bound)

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            self._ended = not message.get("more_body", False)
            if self._left < 0:
                raise BodyTooLarge(self._bound)
        return message

    async def send(self, message: Message) -> None:
        if self._left < 0 and not self._answering:
            return
        self._answering = True
        await self._send(message)


async def _drain(receive: Receive) -> None:
    """Take in what is still coming, within bounds: a connection closed over unread data loses the answer on its way."""
    left = _MOST_DRAINED_BYTES
    with suppress(TimeoutError):
        async with timeout(_LONGEST_DRAIN_SECONDS):
            while left > 0:
                message = await receive()
                if not message.get("more_body", False):
                    return
                left -= len(message.get("body", b""))


async def _refuse(send: Send, bound: int) -> None:
    error = {"message": BodyTooLarge(bound).detail, "extensions": {"code": "BODY_TOO_LARGE"}}
    body = orjson.dumps({"errors": [error]})
    # The body may not have been read to its end, so nothing can follow on this connection.
    headers = [(b"content-type", b"application/json; charset=utf-8"), (b"connection", b"close")]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _header(scope: Scope, wanted: bytes) -> bytes:
    for name, value in scope["headers"]:
        if name == wanted:
            return bytes(value)
    return b""
