"""Webhooks over GraphQL: set up, looked at, sent again; their secrets are shown once. Nothing is sent here."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from graphql import parse, validate

from promograph.domain.webhooks.retrying import Answer
from promograph.store.webhooks import due
from promograph.store.webhooks.due import Tried

from .asking import MARKETER, Api, schema

pytestmark = pytest.mark.anyio

WEBHOOK = "webhook { id url description types isEnabled offBecause oldSecretUntil restsUntil failures }"
LIST = "query ($first: Int, $after: String) { webhooks(first: $first, after: $after) { nodes { id url } "
LIST += "pageInfo { hasNextPage endCursor } } }"
TOLD = """query ($filter: WebhookDeliveryFilter) { webhookDeliveries(first: 50, filter: $filter) { nodes {
    id event type body happenedAt state nextTryAt tries lastTriedAt lastStatus lastFailure webhook { url } } } }"""


async def set_up(api: Api, path: str = "", **input: Any) -> dict[str, Any]:
    input.setdefault("types", ["CODE_ISSUED", "CODE_REDEEMED"])
    url = f"https://crm.example.com/hooks{path}"
    return await api.done("webhookCreate", fields=f"secret {WEBHOOK}", url=url, **input)


async def told(api: Api, **filter: Any) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = (await api.ask(TOLD, {"filter": filter}))["webhookDeliveries"]["nodes"]
    return nodes


async def fail(api: Api, status: int) -> None:
    """As if all that is due had been tried and answered so."""
    now = api.clock()

    def work(connection: Any) -> None:
        for webhook in due.ready(connection, now):
            taken = due.take(connection, webhook.id, now, most=100, until=now + timedelta(minutes=1))
            due.settle(connection, [Tried(one, Answer(status=status), 0.5) for one in taken], now)

    await api.services._database.write(work)


async def test_a_webhook_is_set_up_changed_and_deleted(fresh: Api) -> None:
    made = await set_up(fresh, description="The CRM.")
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", made["secret"])
    shown = made["webhook"]
    assert shown == {
        "id": shown["id"],
        "url": "https://crm.example.com/hooks",
        "description": "The CRM.",
        "types": ["CODE_ISSUED", "CODE_REDEEMED"],
        "isEnabled": True,
        "offBecause": None,
        "oldSecretUntil": None,
        "restsUntil": None,
        "failures": 0,
    }
    changed = await fresh.done("webhookUpdate", fields=WEBHOOK, id=shown["id"], types=["POOL_LOW"], isEnabled=False)
    assert changed["webhook"] == shown | {"types": ["POOL_LOW"], "isEnabled": False}
    assert await fresh.no("webhookTest", id=shown["id"]) == [("STATE", "input.id")]
    rotated = await fresh.done("webhookSecretRotate", fields=f"secret {WEBHOOK}", id=shown["id"], overlap="PT1H")
    assert rotated["secret"] != made["secret"] and rotated["webhook"]["oldSecretUntil"] is not None
    await set_up(fresh, "/2")
    page = (await fresh.ask(LIST, {"first": 1}))["webhooks"]
    rest = (await fresh.ask(LIST, {"after": page["pageInfo"]["endCursor"]}))["webhooks"]
    assert [node["url"][-2:] for node in page["nodes"] + rest["nodes"]] == ["ks", "/2"]
    node = "query ($id: ID!) { node(id: $id) { ... on Webhook { url } } }"
    assert (await fresh.ask(node, shown))["node"] == {"url": shown["url"]}
    await fresh.done("webhookDelete", id=shown["id"])
    assert await fresh.no("webhookDelete", id=shown["id"]) == [("NOT_FOUND", "input.id")]
    assert (await fresh.ask(node, shown))["node"] is None
    assert len((await fresh.ask(LIST))["webhooks"]["nodes"]) == 1


async def test_what_was_told_is_listed_and_sent_again(fresh: Api) -> None:
    hook = (await set_up(fresh))["webhook"]
    promotion = await fresh.promotion(codes=["A-1", "A-2"])
    await fresh.issue(promotion, "ann")
    await fresh.done("codeRedeem", code="A-1", order="o-1")
    redeemed, issued = await told(fresh)
    assert json.loads(issued["body"])["data"]["customer"] == "ann"
    assert (issued["type"], issued["state"], issued["tries"]) == ("CODE_ISSUED", "WAITING", 0)
    assert redeemed["type"] == "CODE_REDEEMED" and redeemed["webhook"] == {"url": hook["url"]}
    await fail(fresh, 410)
    dead = await told(fresh, states=["DEAD"])
    assert [(one["lastStatus"], one["lastFailure"]) for one in dead] == [(410, "It answered 410.")] * 2
    off = "query ($id: ID!) { node(id: $id) { ... on Webhook { isEnabled offBecause } } }"
    assert (await fresh.ask(off, hook))["node"]["offBecause"].startswith("It answered 410 Gone")
    await fresh.done("webhookUpdate", id=hook["id"], isEnabled=True)
    again = await fresh.done("webhookReplay", fields="replayed hasMore", deliveries=[issued["id"]])
    assert (again["replayed"], again["hasMore"]) == (1, False)
    assert [one["type"] for one in await told(fresh, states=["DEAD"])] == ["CODE_REDEEMED"]
    of_it = {"webhook": hook["id"], "types": ["CODE_REDEEMED"], "since": "2000-01-01T00:00:00Z"}
    assert len(await told(fresh, **of_it)) == 1
    assert (await fresh.done("webhookReplay", fields="replayed", filter=of_it))["replayed"] == 1
    assert {one["event"] for one in await told(fresh, states=["WAITING"])} == {issued["event"], redeemed["event"]}
    node = "query ($id: ID!) { node(id: $id) { ... on WebhookDelivery { event } } }"
    assert (await fresh.ask(node, issued))["node"] == {"event": issued["event"]}


async def test_what_cannot_be_meant_of_webhooks(api: Api) -> None:
    hook = (await set_up(api))["webhook"]
    url = "https://other.example.com/"
    for mutation, input, wanted in (
        ("webhookCreate", {"url": "http://a.example.com/", "types": ["POOL_LOW"]}, ("INVALID", "input.url")),
        ("webhookCreate", {"url": "https://10.0.0.1/", "types": ["POOL_LOW"]}, ("INVALID", "input.url")),
        ("webhookCreate", {"url": hook["url"], "types": ["POOL_LOW"]}, ("TAKEN", "input.url")),
        ("webhookCreate", {"url": url, "types": []}, ("REQUIRED", "input.types")),
        ("webhookUpdate", {"id": "x", "url": url}, ("INVALID", "input.id")),
        ("webhookUpdate", {"id": hook["id"], "url": ""}, ("REQUIRED", "input.url")),
        ("webhookSecretRotate", {"id": hook["id"], "overlap": "P31D"}, ("OUT_OF_RANGE", "input.overlap")),
        ("webhookReplay", {}, ("REQUIRED", "input.deliveries")),
        ("webhookReplay", {"deliveries": []}, ("REQUIRED", "input.deliveries")),
        ("webhookReplay", {"deliveries": [hook["id"]]}, ("INVALID", "input.deliveries.0")),
        ("webhookReplay", {"filter": {"states": ["WAITING"]}}, ("INVALID", "input.filter.states")),
        ("webhookReplay", {"filter": {"webhook": "x"}}, ("INVALID", "input.filter")),
        ("webhookReplay", {"filter": {"until": "2027-01-01T00:00:00"}}, ("INVALID", "input.filter.until")),
    ):
        assert await api.no(mutation, **input) == [wanted], (mutation, input)
    assert await api.errors(TOLD, {"filter": {"since": "2027-01-01T00:00:00"}}) == [("INVALID", ["filter", "since"])]
    denied = await api.whole(LIST, token=MARKETER)
    assert denied["errors"][0]["extensions"]["code"] == "FORBIDDEN"


def test_the_documents_of_the_page_are_valid() -> None:
    page = (Path(__file__).parents[2] / "docs/webhooks.md").read_text(encoding="utf-8")
    documents = re.findall(r"```graphql\n(.*?)```", page, re.DOTALL)
    assert len(documents) >= 2
    for document in documents:
        assert validate(schema(), parse(document)) == []
