"""Reward types, and what promotions are worth: what is kept, and what is turned down, where, changing nothing."""

import asyncio
from itertools import count
from typing import Any

import pytest

from .asking import BUDGET, MARKETER, READER, REWARD, Api, problems

pytestmark = pytest.mark.anyio

Input = dict[str, Any]

_numbers = count(1)


async def reward_type(api: Api, effect: str = "PERCENTAGE") -> str:
    """The handle of a new type."""
    name = f"{effect.capitalize()} {next(_numbers)}"
    made = await api.done("rewardTypeCreate", name=name, effect=effect)
    handle: str = made["rewardType"]["handle"]
    return handle


def eur(amount: str) -> Input:
    return {"amount": amount, "currency": "EUR"}


def single(handle: str, value: Input, **more: Any) -> Input:
    return {"single": {"type": handle, "value": value, **more}}


async def types(api: Api) -> list[Input]:
    query = "{ rewardTypes { handle name effect createdAt updatedAt } }"
    found: list[Input] = (await api.ask(query, token=READER))["rewardTypes"]
    return found


# Reward types


async def test_reward_types_are_set_up_renamed_and_deleted(fresh: Api) -> None:
    assert await types(fresh) == []
    made = await fresh.done("rewardTypeCreate", name="Percentage off", effect="PERCENTAGE", token=MARKETER)
    first = made["rewardType"]
    assert first == {
        "handle": "percentage-off",
        "name": "Percentage off",
        "effect": "PERCENTAGE",
        "createdAt": "2027-03-01T12:00:00+00:00",
        "updatedAt": "2027-03-01T12:00:00+00:00",
    }
    second = (await fresh.done("rewardTypeCreate", name="a gift", effect="GIFT", handle="Gifts!"))["rewardType"]
    assert await types(fresh) == [second, first]
    fresh.clock.move(hours=1)
    renamed = (await fresh.done("rewardTypeUpdate", handle="Gifts!", name="Un cadeau 🎁"))["rewardType"]
    assert renamed == second | {"name": "Un cadeau 🎁", "updatedAt": "2027-03-01T13:00:00+00:00"}
    assert await types(fresh) == [first, renamed]
    assert (await fresh.done("rewardTypeDelete", handle="percentage-off"))["rewardType"] == first
    assert await types(fresh) == [renamed]


@pytest.mark.parametrize(
    ("input", "problem"),
    [
        ({"name": "", "effect": "GIFT", "handle": "x1"}, ("REQUIRED", "input.name")),
        ({"name": "x" * 201, "effect": "GIFT", "handle": "x1"}, ("OUT_OF_RANGE", "input.name")),
        ({"name": "a\0", "effect": "GIFT", "handle": "x1"}, ("INVALID", "input.name")),
        ({"name": "日本", "effect": "GIFT"}, ("REQUIRED", "input.handle")),
        ({"name": "x", "effect": "GIFT", "handle": "x" * 65}, ("OUT_OF_RANGE", "input.handle")),
        ({"name": "x", "effect": "GIFT", "handle": " x"}, ("INVALID", "input.handle")),
        ({"name": "x", "effect": "GIFT", "idempotencyKey": ""}, ("REQUIRED", "input.idempotencyKey")),
    ],
)
async def test_a_reward_type_that_cannot_be_is_turned_down(api: Api, input: Input, problem: tuple[str, str]) -> None:
    before = await types(api)
    assert await api.no("rewardTypeCreate", **input) == [problem]
    assert await types(api) == before


async def test_a_handle_has_one_reward_type(api: Api) -> None:
    handle = await reward_type(api)
    assert await api.no("rewardTypeCreate", name="x", effect="GIFT", handle=handle) == [("TAKEN", "input.handle")]


@pytest.mark.parametrize("handle", ["nothing", "", "a\0b", "x" * 1000])
async def test_what_is_not_there_is_neither_renamed_nor_deleted(api: Api, handle: str) -> None:
    problem = [("NOT_FOUND", "input.handle")]
    assert await api.no("rewardTypeUpdate", handle=handle, name="x") == problem
    assert await api.no("rewardTypeDelete", handle=handle) == problem


async def test_a_name_must_stay_a_name(api: Api) -> None:
    handle = await reward_type(api)
    before = await types(api)
    assert await api.no("rewardTypeUpdate", handle=handle, name="") == [("REQUIRED", "input.name")]
    assert await types(api) == before


async def test_a_repeated_key_has_the_first_answer_also_after_the_type_has_gone(api: Api) -> None:
    input = {"name": "Repeated", "effect": "POINTS", "idempotencyKey": "reward-type-1"}
    first = await api.done("rewardTypeCreate", **input)
    assert await api.done("rewardTypeCreate", **input) == first
    assert await api.no("rewardTypeCreate", **input | {"name": "Other"}) == [("KEY_REUSED", "input.idempotencyKey")]
    await api.done("rewardTypeDelete", handle="repeated")
    assert await api.done("rewardTypeCreate", **input) == first
    assert "repeated" not in [found["handle"] for found in await types(api)]


async def test_the_same_key_at_the_same_time_makes_one(api: Api) -> None:
    input = {"name": "At once", "effect": "POINTS", "idempotencyKey": "reward-type-2"}
    answers = await asyncio.gather(*(api.done("rewardTypeCreate", **input) for _ in range(8)))
    assert all(answer == answers[0] for answer in answers)


# Rewards of promotions


@pytest.mark.parametrize(
    ("effect", "value", "more", "shown"),
    [
        ("PERCENTAGE", {"percentage": "20"}, {}, "20 % off"),
        ("PERCENTAGE", {"percentage": 12.5}, {}, "12.5 % off"),
        ("PERCENTAGE", {"percentage": "0.01"}, {"maximum": eur("50.00")}, "0.01 % off, at most 50.00 EUR"),
        ("PERCENTAGE", {"percentage": "100"}, {"lines": {"skus": ["a"]}}, "100 % off of sku 'a'"),
        ("AMOUNT", {"amount": eur("7.77")}, {}, "7.77 EUR off"),
        ("FIXED_PRICE", {"fixedPrice": {"amount": "500", "currency": "JPY"}}, {}, "500 JPY for each unit"),
        ("FREE_SHIPPING", {"freeShipping": True}, {}, "free shipping"),
        ("GIFT", {"gift": "MUG-1"}, {}, "a gift, one unit of 'MUG-1'"),
        ("POINTS", {"points": 500}, {}, "500 points"),
    ],
)
async def test_a_reward_is_read_back_as_it_was_given(
    api: Api, effect: str, value: Input, more: Input, shown: str
) -> None:
    handle = await reward_type(api, effect)
    made = await api.draft(reward=single(handle, value, **more))
    reward = (await api.state(made))["reward"]
    assert (reward["kind"], reward["effect"], reward["text"]) == ("SINGLE", effect, shown)
    assert reward["type"] == {"handle": handle}
    assert reward["maximum"] == more.get("maximum")
    given = {name: part for name, part in reward["value"].items() if part is not None}
    assert given == {name: str(part) if name == "percentage" else part for name, part in value.items()}
    # What is read can be sent again.
    again = {"type": handle, "value": given, "maximum": reward["maximum"], "lines": reward["lines"]}
    copy = await api.draft(reward={"single": again})
    assert (await api.state(copy))["reward"] == reward


async def test_a_draft_can_get_another_reward_and_an_active_promotion_cannot(api: Api) -> None:
    handle = await reward_type(api)
    made = await api.draft(onEmpty="GENERATE", reward=single(handle, {"percentage": "20"}))
    for reward, kind in (({"external": True}, "EXTERNAL"), (single(handle, {"percentage": "30"}), "SINGLE")):
        await api.done("promotionUpdate", id=made["id"], reward=reward)
        assert (await api.state(made))["reward"]["kind"] == kind
    await api.done("promotionUpdate", id=made["id"], reward=None)
    assert (await api.state(made))["reward"]["kind"] == "EXTERNAL"
    await api.done("promotionUpdate", id=made["id"], reward=single(handle, {"percentage": "30"}))
    await api.done("promotionActivate", id=made["id"])
    await api.done("promotionUpdate", id=made["id"], reward=single(handle, {"percentage": "30.00"}), name="The same")
    before = await api.state(made)
    problems_ = await api.no("promotionUpdate", id=made["id"], reward=single(handle, {"percentage": "31"}))
    assert problems_ == [("STATE", "input.reward.single")]
    assert await api.state(made) == before


MONEY = "input.reward.single.value"


@pytest.mark.parametrize(
    ("effect", "reward", "problem"),
    [
        ("PERCENTAGE", {"value": {"percentage": "0"}}, ("OUT_OF_RANGE", f"{MONEY}.percentage")),
        ("PERCENTAGE", {"value": {"percentage": "101"}}, ("OUT_OF_RANGE", f"{MONEY}.percentage")),
        ("PERCENTAGE", {"value": {"percentage": "100.01"}}, ("OUT_OF_RANGE", f"{MONEY}.percentage")),
        ("PERCENTAGE", {"value": {"percentage": "-5"}}, ("OUT_OF_RANGE", f"{MONEY}.percentage")),
        ("PERCENTAGE", {"value": {"percentage": "12.345"}}, ("INVALID", f"{MONEY}.percentage")),
        ("PERCENTAGE", {"value": {"percentage": "NaN"}}, ("OUT_OF_RANGE", f"{MONEY}.percentage")),
        ("PERCENTAGE", {"value": {"percentage": "1e-400"}}, ("OUT_OF_RANGE", f"{MONEY}.percentage")),
        ("PERCENTAGE", {"value": {"amount": eur("5")}}, ("INVALID", f"{MONEY}.amount")),
        ("AMOUNT", {"value": {"amount": eur("5.001")}}, ("INVALID", f"{MONEY}.amount.amount")),
        ("AMOUNT", {"value": {"amount": eur("0")}}, ("OUT_OF_RANGE", f"{MONEY}.amount")),
        ("AMOUNT", {"value": {"amount": eur("-5")}}, ("OUT_OF_RANGE", f"{MONEY}.amount")),
        ("AMOUNT", {"value": {"amount": eur("1e20")}}, ("OUT_OF_RANGE", f"{MONEY}.amount.amount")),
        ("AMOUNT", {"value": {"amount": eur("5")}, "maximum": eur("5")}, ("INVALID", "input.reward.single.maximum")),
        ("FIXED_PRICE", {"value": {"fixedPrice": eur("0")}}, ("OUT_OF_RANGE", f"{MONEY}.fixedPrice")),
        ("FREE_SHIPPING", {"value": {"freeShipping": False}}, ("INVALID", f"{MONEY}.freeShipping")),
        (
            "FREE_SHIPPING",
            {"value": {"freeShipping": True}, "lines": {"skus": ["a"]}},
            ("INVALID", "input.reward.single.lines"),
        ),
        (
            "FREE_SHIPPING",
            {"value": {"freeShipping": True}, "maximum": eur("0.001")},
            ("INVALID", "input.reward.single.maximum.amount"),
        ),
        ("GIFT", {"value": {"gift": ""}}, ("REQUIRED", f"{MONEY}.gift")),
        ("POINTS", {"value": {"points": 0}}, ("OUT_OF_RANGE", f"{MONEY}.points")),
        ("POINTS", {"value": {"points": -1}}, ("OUT_OF_RANGE", f"{MONEY}.points")),
        (
            "PERCENTAGE",
            {"value": {"percentage": "5"}, "lines": {}},
            ("REQUIRED", "input.reward.single.lines"),
        ),
        (
            "PERCENTAGE",
            {"value": {"percentage": "5"}, "lines": {"skus": ["a", ""]}},
            ("REQUIRED", "input.reward.single.lines.skus.1"),
        ),
        (
            "PERCENTAGE",
            {"value": {"percentage": "5"}, "lines": {"attributes": [{"name": "x", "values": []}]}},
            ("REQUIRED", "input.reward.single.lines.attributes.0.values"),
        ),
        (
            "PERCENTAGE",
            {"value": {"percentage": "5"}, "lines": {"skus": ["a"] * 1001}},
            ("TOO_MANY", "input.reward.single.lines"),
        ),
    ],
)
async def test_a_reward_that_cannot_be_is_turned_down_where_it_stands(
    api: Api, effect: str, reward: Input, problem: tuple[str, str]
) -> None:
    handle = await reward_type(api, effect)
    input = {"single": {"type": handle, **reward}}
    assert await api.no("promotionCreate", name="Never", handle="never", reward=input) == [problem]
    assert (await api.ask('{ promotion(handle: "never") { id } }'))["promotion"] is None
    made = await api.draft()
    before = await api.state(made)
    assert await api.no("promotionUpdate", id=made["id"], reward=input) == [problem]
    assert await api.state(made) == before


async def test_external_is_true_or_not_said(api: Api) -> None:
    assert await api.no("promotionCreate", name="x", reward={"external": False}) == [
        ("INVALID", "input.reward.external")
    ]


async def test_an_unknown_reward_type_is_not_found(api: Api) -> None:
    for handle, code in (("nothing", "NOT_FOUND"), ("", "REQUIRED"), ("a\0", "INVALID"), ("x" * 65, "OUT_OF_RANGE")):
        reward = single(handle, {"percentage": "5"})
        problem = [(code, "input.reward.single.type")]
        assert await api.no("promotionCreate", name="Never", reward=reward) == problem
        made = await api.draft()
        assert await api.no("promotionUpdate", id=made["id"], reward=reward) == problem


@pytest.mark.parametrize("reward", [{}, {"external": True, "single": None}, {"single": None}, {"external": None}])
async def test_a_reward_is_one_of_two_kinds(api: Api, reward: Input) -> None:
    query = """mutation ($input: PromotionCreateInput!) { promotionCreate(input: $input) { userErrors { code } } }"""
    body = await api.whole(query, {"input": {"name": "x", "reward": reward}})
    assert "errors" in body
    assert body.get("data") is None


# Reward types that are used


async def test_a_type_in_use_stays_and_says_who_uses_it(api: Api) -> None:
    handle = await reward_type(api)
    made = await api.draft(name="Uses it", reward=single(handle, {"percentage": "5"}))
    before = await types(api)
    payload = await api.do("rewardTypeDelete", handle=handle)
    assert problems(payload) == [("STATE", "input.handle")]
    assert "'Uses it'" in payload["userErrors"][0]["message"]
    assert await types(api) == before
    copy = (await api.done("promotionDuplicate", id=made["id"]))["promotion"]
    await api.done("promotionUpdate", id=made["id"], reward={"external": True})
    assert await api.no("rewardTypeDelete", handle=handle) == [("STATE", "input.handle")]
    await api.done("promotionUpdate", id=copy["id"], reward=None)
    await api.done("rewardTypeDelete", handle=handle)


async def test_a_type_is_deleted_or_used_and_never_both(api: Api) -> None:
    """Whoever of the two comes first: a promotion never names a type that is not there."""
    for _ in range(10):
        handle = await reward_type(api)
        reward = single(handle, {"percentage": "5"})
        made = await api.draft()
        deleted, *used = await asyncio.gather(
            api.do("rewardTypeDelete", handle=handle),
            api.do("promotionUpdate", id=made["id"], reward=reward),
            *(api.do("promotionCreate", name="Race", handle=f"race-{handle}-{n}", reward=reward) for n in range(3)),
        )
        is_there = handle in [found["handle"] for found in await types(api)]
        assert is_there is (deleted["rewardType"] is None)
        if is_there:
            assert problems(deleted) == [("STATE", "input.handle")]
        for answer in used:
            assert problems(answer) == ([] if is_there else [("NOT_FOUND", "input.reward.single.type")])


# Budget and caps


async def test_budget_and_caps_are_kept_changed_and_taken_away(api: Api) -> None:
    given: Input = {
        "budget": eur("1000.00"),
        "redemptionCap": 500,
        "usesPerPeriod": {"uses": 2, "period": "WEEK"},
        "codeRequired": False,
        "combinable": True,
        "priority": -7,
    }
    made = await api.draft(onEmpty="GENERATE", **given)
    state = await api.state(made)
    assert {name: state[name] for name in given if name != "budget"} == {
        name: part for name, part in given.items() if name != "budget"
    }
    assert state["budget"] == {
        "total": eur("1000.00"),
        "spent": eur("0.00"),
        "held": eur("0.00"),
        "left": eur("1000.00"),
    }
    await api.done("promotionUpdate", id=made["id"], name="Kept")
    assert {**await api.state(made), "name": state["name"]} == state
    await api.done(
        "promotionUpdate",
        id=made["id"],
        budget=None,
        redemptionCap=None,
        usesPerPeriod=None,
        codeRequired=None,
        combinable=False,
        priority=0,
    )
    after = await api.state(made)
    assert (after["budget"], after["redemptionCap"], after["usesPerPeriod"]) == (None, None, None)
    assert (after["codeRequired"], after["combinable"], after["priority"]) == (False, False, 0)


async def test_a_front_end_reads_the_budget_and_the_reward(api: Api) -> None:
    handle = await reward_type(api)
    made = await api.draft(budget=eur("5"), reward=single(handle, {"percentage": "5"}))
    query = f"query ($id: ID!) {{ promotion(id: $id) {{ budget {{ {BUDGET} }} reward {{ {REWARD} }} }} }}"
    found = (await api.ask(query, made, token=READER))["promotion"]
    assert found["budget"]["left"] == eur("5.00")
    assert found["reward"]["type"] == {"handle": handle}


@pytest.mark.parametrize(
    ("input", "problem"),
    [
        ({"budget": eur("0")}, ("OUT_OF_RANGE", "input.budget")),
        ({"budget": eur("-1")}, ("OUT_OF_RANGE", "input.budget")),
        ({"budget": eur("1.005")}, ("INVALID", "input.budget.amount")),
        ({"budget": eur("NaN")}, ("OUT_OF_RANGE", "input.budget.amount")),
        ({"budget": {"amount": "0.5", "currency": "JPY"}}, ("INVALID", "input.budget.amount")),
        ({"redemptionCap": 0}, ("OUT_OF_RANGE", "input.redemptionCap")),
        ({"redemptionCap": -1}, ("OUT_OF_RANGE", "input.redemptionCap")),
        ({"usesPerPeriod": {"uses": 0, "period": "DAY"}}, ("OUT_OF_RANGE", "input.usesPerPeriod.uses")),
        ({"priority": 1001}, ("OUT_OF_RANGE", "input.priority")),
        ({"priority": -1001}, ("OUT_OF_RANGE", "input.priority")),
    ],
)
async def test_limits_that_cannot_be_are_turned_down(api: Api, input: Input, problem: tuple[str, str]) -> None:
    assert await api.no("promotionCreate", name="Never", **input) == [problem]
    made = await api.draft()
    before = await api.state(made)
    assert await api.no("promotionUpdate", id=made["id"], **input) == [problem]
    assert await api.state(made) == before


async def test_money_of_another_currency_than_the_rest_is_turned_down_where_it_was_written(api: Api) -> None:
    amount, percentage = await reward_type(api, "AMOUNT"), await reward_type(api)
    usd = {"amount": "5", "currency": "USD"}
    in_usd = single(amount, {"amount": usd})
    problem = [("INVALID", f"{MONEY}.amount")]
    assert await api.no("promotionCreate", name="Never", budget=eur("5"), reward=in_usd) == problem
    at_most = single(percentage, {"percentage": "5"}, maximum=usd)
    problem = [("INVALID", "input.reward.single.maximum")]
    assert await api.no("promotionCreate", name="Never", budget=eur("5"), reward=at_most) == problem
    both = single(amount, {"amount": usd}, maximum=eur("5"))
    assert await api.no("promotionCreate", name="Never", reward=both) == problem
    for reward in (in_usd, at_most):
        made = await api.draft(reward=reward)
        before = await api.state(made)
        assert await api.no("promotionUpdate", id=made["id"], budget=eur("5")) == [("INVALID", "input.budget")]
        assert await api.state(made) == before


async def test_a_budget_counts_money_only(api: Api) -> None:
    handle = await reward_type(api, "GIFT")
    gift = single(handle, {"gift": "MUG"})
    assert await api.no("promotionCreate", name="Never", budget=eur("5"), reward=gift) == [("INVALID", "input.budget")]


async def test_the_currency_of_a_budget_is_fixed_with_the_first_use(api: Api) -> None:
    made = await api.draft(onEmpty="GENERATE", budget=eur("5"))
    await api.done("promotionUpdate", id=made["id"], budget={"amount": "5", "currency": "USD"})
    await api.done("promotionActivate", id=made["id"])
    before = await api.state(made)
    assert await api.no("promotionUpdate", id=made["id"], budget=eur("5")) == [("STATE", "input.budget")]
    assert await api.state(made) == before
    await api.done("promotionUpdate", id=made["id"], budget={"amount": "6", "currency": "USD"})


async def test_a_repeated_create_with_another_reward_is_another_request(api: Api) -> None:
    handle = await reward_type(api)
    input: Input = {"name": "Key", "idempotencyKey": "rewards-1", "reward": single(handle, {"percentage": "20"})}
    first = await api.done("promotionCreate", **input)
    assert await api.done("promotionCreate", **input) == first
    for change in ({"reward": single(handle, {"percentage": "21"})}, {"budget": eur("5")}, {"priority": 1}):
        assert await api.no("promotionCreate", **input | change) == [("KEY_REUSED", "input.idempotencyKey")]
