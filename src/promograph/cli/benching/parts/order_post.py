"""Deliveries over several connections, each repeated until it is taken, while the server is killed in between."""

import asyncio
import re
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from time import perf_counter

from promograph.cli.benching.failures import expect
from promograph.cli.benching.parts.order_news import SETTINGS
from promograph.cli.benching.processes import Server, product_server

_CONNECTIONS = 16
_PAUSE_SECONDS = 0.02
_LENGTH = re.compile(rb"content-length: (\d+)")


class Mortal:
    """A server that is killed and begun again on the same store; its port changes."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url, self._folder = url, folder
        self._life = ExitStack()
        self.server: Server

    def __enter__(self) -> "Mortal":
        self._begin()
        return self

    def __exit__(self, *_: object) -> None:
        self._life.close()

    def die_and_rise(self) -> None:
        self.server.kill()
        self._life.close()
        self._begin()

    def _begin(self) -> None:
        self.server = self._life.enter_context(product_server(self._url, self._folder, SETTINGS))


class Post:
    """Sends every request until it is answered with 200. After so many answers (`kills`) the server dies."""

    def __init__(self, mortal: Mortal, requests: Sequence[bytes], kills: Sequence[int] = ()) -> None:
        self._mortal = mortal
        self._left = list(reversed(requests))
        self._kills = list(kills)
        self._rising = asyncio.Lock()
        self._taken = 0

    async def delivered(self) -> float:
        """How many seconds it took until the last one was taken."""
        began = perf_counter()
        await asyncio.gather(*(self._carry() for _ in range(_CONNECTIONS)))
        return perf_counter() - began

    async def _carry(self) -> None:
        while self._left:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._carry_by_one_connection()
                return
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _carry_by_one_connection(self) -> None:
        async with self._rising:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._mortal.server.port)
        try:
            while self._left:
                request = self._left.pop()
                try:
                    await _taken(reader, writer, request)
                except (OSError, asyncio.IncompleteReadError):
                    self._left.append(request)  # taken or not, that nobody knows: it is told again
                    raise
                self._taken += 1
                await self._kill()
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _kill(self) -> None:
        async with self._rising:
            if self._kills and self._taken >= self._kills[0]:
                self._kills.pop(0)
                await asyncio.to_thread(self._mortal.die_and_rise)


async def _taken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head.lower())
    body = await reader.readexactly(int(length[1])) if length else b""
    expect(head[9:12] == b"200", "A delivery", head + body)
