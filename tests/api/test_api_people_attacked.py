"""What somebody may try with people: values that look like SQL, too much, circles. Nothing is half done."""

from typing import Any

import pytest

from .asking import PEOPLE, Api
from .test_api_customer_imports import send as send_file

pytestmark = pytest.mark.anyio

SQL = "x'; DROP TABLE customer; --\" $1 :id %(a)s {b} \\"
LONG = "x" * 1_000_000
ALL = "{ attributes { name } segments { handle condition { text } } audiences(first: 50) { nodes { handle size } } }"


def is_(name: str, **value: Any) -> dict[str, Any]:
    return {"attribute": {"name": name, "op": "IN" if "texts" in value else "EQUALS", "value": value}}


async def segment(api: Api, name: str, condition: dict[str, Any]) -> str:
    fields = "segment { id count }"
    made = await api.done("segmentCreate", fields=fields, token=PEOPLE, name=name, condition=condition)
    assert made["segment"]["count"] is not None
    id_: str = made["segment"]["id"]
    return id_


async def test_values_that_look_like_sql_are_values(api: Api) -> None:
    """Wherever a text goes in, it comes out as it was, and finds who has it and nobody else."""
    text = SQL[:-2]
    told = [
        {"id": text, "attributes": {"quoted": text, "it's :p0 $1": text}},
        {"id": "plain", "attributes": {"quoted": "x"}},
    ]
    await api.done("customersUpsert", fields="created", token=PEOPLE, customers=told)
    for condition in (is_("quoted", text=text), is_("it's :p0 $1", text=text), is_("quoted", texts=[text, "y"] * 6)):
        query = "query ($input: SegmentPreviewInput!) { segmentPreview(input: $input) { count matches { customer } } }"
        found = (await api.ask(query, {"input": {"condition": condition}}, token=PEOPLE))["segmentPreview"]
        assert found == {"count": 1, "matches": [{"customer": text}]}
    await segment(api, text, is_("quoted", text=text))
    made = await api.done(
        "audienceCreate", fields="audience { id name size }", token=PEOPLE, name=text, handle="quoted", customers=[text]
    )
    assert (made["audience"]["name"], made["audience"]["size"]) == (text, 1)
    frozen = await api.done(
        "audienceCreate",
        fields="audience { size }",
        token=PEOPLE,
        name="Frozen quotes",
        segment="x-drop-table-customer-1-id-a-s-b",
    )
    assert frozen["audience"]["size"] == 1
    assert await api.no("audienceCreate", fields="audience { id }", name="No", segment=text) == [
        ("NOT_FOUND", "input.segment")
    ]
    quoted = '"' + text.replace('"', '""') + '"'
    content = f"id,more\n{quoted},1\n".encode()
    columns = {"id": "id"}
    added = await send_file(
        api, "audienceImport", content, "audience { size }", name="Quotes filed", separator=",", columns=columns
    )
    assert added["audience"] == {"size": 1}
    assert (await api.done("customerErase", fields="erased", token=PEOPLE, id=text))["erased"]
    assert (await api.ask('{ customer(id: "plain") { ownId } }', token=PEOPLE))["customer"] == {"ownId": "plain"}


async def test_too_much_is_told_and_nothing_is_half_done(api: Api) -> None:
    await api.done(
        "customersUpsert", fields="created", token=PEOPLE, customers=[{"id": "m", "attributes": {"much": "a"}}]
    )
    id_ = await segment(api, "Much", is_("much", text="a"))
    made = await api.done("audienceCreate", fields="audience { id }", token=PEOPLE, name="Many", customers=["a"])
    audience = made["audience"]["id"]
    before = await api.ask(ALL)
    many = is_("much", texts=[f"v{n}" for n in range(5_000)])
    long = is_("much", text=LONG)
    place = "input.condition.attribute.value"
    for condition, problem in ((many, ("TOO_MANY", f"{place}.texts")), (long, ("OUT_OF_RANGE", f"{place}.text"))):
        assert await api.no("segmentCreate", fields="segment { id }", name="No", condition=condition) == [problem]
        assert await api.no("segmentUpdate", fields="segment { id }", id=id_, name="No", condition=condition) == [
            problem
        ]
        assert await api.no("promotionCreate", name="No", condition=condition) == [problem]
    payload = await api.do(
        "customersUpsert",
        fields="created updated",
        customers=[
            {"id": "long-1", "attributes": {"longText": LONG}},
            {"id": "long-2", "attributes": {"longList": ["x" * 400] * 100}},
            {"id": "long-3", "attributes": {f"a{n}": n for n in range(51)}},
            {"id": "long-4", "attributes": {LONG: 1}},
            {"id": LONG},
        ],
    )
    assert (payload["created"], payload["updated"]) == (0, 0)
    assert [error["code"] for error in payload["userErrors"]] == ["OUT_OF_RANGE", "OUT_OF_RANGE", "TOO_MANY"] + [
        "OUT_OF_RANGE"
    ] * 2
    assert all(len(error["message"]) < 300 for error in payload["userErrors"])
    assert (await api.no("audienceUpdate", fields="audience { id }", id=audience, add=["ok", LONG]))[0][
        1
    ] == "input.add.1"
    assert await api.no("audienceUpdate", fields="audience { id }", id=audience, add=["x"] * 10_001) == [
        ("TOO_MANY", "input.add")
    ]
    assert await api.no("audienceCreate", fields="audience { id }", name=LONG) == [("OUT_OF_RANGE", "input.name")]
    assert await api.no("customerErase", id=LONG) == [("OUT_OF_RANGE", "input.id")]
    report = "report { read created bad badRows { row field } }"
    content = f"id,much\nfiled-1,{LONG}\n".encode()
    columns = {"attributes": [{"name": "much", "column": "much"}]}
    filed = await send_file(api, "customersImport", content, report, columns=columns)
    assert filed["userErrors"] or filed["report"]["created"] == 0
    assert await api.ask(ALL) == before


async def test_a_segment_that_comes_back_to_itself_through_two_others(api: Api) -> None:
    first = await segment(api, "Round one", {"holds": "nothing"})
    await segment(api, "Round two", {"segment": "round-one"})
    await segment(api, "Round three", {"not": {"any": [{"segment": "round-two"}]}})
    before = await api.ask(ALL)
    circle = {"all": [{"holds": "nothing"}, {"segment": "round-three"}]}
    payload = await api.do(
        "segmentUpdate", fields="segment { id }", token=PEOPLE, id=first, name="No", condition=circle
    )
    (error,) = payload["userErrors"]
    assert (error["code"], error["field"]) == ("INVALID", ["input", "condition"])
    assert error["message"].startswith("A segment cannot rest on itself: round-")
    assert await api.ask(ALL) == before
