"""Giving codes to customers over HTTP: one, many, the same again; each refusal; and what a repeated call gets."""

import asyncio
from typing import Any

import pytest

from .asking import ISSUER, Api, problems

pytestmark = pytest.mark.anyio

Input = dict[str, Any]


async def issue(api: Api, promotion: Input, customer: str, **more: Any) -> Input:
    return await api.do("codeIssue", token=ISSUER, promotion=promotion["handle"], customer=customer, **more)


async def issue_many(api: Api, promotion: Input, customers: list[str], **more: Any) -> Input:
    return await api.do("codesIssue", token=ISSUER, promotion=promotion["handle"], customers=customers, **more)


# One


async def test_an_issuance_says_all_about_itself(api: Api) -> None:
    made = await api.promotion(codes=["Text-1"], validFor="PT48H", window={"endsOn": "2027-12-15"})
    payload = await issue(api, made, "ann", channel="e-mail", send="s-1")
    assert payload["userErrors"] == []
    assert payload["replayed"] is False
    assert payload["issuance"] == {
        "id": payload["issuance"]["id"],
        "text": "Text-1",
        "kind": "INITIAL",
        "promotionHandle": made["handle"],
        "customer": "ann",
        "issuedAt": "2027-03-01T12:00:00+00:00",
        "expiresAt": "2027-03-03T12:00:00+00:00",
        "channel": "e-mail",
        "send": "s-1",
        "purpose": "LIVE",
    }


@pytest.mark.parametrize(
    ("terms", "expires"),
    [
        ({}, None),
        ({"window": {"endsAt": "2027-03-02T00:00:00Z"}}, "2027-03-02T00:00:00+00:00"),
        ({"window": {"endsAt": "2027-03-02T00:00:00Z"}, "validFor": "P9D"}, "2027-03-02T00:00:00+00:00"),
        ({"window": {"endsOn": "2027-03-14", "timeZone": "America/Toronto"}}, "2027-03-15T04:00:00+00:00"),
        ({"validFor": "PT1S"}, "2027-03-01T12:00:01+00:00"),
    ],
)
async def test_a_code_expires_with_the_earlier_of_both(api: Api, terms: Input, expires: str | None) -> None:
    made = await api.promotion(onEmpty="GENERATE", **terms)
    assert (await issue(api, made, "ann"))["issuance"]["expiresAt"] == expires


async def test_codes_are_given_in_the_order_of_their_list(api: Api) -> None:
    made = await api.promotion(codes=["order-3", "order-1", "order-2"])
    assert [await api.issue(made, name) for name in ("ann", "bob", "cy")] == ["order-3", "order-1", "order-2"]


async def test_an_occasion_gets_one_code_however_often_it_is_asked(api: Api) -> None:
    made = await api.promotion(codes=10)
    payloads = await asyncio.gather(*(issue(api, made, "ann", channel=f"c{n}") for n in range(8)))
    assert len({payload["issuance"]["text"] for payload in payloads}) == 1
    assert sorted(payload["replayed"] for payload in payloads) == [False] + [True] * 7
    assert (await api.numbers(made))["issued"] == 1


async def test_the_occasion_is_what_the_promotion_says(api: Api) -> None:
    per_send = await api.promotion(codes=5, issuePolicy="PER_SEND")
    texts = [(await issue(api, per_send, "ann", send=send))["issuance"]["text"] for send in ("a", "b", "a")]
    assert texts[0] == texts[2] != texts[1]
    assert problems(await issue(api, per_send, "ann")) == [("REQUIRED", "input.send")]
    per_message = await api.promotion(codes=5, issuePolicy="PER_MESSAGE")
    texts = [(await issue(api, per_message, "ann", message=key))["issuance"]["text"] for key in ("a", "b", "a")]
    assert texts[0] == texts[2] != texts[1]
    assert problems(await issue(api, per_message, "ann", send="s")) == [("REQUIRED", "input.message")]
    keyed = await issue(api, per_message, "bob", idempotencyKey="occasion-key")
    assert keyed["issuance"]
    assert (await api.numbers(per_message))["issued"] == 3


async def test_a_key_gets_the_first_answer(api: Api) -> None:
    made = await api.promotion(codes=3)
    first = await issue(api, made, "ann", idempotencyKey="issue-1")
    again = await issue(api, made, "ann", idempotencyKey="issue-1")
    assert again == first | {"replayed": True}
    for change in ({"customer": "bob"}, {"channel": "sms"}, {"send": "s"}, {"message": "m"}):
        payload = await api.do(
            "codeIssue", promotion=made["handle"], **{"customer": "ann", "idempotencyKey": "issue-1"} | change
        )
        assert problems(payload) == [("KEY_REUSED", "input.idempotencyKey")]
        assert payload["issuance"] is None
    assert (await api.numbers(made))["issued"] == 1


async def test_a_refusal_is_given_again_too(api: Api) -> None:
    made = await api.promotion(codes=1)
    await api.issue(made, "ann")
    first = await issue(api, made, "bob", idempotencyKey="issue-2")
    assert problems(first) == [("POOL_EMPTY", None)]
    await api.done("codesAdd", promotion=made["id"], codes=f"{made['handle']}-more")
    assert await issue(api, made, "bob", idempotencyKey="issue-2") == first | {"replayed": True}
    assert await api.issue(made, "bob") == f"{made['handle']}-more"


async def test_bad_input_does_not_use_a_key_up(api: Api) -> None:
    made = await api.promotion(codes=1)
    input = {"customer": "ann", "idempotencyKey": "issue-3"}
    assert await api.no("codeIssue", promotion="unknown", **input) == [("NOT_FOUND", "input.promotion")]
    assert (await api.done("codeIssue", promotion=made["handle"], **input))["issuance"]


@pytest.mark.parametrize(
    ("input", "problem"),
    [
        ({"promotion": "no-such"}, ("NOT_FOUND", "input.promotion")),
        ({"promotion": "No-Such"}, ("NOT_FOUND", "input.promotion")),
        ({"promotion": "夏祭り🎄"}, ("NOT_FOUND", "input.promotion")),
        ({"promotion": "'; DROP TABLE promotion; --"}, ("NOT_FOUND", "input.promotion")),
        ({"promotion": ""}, ("REQUIRED", "input.promotion")),
        ({"promotion": "a\0b"}, ("INVALID", "input.promotion")),
        ({"promotion": "p" * 129}, ("OUT_OF_RANGE", "input.promotion")),
        ({"customer": ""}, ("REQUIRED", "input.customer")),
        ({"customer": "c" * 129}, ("OUT_OF_RANGE", "input.customer")),
        ({"customer": "c" * 1_000_000}, ("OUT_OF_RANGE", "input.customer")),
        ({"customer": " ann"}, ("INVALID", "input.customer")),
        ({"customer": "an\0n"}, ("INVALID", "input.customer")),
        ({"customer": "an\nn"}, ("INVALID", "input.customer")),
        ({"customer": "an\u202en"}, ("INVALID", "input.customer")),
        ({"send": ""}, ("REQUIRED", "input.send")),
        ({"send": "s\0"}, ("INVALID", "input.send")),
        ({"message": "m" * 129}, ("OUT_OF_RANGE", "input.message")),
        ({"channel": "c" * 65}, ("OUT_OF_RANGE", "input.channel")),
        ({"idempotencyKey": "\x7f"}, ("INVALID", "input.idempotencyKey")),
    ],
    ids=lambda value: str(value)[:50],
)
@pytest.mark.parametrize("purpose", ["LIVE", "TEST"])
async def test_bad_input_is_told_with_its_place(api: Api, input: Input, problem: tuple[str, str], purpose: str) -> None:
    made = await api.promotion(codes=1)
    wanted = {"promotion": made["handle"], "customer": "ann", "purpose": purpose} | input
    assert await api.no("codeIssue", token=ISSUER, **wanted) == [problem]
    if "message" not in input:
        assert await api.no("codeReissue", token=ISSUER, **wanted) == [problem]
    assert (await api.numbers(made))["issued"] == 0


async def test_each_refusal_has_its_data(api: Api) -> None:
    async def refusal(promotion: Input, customer: str = "zoe") -> tuple[str, Any]:
        payload = await issue(api, promotion, customer)
        assert payload["issuance"] is None
        (error,) = payload["userErrors"]
        assert error["field"] is None
        assert error["message"].endswith(".")
        return error["code"], error["data"]

    draft = await api.draft(onEmpty="GENERATE")
    assert await refusal(draft) == ("PROMOTION_INACTIVE", {"status": "DRAFT"})
    paused = await api.promotion(onEmpty="GENERATE")
    await api.done("promotionPause", id=paused["id"])
    assert await refusal(paused) == ("PROMOTION_INACTIVE", {"status": "PAUSED"})
    ended = await api.promotion(onEmpty="GENERATE")
    await api.done("promotionEnd", id=ended["id"])
    assert await refusal(ended) == ("PROMOTION_INACTIVE", {"status": "ENDED"})
    await api.done("promotionArchive", id=ended["id"])
    assert await refusal(ended) == ("PROMOTION_INACTIVE", {"status": "ARCHIVED"})
    later = await api.promotion(onEmpty="GENERATE", window={"startsOn": "2039-03-02", "timeZone": "Asia/Tokyo"})
    assert await refusal(later) == ("NOT_STARTED", {"starts_at": "2039-03-01T15:00:00+00:00"})
    empty = await api.promotion(codes=1)
    await api.issue(empty, "ann")
    assert await refusal(empty) == ("POOL_EMPTY", None)
    full = await api.promotion(codes=5, audienceCap=1)
    await api.issue(full, "ann")
    assert await refusal(full) == ("AUDIENCE_CAP_REACHED", {"limit": 1})
    state = await api.state(full)
    assert (state["status"], state["endReason"]) == ("ENDED", "AUDIENCE_CAP")
    blocked = await api.promotion(codeKind="SINGLE", singleCode="BLOCKED-S")
    await api.done("codesBlock", codes=["BLOCKED-S"])
    assert await refusal(blocked) == ("CODE_BLOCKED", None)


async def test_a_pool_that_is_empty_does_what_it_was_told(api: Api) -> None:
    generating = await api.promotion(codes=1, onEmpty="GENERATE", codeFormat={"prefix": "GEN-"})
    await api.issue(generating, "ann")
    assert (await issue(api, generating, "bob"))["issuance"]["text"].startswith("GEN-")
    falling = await api.promotion(codes=1, onEmpty="FALLBACK", fallbackCode="Fall-Back")
    await api.issue(falling, "ann")
    for customer in ("bob", "cy"):
        given = (await issue(api, falling, customer))["issuance"]
        assert (given["text"], given["kind"]) == ("Fall-Back", "FALLBACK")
    numbers = await api.numbers(falling)
    assert (numbers["total"], numbers["fallbackIssued"], numbers["fallbackActive"]) == (1, 2, True)
    single = await api.promotion(codeKind="SINGLE", singleCode="Save20")
    for customer in ("ann", "bob"):
        given = (await issue(api, single, customer))["issuance"]
        assert (given["text"], given["kind"]) == ("Save20", "INITIAL")


@pytest.mark.parametrize("purpose", ["TEST", "PREVIEW"])
async def test_a_test_and_a_preview_use_nothing_up(api: Api, purpose: str) -> None:
    made = await api.promotion(codes=1, audienceCap=1, validFor="PT1H")
    before = await api.numbers(made)
    one = await issue(api, made, "ann", purpose=purpose)
    given = one["issuance"]
    assert given["text"].startswith("TEST-")
    assert given["purpose"] == purpose
    assert given["expiresAt"] == "2027-03-01T13:00:00+00:00"
    many = await issue_many(api, made, ["ann", "bob"], purpose=purpose)
    assert (many["issued"], many["codes"][0]) == (2, given["text"])
    assert len(set(many["codes"])) == 2
    again = await api.do("codeReissue", promotion=made["handle"], customer="ann", purpose=purpose)
    assert again["issuance"]["text"].startswith("TEST-")
    assert await api.numbers(made) == before
    for token in ("admin", "checkout"):
        refused = await api.validate(given["text"], "ann", token=token)
        assert problems(refused) == [("TEST_CODE", None)]
        assert problems(await api.do("codeRedeem", token=token, code=given["text"])) == [("TEST_CODE", None)]
    unknown = await api.do("codeIssue", promotion="no-such", customer="ann", purpose=purpose)
    assert problems(unknown) == [("NOT_FOUND", "input.promotion")]


# Many


async def test_many_are_answered_in_the_order_asked(api: Api) -> None:
    made = await api.promotion(codes=["m-1", "m-2", "m-3"])
    await api.issue(made, "cy")
    payload = await issue_many(api, made, ["bob", "cy", "", "ann", "bob", "dan", "e\0"], channel="sms")
    assert payload["codes"] == ["m-2", "m-1", None, "m-3", "m-2", None, None]
    assert payload["issued"] == 3
    assert problems(payload) == [
        ("REQUIRED", "input.customers.2"),
        ("POOL_EMPTY", "input.customers.5"),
        ("INVALID", "input.customers.6"),
    ]
    results = payload["results"]
    assert [result["customer"] for result in results] == ["bob", "cy", "", "ann", "bob", "dan", "e\0"]
    assert [result["replayed"] for result in results] == [False, True, False, False, True, False, False]
    assert [(result["issuance"] or {}).get("text") for result in results] == payload["codes"]
    assert [(result["error"] or {}).get("code") for result in results] == [
        None, None, "REQUIRED", None, None, "POOL_EMPTY", "INVALID",
    ]  # fmt: skip
    assert results[5]["error"]["field"] == ["input", "customers", "5"]


async def test_what_is_wrong_with_the_whole_call_is_said_once(api: Api) -> None:
    customers = [f"c{n}" for n in range(50)]
    unknown = await api.do("codesIssue", promotion="no-such", customers=customers)
    assert problems(unknown) == [("NOT_FOUND", "input.promotion")]
    assert (unknown["issued"], unknown["codes"]) == (0, [None] * 50)
    assert [result["error"] for result in unknown["results"]] == [
        {"code": "NOT_FOUND", "field": ["input", "promotion"]}
    ] * 50
    made = await api.promotion(codes=1, issuePolicy="PER_SEND")
    assert problems(await issue_many(api, made, customers)) == [("REQUIRED", "input.send")]
    assert problems(await issue_many(api, made, customers, send="s\0")) == [("INVALID", "input.send")]
    assert problems(await issue_many(api, made, customers, channel="c" * 65)) == [("OUT_OF_RANGE", "input.channel")]
    assert (await api.numbers(made))["issued"] == 0


async def test_an_empty_list_gives_nothing(api: Api) -> None:
    made = await api.promotion(codes=1)
    for more in ({}, {"idempotencyKey": "empty"}, {"purpose": "TEST"}):
        payload = await issue_many(api, made, [], **more)
        assert payload == {"issued": 0, "codes": [], "results": [], "userErrors": []}


async def test_ten_thousand_identical_customers_get_one_code(api: Api) -> None:
    made = await api.promotion(codes=2)
    fields = "issued codes"
    payload = await api.done("codesIssue", promotion=made["handle"], customers=["ann"] * 10_000, fields=fields)
    assert payload["issued"] == 1
    assert payload["codes"] == [f"{made['handle']}-1"] * 10_000
    assert (await api.numbers(made))["issued"] == 1


async def test_more_than_ten_thousand_are_refused_and_none_gets_a_code(api: Api) -> None:
    made = await api.promotion(onEmpty="GENERATE")
    customers = [f"c{n}" for n in range(10_001)]
    assert await api.no("codesIssue", promotion=made["handle"], customers=customers) == [
        ("TOO_MANY", "input.customers")
    ]
    assert (await api.numbers(made))["issued"] == 0


async def test_ten_thousand_get_codes_of_their_own(fresh: Api) -> None:
    made = await fresh.promotion(onEmpty="GENERATE")
    customers = [f"c{n}" for n in range(10_000)]
    input = {"promotion": made["handle"], "customers": customers, "idempotencyKey": "all"}
    payload = await fresh.done("codesIssue", fields="issued codes", **input)
    assert len(set(payload["codes"])) == payload["issued"] == 10_000
    assert await fresh.done("codesIssue", fields="issued codes", **input) == payload
    assert (await fresh.numbers(made))["issued"] == 10_000


async def test_a_key_of_many_gets_the_first_answer(api: Api) -> None:
    made = await api.promotion(codes=2)
    first = await issue_many(api, made, ["ann", "bob", "cy"], idempotencyKey="many-1")
    assert first["issued"] == 2
    await api.done("codesAdd", promotion=made["id"], codes=f"{made['handle']}-x")
    again = await issue_many(api, made, ["ann", "bob", "cy"], idempotencyKey="many-1")
    assert again["codes"] == first["codes"]
    assert [result["replayed"] for result in again["results"]] == [True] * 3
    assert problems(again) == problems(first) == [("POOL_EMPTY", "input.customers.2")]
    assert problems(await issue_many(api, made, ["bob", "ann", "cy"], idempotencyKey="many-1")) == [
        ("KEY_REUSED", "input.idempotencyKey")
    ]
    for key, problem in (("", "REQUIRED"), ("k" * 129, "OUT_OF_RANGE"), ("a\0", "INVALID")):
        payload = await issue_many(api, made, ["dan"], idempotencyKey=key)
        assert problems(payload) == [(problem, "input.idempotencyKey")]
    assert (await api.numbers(made))["issued"] == 2


async def test_many_at_once_never_share_a_code_nor_pass_the_cap(api: Api) -> None:
    made = await api.promotion(codes=40, audienceCap=25)
    calls = [issue_many(api, made, [f"c{n}" for n in range(start, start + 10)]) for start in range(0, 40, 5)]
    payloads = await asyncio.gather(*calls)
    given: dict[str, str] = {}
    for payload in payloads:
        for result in payload["results"]:
            if result["issuance"]:
                assert given.setdefault(result["customer"], result["issuance"]["text"]) == result["issuance"]["text"]
    assert len(given) == len(set(given.values())) == 25
    assert (await api.numbers(made))["customers"] == 25


# The same again


async def test_the_last_code_is_given_again(api: Api) -> None:
    made = await api.promotion(codes=3, issuePolicy="PER_SEND", validFor="P9D")
    await api.issue(made, "ann", send="one")
    text = await api.issue(made, "ann", send="two")
    payload = await api.do(
        "codeReissue", token=ISSUER, promotion=made["handle"], customer="ann", channel="sms", send="again"
    )
    given = payload["issuance"]
    assert (given["text"], given["kind"], given["channel"], given["send"]) == (text, "REPEAT", "sms", "again")
    numbers = await api.numbers(made)
    assert (numbers["issued"], numbers["customers"]) == (2, 1)


async def test_a_key_repeats_a_code_once(api: Api) -> None:
    made = await api.promotion(codes=1)
    await api.issue(made, "ann")
    input = {"promotion": made["handle"], "customer": "ann", "idempotencyKey": "again-1"}
    first = await api.done("codeReissue", **input)
    assert await api.done("codeReissue", **input) == first | {"replayed": True}
    for change in ({"customer": "bob"}, {"channel": "sms"}):
        assert await api.no("codeReissue", **input | change) == [("KEY_REUSED", "input.idempotencyKey")]


async def test_what_cannot_be_repeated_is_refused(api: Api) -> None:
    made = await api.promotion(codes=4)
    reissue = {"promotion": made["handle"], "customer": "ann"}
    assert await api.no("codeReissue", promotion="no-such", customer="ann") == [("NOT_FOUND", "input.promotion")]
    assert await api.no("codeReissue", **reissue) == [("NOTHING_HELD", None)]
    text = await api.issue(made, "ann")
    await api.done("codesBlock", codes=[text])
    assert await api.no("codeReissue", **reissue) == [("CODE_BLOCKED", None)]
    await api.done("codesUnblock", codes=[text])
    await api.done("codeRedeem", code=text)
    assert await api.no("codeReissue", **reissue) == [("ALREADY_REDEEMED", None)]
    await api.issue(made, "bob")
    await api.done("promotionPause", id=made["id"])
    assert await api.no("codeReissue", promotion=made["handle"], customer="bob") == [("PROMOTION_INACTIVE", None)]
