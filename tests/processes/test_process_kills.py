"""`kill -9` in the middle of a storm: whatever a client was told is true afterwards, and nothing was given twice."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import pytest

from .asking import Client, Gone
from .conftest import NewServer
from .servers import Server, Surroundings, running
from .stores import ISSUED, REDEEMED, differences, new_token, sql

KILLS = 10
_SHOWN = 500


@dataclass(slots=True)
class Told:
    """What clients know: customers' codes, and orders' uses of codes. An order is its own idempotency key."""

    codes: dict[str, str] = field(default_factory=dict)
    orders: dict[str, str] = field(default_factory=dict)  # order -> redemption id
    in_doubt: dict[str, str] = field(default_factory=dict)  # order -> code whose redeeming got no answer

    def hear(self, customers: list[str], codes: list[str]) -> None:
        for customer, code in zip(customers, codes, strict=True):
            assert self.codes.setdefault(customer, code) == code, f"{customer} was told two codes"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_was_told_survives(
    kind: str, new_store: Callable[[str], str], new_server: NewServer, surroundings: Surroundings
) -> None:
    store = new_store(kind)
    token = new_token(store)
    server, told = new_server(store), Told()
    with running([server]):
        asyncio.run(_prepare(server, token))
        for kill in range(KILLS):
            asyncio.run(_storm(server, token, told, Random(kill)))
            server.start()
            issued = sql(store, ISSUED)
            by_code = dict(issued)
            assert len(by_code) == len(issued), "a code was given twice"
            assert {by_code.get(code) for code in told.codes.values()} == set(told.codes)
            assert told.codes.items() <= {customer: code for code, customer in issued}.items()
            asyncio.run(_ask_again(server, token, told))
            redeemed = sql(store, REDEEMED)
            assert sorted(order for _, order in redeemed) == sorted(told.orders), "an order was redeemed twice or never"
            assert differences(store) == []
    assert len(told.codes) > 1_000 and len(told.orders) > 50, "the storms were none"
    ended = surroundings.run("verify", "--store", store)
    assert (ended.status, ended.out) == (0, ""), ended


async def _prepare(server: Server, token: str) -> None:
    async with Client(server.base, token) as client:
        # The pool runs dry in the midst of the storms, after which codes are made as they are asked for.
        await client.promotion("storm", [f"POOL-{n}" for n in range(2_000)], onEmpty="GENERATE")


async def _storm(server: Server, token: str, told: Told, random: Random) -> None:
    """Clients that issue and redeem until the server is killed under them."""
    until = len(told.codes) + random.randrange(100, 1_500)
    async with Client(server.base, token) as client, asyncio.TaskGroup() as group:
        for _ in range(6):
            group.create_task(_issue(client, told, Random(random.random())))
        for _ in range(3):
            group.create_task(_redeem(client, told, Random(random.random())))
        while len(told.codes) < until:
            await asyncio.sleep(0.002)
        server.kill()


async def _issue(client: Client, told: Told, random: Random) -> None:
    """Customers new and known, wanted by several clients at once."""
    while True:
        frontier = len(told.codes)
        customers = sorted({f"customer-{random.randrange(frontier + 100)}" for _ in range(random.randrange(1, 40))})
        try:
            payload = await client.mutate("codesIssue", "codes userErrors { code }", promotion="storm", customers=customers)
        except Gone:
            return
        assert not payload["userErrors"], payload
        told.hear(customers, payload["codes"])


async def _redeem(client: Client, told: Told, random: Random) -> None:
    while True:
        await asyncio.sleep(0.001)
        customer = f"customer-{random.randrange(len(told.codes) + 1)}"
        order = f"order-of-{customer}"
        if customer not in told.codes or order in told.orders or order in told.in_doubt:
            continue
        told.in_doubt[order] = told.codes[customer]
        try:
            told.orders[order] = await _redemption(client, order, told.codes[customer])
        except Gone:
            return
        del told.in_doubt[order]


async def _redemption(client: Client, order: str, code: str) -> str:
    payload = await client.mutate(
        "codeRedeem", "redemption { id } userErrors { code }", code=code, order=order, idempotencyKey=order
    )
    assert payload["redemption"], payload
    id_: str = payload["redemption"]["id"]
    return id_


async def _ask_again(server: Server, token: str, told: Told) -> None:
    """Over the API: codes are as they were told, told redemptions are answered again, doubtful ones are settled."""
    async with Client(server.base, token) as client:
        customers = list(told.codes)[-_SHOWN:]
        payload = await client.mutate(
            "codesIssue", "codes results { replayed }", promotion="storm", customers=customers
        )
        assert payload["codes"] == [told.codes[customer] for customer in customers]
        assert all(result["replayed"] for result in payload["results"])
        for order, code in told.in_doubt.items():
            told.orders[order] = await _redemption(client, order, code)
        told.in_doubt.clear()
        for order in list(told.orders)[-50:]:
            code = told.codes[order.removeprefix("order-of-")]
            assert await _redemption(client, order, code) == told.orders[order]
        await _look_at_some(client, told)


async def _look_at_some(client: Client, told: Told) -> None:
    for customer, code in list(told.codes.items())[-10:]:
        answer = await client.ask("query($text: String!) { code(text: $text) { issuances { customer } } }", {"text": code})
        assert answer.body["data"]["code"]["issuances"] == [{"customer": customer}]
