"""Reads a GraphQL request out of an HTTP request; every way in which it can be malformed is a `Refused`."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from starlette.requests import Request

from promograph.web.refusing import Refused
from promograph.web.trusted_documents import ANY_DOCUMENT, TrustedDocuments


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What the caller wants executed."""

    query: str
    variables: dict[str, Any] | None = None
    name: str | None = None
    extensions: dict[str, Any] | None = None


Read = Callable[[object], Operation]
"""`operation_from` with the documents that are trusted."""


async def operation_in_body(request: Request, read: Read) -> Operation:
    return read(parsed_json(await request.body(), "body"))


def operation_in_url(request: Request, read: Read) -> Operation:
    """The parameters of a GET; `variables` and `extensions` are JSON, left out or empty."""
    given = dict[str, Any](request.query_params)
    for name in ("variables", "extensions"):
        given[name] = parsed_json(given[name], name) if given.get(name) else None
    return read(given)


def operation_from(given: object, trusted: TrustedDocuments = ANY_DOCUMENT) -> Operation:
    """Check the parameters of a request, already parsed as JSON."""
    if isinstance(given, list):
        raise Refused("One request carries one operation, not a list; for many items use a mutation that takes many.")
    if not isinstance(given, dict):
        raise Refused("The request's body is to be a JSON object with a 'query'.")
    query = trusted.text_for(given)
    if not isinstance(query, str) or not query.strip():
        raise Refused("The 'query' is to be a string with a GraphQL document; it is missing, empty or something else.")
    name = given.get("operationName")
    if name is not None and not isinstance(name, str):
        raise Refused("The 'operationName' is to be a string or null.")
    variables = given.get("variables")
    if variables is not None and not isinstance(variables, dict):
        raise Refused("The 'variables' are to be an object or null.")
    extensions = given.get("extensions")
    if extensions is not None and not isinstance(extensions, dict):
        raise Refused("The 'extensions' are to be an object or null.")
    return Operation(query=query, variables=variables, name=name or None, extensions=extensions)


def parsed_json(text: bytes | str, what: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Refused(f"The request's {what} is not JSON in UTF-8: {error}.") from error


@lru_cache(maxsize=256)
def body_type(content_type: str | None) -> str:
    """The media type of a body, in lower case; 415 for another character set than UTF-8."""
    kind, *parameters = (content_type or "").lower().split(";")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8"):
            raise Refused("The request's body is to be UTF-8.", status=415, code="UNSUPPORTED_MEDIA_TYPE")
    return kind.strip()
