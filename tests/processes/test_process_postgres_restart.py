"""PostgreSQL goes away and comes back under load: sentences, not faults, and nothing that was told is lost."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from promograph.testing.postgres import PostgresServer, StopMode

# Its own: restarting the one that all tests share would break connections that others keep.
from promograph.testing.postgres import postgres_server as new_postgres

from .asking import SENTENCE, Answer, Client
from .commands import PATIENCE_SECONDS, Surroundings
from .conftest import NewServer
from .servers import poll, running
from .stores import ISSUED, REDEEMED, new_token, sql

pytestmark = pytest.mark.anyio


class Storm:
    """Clients of every kind, and what they were told."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._ended = False
        self.codes: dict[str, str] = {}
        self.orders: set[str] = set()
        self.refused: list[Answer] = []
        self._wanted = 0
        self._enough = asyncio.Event()

    async def rage(self, while_: Awaitable[None]) -> None:
        async with asyncio.TaskGroup() as group:
            for ask in (self._issue, self._redeem, self._validate, self._look):
                for number in range(4):
                    group.create_task(self._again_and_again(ask, number))
            group.create_task(self._again_and_again(self._generate, 0))
            await while_
            self._ended = True

    async def more_answers(self) -> None:
        """Wait until good answers come, so that what happens next happens under load."""
        self._wanted = 200
        self._enough.clear()
        await self._enough.wait()

    async def _again_and_again(self, ask: Callable[[str], Awaitable[Answer]], number: int) -> None:
        turn = 0
        while not self._ended:
            turn += 1
            # Never Gone: it is the store that goes away, and the server that answers for it.
            answer = await ask(f"{number}-{turn}")
            if answer.errors:
                self.refused.append(answer)
                continue
            self._wanted -= 1
            if self._wanted <= 0:
                self._enough.set()

    async def _issue(self, turn: str) -> Answer:
        customers = [f"customer-{turn}-{n}" for n in range(5)]
        answer = await self._client.try_to_mutate(
            "codesIssue", "codes userErrors { code }", promotion="storm", customers=customers
        )
        if payload := _payload(answer):
            assert not payload["userErrors"], payload
            self.codes.update(zip(customers, payload["codes"], strict=True))
        return answer

    async def _redeem(self, turn: str) -> Answer:
        answer = await self._client.try_to_mutate(
            "codeRedeem", "redemption { id } userErrors { code }", code="ALL", order=turn, idempotencyKey=turn
        )
        if payload := _payload(answer):
            assert payload["redemption"], payload
            self.orders.add(turn)
        return answer

    async def _validate(self, _: str) -> Answer:
        return await self._client.ask('{ codeValidate(input: {code: "ALL"}) { isValid } }', {})

    async def _look(self, _: str) -> Answer:
        return await self._client.ask('{ promotion(handle: "storm") { inventory { issued } } }', {})

    async def _generate(self, _: str) -> Answer:
        return await self._client.try_to_mutate(
            "codesGenerate", "batch { size } userErrors { code }", promotion=self.pool, count=30_000
        )

    async def prepare(self) -> None:
        await self._client.promotion("storm", onEmpty="GENERATE")
        self.pool = await self._client.promotion("pool", onEmpty="GENERATE")
        await self._client.promotion("all", codeKind="SINGLE", singleCode="ALL")


def _payload(answer: Answer) -> Any:
    return None if answer.errors else next(iter(answer.body["data"].values()))


async def test_restarts_under_load_are_survived(new_server: NewServer, surroundings: Surroundings) -> None:
    with new_postgres() as postgres:
        token = new_token(postgres.url)
        server = new_server(postgres.url)
        with running([server]):
            async with Client(server.base, token) as client:
                storm = Storm(client)
                await storm.prepare()
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await storm.rage(_restarts(postgres, surroundings, storm))
                poll(lambda: server.health() == 200, "the server did not recover")
                _check(storm, postgres.url)
        ended = surroundings.run("verify", "--store", postgres.url)
        assert (ended.status, ended.out) == (0, ""), ended


async def _restarts(postgres: PostgresServer, surroundings: Surroundings, storm: Storm) -> None:
    modes: list[StopMode] = ["immediate", "fast", "kill", "immediate"]
    for mode in modes:
        await storm.more_answers()
        await asyncio.to_thread(postgres.stop, mode)
        await asyncio.to_thread(postgres.start)
    await storm.more_answers()
    # Longer than anybody waits: now there are refusals, and a server that is started meanwhile gives up.
    await asyncio.to_thread(postgres.stop)
    ended = await asyncio.to_thread(surroundings.run, "serve", "--port", "0", "--store", postgres.url)
    assert (ended.status, ended.out) == (1, ""), ended
    assert SENTENCE.fullmatch(ended.err.removeprefix("promograph: ").strip()), ended
    await asyncio.to_thread(postgres.start)
    await storm.more_answers()


def _check(storm: Storm, store: str) -> None:
    assert storm.refused, "nobody noticed that the store was away"
    for answer in storm.refused:
        answer.check_unavailable()
    issued = sql(store, ISSUED)
    assert len({code for code, _ in issued}) == len(issued), "a code was given twice"
    assert storm.codes.items() <= {customer: code for code, customer in issued}.items(), "a code was lost"
    assert storm.orders <= {order for _, order in sql(store, REDEEMED)}, "a redemption was lost"
