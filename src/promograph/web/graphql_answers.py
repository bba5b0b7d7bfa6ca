"""Answers of the GraphQL endpoint: which media type, which status, and how they are sent.

Source: the GraphQL-over-HTTP specification. `application/json` says 200 to every well-formed request, because a
client cannot tell another status from that of a proxy; `application/graphql-response+json` says what went wrong.
One thing differs on purpose: while the store is away both say 503, so that load balancers and retries notice.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson
from graphql import GraphQLError
from starlette.types import Send
from strawberry.types import ExecutionResult

from promograph.api.documents.masking import error_outside, public_error

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
EVENTS = "text/event-stream"

Headers = tuple[tuple[bytes, bytes], ...]

_RETRY_SECONDS = b"2"
_STATUS_OF_REQUEST_ERROR = {"UNAUTHENTICATED": 401, "FORBIDDEN": 403, "INTERNAL": 500, "UNAVAILABLE": 503}
_HEADERS_OF_STATUS: dict[int, Headers] = {
    401: ((b"www-authenticate", b"Bearer"),),
    503: ((b"retry-after", _RETRY_SECONDS),),
}
_COMMON: Headers = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
_CONTENT_TYPES = {kind: f"{kind}; charset=utf-8".encode() for kind in (GRAPHQL, JSON)}


@dataclass(frozen=True, slots=True)
class Answer:
    """A response without its media type; `headers` are those besides the usual ones."""

    body: bytes
    status: int = 200
    headers: Headers = field(default=())

    async def send(self, send: Send, media_type: str) -> None:
        length = str(len(self.body)).encode()
        usual = [(b"content-type", _CONTENT_TYPES[media_type]), (b"content-length", length), *_COMMON]
        await send({"type": "http.response.start", "status": self.status, "headers": [*usual, *self.headers]})
        await send({"type": "http.response.body", "body": self.body})


def answer_to(result: ExecutionResult, media_type: str) -> Answer:
    """The answer that carries `result`; a result that JSON cannot hold becomes an internal error."""
    if not result.errors:
        payload: dict[str, Any] = {"data": result.data}
        if result.extensions:
            payload["extensions"] = result.extensions
        return _encoded(payload, 200)
    errors = [public_error(error) for error in result.errors]
    if result.data is not None:
        return _encoded({"data": result.data, "errors": [error.formatted for error in errors]}, 200)
    status = _status(errors)
    # An error without a path kept the execution from beginning; then there must be no "data" at all.
    if any(error.path for error in errors):
        body = {"data": None, "errors": [error.formatted for error in errors]}
        return _encoded(body, status if status == 503 else 200)
    return failure(errors, status if status == 503 or media_type == GRAPHQL else 200)


def failure(errors: list[GraphQLError], status: int, headers: Headers = ()) -> Answer:
    """A request that was not executed."""
    return _encoded({"errors": [error.formatted for error in errors]}, status, headers)


def fault(exception: Exception) -> Answer:
    """For an exception outside of the execution: 500 with an incident number, unless it is meant for clients."""
    error = error_outside(exception)
    return failure([error], _status([error]))


def _status(errors: list[GraphQLError]) -> int:
    codes = {(error.extensions or {}).get("code") for error in errors}
    return max((_STATUS_OF_REQUEST_ERROR.get(str(code), 400) for code in codes), default=400)


def _encoded(payload: dict[str, Any], status: int, headers: Headers = ()) -> Answer:
    try:
        body = orjson.dumps(payload)
    except TypeError as error:
        return fault(error)
    return Answer(body, status, (*_HEADERS_OF_STATUS.get(status, ()), *headers))


@lru_cache(maxsize=256)
def chosen_media_type(accept: str | None) -> str | None:
    """The media type to answer with, or None where the client takes neither; without `Accept` it is JSON.

    Between equals the one named first wins, and a range such as `*/*` stands for JSON, which every client reads.
    Events are the answer only where they are wanted most: clients name them for all that they ask, just in case.
    """
    if not accept or not accept.strip():
        return JSON
    best: tuple[float, str | None] = (0.0, None)
    for entry in accept.lower().split(","):
        kind, *parameters = (part.strip() for part in entry.split(";"))
        offered = JSON if kind in ("*/*", "application/*") else kind
        quality = _quality(parameters)
        if (offered in _CONTENT_TYPES or offered == EVENTS) and quality > best[0]:
            best = (quality, offered)
    return best[1]


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
