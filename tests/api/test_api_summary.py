"""The review of a promotion over HTTP: what was decided, in plain words, and what may not have been meant."""

from typing import Any

import pytest

from .asking import Api

pytestmark = pytest.mark.anyio

SUMMARY = """promotion { id handle inventory { available } } steps { step lines }
    warnings { code message setting blocksActivation }"""


async def summary(api: Api, promotion: dict[str, Any]) -> dict[str, Any]:
    query = f"query ($id: ID!) {{ promotionSummary(id: $id) {{ {SUMMARY} }} }}"
    found: dict[str, Any] = (await api.ask(query, {"id": promotion["id"]}))["promotionSummary"]
    return found


async def warnings(api: Api, promotion: dict[str, Any]) -> list[str]:
    return [warning["code"] for warning in (await summary(api, promotion))["warnings"]]


async def test_the_whole_of_a_promotion_in_plain_words(api: Api) -> None:
    await api.done("rewardTypeCreate", name="Percentage off", effect="PERCENTAGE", handle="percent")
    made = await api.draft(
        name="Winter sale",
        handle="winter-sale",
        description="For the cold.",
        properties=[{"name": "team", "value": "loyalty"}],
        reward={"single": {"type": "percent", "value": {"percentage": "20"}}},
        condition={"subtotal": {"op": "GT", "value": {"amount": "50", "currency": "EUR"}}},
        window={"timeZone": "America/Montreal", "endsOn": "2027-12-15"},
        budget={"amount": "100000", "currency": "EUR"},
        audienceCap=50_000,
        usesPerCustomer=1,
        onEmpty="FALLBACK",
        fallbackCode="WINTER-LATER",
    )
    await api.done("codesAdd", promotion=made["id"], codes="WINTER-1\nWINTER-2")
    await api.done("codesBlock", codes=["WINTER-2"])
    found = await summary(api, made)
    assert found["promotion"] == {"id": made["id"], "handle": "winter-sale", "inventory": {"available": 1}}
    assert found["steps"] == [
        {"step": "DETAILS", "lines": ["Winter sale (winter-sale)", "For the cold."]},
        {"step": "PROPERTIES", "lines": ["team: loyalty"]},
        {
            "step": "REWARD",
            "lines": [
                "20 % off (Percentage off)",
                "if cart subtotal over 50.00 EUR",
                "shares a cart with no other promotion",
            ],
        },
        {
            "step": "LIMITS",
            "lines": [
                "until the end of 15 December 2027 (America/Montreal)",
                "at most 100000.00 EUR of discounts",
                "at most 50,000 customers are given a code",
                "each code works once",
                "each customer may use it once",
            ],
        },
        {
            "step": "CODES",
            "lines": [
                "a code of one's own for each customer, which works only once it is issued",
                "2 codes, 1 of them blocked",
                "allocated first in, first out: one code a customer, ever",
                "when there are no more, everybody gets the fallback code",
                "a code whose message did not arrive goes back to the pool, if nobody has seen it",
            ],
        },
    ]
    assert found["warnings"] == []


async def test_a_summary_by_handle_is_the_same(api: Api) -> None:
    made = await api.draft()
    query = f"query ($handle: String!) {{ promotionSummary(handle: $handle) {{ {SUMMARY} }} }}"
    assert (await api.ask(query, {"handle": made["handle"]}))["promotionSummary"] == await summary(api, made)


@pytest.mark.parametrize("arguments", ["", '(id: "x", handle: "y")'])
async def test_a_summary_is_of_one_promotion(api: Api, arguments: str) -> None:
    assert await api.errors(f"{{ promotionSummary{arguments} {{ steps {{ step }} }} }}") == [("INVALID", ["id"])]


async def test_what_is_not_there_has_no_summary(api: Api) -> None:
    for argument in ('handle: "nothing"', 'handle: "a b"'):
        data = await api.ask(f"{{ promotionSummary({argument}) {{ steps {{ step }} }} }}")
        assert data["promotionSummary"] is None
    for argument in ('id: "x"', 'handle: ""', 'handle: "a\\u0000"'):
        assert await api.errors(f"{{ promotionSummary({argument}) {{ steps {{ step }} }} }}")


async def test_what_blocks_the_activation_is_what_the_activation_says(api: Api) -> None:
    for input, code, setting in (
        ({}, "NO_CODES", "onEmpty"),
        ({"onEmpty": "FALLBACK"}, "FALLBACK_MISSING", "fallbackCode"),
        ({"codeKind": "SINGLE"}, "SINGLE_CODE_MISSING", "singleCode"),
    ):
        made = await api.draft(window={"endsOn": "2027-12-15"}, redemptionCap=10, **input)
        (warning,) = (await summary(api, made))["warnings"]
        assert (warning["code"], warning["setting"], warning["blocksActivation"]) == (code, setting, True)
        refused = await api.do("promotionActivate", id=made["id"])
        assert [error["message"] for error in refused["userErrors"]] == [warning["message"]]


async def test_a_promotion_that_needs_no_code_is_activated_without_codes(api: Api) -> None:
    for input in ({}, {"codeKind": "SINGLE"}, {"codeKind": "MULTIPLE"}):
        made = await api.draft(codeRequired=False, redemptionCap=5, **input)
        assert not await warnings(api, made)
        active = (await api.done("promotionActivate", id=made["id"]))["promotion"]
        assert active["status"] == "ACTIVE"
        required = await api.do("promotionUpdate", id=made["id"], codeRequired=True)
        assert [error["code"] for error in required["userErrors"]] == ["STATE"]


async def test_warnings_follow_what_is_changed(api: Api) -> None:
    made = await api.draft(audienceCap=3, window={"endsOn": "2027-03-01"})
    assert await warnings(api, made) == ["NO_CODES"]
    await api.done("codesAdd", promotion=made["id"], codes="FOLLOW-1\nFOLLOW-2")
    assert await warnings(api, made) == ["CAP_ABOVE_POOL"]
    await api.done("promotionUpdate", id=made["id"], audienceCap=2)
    assert await warnings(api, made) == []
    await api.done("promotionUpdate", id=made["id"], window={"startsOn": "2027-02-01", "endsOn": "2027-02-28"})
    assert await warnings(api, made) == ["ALREADY_OVER"]
    await api.done("promotionUpdate", id=made["id"], window=None, usesPerCode=None, audienceCap=None)
    assert await warnings(api, made) == ["NO_LIMIT"]


async def test_conditions_that_name_what_is_not_there(api: Api) -> None:
    other = await api.draft(name="Named by a condition")
    here = {"holds": other["handle"]}
    made = await api.draft(onEmpty="GENERATE", redemptionCap=5, condition=here)
    assert await warnings(api, made) == []
    nowhere = {"any": [here, {"issued": {"promotion": "nowhere", "op": "LT", "count": 1}}, {"holds": "nor-here"}]}
    await api.done("promotionUpdate", id=made["id"], condition=nowhere)
    (warning,) = (await summary(api, made))["warnings"]
    assert (warning["code"], warning["setting"]) == ("UNKNOWN_REFERENCE", "condition")
    assert "'nor-here'" in warning["message"]
    assert "'nowhere'" in warning["message"]
    assert other["handle"] not in warning["message"]


async def test_what_has_ended_needs_no_warning(api: Api) -> None:
    made = await api.draft(onEmpty="GENERATE")
    assert await warnings(api, made) == ["NO_LIMIT"]
    await api.done("promotionActivate", id=made["id"])
    assert await warnings(api, made) == ["NO_LIMIT"]
    await api.done("promotionEnd", id=made["id"])
    assert await warnings(api, made) == []
