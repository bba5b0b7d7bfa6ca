"""What a checkout asks over HTTP: would this code work, and use it; and how much it is told when not."""

import asyncio
from typing import Any

import pytest

from promograph.domain.access import Scope

from .asking import CHECKOUT, MARKETER, Api, problems

pytestmark = pytest.mark.anyio

Input = dict[str, Any]


async def redeem(api: Api, code: str, token: str = CHECKOUT, **more: Any) -> Input:
    return await api.do("codeRedeem", token=token, code=code, **more)


async def test_a_code_is_validated_and_redeemed_once(api: Api) -> None:
    made = await api.promotion(codes=["Once-1"], name="Once", validFor="PT48H")
    await api.issue(made, "ann")
    valid = {
        "isValid": True,
        "text": "Once-1",
        "promotionHandle": made["handle"],
        "promotionName": "Once",
        "expiresAt": "2027-03-03T12:00:00+00:00",
        "usesLeft": 1,
        "userErrors": [],
    }
    before = await api.numbers(made)
    for _ in range(3):
        assert await api.validate(" oNCE-1 ", "ann", token=CHECKOUT) == valid
    assert await api.numbers(made) == before, "validating changes nothing"
    payload = await redeem(
        api, "once-1", customer="ann", order="o-1", channel="web",
        orderAmount={"amount": "58.30", "currency": "EUR"}, discount={"amount": "5", "currency": "EUR"},
    )  # fmt: skip
    assert payload["userErrors"] == []
    assert payload["redemption"] == {
        "id": payload["redemption"]["id"],
        "text": "Once-1",
        "promotionHandle": made["handle"],
        "customer": "ann",
        "redeemedAt": "2027-03-01T12:00:00+00:00",
        "order": "o-1",
        "channel": "web",
        "orderAmount": {"amount": "58.30", "currency": "EUR"},
        "discount": {"amount": "5.00", "currency": "EUR"},
    }
    refused = await redeem(api, "ONCE-1", customer="ann", order="o-2")
    assert refused["redemption"] is None
    assert refused["userErrors"] == [
        {
            "code": "ALREADY_REDEEMED",
            "field": None,
            "message": "This code has been used 1 of 1 times.",
            "data": {"uses": 1, "limit": 1},
        }
    ]
    numbers = await api.numbers(made)
    assert (numbers["redeemed"], numbers["redemptions"]) == (1, 1)


async def test_of_many_at_once_one_has_the_last_use(api: Api) -> None:
    made = await api.promotion(codes=["Race-1"], codeKind="MULTIPLE", usesPerCode=3)
    payloads = await asyncio.gather(*(redeem(api, "race-1", order=f"o{n}") for n in range(12)))
    assert sum(payload["redemption"] is not None for payload in payloads) == 3
    assert {problem for payload in payloads for problem in problems(payload)} == {("NOT_FOUND", None)}
    assert (await api.numbers(made))["redemptions"] == 3


async def test_a_key_redeems_once_and_gets_the_first_answer(api: Api) -> None:
    made = await api.promotion(codes=["Key-1"], codeKind="MULTIPLE", usesPerCode=None)
    input: Input = {"customer": "ann", "order": "o-1", "discount": {"amount": "1.5", "currency": "KWD"}}
    payloads = await asyncio.gather(*(redeem(api, "key-1", idempotencyKey="redeem-1", **input) for _ in range(5)))
    assert any(not payload["replayed"] for payload in payloads)
    again = await redeem(api, "key-1", idempotencyKey="redeem-1", **input)
    assert [payload | {"replayed": True} for payload in payloads] == [again] * 5
    assert again["redemption"]["discount"] == {"amount": "1.500", "currency": "KWD"}
    for change in ({"order": "o-2"}, {"customer": None}, {"discount": None}, {"channel": "web"}):
        payload = await redeem(api, "key-1", idempotencyKey="redeem-1", **input | change)
        assert problems(payload) == [("KEY_REUSED", "input.idempotencyKey")]
        assert payload["redemption"] is None
    assert (await api.numbers(made))["redemptions"] == 1


async def test_a_refusal_is_given_again_too(api: Api) -> None:
    made = await api.promotion(codes=["Later-1"])
    first = await redeem(api, "later-1", token="admin", idempotencyKey="redeem-2")
    assert problems(first) == [("NOT_ISSUED", None)]
    await api.issue(made, "ann")
    assert await redeem(api, "later-1", token="admin", idempotencyKey="redeem-2") == first | {"replayed": True}
    assert (await redeem(api, "later-1"))["redemption"]


async def test_a_repeated_refusal_tells_a_stranger_no_more_than_the_first(api: Api) -> None:
    await api.promotion(codes=["Stranger-1"])
    staff = await redeem(api, "stranger-1", token="admin", idempotencyKey="redeem-3")
    assert problems(staff) == [("NOT_ISSUED", None)]
    assert problems(await redeem(api, "stranger-1", idempotencyKey="redeem-3")) == [("NOT_FOUND", None)]


BAD_INPUT: list[tuple[Input, tuple[str, str]]] = [
    ({"code": ""}, ("REQUIRED", "input.code")),
    ({"code": "  "}, ("REQUIRED", "input.code")),
    ({"code": "a\0b"}, ("INVALID", "input.code")),
    ({"code": "c" * 300}, ("OUT_OF_RANGE", "input.code")),
    ({"code": "c" * 1_000_000}, ("OUT_OF_RANGE", "input.code")),
    ({"customer": ""}, ("REQUIRED", "input.customer")),
    ({"customer": "a\0b"}, ("INVALID", "input.customer")),
    ({"customer": "c" * 129}, ("OUT_OF_RANGE", "input.customer")),
]
BAD_ORDERS: list[tuple[Input, tuple[str, str]]] = [
    ({"order": "o" * 129}, ("OUT_OF_RANGE", "input.order")),
    ({"order": "\0"}, ("INVALID", "input.order")),
    ({"channel": " web"}, ("INVALID", "input.channel")),
    ({"idempotencyKey": ""}, ("REQUIRED", "input.idempotencyKey")),
    ({"discount": {"amount": "-0.01", "currency": "EUR"}}, ("OUT_OF_RANGE", "input.discount")),
    ({"orderAmount": {"amount": "-1", "currency": "JPY"}}, ("OUT_OF_RANGE", "input.orderAmount")),
    ({"orderAmount": {"amount": "1e15", "currency": "EUR"}}, ("OUT_OF_RANGE", "input.orderAmount")),
    ({"orderAmount": {"amount": "1e400", "currency": "EUR"}}, ("OUT_OF_RANGE", "input.orderAmount.amount")),
    ({"orderAmount": {"amount": "1e999999999", "currency": "EUR"}}, ("OUT_OF_RANGE", "input.orderAmount.amount")),
    ({"orderAmount": {"amount": "1e-999999999", "currency": "EUR"}}, ("INVALID", "input.orderAmount.amount")),
    ({"orderAmount": {"amount": f"1.{'0' * 30}1", "currency": "EUR"}}, ("INVALID", "input.orderAmount.amount")),
    ({"orderAmount": {"amount": "9" * 5000, "currency": "EUR"}}, ("OUT_OF_RANGE", "input.orderAmount.amount")),
    ({"orderAmount": {"amount": "NaN", "currency": "EUR"}}, ("OUT_OF_RANGE", "input.orderAmount.amount")),
    ({"orderAmount": {"amount": "sNaN", "currency": "EUR"}}, ("OUT_OF_RANGE", "input.orderAmount.amount")),
    ({"discount": {"amount": "-Infinity", "currency": "EUR"}}, ("OUT_OF_RANGE", "input.discount.amount")),
    ({"discount": {"amount": "1.005", "currency": "EUR"}}, ("INVALID", "input.discount.amount")),
    ({"discount": {"amount": "1.5", "currency": "JPY"}}, ("INVALID", "input.discount.amount")),
    ({"discount": {"amount": "1.0005", "currency": "KWD"}}, ("INVALID", "input.discount.amount")),
    ({"discount": {"amount": "1e-400", "currency": "KWD"}}, ("INVALID", "input.discount.amount")),
    ({"discount": {"amount": "1e-1000020", "currency": "KWD"}}, ("INVALID", "input.discount.amount")),
    (
        {"discount": {"amount": "1234567890123.00" + "0" * 20 + "1", "currency": "EUR"}},
        ("INVALID", "input.discount.amount"),
    ),
    (
        {"orderAmount": {"amount": "1", "currency": "EUR"}, "discount": {"amount": "1", "currency": "USD"}},
        ("INVALID", "input.discount"),
    ),
]


@pytest.mark.parametrize(("input", "problem"), BAD_INPUT + BAD_ORDERS, ids=lambda value: str(value)[:60])
async def test_bad_input_is_told_with_its_place(api: Api, input: Input, problem: tuple[str, str]) -> None:
    made = await api.promotion(codes=1, codeKind="MULTIPLE")
    wanted = {"code": f"{made['handle']}-1"} | input
    assert await api.no("codeRedeem", token=CHECKOUT, **wanted) == [problem]
    if (input, problem) in BAD_INPUT:
        answer = await api.validate(wanted["code"], wanted.get("customer"), token=CHECKOUT)
        assert problems(answer) == [problem]
        assert answer["isValid"] is False
    assert (await api.numbers(made))["redemptions"] == 0


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("12.5", "EUR", "12.50"),
        (12.5, "EUR", "12.50"),
        (0.1, "EUR", "0.10"),
        (7, "EUR", "7.00"),
        ("0", "EUR", "0.00"),
        ("-0", "EUR", "0.00"),
        ("1200", "JPY", "1200"),
        ("1200.00", "JPY", "1200"),
        ("1.234", "KWD", "1.234"),
        ("1.5", "KWD", "1.500"),
        ("1e3", "USD", "1000.00"),
        ("9999999999999.99", "USD", "9999999999999.99"),
        (" 3.10 ", "USD", "3.10"),
    ],
)
async def test_money_is_exact_in_every_currency(api: Api, amount: Any, currency: str, shown: str) -> None:
    made = await api.promotion(onEmpty="GENERATE")
    text = await api.issue(made, "ann")
    payload = await redeem(api, text, orderAmount={"amount": amount, "currency": currency})
    assert payload["redemption"]["orderAmount"] == {"amount": shown, "currency": currency}
    query = """query ($text: String!) { code(text: $text) { redemptions {
        orderAmount { amount currency } discount { amount } } } }"""
    assert (await api.ask(query, {"text": text}))["code"]["redemptions"] == [
        {"orderAmount": {"amount": shown, "currency": currency}, "discount": None}
    ]


@pytest.mark.parametrize(
    ("amount", "currency"),
    [("1", "eur"), ("1", "EURO"), ("1", "XXX"), ("1", ""), ("1", None), ("one", "EUR"), ("", "EUR"), (None, "EUR"),
     ([], "EUR"), ({}, "EUR"), ("1", 978), ("1\0", "EUR"), ("1e-99999999999999999999", "EUR"), (True, "EUR")],
)  # fmt: skip
async def test_what_is_no_money_is_refused_before_anything_is_done(api: Api, amount: Any, currency: Any) -> None:
    query = (
        'mutation ($money: MoneyInput) { codeRedeem(input: { code: "x", discount: $money }) { userErrors { code } } }'
    )
    body = await api.whole(query, {"money": {"amount": amount, "currency": currency}}, token=CHECKOUT)
    assert "data" not in body


# Refusals, and how much of them is told


async def situations(api: Api) -> dict[str, tuple[str, str | None, str]]:
    """By the reason: a code that is refused for it, the holder (if it has one), and a customer to ask for."""

    async def issued(holder: str = "ann", **terms: Any) -> tuple[Input, str]:
        made = await api.promotion(onEmpty="GENERATE", **terms)
        return made, await api.issue(made, holder)

    found: dict[str, tuple[str, str | None, str]] = {"NOT_FOUND": ("NO-SUCH-CODE", None, "ann")}
    _, blocked = await issued()
    await api.done("codesBlock", codes=[blocked])
    found["CODE_BLOCKED"] = (blocked, "ann", "ann")
    _, used = await issued()
    await api.done("codeRedeem", code=used)
    found["ALREADY_REDEEMED"] = (used, "ann", "ann")
    _, held = await issued(holderOnly=True)
    found["NOT_HOLDER"] = (held, "ann", "bob")
    paused, stopped = await issued()
    await api.done("promotionPause", id=paused["id"])
    found["PROMOTION_INACTIVE"] = (stopped, "ann", "ann")
    capped = await api.promotion(onEmpty="GENERATE", usesPerCustomer=1, issuePolicy="PER_SEND")
    first, second = await api.issue(capped, "ann", send="1"), await api.issue(capped, "ann", send="2")
    await api.done("codeRedeem", code=first, customer="ann")
    found["CUSTOMER_CAP_REACHED"] = (second, "ann", "ann")
    pooled = await api.promotion(codes=1)
    found["NOT_ISSUED"] = (f"{pooled['handle']}-1", None, "ann")
    _, gone = await issued(validFor="PT1S")
    found["EXPIRED"] = (gone, "ann", "ann")
    api.clock.move(seconds=2)
    return found


REASONS = [
    "NOT_FOUND",
    "CODE_BLOCKED",
    "ALREADY_REDEEMED",
    "NOT_HOLDER",
    "PROMOTION_INACTIVE",
    "CUSTOMER_CAP_REACHED",
    "NOT_ISSUED",
    "EXPIRED",
]


async def answers(api: Api, code: str, customer: str | None, token: str) -> list[list[Input]]:
    """What validating says and what redeeming says."""
    validated = await api.validate(code, customer, token=token)
    assert validated["isValid"] is False
    assert validated["text"] == code
    assert [validated[name] for name in ("promotionHandle", "promotionName", "expiresAt", "usesLeft")] == [None] * 4
    redeemed = await redeem(api, code, token=token, customer=customer)
    assert redeemed["redemption"] is None
    return [validated["userErrors"], redeemed["userErrors"]]


async def test_staff_are_told_the_reason_and_a_stranger_is_told_nothing(fresh: Api) -> None:
    found = await situations(fresh)
    assert set(found) == set(REASONS)
    numbers = "{ promotions(first: 100) { nodes { inventory { redemptions issued available } } } }"
    before = await fresh.ask(numbers)
    for reason, (code, holder, customer) in found.items():
        for said in await answers(fresh, code, customer, "admin"):
            assert said[0]["code"] == reason
        # Who names the holder has the code from them.
        for said in await answers(fresh, code, customer, CHECKOUT):
            assert said[0]["code"] == (reason if holder == customer else "NOT_FOUND")
        for stranger in strangers(reason):
            assert await answers(fresh, code, stranger, CHECKOUT) == [[UNKNOWN], [UNKNOWN]], reason
    assert await fresh.ask(numbers) == before


UNKNOWN = {"code": "NOT_FOUND", "field": None, "message": "This code is not valid.", "data": None}


def strangers(reason: str) -> list[str | None]:
    """Customers for whom a code does not work without its being theirs; None names nobody."""
    if reason == "CUSTOMER_CAP_REACHED":
        return []  # the code works for others, and asks for a name
    return ["mallory"] if reason == "NOT_HOLDER" else ["mallory", None]


async def test_a_stranger_gets_the_same_bytes_for_every_code_that_does_not_work(fresh: Api) -> None:
    """Text and status, whatever the code; only what was asked for comes back."""
    query = """query ($c: String!) { codeValidate(input: { code: $c, customer: "mallory" }) {
        isValid text promotionHandle promotionName expiresAt usesLeft userErrors { code field message data } } }"""
    bodies = set()
    for reason, (code, _, _) in (await situations(fresh)).items():
        if strangers(reason):
            answer = await fresh.post(CHECKOUT, json={"query": query, "variables": {"c": code}})
            bodies.add((answer.status_code, tuple(answer.headers.items())[:1], answer.text.replace(code, "…")))
    assert len(bodies) == 1


async def test_reasons_that_leave_the_code_usable_are_told_to_everybody(api: Api) -> None:
    later = await api.promotion(
        codes=["Soon-1"], codeKind="MULTIPLE", window={"startsAt": "2039-01-01T00:00:00Z"}, usesPerCustomer=1
    )
    assert later["status"] == "SCHEDULED"
    for token in ("admin", CHECKOUT):
        said = await api.validate("soon-1", token=token)
        assert [(error["code"], error["data"]) for error in said["userErrors"]] == [
            ("NOT_STARTED", {"starts_at": "2039-01-01T00:00:00+00:00"}),
            ("CUSTOMER_REQUIRED", None),
        ]
    named = await api.promotion(onEmpty="GENERATE", holderOnly=True)
    text = await api.issue(named, "ann")
    assert problems(await redeem(api, text)) == [("CUSTOMER_REQUIRED", None)]
    assert (await redeem(api, text, customer="ann"))["redemption"]


async def test_every_reason_is_told_the_weightiest_first(api: Api) -> None:
    made = await api.promotion(onEmpty="GENERATE", validFor="PT1S", holderOnly=True)
    text = await api.issue(made, "ann")
    await api.done("codesBlock", codes=[text])
    await api.done("promotionPause", id=made["id"])
    api.clock.move(seconds=1)
    said = await api.validate(text, "bob")
    assert problems(said) == [(code, None) for code in ("PROMOTION_INACTIVE", "CODE_BLOCKED", "EXPIRED", "NOT_HOLDER")]
    assert problems(await redeem(api, text, token="admin", customer="bob")) == problems(said)


async def test_ending_leaves_what_people_hold_unless_told(api: Api) -> None:
    made = await api.promotion(codes=2)
    texts = [await api.issue(made, customer) for customer in ("ann", "bob")]
    await api.done("promotionEnd", id=made["id"])
    assert (await redeem(api, texts[0]))["redemption"]
    await api.done("promotionEnd", id=made["id"], stopRedeeming=True)
    assert problems(await redeem(api, texts[1], token="admin")) == [("PROMOTION_INACTIVE", None)]


async def test_a_shared_code_is_used_by_many_and_by_each_as_often_as_allowed(api: Api) -> None:
    made = await api.promotion(codeKind="SINGLE", singleCode="Share-20", usesPerCustomer=1, usesPerCode=3)
    for customer in ("ann", "bob", "cy"):
        answer = await api.validate("share-20", customer, token=CHECKOUT)
        assert answer["isValid"]
        assert (await redeem(api, "SHARE-20", customer=customer))["redemption"]["text"] == "Share-20"
    assert problems(await redeem(api, "SHARE-20", token="admin", customer="ann")) == [
        ("ALREADY_REDEEMED", None),
        ("CUSTOMER_CAP_REACHED", None),
    ]
    numbers = await api.numbers(made)
    assert (numbers["total"], numbers["redeemed"], numbers["redemptions"]) == (1, 1, 3)


async def test_a_fallback_works_for_whoever_has_it(api: Api) -> None:
    made = await api.promotion(onEmpty="FALLBACK", fallbackCode="Fall-20", codes=1)
    for customer in ("ann", "bob"):
        await api.issue(made, customer)
    for customer in ("bob", "cy"):
        assert (await redeem(api, "fall-20", customer=customer))["redemption"]
    assert (await api.validate("fall-20"))["usesLeft"] is None
    assert (await api.numbers(made))["redeemed"] == 0


async def test_who_may_redeem_and_manage_is_told_the_reason(api: Api) -> None:
    """A token with both scopes is staff, whatever it redeems for."""
    text, _ = await api.services.access.create("both", [Scope.CODES_REDEEM, Scope.PROMOTIONS_WRITE])
    await api.promotion(codes=["Both-1"])
    assert problems(await redeem(api, "both-1", token=text)) == [("NOT_ISSUED", None)]
    query = 'query { codeValidate(input: { code: "x" }) { isValid } }'
    assert await api.errors(query, token=MARKETER) == [("FORBIDDEN", None)]
