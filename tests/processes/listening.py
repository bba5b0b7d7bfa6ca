"""Subscriptions as clients hear them: graphql-transport-ws, and server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from websockets import Subprotocol
from websockets.asyncio.client import ClientConnection, connect

from .commands import PATIENCE_SECONDS
from .servers import Server


@asynccontextmanager
async def socket_to(server: Server, token: str) -> AsyncIterator[ClientConnection]:
    address = server.base.replace("http", "ws", 1) + "/graphql"
    async with connect(address, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
        await socket.send(json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}))
        assert await heard(socket) == {"type": "connection_ack"}
        yield socket


async def heard(socket: ClientConnection) -> Any:
    return json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_SECONDS))


async def subscribe(socket: ClientConnection, document: str, id_: str) -> None:
    payload = {"query": document, "variables": {"id": id_}}
    await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))


@asynccontextmanager
async def streamed(server: Server, token: str, document: str, id_: str) -> AsyncIterator[AsyncIterator[str]]:
    """The lines of an event stream."""
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
    body = {"query": document, "variables": {"id": id_}}
    async with (
        httpx2.AsyncClient(timeout=PATIENCE_SECONDS) as http,
        http.stream("POST", f"{server.base}/graphql", json=body, headers=headers) as answer,
    ):
        yield answer.aiter_lines()


async def socket_to_the_end(server: Server, token: str, document: str, id_: str) -> list[Any]:
    """The data of every message of a subscription that ends by itself."""
    seen = []
    async with socket_to(server, token) as socket:
        await subscribe(socket, document, id_)
        while (message := await heard(socket))["type"] == "next":
            assert "errors" not in message["payload"], message
            seen.append(message["payload"]["data"])
        assert message == {"type": "complete", "id": "1"}
    return seen


async def stream_to_the_end(server: Server, token: str, document: str, id_: str) -> list[Any]:
    """The same over server-sent events."""
    seen = []
    async with streamed(server, token, document, id_) as lines:
        event = ""
        async for line in lines:
            if line.startswith("event:"):
                event = line[6:].strip()
            elif line.startswith("data:") and event == "next":
                shown = json.loads(line[5:])
                assert "errors" not in shown, shown
                seen.append(shown["data"])
    assert event == "complete"
    return seen
