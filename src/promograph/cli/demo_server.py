"""A server of the demo's own: a child process that ends with it."""

import asyncio
import re
import sys
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import httpx2

from promograph.errors import PromographError

_MODULE = "promograph.cli.main"
_ADDRESS = re.compile(r"(http://127\.0\.0\.1:[1-9]\d*)/graphql")
_SECONDS_TO_START = 60.0
# Longer than the server takes to let its last requests finish.
_SECONDS_TO_END = 15.0
_SECONDS_BETWEEN_LOOKS = 0.05
_LINES_SHOWN = 12


class ServerFailed(PromographError):
    """The server did not start, or has ended; the message ends with its last words."""


class Server:
    """A server that answers at `url`."""

    def __init__(self, process: Process, log: Path, url: str) -> None:
        self._process = process
        self._log = log
        self.url = url

    async def watch(self) -> None:
        """Wait for as long as it runs; then ServerFailed."""
        status = await self._process.wait()
        raise _failed(f"The server has ended by itself, with status {status}.", self._log)


@asynccontextmanager
async def running_server(folder: Path, store: str) -> AsyncIterator[Server]:
    """A server of this machine's loopback over `store`; it has ended when the block has. Its log goes to `folder`."""
    log = folder / "server.log"
    process = await _start(store, log)
    try:
        yield Server(process, log, await _answering_in_time(process, log))
    except PromographError as failure:
        # Whoever asked the server saw a connection break; why it did is in the log.
        if isinstance(failure, ServerFailed) or not await _has_ended(process):
            raise
        raise _failed(f"{failure} The server has ended with status {process.returncode}.", log) from failure
    finally:
        await _end(process)


async def _start(store: str, log: Path) -> Process:
    options = ("--host", "127.0.0.1", "--port", "0", "--workers", "1", "--store", store)
    with _opened(log) as output:
        # In a session of its own: Ctrl-C goes to every process of the terminal's, and would end it before we do.
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", _MODULE, "serve", *options),
            stdin=DEVNULL,
            stdout=output,
            stderr=STDOUT,
            start_new_session=True,
        )


async def _answering_in_time(process: Process, log: Path) -> str:
    try:
        async with asyncio.timeout(_SECONDS_TO_START):
            return await _answering(process, log)
    except TimeoutError:
        raise _failed(f"The server does not answer after {_SECONDS_TO_START:.0f} seconds.", log) from None


async def _answering(process: Process, log: Path) -> str:
    """Where the server says it listens, once it is healthy there. It chose the port: nobody can have taken it since."""
    async with httpx2.AsyncClient(trust_env=False, timeout=5) as http:
        while process.returncode is None:
            address = _ADDRESS.search(_text(log))
            if address and await _is_healthy(http, address[1]):
                return address[1]
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
    raise _failed(f"The server did not start (status {process.returncode}).", log)


async def _is_healthy(http: httpx2.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(f"{url}/health")).status_code == 200
    except httpx2.HTTPError:
        return False


async def _end(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        await _has_ended(process, within_seconds=_SECONDS_TO_END)
    finally:
        # Also where this task is cancelled while it waits: no server outlives its store.
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _has_ended(process: Process, *, within_seconds: float = 0.5) -> bool:
    """Whether it ends within some time; the end of a process is noticed a moment after that of its connections."""
    try:
        await asyncio.wait_for(process.wait(), within_seconds)
    except TimeoutError:
        return False
    return True


def _opened(log: Path) -> BinaryIO:
    return log.open("wb")


def _text(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")


def _failed(sentence: str, log: Path) -> ServerFailed:
    last = _text(log).splitlines()[-_LINES_SHOWN:]
    return ServerFailed("\n".join([sentence, *(["Its last lines:"] if last else []), *(f"  {line}" for line in last)]))
