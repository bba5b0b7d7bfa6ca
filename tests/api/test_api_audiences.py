"""Audiences over the API."""

from typing import Any

import pytest

from .asking import MARKETER, PEOPLE, SENDER, Api

pytestmark = pytest.mark.anyio

AUDIENCE = "audience { id handle name kind source segment size reach { channel addressed reachable refused } }"


async def create(api: Api, name: str, **more: Any) -> dict[str, Any]:
    payload = await api.done("audienceCreate", fields=AUDIENCE, token=PEOPLE, name=name, **more)
    made: dict[str, Any] = payload["audience"]
    return made


async def page(api: Api, id_: str, arguments: str) -> Any:
    members = (
        f"members({arguments}) {{ nodes {{ customerId customer {{ email }} }} pageInfo {{ hasNextPage endCursor }} }}"
    )
    query = f"query ($id: ID!) {{ node(id: $id) {{ ... on Audience {{ {members} }} }} }}"
    return (await api.ask(query, {"id": id_}, token=PEOPLE))["node"]["members"]


async def test_an_audience_from_a_list_to_its_deletion(api: Api) -> None:
    customers = [{"id": "list-1", "email": "one@example.com", "consent": [{"channel": "email", "given": True}]}]
    await api.do("customersUpsert", fields="created", customers=customers)
    made = await create(api, "Season pass 2026", customers=["list-1", "list-2"])
    assert made | {"id": ""} == {
        "id": "",
        "handle": "season-pass-2026",
        "name": "Season pass 2026",
        "kind": "STATIC",
        "source": "LIST",
        "segment": None,
        "size": 2,
        "reach": [
            {"channel": "email", "addressed": 1, "reachable": 1, "refused": 0},
            {"channel": "sms", "addressed": 0, "reachable": 0, "refused": 0},
        ],
    }
    first = await page(api, made["id"], "first: 1")
    assert first["nodes"] == [{"customerId": "list-1", "customer": {"email": "one@example.com"}}]
    second = await page(api, made["id"], f'first: 1, after: "{first["pageInfo"]["endCursor"]}"')
    assert second["nodes"] == [{"customerId": "list-2", "customer": None}]
    assert not second["pageInfo"]["hasNextPage"]
    changed = await api.done("audienceUpdate", fields=AUDIENCE, token=PEOPLE, id=made["id"], remove=["list-2"])
    assert changed["audience"]["size"] == 1
    listed = await api.ask("{ audiences(first: 5) { nodes { handle size } } }", token=SENDER)
    assert {"handle": "season-pass-2026", "size": 1} in listed["audiences"]["nodes"]
    gone = await api.done("audienceDelete", fields="deleted", token=PEOPLE, id=made["id"])
    assert gone["deleted"] == "season-pass-2026"


async def test_an_audience_of_a_segment(api: Api) -> None:
    await api.do(
        "customersUpsert",
        fields="created",
        customers=[{"id": f"seg-{n}", "attributes": {"colour": "red" if n < 3 else "blue"}} for n in range(5)],
    )
    condition = {"attribute": {"name": "colour", "op": "EQUALS", "value": {"text": "red"}}}
    await api.done("segmentCreate", fields="segment { id }", token=PEOPLE, name="Red ones", condition=condition)
    moving = await create(api, "Red at the time", kind="DYNAMIC", segment="red-ones")
    frozen = await create(api, "Red now", segment="red-ones")
    assert (moving["size"], frozen["size"], frozen["source"]) == (3, 3, "SEGMENT")
    found = await api.ask("{ segments { handle uses { kind handle } } }", token=MARKETER)
    assert {"handle": "red-ones", "uses": [{"kind": "AUDIENCE", "handle": "red-at-the-time"}]} in found["segments"]


async def test_bad_input_has_its_place(api: Api) -> None:
    payload = await api.do("audienceCreate", fields=AUDIENCE, token=PEOPLE, name="Nobody", segment="no-such")
    assert payload["audience"] is None
    assert [(error["code"], error["field"]) for error in payload["userErrors"]] == [("NOT_FOUND", ["input", "segment"])]
    payload = await api.do("audienceUpdate", fields=AUDIENCE, token=PEOPLE, id="x", name="y")
    assert payload["userErrors"][0]["field"] == ["input", "id"]
