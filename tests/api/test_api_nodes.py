"""Global ids: every object is found again by its own, and by no other, and only by whom it concerns."""

from base64 import urlsafe_b64encode
from typing import Any

import pytest

from .asking import ADMIN, CHECKOUT, ISSUER, MARKETER, PEOPLE, READER, Api

pytestmark = pytest.mark.anyio

NODE = """query ($id: ID!) { node(id: $id) { __typename id
    ... on Promotion { handle } ... on Code { text } ... on Batch { size } ... on Token { name }
    ... on Issuance { text customer } ... on Redemption { order } } }"""
KIND = "query ($id: ID!) { node(id: $id) { __typename id } }"
KINDS = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"


def global_id(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.fixture(scope="module")
async def objects(api: Api) -> dict[str, dict[str, Any]]:
    """One object of each kind as the API shows it, with its id."""
    promotion = await api.promotion(codes=["Node-1", "Node-2"])
    issued = await api.done("codeIssue", promotion=promotion["handle"], customer="ann")
    redeemed = await api.done("codeRedeem", code="node-1", order="o-1")
    code = (await api.ask('{ code(text: "node-1") { id text } }'))["code"]
    query = "query ($id: ID!) { promotion(id: $id) { batches { nodes { id size } } } }"
    batch = (await api.ask(query, promotion))["promotion"]["batches"]["nodes"][0]
    token = (await api.ask("{ tokens { id name } }"))["tokens"][0]
    return {
        "Promotion": {"id": promotion["id"], "handle": promotion["handle"]},
        "Code": code,
        "Batch": batch,
        "Token": token,
        "Issuance": {name: issued["issuance"][name] for name in ("id", "text", "customer")},
        "Redemption": {name: redeemed["redemption"][name] for name in ("id", "order")},
    }


OBJECTS = ["Promotion", "Code", "Batch", "Token", "Issuance", "Redemption"]


@pytest.mark.parametrize("kind", OBJECTS)
async def test_an_object_is_found_by_its_id(api: Api, objects: dict[str, dict[str, Any]], kind: str) -> None:
    wanted = objects[kind]
    assert (await api.ask(NODE, wanted))["node"] == {"__typename": kind} | wanted


async def test_ids_differ_between_objects(objects: dict[str, dict[str, Any]]) -> None:
    ids = [each["id"] for each in objects.values()]
    assert len(set(ids)) == len(ids)


async def test_objects_come_in_the_order_asked_with_nothing_for_unknown_ids(
    api: Api, objects: dict[str, dict[str, Any]]
) -> None:
    promotion, code = objects["Promotion"]["id"], objects["Code"]["id"]
    unknown = global_id("Promotion:999999")
    found = (await api.ask(KINDS, {"ids": [code, unknown, promotion, code]}))["nodes"]
    assert [each and each["__typename"] for each in found] == ["Code", None, "Promotion", "Code"]
    assert (await api.ask(KINDS, {"ids": []}))["nodes"] == []


NOTHING = [
    "Promotion:0",
    "Promotion:-1",
    "Promotion:999999999999999999",
    "Promotion:1:1",
    "Promotion",
    "Code:1",
    "Code:1:999999999999999999",
    "Code:-5:-5",
    "Code:1:1:1",
    "Query:1",
    "String:1",
    "promotion:1",
]


@pytest.mark.parametrize("text", NOTHING)
async def test_an_id_of_nothing_is_null(api: Api, text: str) -> None:
    assert (await api.ask(KIND, {"id": global_id(text)}))["node"] is None
    assert (await api.ask(KINDS, {"ids": [global_id(text)]}))["nodes"] == [None]
    query = "query ($id: ID!) { promotion(id: $id) { id } }"
    assert (await api.ask(query, {"id": global_id(text)}))["promotion"] is None


GARBAGE = {
    "empty": "",
    "a number": "1",
    "not base64": "§§§§",
    "base64 of bytes": urlsafe_b64encode(bytes(range(128, 160))).decode(),
    "no kind": global_id("1"),
    "no number": global_id("Promotion:"),
    "a fraction": global_id("Promotion:1.5"),
    "signs": global_id("Promotion:--1"),
    "digits of elsewhere": urlsafe_b64encode("Promotion:٣".encode()).decode(),
    "a huge number": global_id("Promotion:" + "9" * 4000),
    "a NUL": "a\0b",
    "spaces": "   ",
    "long": "A" * 1_000_000,
    "a path": "../../etc/passwd",
}


@pytest.mark.parametrize("text", GARBAGE.values(), ids=GARBAGE)
async def test_what_is_no_id_is_refused_with_its_place(api: Api, text: str) -> None:
    assert await api.errors(KIND, {"id": text}) == [("INVALID", ["id"])]
    assert await api.errors("query ($id: ID!) { promotion(id: $id) { id } }", {"id": text}) == [("INVALID", ["id"])]
    good = global_id("Promotion:1")
    assert await api.errors(KINDS, {"ids": [good, text, good]}) == [("INVALID", ["ids", "1"])]


async def test_a_promotion_is_asked_by_its_id_or_by_its_handle(api: Api, objects: dict[str, dict[str, Any]]) -> None:
    query = "query ($id: ID, $handle: String) { promotion(id: $id, handle: $handle) { id handle } }"
    wanted = objects["Promotion"]
    for by in ({"id": wanted["id"]}, {"handle": wanted["handle"]}):
        assert (await api.ask(query, by, token=READER))["promotion"] == wanted
    for wrong in ({}, wanted):
        assert await api.errors(query, wrong) == [("INVALID", ["id"])]
    for handle in ("none", wanted["handle"].upper(), "夏祭り🎄", "'; --", "%"):
        assert (await api.ask(query, {"handle": handle}))["promotion"] is None
    for handle, code in (("", "REQUIRED"), ("a\0b", "INVALID"), ("a ", "INVALID"), ("h" * 1_000_000, "OUT_OF_RANGE")):
        assert await api.errors(query, {"handle": handle}) == [(code, ["handle"])]
    for other in ("Code", "Token", "Batch"):
        assert (await api.ask(query, {"id": objects[other]["id"]}))["promotion"] is None


async def test_more_ids_than_a_hundred_are_refused(api: Api) -> None:
    id_ = global_id("Promotion:1")
    assert len((await api.ask(KINDS, {"ids": [id_] * 100}))["nodes"]) == 100
    assert await api.errors(KINDS, {"ids": [id_] * 101}) == [("TOO_MANY", ["ids"])]


SEES: dict[str | None, set[str]] = {
    ADMIN: {"Promotion", "Code", "Batch", "Token", "Issuance", "Redemption"},
    MARKETER: {"Promotion", "Code", "Batch", "Issuance", "Redemption"},
    READER: {"Promotion"},
    ISSUER: {"Issuance"},
    CHECKOUT: {"Redemption"},
    PEOPLE: set(),
    None: set(),
}


@pytest.mark.parametrize("token", SEES, ids=str)
async def test_nobody_learns_of_what_they_may_not_read(
    api: Api, objects: dict[str, dict[str, Any]], token: str | None
) -> None:
    for kind in OBJECTS:
        found = (await api.ask(KIND, objects[kind], token=token))["node"]
        expected = {"__typename": kind, "id": objects[kind]["id"]} if kind in SEES[token] else None
        assert found == expected, kind
        unknown = global_id(f"{kind}:99999" if kind in ("Promotion", "Batch", "Token") else f"{kind}:1:99999")
        assert (await api.ask(KIND, {"id": unknown}, token=token))["node"] is None


@pytest.mark.parametrize(("kind", "field"), [("Code", "text"), ("Issuance", "customer"), ("Promotion", "handle")])
async def test_the_rights_of_a_type_count_behind_an_id(
    api: Api, objects: dict[str, dict[str, Any]], kind: str, field: str
) -> None:
    query = f"query ($id: ID!) {{ node(id: $id) {{ ... on {kind} {{ {field} }} }} }}"
    assert await api.errors(query, objects[kind], token=None) == [("UNAUTHENTICATED", None)]
    assert await api.errors(query, objects[kind], token=PEOPLE) == [("FORBIDDEN", None)]
