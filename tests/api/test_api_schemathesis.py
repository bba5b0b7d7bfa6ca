"""Documents that schemathesis makes up from the schema, with an administrator's token and with a front-end's.

No answer may be a fault. The names and ids of what is in the store are among the values, so that the documents get
further than to "not found"; the same documents are made in every run.
"""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import nodes
from schemathesis import APIOperation
from schemathesis.core.result import Ok

from promograph.api.nodes import global_id
from promograph.config import Settings
from promograph.domain.issuing import IssueRequest
from promograph.domain.promotions import CodeKind, IssuePolicy, OnEmpty, PromotionTerms
from promograph.domain.rewards import Effect, RewardType
from promograph.services.app import Services
from promograph.services.promoting import Draft
from promograph.web.app import create_app

from .asking import ADMIN, READER, SCOPES, schema

EXAMPLES = {ADMIN: 3, READER: 1}
HANDLES = ["seed-1", "seed-2", "seed-3"]
IDS = [global_id("Promotion", 1), global_id("Promotion", 2), global_id("Code", 1, 1), global_id("Batch", 1), "x"]
TEXTS = [*HANDLES, "percent", "SEED-1", "SEED-2", "ann", "bob", "UTC", "Europe/Paris", "test", "k1", "a\0b", ""]


def register_scalars() -> None:
    texts = st.one_of(st.sampled_from(TEXTS), st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
    amounts = st.one_of(st.sampled_from(["0", "1.00", "1.005", "-1", "NaN", "1e400", "x"]), st.decimals().map(str))
    instants = st.one_of(st.datetimes().map(lambda at: f"{at.isoformat()}Z"), st.just("2027-01-01T00:00:00"))
    for name, values in {
        "ID": st.sampled_from(IDS),
        "String": texts,
        "Decimal": amounts,
        "Date": st.dates().map(str),
        "DateTime": instants,
        "Duration": st.sampled_from(["PT48H", "P30D", "PT0S", "P999999D", "x"]),
        "CurrencyCode": st.sampled_from(["EUR", "JPY", "KWD", "XXX"]),
        "Upload": st.just("x"),
    }.items():
        schemathesis.graphql.scalar(name, values.map(nodes.String))


async def seed(store: str) -> dict[str, str]:
    """A promotion of each kind, with codes given out and redeemed; and the tokens."""
    services = Services.open(store)
    try:
        await services.prepare()
        await services.reward_types.create(RewardType(handle="percent", name="Percent", effect=Effect.PERCENTAGE))
        kinds = (CodeKind.PERSONALIZED, CodeKind.MULTIPLE, CodeKind.SINGLE)
        for handle, kind in zip(HANDLES, kinds, strict=True):
            is_single = kind is CodeKind.SINGLE
            terms = PromotionTerms(
                handle=handle,
                name=handle,
                code_kind=kind,
                issue_policy=IssuePolicy.PER_MESSAGE,
                on_empty=OnEmpty.REFUSE if is_single else OnEmpty.GENERATE,
                properties={"test": "x"},
            )
            made = await services.promoting.create(Draft(terms=terms, shared_code="SEED-S" if is_single else None))
            if not is_single:
                await services.stocking.paste(made.id, f"SEED-{made.id}", channel="test")
            await services.promoting.activate(made.id)
            request = IssueRequest(promotion=handle, customer="ann", message="m")
            await services.issuing.issue(request)
        return {name: (await services.access.create(name, [SCOPES[name]]))[0] for name in (ADMIN, READER)}
    finally:
        await services.close()


async def differences(store: str) -> list[str]:
    services = Services.open(store)
    try:
        return await services.verify()
    finally:
        await services.close()


@pytest.fixture(scope="module")
def tokens(shared_store_url: str) -> Iterator[dict[str, str]]:
    register_scalars()
    yield asyncio.run(seed(shared_store_url))
    assert asyncio.run(differences(shared_store_url)) == []


@pytest.mark.parametrize("token", EXAMPLES)
def test_no_document_is_answered_with_a_fault(shared_store_url: str, tokens: dict[str, str], token: str) -> None:
    # An application for each test: schemathesis ends its life with the test.
    made = schemathesis.graphql.from_asgi("/graphql", create_app(Settings(store=shared_store_url)))
    headers = {"Authorization": f"Bearer {tokens[token]}"}
    labels = []
    for found in made.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        labels.append(operation.label)
        explore(operation, headers, EXAMPLES[token])
    assert sorted(labels) == sorted(expected_labels())


def explore(operation: APIOperation[Any, Any, Any, Any], headers: dict[str, str], examples: int) -> None:
    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case: schemathesis.Case[Any]) -> None:
        answer = case.call(headers=headers)
        exchange = f"{case.body!s}\n{answer.text}"
        assert answer.status_code < 500, exchange
        assert '"INTERNAL"' not in answer.text, exchange
        assert "Internal error" not in answer.text, exchange

    ask()


def expected_labels() -> list[str]:
    query, mutation = schema().query_type, schema().mutation_type
    assert query is not None
    assert mutation is not None
    return [f"{root.name}.{name}" for root in (query, mutation) for name in root.fields]
