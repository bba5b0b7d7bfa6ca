"""A real HTTP server on loopback that webhooks are sent to, and that answers as a test says."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from standardwebhooks.webhooks import Webhook as Verifier

Reply = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Heard:
    """One request, word for word."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def payload(self) -> Any:
        return orjson.loads(self.body)

    def verified(self, secret: str) -> Any:
        """The payload, once the independent library has found the signature right."""
        return Verifier(secret).verify(self.body, dict(self.headers))


def status(number: int, **headers: str) -> Reply:
    """An answer with this status and these headers (`_` for `-`)."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())

    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {number} X\r\ncontent-length: 0\r\n{lines}\r\n".encode())

    return reply


async def hang(_: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3600)


async def pour(writer: asyncio.StreamWriter) -> None:
    """A status that is fine, and a body without end."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def drop(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


@dataclass
class Receiver:
    """`replies` are given one after the other, and 204 once there are none left."""

    url: str
    heard: list[Heard] = field(default_factory=list)
    replies: deque[Reply] = field(default_factory=deque)
    connections: int = 0
    more: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head.decode().split("\r\n")[:-2]
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                async with self.more:
                    self.heard.append(Heard(first.split()[1], headers, body))
                    self.more.notify_all()
                await (self.replies.popleft() if self.replies else status(204))(writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def hears(self, count: int) -> None:
        """Wait until so much has been heard in all."""
        async with self.more:
            await self.more.wait_for(lambda: len(self.heard) >= count)

    def payloads(self, *types: str) -> list[Any]:
        return [heard.payload for heard in self.heard if not types or heard.payload["type"] in types]


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """One that listens on a free port, and forgets whoever still hangs at the end."""
    receiver = Receiver("")
    tasks = set[asyncio.Task[None]]()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.ensure_future(receiver.serve(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hooks"
    try:
        yield receiver
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
