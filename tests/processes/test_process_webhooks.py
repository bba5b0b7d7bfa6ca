"""Webhooks of a real server, heard by the receiver of docs/webhooks.md; what a killed one had in hand comes again."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import AF_INET, SOCK_STREAM, socket

from .asking import Client
from .commands import PATIENCE_SECONDS
from .conftest import BothStores, NewServer
from .servers import poll, running
from .stores import differences

PAGE = (Path(__file__).parents[2] / "docs/webhooks.md").read_text(encoding="utf-8")
(RECEIVER,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
SETTINGS = {
    "PROMOGRAPH_WEBHOOKS_OVER_HTTP": "true",
    "PROMOGRAPH_WEBHOOKS_TO_PRIVATE": "true",
    "PROMOGRAPH_WEBHOOK_SECONDS": "2",
}
CODES = 100


def test_the_receiver_of_the_page_hears_each_thing_once_though_the_server_is_killed(
    both_stores: BothStores, new_server: NewServer, tmp_path: Path
) -> None:
    def hear(store: str, token: str) -> None:
        server, port = new_server(store, settings=SETTINGS), free_port()
        said = tmp_path / f"{port}.txt"
        with running([server]):
            secret = asyncio.run(set_up(server.base, token, port))
            with receiver(port, secret, said):
                asyncio.run(issue(server.base, token))
                poll(lambda: len(heard(said)) > 0, "nothing was heard")
                server.kill()
                assert len(heard(said)) < CODES, "it was over before it could be killed"
                server.start()
                poll(lambda: len(heard(said)) >= CODES, "not everything was heard")
        assert sorted(heard(said)) == list(range(1, CODES + 1))
        assert differences(store) == []

    both_stores(hear)


def heard(said: Path) -> list[int]:
    """The numbers of the issuances that the receiver has noted."""
    return [int(found) for found in re.findall(r"^code\.issued \{.*'number': (\d+)", said.read_text(), re.MULTILINE)]


async def set_up(base: str, token: str, port: int) -> str:
    """The secret of a new webhook that is told of codes issued."""
    async with Client(base, token) as client, asyncio.timeout(PATIENCE_SECONDS):
        url = f"http://127.0.0.1:{port}/hooks"
        made = await client.mutate("webhookCreate", "secret userErrors { message }", url=url, types=["CODE_ISSUED"])
        await client.promotion("told", [f"told-{n}" for n in range(CODES)])
        return str(made["secret"])


async def issue(base: str, token: str) -> None:
    async with Client(base, token) as client, asyncio.timeout(PATIENCE_SECONDS):
        customers = [f"c-{n}" for n in range(CODES)]
        await client.mutate("codesIssue", "userErrors { message }", promotion="told", customers=customers)


@contextmanager
def receiver(port: int, secret: str, said: Path) -> Iterator[None]:
    """The page's own, as a process."""
    surroundings = {**os.environ, "WEBHOOK_SECRET": secret, "PORT": str(port)}
    with said.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-c", RECEIVER], env=surroundings, stderr=out)
    try:
        yield
    finally:
        process.kill()
        process.wait(PATIENCE_SECONDS)


def free_port() -> int:
    with socket(AF_INET, SOCK_STREAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
