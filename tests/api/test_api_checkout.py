"""A checkout over HTTP: a marketer's offer with rules, asked about, held, redeemed, rolled back, and its history."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from .asking import CHECKOUT, MARKETER, Api, problems

pytestmark = pytest.mark.anyio

Input = dict[str, Any]

MONEY = "{ amount currency }"
DISCOUNT = f"total {MONEY} eligible {MONEY} shipping {MONEY} lines {{ line amount {MONEY} }} gift points"
ERRORS = "userErrors { code field message data }"
VALIDATION = f"isValid text promotionHandle discount {{ {DISCOUNT} }} {ERRORS}"
HOLD = f"replayed hold {{ token text state expiresAt amount {MONEY} discount {{ {DISCOUNT} }} }}"
REDEMPTION = f"id text order discount {MONEY} taken {{ {DISCOUNT} }} rollbacks {{ amount {MONEY} isWhole reason }}"


def eur(amount: str) -> Input:
    return {"amount": amount, "currency": "EUR"}


def cart(*amounts: str, **more: Any) -> Input:
    """A line for each amount."""
    lines = [
        {"id": str(n), "sku": f"sku-{n}", "quantity": 1, "amount": amount} for n, amount in enumerate(amounts, start=1)
    ]
    return {"currency": "EUR", "lines": lines, **more}


_numbers = count(1)


async def offer(api: Api, **terms: Any) -> Input:
    """20 % off when one spends more than 50, once a customer, at most 100,000 EUR; with ten codes."""
    query = "{ rewardTypes { handle } }"
    if {"handle": "percent"} not in (await api.ask(query))["rewardTypes"]:
        await api.done("rewardTypeCreate", handle="percent", name="Percentage", effect="PERCENTAGE")
    handle = f"checkout-{next(_numbers)}"
    terms = {
        "handle": handle,
        "reward": {"single": {"type": "percent", "value": {"percentage": "20"}}},
        "condition": {"subtotal": {"op": "GT", "value": eur("50.00")}},
        "budget": eur("100000.00"),
        "usesPerCustomer": 1,
        "name": handle,
        "codes": [f"{handle}-{n}" for n in range(10)],
        "codeKind": "MULTIPLE",
        **terms,
    }
    return await api.promotion(**{name: value for name, value in terms.items() if value is not None})


def code(promotion: Input, number: int) -> str:
    return f"{promotion['handle']}-{number}"


async def validate(api: Api, **input: Any) -> Input:
    query = f"query ($input: CodeValidateInput!) {{ codeValidate(input: $input) {{ {VALIDATION} }} }}"
    answer: Input = (await api.ask(query, {"input": input}, token=CHECKOUT))["codeValidate"]
    return answer


async def hold(api: Api, **input: Any) -> Input:
    return await api.do("codeHold", token=CHECKOUT, fields=HOLD, **input)


async def redeem(api: Api, **input: Any) -> Input:
    return await api.do("codeRedeem", token=CHECKOUT, fields=f"replayed redemption {{ {REDEMPTION} }}", **input)


async def roll_back(api: Api, **input: Any) -> Input:
    fields = f"replayed rollback {{ amount {MONEY} isWhole reason }} redemption {{ id }}"
    return await api.do("redemptionRollback", token=CHECKOUT, fields=fields, **input)


async def history(api: Api, text: str) -> list[tuple[str, str | None]]:
    query = f"query ($text: String!) {{ codeHistory(text: $text) {{ kind amount {MONEY} }} }}"
    found = (await api.ask(query, {"text": text}, token=MARKETER))["codeHistory"]
    return [(event["kind"], event["amount"] and event["amount"]["amount"]) for event in found]


async def money(api: Api, promotion: Input) -> tuple[str, str, str]:
    """Spent, held and left of the budget."""
    query = f"query ($id: ID!) {{ promotion(id: $id) {{ budget {{ spent {MONEY} held {MONEY} left {MONEY} }} }} }}"
    found = (await api.ask(query, {"id": promotion["id"]}))["promotion"]["budget"]
    return found["spent"]["amount"], found["held"]["amount"], found["left"]["amount"]


async def test_from_the_question_to_the_rollback(api: Api) -> None:
    made = await offer(api)
    small = await validate(api, code=code(made, 0), customer="ann", cart=cart("42.00"))
    assert small["isValid"] is False
    assert [(error["code"], error["data"]["missing"]) for error in small["userErrors"]] == [("MINIMUM_NOT_MET", "8.01")]

    valid = await validate(api, code=code(made, 0), customer="ann", cart=cart("42.00", "10.03"))
    assert valid["userErrors"] == []
    assert valid["discount"] == {
        # 20 % of 52.03 is 10.406
        "total": eur("10.41"),
        "eligible": eur("52.03"),
        "shipping": eur("0.00"),
        "lines": [{"line": "1", "amount": eur("8.40")}, {"line": "2", "amount": eur("2.01")}],
        "gift": None,
        "points": 0,
    }
    held = await hold(api, code=code(made, 0), customer="ann", cart=cart("42.00", "10.03"), order="o-1")
    assert (held["hold"]["state"], held["hold"]["amount"]) == ("OPEN", eur("10.41"))
    assert await money(api, made) == ("0.00", "10.41", "99989.59")
    other = await redeem(api, code=code(made, 0), customer="bob", cart=cart("60.00"))
    assert problems(other) == [("NOT_FOUND", None)], "a checkout learns no more of a code that another one holds"

    used = (await redeem(api, hold=held["hold"]["token"]))["redemption"]
    assert (used["text"], used["order"], used["discount"]) == (code(made, 0), "o-1", eur("10.41"))
    assert used["taken"]["lines"] == valid["discount"]["lines"]
    assert await money(api, made) == ("10.41", "0.00", "99989.59")

    part = await roll_back(api, id=used["id"], amount=eur("0.41"), reason="one article came back")
    assert part["rollback"] == {"amount": eur("0.41"), "isWhole": False, "reason": "one article came back"}
    more = await roll_back(api, id=used["id"], amount=eur("10.01"))
    assert problems(more) == [("OUT_OF_RANGE", "input.amount")]
    rest = await roll_back(api, id=used["id"])
    assert rest["rollback"] == {"amount": eur("10.00"), "isWhole": True, "reason": None}
    assert problems(await roll_back(api, id=used["id"])) == [("NOTHING_LEFT", "input.id")]
    assert await money(api, made) == ("0.00", "0.00", "100000.00")

    again = await redeem(api, code=code(made, 0), customer="ann", cart=cart("100.00"))
    assert again["redemption"]["discount"] == eur("20.00")
    assert again["redemption"]["rollbacks"] == []
    assert sorted(await history(api, code(made, 0)), key=str) == [
        ("ADDED", None), ("HELD", "10.41"), ("REDEEMED", "10.41"), ("REDEEMED", "20.00"),
        ("ROLLED_BACK", "0.41"), ("ROLLED_BACK", "10.00"),
    ]  # fmt: skip
    assert await api.services.verify() == []


async def test_a_history_is_told_in_its_order(api: Api) -> None:
    made = await offer(api)
    steps = [
        lambda: api.done("codesBlock", codes=[code(made, 1)]),
        lambda: api.done("codesUnblock", codes=[code(made, 1)]),
        lambda: hold(api, code=code(made, 1), customer="ann", cart=cart("60.00"), validFor="PT10M"),
    ]
    for step in steps:
        api.clock.move(minutes=1)
        await step()
    api.clock.move(minutes=11)
    assert await history(api, code(made, 1)) == [
        ("LAPSED", "12.00"), ("HELD", "12.00"), ("UNBLOCKED", None), ("BLOCKED", None), ("ADDED", None),
    ]  # fmt: skip
    assert await history(api, "nobody-1") == []


async def test_a_hold_is_replaced_released_and_lapses(api: Api) -> None:
    made = await offer(api)
    first = (await hold(api, code=code(made, 2), customer="ann", cart=cart("60.00")))["hold"]
    second = (await hold(api, code=code(made, 2), customer="ann", cart=cart("80.00"), replaces=first["token"]))["hold"]
    assert await money(api, made) == ("0.00", "16.00", "99984.00")
    assert problems(await redeem(api, hold=first["token"])) == [("HOLD_OVER", None)]
    for _ in range(2):
        gone = await release(api, second["token"])
        assert gone["hold"]["state"] == "RELEASED"
    assert await money(api, made) == ("0.00", "0.00", "100000.00")
    third = (await hold(api, code=code(made, 2), customer="ann", cart=cart("60.00"), validFor="PT1S"))["hold"]
    api.clock.move(seconds=1)
    assert await money(api, made) == ("0.00", "0.00", "100000.00")
    assert problems(await redeem(api, hold=third["token"])) == [("HOLD_OVER", None)]
    assert problems(await redeem(api, hold="nobody's")) == [("HOLD_NOT_FOUND", None)]
    assert await api.services.verify() == []


async def release(api: Api, token: str) -> Input:
    query = f"mutation ($input: HoldReleaseInput!) {{ holdRelease(input: $input) {{ hold {{ state }} {ERRORS} }} }}"
    answer: Input = (await api.ask(query, {"input": {"token": token}}, token=CHECKOUT))["holdRelease"]
    return answer


@pytest.mark.parametrize(
    ("input", "expected"),
    [
        ({"validFor": "PT0S"}, ("OUT_OF_RANGE", "input.validFor")),
        ({"validFor": "P365D"}, ("OUT_OF_RANGE", "input.validFor")),
        ({"code": None}, ("REQUIRED", "input.code")),
        ({"promotion": "some"}, ("REQUIRED", "input.code")),
        ({"cart": cart("1.001")}, ("INVALID", "input.cart.lines.0.amount")),
        ({"cart": cart("-1")}, ("OUT_OF_RANGE", "input.cart.lines.0.amount")),
        ({"cart": cart("1", shipping="-1")}, ("OUT_OF_RANGE", "input.cart.shipping")),
        (
            {"cart": {"currency": "EUR", "lines": [{"id": "1", "sku": "a", "quantity": -1, "amount": "1"}]}},
            ("OUT_OF_RANGE", "input.cart.lines.0.quantity"),
        ),
        ({"cart": cart(*["1.00"] * 1_001)}, ("TOO_MANY", "input.cart.lines")),
        ({"customer": ""}, ("REQUIRED", "input.customer")),
    ],
)
async def test_what_no_hold_can_be_of_is_said_with_its_place(api: Api, input: Input, expected: tuple[str, str]) -> None:
    made = await offer(api)
    asked = {"code": code(made, 3), "customer": "ann", "cart": cart("60.00"), **input}
    payload = await hold(api, **asked)
    assert payload["hold"] is None
    [found] = problems(payload)
    assert found == expected
    assert await money(api, made) == ("0.00", "0.00", "100000.00")


async def test_a_cart_of_ten_thousand_lines_is_told_no(api: Api) -> None:
    made = await offer(api)
    answer = await validate(api, code=code(made, 3), customer="ann", cart=cart(*["1.00"] * 10_000))
    assert problems(answer) == [("TOO_MANY", "input.cart.lines")]


async def test_a_key_keeps_its_hold_and_its_rollback(api: Api) -> None:
    made = await offer(api)
    asked = {"code": code(made, 4), "customer": "ann", "cart": cart("60.00"), "idempotencyKey": "k"}
    first, second = await hold(api, **asked), await hold(api, **asked)
    assert (first["replayed"], second["replayed"]) == (False, True)
    assert first["hold"] == second["hold"]
    other = await hold(api, **{**asked, "cart": cart("61.00")})
    assert problems(other) == [("KEY_REUSED", "input.idempotencyKey")]
    used = (await redeem(api, hold=first["hold"]["token"]))["redemption"]
    part = {"id": used["id"], "amount": eur("2.00"), "idempotencyKey": "r"}
    undone = [await roll_back(api, **part) for _ in range(2)]
    assert [one["replayed"] for one in undone] == [False, True]
    assert undone[0]["rollback"] == undone[1]["rollback"]
    assert problems(await roll_back(api, **{**part, "amount": eur("3.00")})) == [("KEY_REUSED", "input.idempotencyKey")]
    assert await api.services.verify() == []


async def test_several_codes_of_one_cart_go_together_or_not_at_all(api: Api) -> None:
    together = {"combinable": True, "condition": None}
    first, second = await offer(api, priority=5, **together), await offer(api, **together)
    alone = await offer(api, condition=None)
    query = f"""query ($input: CodesValidateInput!) {{ codesValidate(input: $input) {{
        isValid results {{ {VALIDATION} }} {ERRORS} }} }}"""

    async def look(*codes: str) -> Input:
        asked = {"codes": codes, "customer": "ann", "cart": cart("100.00")}
        answer: Input = (await api.ask(query, {"input": asked}, token=CHECKOUT))["codesValidate"]
        return answer

    both = await look(code(second, 0), code(first, 0))
    assert both["isValid"]
    # 20 % of 100.00, then 20 % of the 80.00 that are left
    assert [one["discount"]["total"] for one in both["results"]] == [eur("16.00"), eur("20.00")]
    with_alone = await look(code(first, 0), code(alone, 0))
    assert not with_alone["isValid"]
    assert [problems(one) for one in with_alone["results"]] == [[("NOT_COMBINABLE", None)]] * 2

    fields = f"redemptions {{ text discount {MONEY} }}"

    async def use(*codes: str) -> Input:
        return await api.do(
            "codesRedeem", token=CHECKOUT, fields=fields, codes=[{"code": text} for text in codes],
            customer="ann", cart=cart("100.00"), order="o-1",
        )  # fmt: skip

    unknown = await use(code(first, 0), "nobody-0")
    assert (unknown["redemptions"], problems(unknown)) == ([], [("NOT_FOUND", "input.codes.1")])
    assert problems(await use()) == [("REQUIRED", "input.codes")]
    assert problems(await use(*[code(first, 0)] * 21)) == [("TOO_MANY", "input.codes")]
    assert (await money(api, first))[0] == "0.00"
    used = await use(code(second, 0), code(first, 0))
    assert used["redemptions"] == [
        {"text": code(second, 0), "discount": eur("16.00")},
        {"text": code(first, 0), "discount": eur("20.00")},
    ]
    assert [(await money(api, promotion))[0] for promotion in (first, second)] == ["20.00", "16.00"]
    assert await api.services.verify() == []


async def test_promotions_without_codes_apply_by_themselves(api: Api) -> None:
    made = await offer(api, codeRequired=False, codes=0, onEmpty="GENERATE")
    coded = await offer(api)
    query = f'query ($cart: CartInput!) {{ promotionsForCart(cart: $cart, customer: "ann") {{ {VALIDATION} }} }}'

    async def found(*amounts: str) -> list[tuple[str, str]]:
        answer = await api.ask(query, {"cart": cart(*amounts)}, token=CHECKOUT)
        return [(one["promotionHandle"], one["discount"]["total"]["amount"]) for one in answer["promotionsForCart"]]

    assert await found("50.00") == []
    assert await found("60.00") == [(made["handle"], "12.00")]
    used = await redeem(api, promotion=made["handle"], customer="ann", cart=cart("60.00"))
    assert (used["redemption"]["text"], used["redemption"]["discount"]) == (None, eur("12.00"))
    assert await found("60.00") == [], "once a customer"
    refused = await redeem(api, promotion=coded["handle"], customer="ann", cart=cart("60.00"))
    assert problems(refused) == [("NOT_FOUND", None)]
    assert problems(await redeem(api, promotion="nobody")) == [("NOT_FOUND", "input.promotion")]
    await roll_back(api, id=used["redemption"]["id"])
    assert await found("60.00") == [(made["handle"], "12.00")]
    assert await api.services.verify() == []


async def test_the_last_second_of_a_day_in_montreal(api: Api) -> None:
    """Until the end of 15 December there, which is 05:00 the next day in UTC."""
    window = {"timeZone": "America/Toronto", "endsOn": "2026-12-15"}
    api.clock.now = datetime(2026, 12, 1, tzinfo=UTC)
    made = await offer(api, window=window)
    asked = {"customer": "ann", "cart": cart("60.00")}
    api.clock.now = datetime(2026, 12, 16, 4, 59, 59, tzinfo=UTC)
    assert (await validate(api, code=code(made, 5), **asked))["isValid"]
    api.clock.now = datetime(2026, 12, 16, 5, 0, 0, tzinfo=UTC)
    assert not (await validate(api, code=code(made, 5), **asked))["isValid"]


async def test_who_may_only_validate_learns_no_more_of_a_used_code_than_of_none(api: Api) -> None:
    made = await offer(api)
    await redeem(api, code=code(made, 6), customer="ann", cart=cart("60.00"))
    asked = {"customer": "bob", "cart": cart("60.00")}
    used, none = await validate(api, code=code(made, 6), **asked), await validate(api, code="nobody-x", **asked)
    assert used["userErrors"] == none["userErrors"]
    assert (await hold(api, code=code(made, 6), **asked))["userErrors"] == none["userErrors"]
