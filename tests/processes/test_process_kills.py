"""`kill -9` in the middle of a storm: whatever a client was told is true afterwards, and nothing was given twice."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from .asking import Client, Gone
from .commands import Surroundings
from .conftest import BothStores, NewServer
from .servers import Server, running
from .stores import ISSUED, REDEEMED, differences, sql

KILLS = 5
"""On each store."""
_SHOWN = 500


@dataclass(slots=True)
class Told:
    """What clients know: customers' codes, and orders' uses of codes. An order is its own idempotency key."""

    codes: dict[str, str] = field(default_factory=dict)
    orders: dict[str, str] = field(default_factory=dict)  # order -> redemption id
    in_doubt: dict[str, str] = field(default_factory=dict)  # order -> code whose redeeming got no answer
    calls: dict[str, list[str]] = field(default_factory=dict)  # idempotency key -> customers of a call for many

    def hear(self, customers: list[str], codes: list[str]) -> None:
        for customer, code in zip(customers, codes, strict=True):
            assert self.codes.setdefault(customer, code) == code, f"{customer} was told two codes"


def test_what_was_told_survives(both_stores: BothStores, new_server: NewServer, surroundings: Surroundings) -> None:
    def survive(store: str, token: str) -> None:
        server, told = new_server(store), Told()
        with running([server]):
            asyncio.run(_prepare(server, token))
            for kill in range(KILLS):
                asyncio.run(_storm(server, token, told, Random(kill)))
                server.start()
                _check_issued(store, told)
                asyncio.run(_ask_again(server, token, told))
                redeemed = [order for _, order in sql(store, REDEEMED)]
                assert sorted(redeemed) == sorted(told.orders), "an order was redeemed twice or never"
                assert differences(store) == []
        assert len(told.codes) > KILLS * 50 and len(told.orders) > KILLS, "the storms were none"
        ended = surroundings.run("verify", "--store", store)
        assert (ended.status, ended.out) == (0, ""), ended

    both_stores(survive)


def _check_issued(store: str, told: Told) -> None:
    issued = sql(store, ISSUED)
    assert len({code for code, _ in issued}) == len(issued), "a code was given twice"
    assert len({customer for _, customer in issued}) == len(issued), "a customer has two codes"
    assert told.codes.items() <= {customer: code for code, customer in issued}.items(), "a code was lost"


async def _prepare(server: Server, token: str) -> None:
    async with Client(server.base, token) as client:
        # The pool runs dry in the midst of the storms, after which codes are made as they are asked for.
        await client.promotion("storm", [f"POOL-{n}" for n in range(800)], onEmpty="GENERATE")


async def _storm(server: Server, token: str, told: Told, random: Random) -> None:
    """Clients that issue and redeem until the server is killed under them."""
    until = len(told.codes) + random.randrange(60, 250)
    async with Client(server.base, token) as client, asyncio.TaskGroup() as group:
        for _ in range(6):
            group.create_task(
                _issue(client, told, Random(random.random()), lambda: _kill_once_told(server, told, until))
            )
        for _ in range(3):
            group.create_task(_redeem(client, told, Random(random.random())))


def _kill_once_told(server: Server, told: Told, until: int) -> None:
    if len(told.codes) >= until:
        server.kill()


async def _issue(client: Client, told: Told, random: Random, after: Callable[[], None]) -> None:
    """Customers new and known, wanted by several clients at once."""
    while True:
        newest = len(told.codes)
        numbers = {random.randrange(max(0, newest - 300), newest + 100) for _ in range(random.randrange(1, 40))}
        customers = [f"customer-{number}" for number in numbers]
        key = f"call-{len(told.calls)}"
        told.calls[key] = customers
        try:
            # Every other call has a key, because calls with one go their own way through the server.
            told.hear(customers, await _codes(client, customers, key if random.random() < 0.5 else None))
        except Gone:
            return
        after()


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


async def _codes(client: Client, customers: list[str], key: str | None) -> list[str]:
    payload = await client.mutate(
        "codesIssue", "codes userErrors { code }", promotion="storm", customers=customers, idempotencyKey=key
    )
    assert not payload["userErrors"], payload
    codes: list[str] = payload["codes"]
    return codes


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
        told.hear(customers, await _codes(client, customers, None))
        for key, customers in list(told.calls.items())[-20:]:
            told.hear(customers, await _codes(client, customers, key))
        for order, code in told.in_doubt.items():
            told.orders[order] = await _redemption(client, order, code)
        told.in_doubt.clear()
        for order in list(told.orders)[-50:]:
            code = told.codes[order.removeprefix("order-of-")]
            assert await _redemption(client, order, code) == told.orders[order], "a key got another answer"
        await _look_at_some(client, told)


async def _look_at_some(client: Client, told: Told) -> None:
    for customer, code in list(told.codes.items())[-10:]:
        answer = await client.ask(
            "query($text: String!) { code(text: $text) { issuances { customer } } }", {"text": code}
        )
        assert answer.body["data"]["code"]["issuances"] == [{"customer": customer}]
