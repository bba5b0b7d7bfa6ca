"""Subscriptions from real servers: a WebSocket and an event stream, beside other processes, to the end."""

import asyncio
import json
from typing import Any

from websockets import ConnectionClosed

from .asking import Client
from .conftest import BothStores, NewServer
from .listening import heard, socket_to, socket_to_the_end, stream_to_the_end, streamed, subscribe
from .servers import Server, running
from .stores import differences

WATCH = "subscription ($id: ID!) { inventoryChanged(promotion: $id) { available issued } }"
FOLLOW = "subscription ($id: ID!) { jobProgress(job: $id) { status done total batch { size } } }"
ISSUES = 400
CODES = 20_000
TRIES = 20


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
        await subscribe(socket, WATCH, promotion)
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
        await subscribe(socket, WATCH, promotion)
        assert numbers(await heard(socket)) == (0, ISSUES)
        await client.mutate("tokenRevoke", "token { name }", name="for a while")
        try:
            await heard(socket)
            raise AssertionError("nothing has moved")
        except ConnectionClosed as end:
            assert end.rcvd is not None and end.rcvd.code == 4403


async def stream_until_stopped(server: Server, token: str, promotion: str) -> None:
    """A stop is not held up by streams that would never end."""
    async with socket_to(server, token) as socket, streamed(server, token, WATCH, promotion) as lines:
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


async def follow_jobs(watched: Server, used: Server, token: str) -> None:
    """Watch at one server, in both ways, what another one is at, until one job was seen on its way."""
    async with Client(used.base, token) as client:
        promotion = await client.promotion("generated", onEmpty="GENERATE")
        for _ in range(TRIES):
            # Asked for something all the while, it gives way, and takes its time.
            asking = asyncio.ensure_future(ask_on(client))
            made = await client.mutate(
                "codesGenerate", "job { id } userErrors { message }", promotion=promotion, count=CODES, waitSeconds=0
            )
            both = await asyncio.gather(
                socket_to_the_end(watched, token, FOLLOW, made["job"]["id"]),
                stream_to_the_end(watched, token, FOLLOW, made["job"]["id"]),
            )
            asking.cancel()
            ways = [check_followed(seen) for seen in both]
            if all(ways):
                return
    raise AssertionError(f"none of {TRIES} jobs was seen before its end")


async def ask_on(client: Client) -> None:
    while True:
        await client.look_at("generated")


def check_followed(seen: list[Any]) -> bool:
    """Whether more than the end of a job was told; what was told must be right in any case."""
    told = [each["jobProgress"] for each in seen]
    assert told[-1] == {"status": "DONE", "done": CODES, "total": CODES, "batch": {"size": CODES}}
    assert all(each["status"] in ("WAITING", "RUNNING") and each["batch"] is None for each in told[:-1])
    done = [each["done"] for each in told]
    assert done == sorted(done) and {each["total"] for each in told} == {CODES}
    return any(0 < each["done"] < CODES for each in told)


def test_numbers_are_told_as_they_move(both_stores: BothStores, new_server: NewServer) -> None:
    def act(store: str, token: str) -> None:
        servers = [new_server(store) for _ in range(1 if store.startswith("sqlite") else 2)]
        with running(servers):
            asyncio.run(follow_jobs(servers[0], servers[-1], token))
            asyncio.run(drain_and_watch(servers[0], servers[-1], token))
            assert servers[0].wait() == 0
            assert "Cancel" not in servers[0].said and "Traceback" not in servers[0].said
        assert differences(store) == []

    both_stores(act)
