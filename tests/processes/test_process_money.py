"""Money and holds over HTTP: two real servers on one store, many connections at once, and `kill -9` among them."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from random import Random
from typing import Any

import pytest

from .asking import Client, Gone
from .commands import PATIENCE_SECONDS, Surroundings
from .conftest import BothStores, NewServer
from .servers import Server, running
from .stores import differences, new_token

AT_ONCE = 64
TIMES = 2
KILLS = 4

pytestmark = pytest.mark.anyio


def eur(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


EACH = eur("7.77")


@dataclass(frozen=True, slots=True)
class Place:
    """Two servers on one store."""

    store: str
    token: str
    servers: Sequence[Server]

    async def clients(self, stack: AsyncExitStack) -> list[Client]:
        return [await stack.enter_async_context(Client(server.base, self.token)) for server in self.servers]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, new_store: Callable[[str], str], new_server: NewServer) -> Iterator[Place]:
    store = new_store(request.param)
    token = new_token(store)
    servers = [new_server(store) for _ in range(2)]
    with running(servers):
        yield Place(store, token, servers)


async def redeem(client: Client, **given: Any) -> Any:
    return await client.mutate("codeRedeem", "redemption { id } replayed userErrors { code }", **given)


async def hold(client: Client, **given: Any) -> Any:
    return await client.mutate("codeHold", "hold { token expiresAt } replayed userErrors { code data }", **given)


async def roll_back(client: Client, redemption: str, **given: Any) -> Any:
    shown = "rollback { isWhole } replayed userErrors { code }"
    return await client.mutate("redemptionRollback", shown, id=redemption, **given)


async def money(client: Client, handle: str) -> tuple[str, str]:
    """What of the promotion's budget is spent, and what is held, such as `7.77`."""
    answer = await client.ask(
        "query($handle: String) { promotion(handle: $handle) "
        "{ budget { total { amount } spent { amount } held { amount } left { amount } } } }",
        {"handle": handle},
    )
    found = {name: part["amount"] for name, part in answer.body["data"]["promotion"]["budget"].items()}
    total, spent, held, left = (Decimal(found[name]) for name in ("total", "spent", "held", "left"))
    assert left == total - spent - held >= 0
    return found["spent"], found["held"]


def times_each(times: int) -> str:
    """So many times 7.77."""
    return str(times * Decimal("7.77") + Decimal("0.00"))


def reasons(payloads: Sequence[Any]) -> Counter[str]:
    return Counter(error["code"] for payload in payloads for error in payload["userErrors"] or [{"code": "YES"}])


async def at_once(clients: Sequence[Client], ask: Callable[..., Any], *, times: int = AT_ONCE) -> list[Any]:
    """What so many questions got, asked of the servers in turn at the same moment."""
    return list(await asyncio.gather(*(ask(clients[n % len(clients)], n) for n in range(times))))


async def test_a_budget_gives_the_largest_multiple_that_fits(place: Place) -> None:
    """1,000.00 to 64 clients that take 7.77 each until they are refused: 128 times, which are 994.56."""
    async with AsyncExitStack() as stack:
        clients = await place.clients(stack)
        for time in range(TIMES):
            handle, code = f"budget-{time}", f"BUDGET-{time}"
            await clients[0].promotion(handle, codeKind="SINGLE", singleCode=code, budget=eur("1000.00"))

            async def until_refused(client: Client, _: int, code: str = code) -> int:
                for times in count():
                    payload = await redeem(client, code=code, discount=EACH)
                    if payload["redemption"] is None:
                        assert reasons([payload]) == {"BUDGET_EXHAUSTED": 1}
                        return times
                raise AssertionError

            assert sum(await at_once(clients, until_refused)) == 128
            assert await money(clients[0], handle) == ("994.56", "0.00")
            last = await at_once(clients, lambda client, _, code=code: redeem(client, code=code, discount=eur("5.44")))
            assert reasons(last) == {"YES": 1, "BUDGET_EXHAUSTED": AT_ONCE - 1}
            seen = await clients[1].look_at(handle)
            assert (seen["status"], seen["endReason"]) == ("ENDED", "BUDGET_SPENT")
            assert seen["inventory"]["redemptions"] == 129
    assert differences(place.store) == []


async def test_a_single_use_is_held_once_and_paid_once(place: Place) -> None:
    async with AsyncExitStack() as stack:
        clients = await place.clients(stack)
        codes = [f"HELD-{n}" for n in range(TIMES * 2)]
        await clients[0].promotion("held", codes, codeKind="MULTIPLE")
        for code in codes:
            payloads = await at_once(clients, lambda client, _, code=code: hold(client, code=code))
            assert reasons(payloads) == {"YES": 1, "HELD_BY_OTHER": AT_ONCE - 1}
            winner = next(payload["hold"] for payload in payloads if payload["hold"])
            data = [error["data"]["until"] for payload in payloads for error in payload["userErrors"]]
            assert set(data) == {winner["expiresAt"]}
            paid = await at_once(clients, lambda client, _, token=winner["token"]: redeem(client, hold=token), times=16)
            assert reasons(paid) == {"YES": 1, "HOLD_OVER": 15}
    assert differences(place.store) == []


async def test_holds_that_lapse_give_their_money_back(place: Place) -> None:
    """Half of a full budget is held for a second, half for an hour. Then there is room for the first half again."""
    async with AsyncExitStack() as stack:
        clients = await place.clients(stack)
        await clients[0].promotion("lapse", codeKind="SINGLE", singleCode="LAPSE", budget=eur("497.28"))
        made = await at_once(
            clients,
            lambda client, n: hold(client, code="LAPSE", discount=EACH, validFor="PT1H" if n % 4 < 2 else "PT1S"),
        )
        assert reasons(made) == {"YES": 64}
        async with asyncio.timeout(PATIENCE_SECONDS):
            for _ in count():
                if await money(clients[0], "lapse") == ("0.00", "248.64"):
                    break
                await asyncio.sleep(0.05)
        assert differences(place.store) == []
        asked: list[dict[str, Any]] = [{"hold": payload["hold"]["token"]} for payload in made]
        asked += [{"code": "LAPSE", "discount": EACH}] * AT_ONCE
        Random(1).shuffle(asked)
        payloads = await at_once(clients, lambda client, n: redeem(client, **asked[n]), times=len(asked))
        assert reasons(payloads) == {"YES": 64, "HOLD_OVER": 32, "BUDGET_EXHAUSTED": 32}
        assert await money(clients[0], "lapse") == ("497.28", "0.00")
    assert differences(place.store) == []


async def test_undoing_and_using_a_code_cross_each_other(place: Place) -> None:
    async with AsyncExitStack() as stack:
        clients = await place.clients(stack)
        codes = [f"CROSS-{n}" for n in range(TIMES * 2)]
        await clients[0].promotion("cross", codes, codeKind="MULTIPLE", budget=eur("100000.00"))
        open_ = 0
        for code in codes:
            first = (await redeem(clients[0], code=code, discount=EACH))["redemption"]["id"]

            async def ask(client: Client, n: int, code: str = code, first: str = first) -> Any:
                if n % 4 == 1:
                    return await roll_back(client, first, idempotencyKey=f"undo-{code}")
                return await redeem(client, code=code, discount=EACH)

            payloads = await at_once(clients, ask, times=48)
            undone = [payload for payload in payloads if "rollback" in payload]
            assert reasons(undone) == {"YES": 12}, "one undoing under one key, told to all"
            assert [payload["replayed"] for payload in undone].count(False) == 1
            used = sum(payload.get("redemption") is not None for payload in payloads)
            assert used <= 1
            open_ += used
        assert await money(clients[1], "cross") == (times_each(open_), "0.00")
        assert (await clients[0].look_at("cross"))["inventory"]["redemptions"] == open_
    assert differences(place.store) == []


async def test_carts_that_overlap_do_not_stand_still(place: Place) -> None:
    """Every cart uses three of four codes, in whatever order; all of a cart or none of it."""
    async with AsyncExitStack() as stack:
        clients = await place.clients(stack)
        codes = [f"CART-{n}" for n in range(4)]
        for code in codes:
            await clients[0].promotion(
                code.lower(), codeKind="SINGLE", singleCode=code, redemptionCap=40, combinable=True
            )
        random = Random(2)
        carts = [random.sample(codes, 3) for _ in range(96)]

        async def ask(client: Client, n: int) -> Any:
            return await client.mutate(
                "codesRedeem", "redemptions { text } userErrors { code }", codes=[{"code": code} for code in carts[n]]
            )

        payloads = await at_once(clients, ask, times=len(carts))
        uses: Counter[str] = Counter()
        for cart, payload in zip(carts, payloads, strict=True):
            assert [one["text"] for one in payload["redemptions"]] in (cart, [])
            assert bool(payload["redemptions"]) is not bool(payload["userErrors"])
            uses.update(one["text"] for one in payload["redemptions"])
        for code in codes:
            assert (await clients[0].look_at(code.lower()))["inventory"]["redemptions"] == uses[code] <= 40
        assert max(uses.values()) == 40
    assert differences(place.store) == []


@dataclass(slots=True)
class Order:
    """A checkout, as its client knows it. Each of its steps has a key of its own, and is asked again when in doubt."""

    number: int
    steps: list[str]
    token: str | None = None
    redemption: str | None = None
    is_undone: bool = False
    is_refused: bool = False
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def is_done(self) -> bool:
        return not self.steps or self.is_refused

    async def go_on(self, client: Client) -> None:
        """The next step. Raises Gone where nobody knows whether it was done."""
        step = self.steps[0]
        payload = await self.ask(client, step)
        self.told[step] = _plain(payload)
        self.steps.pop(0)
        if payload["userErrors"]:
            assert reasons([payload]) == {"BUDGET_EXHAUSTED": 1}
            self.is_refused = True
        elif step == "hold":
            self.token = payload["hold"]["token"]
        elif step == "redeem":
            self.redemption = payload["redemption"]["id"]
        else:
            self.is_undone = True

    async def ask(self, client: Client, step: str) -> Any:
        key = f"{step}-{self.number}"
        if step == "hold":
            return await hold(client, code="STORM", discount=EACH, validFor="PT1H", idempotencyKey=key)
        if step == "redeem":
            return await redeem(client, hold=self.token, idempotencyKey=key)
        return await roll_back(client, str(self.redemption), idempotencyKey=key)


def _plain(payload: Any) -> Any:
    return {name: part for name, part in payload.items() if name != "replayed"}


def test_money_survives_kill_9(both_stores: BothStores, new_server: NewServer, surroundings: Surroundings) -> None:
    """Checkouts that hold, pay and send back while the server is killed: what clients were told is what is kept."""

    def survive(store: str, token: str) -> None:
        server, orders = new_server(store), list[Order]()
        with running([server]):
            asyncio.run(_prepare(server, token))
            for kill in range(KILLS):
                asyncio.run(_storm(server, token, orders, Random(kill)))
                server.start()
                assert differences(store) == []
            asyncio.run(_settle(server, token, orders))
        assert len(orders) > KILLS * 20, "the storms were none"
        ended = surroundings.run("verify", "--store", store)
        assert (ended.status, ended.out) == (0, ""), ended

    both_stores(survive)


async def _prepare(server: Server, token: str) -> None:
    async with Client(server.base, token) as client:
        await client.promotion("storm", codeKind="SINGLE", singleCode="STORM", budget=eur("3000.00"))


async def _storm(server: Server, token: str, orders: list[Order], random: Random) -> None:
    """Clients with an order each, and the next when it is done, until the server is killed under them."""
    until = len(orders) + random.randrange(40, 90)
    waiting = [order for order in orders if not order.is_done]

    async def shop(client: Client) -> None:
        while True:
            if waiting:
                order = waiting.pop()
            else:
                order = Order(len(orders), random.choice([["hold"], ["hold", "redeem"], ["hold", "redeem", "undo"]]))
                orders.append(order)
            try:
                while not order.is_done:
                    await order.go_on(client)
            except Gone:
                return
            if len(orders) >= until:
                server.kill()

    async with Client(server.base, token) as client, asyncio.TaskGroup() as group:
        for _ in range(12):
            group.create_task(shop(client))


async def _settle(server: Server, token: str, orders: list[Order]) -> None:
    """Over the API: what is in doubt is asked again; what was told is told again; and the money is that of both."""
    async with Client(server.base, token) as client:
        for order in orders:
            while not order.is_done:
                await order.go_on(client)
        for order in orders[-40:]:
            for step, told in order.told.items():
                again = await order.ask(client, step)
                assert (_plain(again), again["replayed"]) == (told, True)
        kept = sum(order.redemption is not None and not order.is_undone for order in orders)
        set_aside = sum(order.token is not None and order.redemption is None for order in orders)
        assert await money(client, "storm") == (times_each(kept), times_each(set_aside))
