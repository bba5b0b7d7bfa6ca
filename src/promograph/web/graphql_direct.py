"""The usual request, a POST of JSON whose length is told, read straight from ASGI.

Request objects, routing and the wrappings of middleware cost as much as everything else around a small operation.
"""

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from promograph.web.bodies import BodyTooLarge
from promograph.web.graphql_answers import EVENTS, chosen_media_type
from promograph.web.refusing import Refused

_JSON_TYPES = frozenset({b"application/json", b"application/json; charset=utf-8", b"application/json;charset=utf-8"})
_SPECIAL = (b"expect", b"transfer-encoding", b"content-encoding")


def direct_media_type(scope: Scope, max_bytes: int) -> str | None:
    """What to answer such a request with; None where anything about it is not usual."""
    if scope["method"] != "POST":
        return None
    accept: bytes | None = None
    content_type = length = b""
    for name, value in scope["headers"]:
        if name == b"content-type":
            content_type = value
        elif name == b"content-length":
            length = value
        elif name == b"accept":
            if accept is not None:
                return None
            accept = value
        elif name in _SPECIAL:
            return None
    if content_type not in _JSON_TYPES or not length.isdigit() or int(length) > max_bytes:
        return None
    media_type = chosen_media_type(None if accept is None else accept.decode("latin-1"))
    return None if media_type == EVENTS else media_type


async def direct_body(receive: Receive, max_bytes: int) -> bytes:
    """All of it. ClientDisconnect; Refused where it is larger after all."""
    parts: list[bytes] = []
    left = max_bytes
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part: bytes = message.get("body", b"")
        left -= len(part)
        if left < 0:
            raise Refused(BodyTooLarge(max_bytes).detail, status=413, code="BODY_TOO_LARGE")
        if not message.get("more_body", False):
            return part if not parts else b"".join((*parts, part))
        parts.append(part)
