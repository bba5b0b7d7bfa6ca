"""`kill -9` in the middle of a job: a server that is started again goes on with it, and two never share one."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from .asking import Client, Gone
from .commands import PATIENCE_SECONDS
from .conftest import BothStores, NewServer
from .servers import Server, poll, running
from .stores import differences, new_token, sql

CODES = 200_000
BEFORE = 5

_BEGUN = "SELECT done FROM job WHERE status = 'RUNNING' AND done > 0 AND done < total"
_OPEN = "SELECT id FROM job WHERE finished_at IS NULL"
_GENERATE = "job { id status } batch { size } userErrors { code message }"


def test_a_generation_that_was_killed_goes_on_where_it_was(both_stores: BothStores, new_server: NewServer) -> None:
    def survive(store: str, token: str) -> None:
        server = new_server(store)
        with running([server]):
            asyncio.run(_killed(server, token, store))
            server.start()
            asyncio.run(_gone_on_with(server, token, store))
        assert differences(store) == []

    both_stores(survive)


async def _killed(server: Server, token: str, store: str) -> None:
    async with Client(server.base, token) as client, asyncio.timeout(PATIENCE_SECONDS):
        promotion = await client.promotion("generated", [f"before-{n}" for n in range(BEFORE)])
        asking = asyncio.create_task(client.try_to_mutate("codesGenerate", _GENERATE, promotion=promotion, count=CODES))
        while not await asyncio.to_thread(sql, store, _BEGUN):
            assert not asking.done(), "it was over before it could be killed"
        server.kill()
        with pytest.raises(Gone):
            await asking


async def _gone_on_with(server: Server, token: str, store: str) -> None:
    """Nothing of it is to be seen until all of it is."""
    async with Client(server.base, token) as client, asyncio.timeout(PATIENCE_SECONDS):
        ((number,),) = sql(store, "SELECT id FROM job")
        seen = set()
        while (shown := await _shown(client))["status"] != "DONE":
            seen.add((await client.look_at("generated"))["inventory"]["total"])
            await asyncio.sleep(0.05)
        assert seen <= {BEFORE, BEFORE + CODES}
        assert (shown["done"], shown["total"], shown["batch"]) == (CODES, CODES, {"size": CODES})
        assert (await client.look_at("generated"))["inventory"]["total"] == BEFORE + CODES
        assert sql(store, "SELECT id FROM job") == [(number,)]


async def _shown(client: Client) -> dict[str, Any]:
    document = "{ jobs { nodes { status done total batch { size } } } }"
    (job,) = (await client.ask(document, {})).body["data"]["jobs"]["nodes"]
    return dict(job)


def test_two_servers_share_the_jobs_and_never_one(new_store: Callable[[str], str], new_server: NewServer) -> None:
    """One of them is killed in the middle; the other goes on with what it had."""
    store = new_store("postgresql")
    token = new_token(store)
    first, second = new_server(store), new_server(store)
    with running([first, second]):
        asyncio.run(_shared(first, second, token, store))
    assert differences(store) == []


async def _shared(first: Server, second: Server, token: str, store: str) -> None:
    each, pools = 40_000, 8
    async with Client(first.base, token) as one, Client(second.base, token) as other:
        async with asyncio.timeout(PATIENCE_SECONDS):
            promotions = [await other.promotion(f"pool-{n}", [f"pool-{n}"]) for n in range(pools)]
            asking = [
                asyncio.create_task(one.try_to_mutate("codesGenerate", _GENERATE, promotion=id_, count=each))
                for id_ in promotions
            ]
            await asyncio.to_thread(poll, lambda: bool(sql(store, _BEGUN)), "nothing was begun")
            first.kill()
            await asyncio.gather(*asking, return_exceptions=True)
            await asyncio.to_thread(poll, lambda: not sql(store, _OPEN), "the jobs were left")
            made = [(await other.look_at(f"pool-{n}"))["inventory"]["total"] - 1 for n in range(pools)]
    begun = sql(store, "SELECT count(*) FROM job")[0][0]
    assert sorted(made) == [0] * (pools - begun) + [each] * begun
