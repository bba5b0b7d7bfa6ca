"""A file of 200 MB sent to a real server: it is read to its end, and the server's memory does not grow with it."""

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from promograph.domain.access import Scope
from promograph.services.app import Services

SIZE = 200 * 2**20
MOST_MEMORY = 400 * 2**20
PATIENCE_SECONDS = 300.0
_BOUNDARY = "a-boundary-that-no-code-holds"
_ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)/graphql$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Server:
    """A running `promograph serve` and a token of an administrator."""

    pid: int
    port: int
    token: str

    def send(self, body: bytes | Iterator[bytes], *, content_type: str, length: int) -> Any:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": content_type,
            "Content-Length": str(length),
        }
        try:
            connection.request("POST", "/graphql", body=body, headers=headers)
            answer = connection.getresponse()
            assert answer.status == 200
            return json.loads(answer.read())["data"]
        finally:
            connection.close()

    def ask(self, query: str, **variables: Any) -> Any:
        body = json.dumps({"query": query, "variables": variables}).encode()
        return self.send(body, content_type="application/json", length=len(body))

    def peak_memory(self) -> int:
        """The most bytes that were resident at any time, as Linux counts them."""
        found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{self.pid}/status").read_text(), re.MULTILINE)
        assert found is not None
        return int(found[1]) * 1024


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    store = f"sqlite:///{tmp_path}/promograph.db"
    command = [sys.executable, "-m", "promograph.cli.main"]
    token = asyncio.run(_token(store))
    with _running([*command, "serve", "--port", "0", "--store", store], tmp_path / "log") as (pid, port):
        yield Server(pid, port, token)


async def _token(store: str) -> str:
    services = Services.open(store)
    try:
        await services.prepare()
        text, _ = await services.access.create("test", [Scope.ADMIN])
        return text
    finally:
        await services.close()


@contextmanager
def _running(command: list[str], log: Path) -> Iterator[tuple[int, int]]:
    """The process and its port, once it answers."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=_surroundings())
    try:
        yield process.pid, _port(process, log)
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def _port(process: "subprocess.Popen[bytes]", log: Path) -> int:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        found = _ADDRESS.search(log.read_text())
        if found is not None:
            return int(found[1])
        time.sleep(0.02)
    raise AssertionError(f"The server did not start. It wrote:\n{log.read_text()}")


def _surroundings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PROMOGRAPH_")}


GOOD, BAD = 20, 400
"""Rows of each kind in a megabyte; what is left of it is one row more, of spaces without end."""


def _piece(number: int) -> bytes:
    """A megabyte of a file that goes wrong in every way: long cells, blank lines, two columns, repeats."""
    good = "".join(f"GOOD-{number:03}-{row}\nREPEAT\n\n" for row in range(GOOD))
    bad = f"a,b\n{'C' * 300}\n" * (BAD // 4) + f"{'D' * 4_900}\n" * (BAD // 2)
    return (good + bad).encode().ljust(2**20, b" ")[:-1] + b"\n"


def _form(promotion: str) -> tuple[bytes, bytes]:
    """What comes before the file in the body, and what comes after."""
    query = """mutation ($input: CodesImportInput!) { codesImport(input: $input) { userErrors { code message }
        batch { size } report { read added repeated bad badRows { row } } } }"""
    operations = json.dumps({"query": query, "variables": {"input": {"promotion": promotion, "file": None}}})
    parts = [("operations", operations), ("map", '{"0": ["variables.input.file"]}')]
    before = "".join(
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in parts
    )
    before += f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="0"; filename="codes.csv"\r\n\r\n'
    return before.encode(), f"\r\n--{_BOUNDARY}--\r\n".encode()


def test_a_file_of_200_mb_is_read_without_growing(server: Server) -> None:
    create = 'mutation { promotionCreate(input: { name: "Large" }) { promotion { id } } }'
    promotion = server.ask(create)["promotionCreate"]["promotion"]["id"]
    before, after = _form(promotion)

    def body() -> Iterator[bytes]:
        yield before
        for number in range(SIZE // 2**20):
            yield _piece(number)
        yield after

    length = len(before) + SIZE + len(after)
    imported = server.send(body(), content_type=f"multipart/form-data; boundary={_BOUNDARY}", length=length)
    payload = imported["codesImport"]
    assert payload["userErrors"] == []
    pieces = SIZE // 2**20
    report = payload["report"]
    assert payload["batch"]["size"] == report["added"] == pieces * GOOD + 1
    assert (report["repeated"], report["bad"]) == (pieces * GOOD - 1, pieces * (BAD + 1))
    assert report["read"] == pieces * (2 * GOOD + BAD + 1)
    assert len(report["badRows"]) == 1000
    query = "query ($id: ID!) { promotion(id: $id) { inventory { total } } }"
    assert server.ask(query, id=promotion)["promotion"]["inventory"]["total"] == report["added"]
    assert server.peak_memory() < MOST_MEMORY
