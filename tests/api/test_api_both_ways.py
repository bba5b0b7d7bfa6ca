"""Random requests to two equal stores, one behind compiled operations and one behind the engine: equal answers.

Reads and writes, with and without rights, right and wrong; what is random by itself (tokens of holds, numbers of
incidents) is left out of the comparison.
"""

import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest
from graphql import GraphQLSchema

from promograph.api.documents import schema as documents_schema
from promograph.api.documents.compiling import OperationCompiler
from promograph.api.nodes import global_id
from promograph.domain.issuing import IssueRequest
from promograph.domain.promotions import CodeKind, IssuePolicy, OnEmpty, PromotionTerms
from promograph.domain.rewards import Effect, RewardType
from promograph.services.promoting import Draft
from strawberry_compiled.testing import Maker

from .asking import ADMIN, CHECKOUT, ISSUER, READER, Api, schema
from .conftest import opened

pytestmark = pytest.mark.anyio

HANDLES = ["many", "shared", "empty"]
HOT = {
    "query": ["codeValidate", "codesValidate", "promotion", "promotions", "node", "promotionsForCart"],
    "mutation": [
        *("codeIssue", "codesIssue", "codeReissue", "codeHold", "holdRelease", "codeRedeem", "codesRedeem"),
        *("redemptionRollback", "promotionPause", "promotionUpdate"),
    ],
}
SCALARS: dict[str, list[Any]] = {
    "ID": [global_id("Promotion", 1), global_id("Promotion", 2), global_id("Code", 1, 1), "x", 7],
    "String": ["many", "shared", "CODE-1", "CODE-2", "code-3", "ALL", "ann", "bob", "eve", "", "a\0b", "k1"],
    "Int": [0, 1, 2, 50, -1],
    "Decimal": ["1.50", "20", "-1", "NaN", "x", 3],
    "DateTime": ["2026-01-01T00:00:00Z", "never"],
    "Date": ["2026-01-01", "x"],
    "Duration": ["PT48H", "PT0S", "x"],
    "CurrencyCode": ["EUR", "XXX"],
    "Attributes": [{"tier": "gold"}, "x"],
}
_RANDOM = re.compile(rb'hold_[\w-]+|"incident":"\w+"|incident \w+|"token":"[^"]+"|"cursor":"[^"]+"')


async def seed(api: Api) -> None:
    await api.services.reward_types.create(RewardType(handle="off", name="Off", effect=Effect.PERCENTAGE))
    kinds = (CodeKind.PERSONALIZED, CodeKind.SINGLE, CodeKind.PERSONALIZED)
    for handle, kind in zip(HANDLES, kinds, strict=True):
        single = kind is CodeKind.SINGLE
        terms = PromotionTerms(
            handle=handle, name=handle, code_kind=kind, issue_policy=IssuePolicy.PER_MESSAGE, on_empty=OnEmpty.REFUSE
        )
        made = await api.services.promoting.create(Draft(terms=terms, shared_code="ALL" if single else None))
        if handle == "many":
            texts = "\n".join(f"CODE-{number}" for number in range(1, 2000))
            await api.services.stocking.paste(made.id, texts, channel="test")
        if handle != "empty":
            await api.services.promoting.activate(made.id)
            for customer in ("ann", "bob"):
                await api.services.issuing.issue(IssueRequest(promotion=handle, customer=customer, message="m"))


class NoCompiler(OperationCompiler):
    def compiled(self, *_: Any) -> None:
        return None


@pytest.fixture
async def pair(tmp_path: Path, anyio_backend: str) -> AsyncIterator[tuple[Api, Api]]:
    """The compiled one first; the operations of the other are not."""
    async with AsyncExitStack() as stack:
        compiled = await stack.enter_async_context(opened(f"sqlite:///{tmp_path}/one.db"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(documents_schema, "OperationCompiler", NoCompiler)
            usual = await stack.enter_async_context(opened(f"sqlite:///{tmp_path}/other.db"))
        for api in (compiled, usual):
            await seed(api)
        yield compiled, usual


async def asked_alike(compiled: Api, usual: Api, random: Random, count: int) -> Counter[str]:
    core: GraphQLSchema = schema()
    maker = Maker(core, random, SCALARS, depth=4)
    went: Counter[str] = Counter()
    for _ in range(count):
        kind = random.choice(["query", "mutation"])
        root = core.query_type if kind == "query" else core.mutation_type
        assert root is not None
        text, variables = maker.request(root, random.choice(HOT[kind]))
        token = random.choice([ADMIN, ADMIN, ADMIN, CHECKOUT, ISSUER, READER, None])
        request = {"query": text, "variables": variables}
        # Seen twice, a document is compiled; a mutation that is asked again replays, or is refused, on both sides.
        for _ in range(2):
            mine, theirs = [
                await api.client.post("/graphql", headers=api.headers(token), json=request) for api in (compiled, usual)
            ]
            assert _RANDOM.sub(b"", mine.content) == _RANDOM.sub(b"", theirs.content), request
            assert (mine.status_code, mine.headers) == (theirs.status_code, theirs.headers), request
        went["errors" if b'"errors":' in mine.content else "data"] += 1
    return went


@pytest.mark.parametrize("number", range(2))
async def test_random_requests_are_answered_alike(pair: tuple[Api, Api], number: int) -> None:
    went = await asked_alike(*pair, Random(number), 60)
    assert went["data"] > 10
    assert went["errors"] > 5
