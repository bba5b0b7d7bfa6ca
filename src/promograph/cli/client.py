"""A small GraphQL client over HTTP, for commands that speak to a server as any stranger would."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2

from promograph.errors import PromographError


class ApiError(PromographError):
    """The server gave no answer, or one with errors; `codes` are those of its GraphQL errors."""

    def __init__(self, message: str, codes: frozenset[str] = frozenset()) -> None:
        super().__init__(message)
        self.codes = codes


@asynccontextmanager
async def connected(
    base_url: str, *, connections: int = 32, timeout_seconds: float = 120
) -> AsyncIterator[httpx2.AsyncClient]:
    """Connections to one server, kept open between requests and closed at the end."""
    limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
    # The environment may name a proxy, and a proxy knows nothing of our loopback.
    async with httpx2.AsyncClient(base_url=base_url, limits=limits, timeout=timeout_seconds, trust_env=False) as http:
        yield http


@dataclass(frozen=True, slots=True)
class Api:
    """The API as the holder of one token sees it."""

    http: httpx2.AsyncClient
    token: str = field(repr=False)

    async def ask(self, document: str, **variables: Any) -> dict[str, Any]:
        """The `data` of the answer; ApiError where there are errors beside it, or no answer."""
        return await self._answer(json={"query": document, "variables": variables})

    async def send(self, document: str, **given: Any) -> dict[str, Any]:
        """The payload of the document's one field, which takes `$input`; it may hold `userErrors`."""
        return _only(await self.ask(document, input=given))

    async def do(self, document: str, **given: Any) -> dict[str, Any]:
        """As `send`, but ApiError where there are `userErrors`."""
        return _done(await self.send(document, **given))

    async def upload(self, document: str, *, name: str, content: bytes, **given: Any) -> dict[str, Any]:
        """As `do`, with `content` as the input's `file`, by the GraphQL multipart request specification."""
        operations = {"query": document, "variables": {"input": {**given, "file": None}}}
        return _done(
            _only(
                await self._answer(
                    data={"operations": json.dumps(operations), "map": json.dumps({"0": ["variables.input.file"]})},
                    files={"0": (name, content)},
                )
            )
        )

    async def _answer(self, **body: Any) -> dict[str, Any]:
        try:
            response = await self.http.post("/graphql", headers={"Authorization": f"Bearer {self.token}"}, **body)
            answer = response.json()
        except httpx2.HTTPError as failure:
            raise ApiError(f"The server gave no answer ({type(failure).__name__}: {failure}).") from failure
        except ValueError as failure:
            raise ApiError(f"The server answered with status {response.status_code} and no JSON.") from failure
        errors = answer.get("errors", [])
        if errors:
            codes = frozenset(str(error.get("extensions", {}).get("code", "")) for error in errors)
            raise ApiError(f"The server answered: {errors[0]['message']}", codes)
        data: dict[str, Any] = answer["data"]
        return data


def _only(data: dict[str, Any]) -> dict[str, Any]:
    (payload,) = data.values()
    return dict(payload)


def _done(payload: dict[str, Any]) -> dict[str, Any]:
    for error in payload["userErrors"]:
        raise ApiError(f"The server refused: {error['message']}", frozenset({error["code"]}))
    return payload
