"""A server on the part's store, and one caller who asks it for one thing after the other."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Generic, TypeVar

import httpx2

from promograph.cli.benching.failures import BenchFailed, expect
from promograph.cli.benching.parts.part import Site
from promograph.cli.benching.processes import Server, product_server
from promograph.domain.access import Scope
from promograph.services.app import Services

T = TypeVar("T")
R = TypeVar("R")

_PATIENCE_SECONDS = 900.0
_LOOK_SECONDS = 0.1  # seldom enough to be no load for which a job rests
_OVER = ("DONE", "FAILED", "CANCELLED")
_JOB = "query($id: ID!) { node(id: $id) { ... on Job { id status done failed error download { url } } } }"


class Api:
    """Asks for one thing after the other; a wrong answer is the end of the run (BenchFailed)."""

    def __init__(self, port: int, token: str) -> None:
        self.token = token
        self._client = httpx2.Client(
            base_url=f"http://127.0.0.1:{port}",
            headers={"Authorization": f"Bearer {token}"},
            timeout=_PATIENCE_SECONDS,
            trust_env=False,
        )

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of one query."""
        return self._data(query, json={"query": query, "variables": variables})

    def act(self, mutation: str, fields: str, /, **given: Any) -> dict[str, Any]:
        """The payload of a mutation that refuses nothing; its input is named after it."""
        return _unrefused(mutation, self.ask(_document(mutation, fields), input=given))

    def upload(self, mutation: str, fields: str, file: str, content: bytes, /, **given: Any) -> dict[str, Any]:
        """The same, with a file in its input's `file`."""
        document = _document(mutation, fields)
        parts = {
            "operations": json.dumps({"query": document, "variables": {"input": {**given, "file": None}}}),
            "map": json.dumps({"0": ["variables.input.file"]}),
        }
        return _unrefused(mutation, self._data(document, data=parts, files={"0": (file, content)}))

    def is_over(self, job: dict[str, Any]) -> bool:
        return self._job(job)["status"] in _OVER

    def finished(self, job: dict[str, Any]) -> dict[str, Any]:
        """The job, once it is done."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while (seen := self._job(job))["status"] not in _OVER:
            if time.monotonic() > deadline:
                raise BenchFailed(f"A job did not end: {seen}")
            time.sleep(_LOOK_SECONDS)
        expect(seen["status"] == "DONE", "A job", seen)
        return seen

    def download(self, url: str) -> bytes:
        """A file, whole."""
        answer = self._client.get(url)
        expect(answer.status_code == 200, "A download", answer)
        return bytes(answer.content)

    def close(self) -> None:
        self._client.close()

    def _job(self, job: dict[str, Any]) -> dict[str, Any]:
        seen: dict[str, Any] = self.ask(_JOB, id=job["id"])["node"]
        return seen

    def _data(self, query: str, **request: Any) -> dict[str, Any]:
        try:
            answer = self._client.post("/graphql", **request)
        except httpx2.HTTPError as failure:
            raise BenchFailed(f"A request broke off: {failure!r}. It was {query[:200]}") from None
        expect(answer.status_code == 200 and "errors" not in answer.json(), query[:200], answer.text)
        data: dict[str, Any] = answer.json()["data"]
        return data


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground(Generic[T]):
    """A server, who asks it, and what was put into the store before."""

    server: Server
    api: Api
    stocked: T

    def timed(self, act: Callable[[], R]) -> tuple[R, float]:
        """What it gives and how many seconds it takes; the server's peak of memory is that of this time afterwards."""
        self.server.forget_peak()
        began = perf_counter()
        given = act()
        return given, perf_counter() - began


@contextmanager
def served(site: Site, stock: Callable[[Services], Awaitable[T]]) -> Iterator[Ground[T]]:
    """A server on the store as `stock` has filled it."""
    token, stocked = asyncio.run(_stocked(site.url, stock))
    with product_server(site.url, site.folder) as server:
        api = Api(server.port, token)
        try:
            yield Ground(server=server, api=api, stocked=stocked)
        finally:
            api.close()


async def _stocked(url: str, stock: Callable[[Services], Awaitable[T]]) -> tuple[str, T]:
    services = Services.open(url)
    try:
        await services.prepare()
        token, _ = await services.access.create("bench", [Scope.ADMIN])
        return token, await stock(services)
    finally:
        await services.close()


def _document(mutation: str, fields: str) -> str:
    kind = f"{mutation[0].upper()}{mutation[1:]}Input"
    return (
        f"mutation($input: {kind}!) {{ {mutation}(input: $input) {{ {fields} userErrors {{ code field message }} }} }}"
    )


def _unrefused(mutation: str, data: dict[str, Any]) -> dict[str, Any]:
    payload: dict[str, Any] = data[mutation]
    expect(not payload["userErrors"], mutation, payload)
    return payload
