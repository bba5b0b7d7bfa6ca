"""Subscriptions from real servers: a WebSocket and an event stream, beside other processes, to the end."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from websockets import ConnectionClosed, Subprotocol
from websockets.asyncio.client import ClientConnection, connect

from .asking import Client
from .conftest import BothStores, NewServer
from .servers import PATIENCE_SECONDS, Server, running
from .stores import differences

WATCH = "subscription ($id: ID!) { inventoryChanged(promotion: $id) { available issued } }"
ISSUES = 400


@asynccontextmanager
async def socket_to(server: Server, token: str) -> AsyncIterator[ClientConnection]:
    address = server.base.replace("http", "ws", 1) + "/graphql"
    async with connect(address, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
        await socket.send(json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}))
        assert await heard(socket) == {"type": "connection_ack"}
        yield socket


async def heard(socket: ClientConnection) -> Any:
    return json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_SECONDS))


async def watch(socket: ClientConnection, promotion: str) -> None:
    payload = {"query": WATCH, "variables": {"id": promotion}}
    await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))


def numbers(message: Any) -> tuple[int, int]:
    assert message["type"] == "next" and "errors" not in message["payload"], message
    shown = message["payload"]["data"]["inventoryChanged"]
    return shown["available"], shown["issued"]


async def issue_all(client: Client, handle: str) -> None:
    async def some(first: int) -> None:
        for n in range(first, ISSUES, 8):
            await client.mutate("codeIssue", "issuance { text }", promotion=handle, customer=f"c{n}")

    await asyncio.gather(*(some(n) for n in range(8)))


async def drain_and_watch(watched: Server, used: Server, token: str) -> None:
    """Watch at one server what another one gives away."""
    async with Client(used.base, token) as client, socket_to(watched, token) as socket:
        promotion = await client.promotion("sale", [f"LIVE-{n:04}" for n in range(ISSUES)])
        await watch(socket, promotion)
        assert numbers(await heard(socket)) == (ISSUES, 0)
        issuing = asyncio.ensure_future(issue_all(client, "sale"))
        seen = [(ISSUES, 0)]
        while seen[-1] != (0, ISSUES):
            seen.append(numbers(await heard(socket)))
        await issuing
        assert all(available + issued == ISSUES for available, issued in seen)
        assert seen == sorted(set(seen), reverse=True), "each is newer than the one before"
        assert len(seen) < ISSUES / 4, "a burst is told in a few messages"
        await watch_until_revoked(watched, client, promotion)
        await stream_until_stopped(watched, token, promotion)


async def watch_until_revoked(server: Server, client: Client, promotion: str) -> None:
    made = await client.mutate("tokenCreate", "text", name="for a while", scopes=["INVENTORY_READ"])
    async with socket_to(server, made["text"]) as socket:
        await watch(socket, promotion)
        assert numbers(await heard(socket)) == (0, ISSUES)
        await client.mutate("tokenRevoke", "token { name }", name="for a while")
        try:
            await heard(socket)
            raise AssertionError("nothing has moved")
        except ConnectionClosed as end:
            assert end.rcvd is not None and end.rcvd.code == 4403


async def stream_until_stopped(server: Server, token: str, promotion: str) -> None:
    """A stop is not held up by streams that would never end."""
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
    body = {"query": WATCH, "variables": {"id": promotion}}
    async with (
        socket_to(server, token) as socket,
        httpx2.AsyncClient(timeout=PATIENCE_SECONDS) as http,
        http.stream("POST", f"{server.base}/graphql", json=body, headers=headers) as answer,
    ):
        lines = answer.aiter_lines()
        while not (line := await anext(lines)).startswith("data:"):
            pass
        assert json.loads(line[5:]) == {"data": {"inventoryChanged": {"available": 0, "issued": ISSUES}}}
        server.ask_to_stop()
        assert [line async for line in lines if line.startswith("event:")] == []
        try:
            await heard(socket)
            raise AssertionError("nothing has moved")
        except ConnectionClosed as end:
            assert end.rcvd is not None and end.rcvd.code == 1012


def test_numbers_are_told_as_they_move(both_stores: BothStores, new_server: NewServer) -> None:
    def act(store: str, token: str) -> None:
        servers = [new_server(store) for _ in range(1 if store.startswith("sqlite") else 2)]
        with running(servers):
            asyncio.run(drain_and_watch(servers[0], servers[-1], token))
            assert servers[0].wait() == 0
            assert "Cancel" not in servers[0].said and "Traceback" not in servers[0].said
        assert differences(store) == []

    both_stores(act)
