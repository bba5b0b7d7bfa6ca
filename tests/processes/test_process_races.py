"""Races that real servers must win: each limit, many times, from many connections at once.

One SQLite server, two on one SQLite file (which wait for each other), and two on one PostgreSQL database.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from itertools import count, cycle
from typing import Any

import pytest

from .asking import Client
from .commands import Surroundings
from .conftest import NewServer
from .servers import Server, running
from .stores import differences, new_token

TIMES = 20
AT_ONCE = 64

pytestmark = pytest.mark.anyio


@dataclass(frozen=True, slots=True)
class Place:
    """Servers on one store."""

    store: str
    token: str
    servers: Sequence[Server]

    async def clients(self, stack: AsyncExitStack) -> list[Client]:
        return [await stack.enter_async_context(Client(server.base, self.token)) for server in self.servers]


@pytest.fixture(scope="module", params=["sqlite-1", "sqlite-2", "postgresql-2"])
def place(request: pytest.FixtureRequest, new_store: Callable[[str], str], new_server: NewServer) -> Iterator[Place]:
    kind, number = request.param.split("-")
    store = new_store(kind)
    token = new_token(store)
    servers = [new_server(store) for _ in range(int(number))]
    with running(servers):
        yield Place(store, token, servers)


async def test_a_single_use_code_is_redeemed_once(place: Place) -> None:
    async with AsyncExitStack() as stack:
        clients = await place.clients(stack)
        codes = [f"ONCE-{n}" for n in range(TIMES)]
        await clients[0].promotion("once", codes, codeKind="MULTIPLE")
        for code in codes:
            payloads = await at_once(
                clients, lambda client, n, code=code: redeem(client, code=code, order=f"order-{n}")
            )
            assert sum(payload["redemption"] is not None for payload in payloads) == 1
            reasons = Counter(error["code"] for payload in payloads for error in payload["userErrors"])
            assert reasons == {"ALREADY_REDEEMED": AT_ONCE - 1}
    assert differences(place.store) == []


async def test_an_occasion_gets_one_code(place: Place) -> None:
    async with AsyncExitStack() as stack:
        clients = await place.clients(stack)
        await clients[0].promotion("occasion", [f"OCC-{n}" for n in range(TIMES * 2)])
        for time in range(TIMES):
            payloads = await at_once(
                clients,
                lambda client, _, time=time: client.mutate(
                    "codeIssue",
                    "issuance { id text } replayed userErrors { code }",
                    promotion="occasion",
                    customer=f"customer-{time}",
                ),
            )
            assert not [payload for payload in payloads if payload["userErrors"]]
            assert len({(payload["issuance"]["id"], payload["issuance"]["text"]) for payload in payloads}) == 1
            assert sum(not payload["replayed"] for payload in payloads) == 1
        assert (await clients[0].look_at("occasion"))["inventory"]["issued"] == TIMES
    assert differences(place.store) == []


async def test_an_audience_cap_is_met_exactly(place: Place) -> None:
    customers, pool, cap = 500, 100, 90
    async with AsyncExitStack() as stack:
        clients = await place.clients(stack)
        for time in range(TIMES):
            handle = f"cap-{time}"
            await clients[0].promotion(handle, [f"CAP-{time}-{n}" for n in range(pool)], audienceCap=cap)
            singles = at_once(clients, partial(issue_one, promotion=handle), times=customers // 2)
            calls = at_once(clients, partial(issue_five, promotion=handle), times=customers // 10)
            answers = [answer for part in await asyncio.gather(singles, calls) for answer in part]
            texts = [text for codes, _ in answers for text in codes if text is not None]
            assert len(texts) == len(set(texts)) == cap
            reasons = {error["code"] for _, errors in answers for error in errors}
            assert reasons <= {"AUDIENCE_CAP_REACHED", "PROMOTION_INACTIVE"}
            seen = await clients[0].look_at(handle)
            assert (seen["status"], seen["endReason"]) == ("ENDED", "AUDIENCE_CAP")
            assert seen["inventory"]["issued"] == seen["inventory"]["customers"] == cap
            assert seen["inventory"]["available"] == pool - cap
    assert differences(place.store) == []


async def test_an_idempotency_key_redeems_once_and_answers_alike(place: Place) -> None:
    async with AsyncExitStack() as stack:
        clients = await place.clients(stack)
        # Usable without limit, so that nothing but the key stands between one redemption and 64.
        await clients[0].promotion("key", codeKind="SINGLE", singleCode="KEYED")
        for time in range(TIMES):
            payloads = await at_once(
                clients,
                lambda client, _, time=time: redeem(
                    client, code="KEYED", order=f"order-{time}", idempotencyKey=f"key-{time}"
                ),
            )
            assert not [payload for payload in payloads if payload["userErrors"]]
            assert len({payload["redemption"]["id"] for payload in payloads}) == 1
            assert len({payload["redemption"]["redeemedAt"] for payload in payloads}) == 1
        assert (await clients[0].look_at("key"))["inventory"]["redemptions"] == TIMES
    assert differences(place.store) == []


async def test_recounting_finds_nothing_even_beside_traffic(place: Place, surroundings: Surroundings) -> None:
    async with AsyncExitStack() as stack:
        clients = await place.clients(stack)
        await clients[0].promotion("traffic", onEmpty="GENERATE")
        verifying = asyncio.create_task(asyncio.to_thread(surroundings.run, "verify", "--store", place.store))
        for turn in count():
            await at_once(
                clients, lambda client, n, turn=turn: issue_five(client, turn * AT_ONCE + n, promotion="traffic")
            )
            if verifying.done():
                break
    ended = await verifying
    assert (ended.status, ended.out) == (0, ""), ended


async def issue_one(client: Client, n: int, *, promotion: str) -> tuple[list[str], list[Any]]:
    """The codes, and the errors."""
    payload = await client.mutate(
        "codeIssue", "issuance { text } userErrors { code }", promotion=promotion, customer=f"single-{n}"
    )
    return [payload["issuance"]["text"]] if payload["issuance"] else [], payload["userErrors"]


async def issue_five(client: Client, n: int, *, promotion: str) -> tuple[list[str | None], list[Any]]:
    """The codes, and the errors, of one call for five customers."""
    customers = [f"of-many-{5 * n + m}" for m in range(5)]
    payload = await client.mutate("codesIssue", "codes userErrors { code }", promotion=promotion, customers=customers)
    return payload["codes"], payload["userErrors"]


async def redeem(client: Client, **given: Any) -> Any:
    return await client.mutate("codeRedeem", "redemption { id redeemedAt } replayed userErrors { code }", **given)


async def at_once(clients: Sequence[Client], ask: Callable[..., Any], *, times: int = AT_ONCE) -> list[Any]:
    """What so many questions got, asked of the servers in turn at the same moment."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(client, n)) for n, client in zip(range(times), cycle(clients))]
    return [task.result() for task in tasks]
