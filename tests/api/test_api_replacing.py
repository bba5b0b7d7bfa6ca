"""Replacing codes and giving them back over the API."""

import pytest

from .asking import ISSUER, MARKETER, Api, problems

pytestmark = pytest.mark.anyio

_HISTORY = "query ($text: String!) { code(text: $text) { state history { kind code customer } } }"


async def test_a_code_is_replaced_and_both_know_of_it(api: Api) -> None:
    made = await api.promotion(codes=["old-1", "new-1"])
    await api.issue(made, "ann")
    payload = await api.done("codeReplace", token=ISSUER, code="OLD-1", channel="service", idempotencyKey="replace-1")
    assert (payload["issuance"]["text"], payload["issuance"]["customer"]) == ("new-1", "ann")
    assert payload["issuance"]["channel"] == "service"
    again = await api.done("codeReplace", token=ISSUER, code="OLD-1", channel="service", idempotencyKey="replace-1")
    assert again["replayed"]
    old = (await api.ask(_HISTORY, {"text": "old-1"}))["code"]
    assert old["state"] == "VOID"
    assert old["history"][0] == {"kind": "REPLACED", "code": "new-1", "customer": None}
    new = (await api.ask(_HISTORY, {"text": "new-1"}))["code"]
    assert {"kind": "REPLACES", "code": "old-1", "customer": None} in new["history"]
    assert await api.no("codeReplace", code="old-1") == [("CODE_VOID", "input.code")]
    assert await api.no("codeReplace", code="a\0") == [("NOT_FOUND", "input.code")]


async def test_many_are_replaced_item_by_item(api: Api) -> None:
    made = await api.promotion(codes=[f"rep-{n}" for n in range(1, 5)])
    await api.issue(made, "ann")
    await api.issue(made, "bob")
    payload = await api.do("codesReplace", token=MARKETER, codes=["rep-2", "nope", "rep-1"])
    assert payload["replaced"] == 2
    assert [result["code"] for result in payload["results"]] == ["rep-2", "nope", "rep-1"]
    assert [result["issuance"] and result["issuance"]["customer"] for result in payload["results"]] == [
        "bob",
        None,
        "ann",
    ]
    assert problems(payload) == [("NOT_FOUND", "input.codes.1")]
    assert await api.no("codesReplace", codes=["a"] * 10_001) == [("TOO_MANY", "input.codes")]


async def test_an_unseen_code_is_given_back(api: Api) -> None:
    made = await api.promotion(codes=["back-1"])
    await api.issue(made, "ann")
    payload = await api.done("codeReturn", code="back-1")
    assert payload["code"] == "back-1"
    assert await api.no("codeReturn", code="back-1") == [("NOT_ISSUED", "input.code")]
    assert await api.issue(made, "bob") == "back-1"
