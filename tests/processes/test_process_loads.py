"""`kill -9` in the middle of a load: nothing of it is to be seen, and the next one takes its place."""

import asyncio
from typing import Any

import pytest

from .asking import Answer, Client, Gone
from .conftest import BothStores, NewServer
from .servers import PATIENCE_SECONDS, Server, Surroundings, running
from .stores import differences, sql

CODES = 350_000
BEFORE = 5

# By the promotions, of which there are few: looking for one among all codes would take as long as the load.
_HALF_DONE = (
    "SELECT x.key FROM (SELECT (SELECT c.key FROM code c WHERE c.promotion_id = s.promotion_id AND c.seq > s.tail "
    "LIMIT 1) AS key FROM stock s) x WHERE x.key IS NOT NULL"
)
# As if the minute had passed after which a load that stands still gives way.
_AGE = "UPDATE stock SET loader_seen_at = loader_seen_at - 61000000 WHERE loader IS NOT NULL"


def test_a_load_that_was_killed_leaves_nothing(
    both_stores: BothStores, new_server: NewServer, surroundings: Surroundings
) -> None:
    def survive(store: str, token: str) -> None:
        server = new_server(store)
        with running([server]):
            for load in (_Importing(),):
                promotion = asyncio.run(load.begin(server, token, store))
                server.start()
                asyncio.run(load.go_on(server, token, store, promotion))
                assert sql(store, _HALF_DONE) == []
                assert differences(store) == []
        ended = surroundings.run("verify", "--store", store)
        assert (ended.status, ended.out) == (0, ""), ended

    both_stores(survive)


class _Load:
    """One kind of load, killed when a part of it is in the store."""

    handle: str
    shown = "batch { size } userErrors { code message }"

    async def load(self, client: Client, promotion: str) -> Answer:
        raise NotImplementedError

    async def begin(self, server: Server, token: str, store: str) -> str:
        async with Client(server.base, token) as client, asyncio.timeout(PATIENCE_SECONDS):
            promotion = await client.promotion(self.handle, [f"{self.handle}-{n}" for n in range(BEFORE)])
            loading = asyncio.create_task(self.load(client, promotion))
            while not (await asyncio.to_thread(sql, store, f"{_HALF_DONE} LIMIT 1")):
                assert not loading.done(), "it was over before it could be killed"
            server.kill()
            with pytest.raises(Gone):
                await loading
        return promotion

    async def go_on(self, server: Server, token: str, store: str, promotion: str) -> None:
        """What is left of it is invisible, and a new load clears it away."""
        ((half_done,),) = sql(store, f"{_HALF_DONE} LIMIT 1")
        async with Client(server.base, token) as client:
            assert (await client.look_at(self.handle))["inventory"]["total"] == BEFORE
            assert await _seen(client, half_done) == {"codeValidate": "NOT_FOUND", "codeRedeem": "NOT_FOUND"}
            assert await _issued(client, self.handle) == BEFORE
            too_early = (await self.load(client, promotion)).body["data"].popitem()[1]
            assert [error["code"] for error in too_early["userErrors"]] == ["BUSY"]
            sql(store, _AGE)
            done = (await self.load(client, promotion)).body["data"].popitem()[1]
            assert (done["batch"], done["userErrors"]) == ({"size": CODES}, [])
            assert (await client.look_at(self.handle))["inventory"]["total"] == BEFORE + CODES


class _Importing(_Load):
    handle = "imported"

    async def load(self, client: Client, promotion: str) -> Answer:
        file = "\n".join(f"LOADED-{n:07}" for n in range(CODES)).encode()
        return await client.import_codes(promotion, file, shown=self.shown)


async def _seen(client: Client, code: str) -> dict[str, Any]:
    """The reasons why a code does not work."""
    document = "query($input: CodeValidateInput!) { codeValidate(input: $input) { userErrors { code } } }"
    validated = (await client.ask(document, {"input": {"code": code}})).body["data"]["codeValidate"]
    redeemed = await client.mutate("codeRedeem", "userErrors { code }", code=code)
    return {
        "codeValidate": validated["userErrors"][0]["code"],
        "codeRedeem": redeemed["userErrors"][0]["code"],
    }


async def _issued(client: Client, handle: str) -> int:
    """How many customers get a code, of more than there are codes."""
    customers = [f"customer-{n}" for n in range(BEFORE + 3)]
    payload = await client.mutate("codesIssue", "issued", promotion=handle, customers=customers)
    issued: int = payload["issued"]
    return issued
