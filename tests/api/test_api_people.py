"""Customers and segments over the API."""

from typing import Any

import pytest

from promograph.api.nodes import global_id, name_of_numbers, numbers_of_name

from .asking import ADMIN, ISSUER, MARKETER, PEOPLE, SENDER, Api

pytestmark = pytest.mark.anyio

UPSERTED = "created updated replayed"
CUSTOMER = """id ownId email phone locale consent { channel given } createdAt updatedAt
    attributes { name value { text number boolean date texts numbers booleans dates } }"""
SEGMENT = "id handle name condition { text asInput } count uses { kind handle name } createdAt updatedAt"


async def upsert(api: Api, customers: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return await api.do("customersUpsert", fields=UPSERTED, customers=customers, **more)


async def customer(api: Api, id_: str, *, token: str | None = PEOPLE, fields: str = CUSTOMER) -> Any:
    return (await api.ask(f"query ($id: ID!) {{ customer(id: $id) {{ {fields} }} }}", {"id": id_}, token=token))[
        "customer"
    ]


async def create(api: Api, name: str, condition: dict[str, Any], **more: Any) -> dict[str, Any]:
    payload = await api.done(
        "segmentCreate", fields=f"segment {{ {SEGMENT} }}", token=PEOPLE, name=name, condition=condition, **more
    )
    made: dict[str, Any] = payload["segment"]
    return made


def is_(name: str, op: str, **value: Any) -> dict[str, Any]:
    return {"attribute": {"name": name, "op": op, "value": value or None}}


def values(found: dict[str, Any]) -> dict[str, Any]:
    """The attributes by name, each as the field that is not null."""
    return {
        one["name"]: {kind: value for kind, value in one["value"].items() if value is not None}
        for one in found["attributes"]
    }


async def test_a_customer_comes_back_as_told(api: Api) -> None:
    told = {
        "id": "ada",
        "email": " Ada@Example.COM ",
        "phone": "+1 514 555 0100",
        "locale": "fr_CA",
        "consent": [{"channel": "email", "given": True}, {"channel": "sms", "given": False}],
        "attributes": {
            "tier": "gold",
            "spent": 12.5,
            "exact": {"number": "12345678901234567.123456789"},
            "visits": 41.0,
            "vip": True,
            "born": {"date": "1985-03-09"},
            "likes": ["ski", "夏祭り"],
            "sizes": [42, 43.5],
            "nothing": [],
            "gone": None,
        },
    }
    assert await upsert(api, [told]) == {"created": 1, "updated": 0, "replayed": False, "userErrors": []}
    found = await customer(api, "ada")
    assert found["ownId"] == "ada"
    assert (found["email"], found["phone"], found["locale"]) == ("Ada@example.com", "+15145550100", "fr-CA")
    assert found["consent"] == [{"channel": "email", "given": True}, {"channel": "sms", "given": False}]
    assert values(found) == {
        "tier": {"text": "gold"},
        "spent": {"number": "12.5"},
        "exact": {"number": "12345678901234567.123456789"},
        "visits": {"number": "41"},
        "vip": {"boolean": True},
        "born": {"date": "1985-03-09"},
        "likes": {"texts": ["ski", "夏祭り"]},
        "sizes": {"numbers": ["42", "43.5"]},
        "nothing": {"texts": []},
    }
    assert await customer(api, "nobody") is None
    change = {"id": "ada", "phone": None, "consent": [{"channel": "sms", "given": None}], "attributes": {"vip": None}}
    assert (await upsert(api, [change]))["updated"] == 1
    after = await customer(api, "ada")
    assert (after["phone"], after["email"]) == (None, "Ada@example.com")
    assert after["consent"] == [{"channel": "email", "given": True}]
    assert "vip" not in values(after)


async def test_customers_written_into_the_document_itself(api: Api) -> None:
    document = """mutation { customersUpsert(input: {customers: [
        {id: 7, attributes: {tier: "gold", spent: 2.5, likes: ["a"], born: {date: "2026-01-01"}}, consent: []}
        {id: "8", email: null}
    ]}) { created userErrors { message } } }"""
    data = await api.ask(document, token=PEOPLE)
    assert data["customersUpsert"] == {"created": 2, "userErrors": []}
    assert values(await customer(api, "7"))["born"] == {"date": "2026-01-01"}


async def test_bad_customers_are_told_by_their_place_and_the_others_are_done(api: Api) -> None:
    customers: list[dict[str, Any]] = [
        {"id": "good-1", "attributes": {"age": 41}},
        {"id": "bad-1", "attributes": {"age": "41"}},
        {"id": ""},
        {"id": "bad-2", "email": "nowhere"},
        {"id": "bad-3", "consent": [{"channel": "", "given": True}]},
        {"id": "bad-4", "attributes": {"text": "x" * 1_000_000}},
        {"id": "bad-5", "attributes": {"x": [1, "a"]}},
        {"id": "good-2", "attributes": {"age": 42}},
    ]
    payload = await upsert(api, customers)
    assert payload["created"] == 2
    errors = {".".join(error["field"]): error["code"] for error in payload["userErrors"]}
    assert (
        errors
        == {
            "input.customers.1.attributes.age": "INVALID",
            "input.customers.2.id": "REQUIRED",
            "input.customers.3.email": "INVALID",
            "input.customers.4.consent": "REQUIRED",
            "input.customers.5.attributes.text": "OUT_OF_RANGE",
            "input.customers.6.attributes.x.1": "INVALID",
        }
        or payload["created"] == 3
    )
    assert await customer(api, "bad-1") is None
    assert (await customer(api, "good-2"))["ownId"] == "good-2"


async def test_names_and_values_that_look_like_sql(api: Api) -> None:
    sly = "'; DROP TABLE customer; --"
    payload = await upsert(api, [{"id": sly, "attributes": {sly: sly, ":p0 $1 %s": "x"}}])
    assert payload["userErrors"] == []
    assert values(await customer(api, sly)) == {sly: {"text": sly}, ":p0 $1 %s": {"text": "x"}}
    made = await create(api, "Sly", {"all": [is_(sly, "EQUALS", text=sly), is_(":p0 $1 %s", "IN", texts=["x", sly])]})
    assert made["count"] == 1


async def test_ten_thousand_customers_in_a_call(api: Api) -> None:
    customers = [
        {"id": f"bulk-{n}", "consent": [{"channel": "email", "given": n % 2 == 0}], "attributes": {"bulk": n}}
        for n in range(10_000)
    ]
    assert (await upsert(api, customers))["created"] == 10_000
    payload = await upsert(api, customers)
    assert (payload["created"], payload["updated"]) == (0, 10_000)
    made = await create(api, "Bulk", is_("bulk", "GTE", number="9000"))
    assert made["count"] == 1_000
    too_many = await upsert(api, [*customers, {"id": "one more"}])
    assert [(error["code"], error["field"]) for error in too_many["userErrors"]] == [
        ("TOO_MANY", ["input", "customers"])
    ]
    assert await customer(api, "one more") is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": None},
        {"id": "x", "email": 3},
        {"id": "x", "attributes": ["a"]},
        {"id": "x", "consent": [{"given": True}]},
        {"id": "x", "unheard": 1},
        {},
        None,
        "x",
    ],
)
async def test_what_does_not_fit_the_schema_is_told_however_long_the_list(api: Api, wrong: Any) -> None:
    document = "mutation ($input: CustomersUpsertInput!) { customersUpsert(input: $input) { created } }"
    for count in (1, 300):
        customers = [{"id": f"fit-{n}"} for n in range(count)]
        body = await api.whole(document, {"input": {"customers": [*customers, wrong]}})
        assert f"customers[{count}]" in str(body["errors"]), body
    assert await customer(api, "fit-0") is None


async def test_a_call_with_a_key_is_done_once(api: Api) -> None:
    customers = [{"id": "keyed", "attributes": {"tier": "gold"}}, {"id": "keyed-2", "email": "nowhere"}]
    first = await upsert(api, customers, idempotencyKey="people-1")
    assert first["created"] == 1
    assert await upsert(api, customers, idempotencyKey="people-1") == {**first, "replayed": True}
    other = await upsert(api, [{"id": "keyed"}], idempotencyKey="people-1")
    assert [error["code"] for error in other["userErrors"]] == ["KEY_REUSED"]


async def test_a_profile_with_its_codes(api: Api) -> None:
    await upsert(api, [{"id": "profiled"}])
    promotion = await api.promotion(codes=2)
    text = await api.issue(promotion, "profiled")
    await api.done("codeReissue", promotion=promotion["handle"], customer="profiled", idempotencyKey="again")
    await api.done("codeRedeem", code=text, customer="profiled")
    await create(api, "Profiled", {"redeemed": promotion["handle"]})
    fields = "issuances { text kind promotionHandle } redemptions { text } segments { handle }"
    found = await customer(api, "profiled", token=ADMIN, fields=fields)
    assert [(one["text"], one["kind"]) for one in found["issuances"]] == [(text, "REPEAT"), (text, "INITIAL")]
    assert [one["text"] for one in found["redemptions"]] == [text]
    assert "profiled" in [one["handle"] for one in found["segments"]]


async def test_attributes_are_known_with_their_types(api: Api) -> None:
    await upsert(api, [{"id": "typed", "attributes": {"a text": "x", "a date": {"date": "2026-01-01"}, "a list": []}}])
    for token in (PEOPLE, MARKETER, SENDER):
        found = {
            one["name"]: one["type"]
            for one in (await api.ask("{ attributes { name type } }", token=token))["attributes"]
        }
        assert found["a text"] == "TEXT"
        assert found["a date"] == "DATE"
        assert found["a list"] == "LIST"


async def test_a_segment_from_its_making_to_its_end(api: Api) -> None:
    await upsert(api, [{"id": f"seg-{n}", "attributes": {"seg": n}} for n in range(30)])
    made = await create(api, "Over nine", is_("seg", "GT", number="9"), idempotencyKey="seg-1")
    assert (made["handle"], made["count"], made["uses"]) == ("over-nine", 20, [])
    assert made["condition"]["text"] == "customer's seg over 9"
    assert made["condition"]["asInput"] == is_("seg", "GT", number="9")
    assert (await create(api, "Over nine", is_("seg", "GT", number="9"), idempotencyKey="seg-1"))["id"] == made["id"]
    second = await create(api, "And under", {"all": [{"segment": "over-nine"}, is_("seg", "LT", number="25")]})
    assert second["condition"]["text"] == "customer in 'Over nine' and customer's seg under 25"
    fields = "handle count preview { count matches { customer reasons } }"
    query = f"query ($id: ID!) {{ node(id: $id) {{ id ... on Segment {{ {fields} }} }} }}"
    shown = (await api.ask(query, {"id": second["id"]}, token=PEOPLE))["node"]
    assert (shown["handle"], shown["count"], shown["preview"]["count"]) == ("and-under", 15, 15)
    assert shown["preview"]["matches"][0] == {
        "customer": "seg-10",
        "reasons": ["customer in 'Over nine'", "customer's seg under 25 (10)"],
    }
    payload = await api.done("segmentUpdate", fields=f"segment {{ {SEGMENT} }}", id=made["id"], name="Ten and more")
    assert payload["segment"]["uses"] == [{"kind": "SEGMENT", "handle": "and-under", "name": "And under"}]
    assert await api.no("segmentDelete", fields="segment { id }", id=made["id"]) == [("STATE", "input.id")]
    for one in (second, made):
        assert (await api.done("segmentDelete", fields="segment { handle }", id=one["id"]))["segment"]
    handles = [one["handle"] for one in (await api.ask("{ segments { handle } }", token=MARKETER))["segments"]]
    assert not {"over-nine", "and-under"} & set(handles)
    assert (await api.ask(query, {"id": second["id"]}))["node"] is None


async def test_a_condition_is_looked_at_before_it_is_saved(api: Api) -> None:
    await upsert(api, [{"id": f"look-{n}", "attributes": {"look": n}} for n in range(3)])
    query = "query ($input: SegmentPreviewInput!) { segmentPreview(input: $input) { count matches { customer } } }"
    condition = {"any": [is_("look", "EQUALS", number="1"), {"holds": "unheard-of"}]}
    shown = (await api.ask(query, {"input": {"condition": condition}}, token=PEOPLE))["segmentPreview"]
    assert shown == {"count": 1, "matches": [{"customer": "look-1"}]}
    errors = await api.errors(query, {"input": {"condition": {"all": [{"firstOrder": True}]}}}, token=PEOPLE)
    assert [field for _, field in errors if field]


async def test_conditions_that_no_segment_can_have(api: Api) -> None:
    await upsert(api, [{"id": "cond", "attributes": {"cond": 1}}])

    async def refused(condition: dict[str, Any]) -> list[tuple[str, str | None]]:
        return await api.no("segmentCreate", fields="segment { id }", name="No", condition=condition)

    assert await refused({"all": [{"holds": "a"}, {"firstOrder": True}]}) == [
        ("INVALID", "input.condition.all.1.firstOrder")
    ]
    assert await refused({"not": {"hours": {"start": "10:00"}}}) == [("INVALID", "input.condition.not.hours")]
    assert await refused({"segment": "gone"}) == [("NOT_FOUND", "input.condition")]
    assert await refused(is_("cond", "EQUALS", text="1")) == [("INVALID", "input.condition.attribute.value.text")]
    assert await refused(is_("cond", "IN", numbers=["1"] * 5_000)) == [
        ("TOO_MANY", "input.condition.attribute.value.numbers")
    ]
    deep: dict[str, Any] = {"holds": "a"}
    for _ in range(8):
        deep = {"not": deep}
    assert (await refused(deep))[0][0] == "OUT_OF_RANGE"


async def test_who_may_what(api: Api) -> None:
    await upsert(api, [{"id": "secret"}])
    await create(api, "Secret", {"holds": "x"})
    for token in (MARKETER, SENDER, ISSUER, None):
        for document in (
            '{ customer(id: "secret") { ownId } }',
            "{ segments { preview { count } } }",
            "{ segments { preview { matches { customer } } } }",
        ):
            assert (await api.whole(document, token=token))["errors"]
    for token in (MARKETER, SENDER, PEOPLE):
        await api.ask("{ segments { handle name count condition { text } } }", token=token)
    assert (await api.whole("{ segments { handle } }", token=ISSUER))["errors"]
    # What was issued is for those who issue: whoever keeps customers does not see codes.
    assert (await api.whole('{ customer(id: "secret") { issuances { text } } }', token=PEOPLE))["errors"]


@pytest.mark.parametrize("own_id", ["a", "1234567", "12345678", "夏祭り 🎄", "x" * 128, "Customer:1"])
async def test_a_customer_by_the_global_id(api: Api, own_id: str) -> None:
    assert name_of_numbers(numbers_of_name(own_id)) == own_id
    await upsert(api, [{"id": own_id}])
    found = await customer(api, own_id)
    query = "query ($id: ID!) { node(id: $id) { id ... on Customer { ownId } } }"
    assert (await api.ask(query, {"id": found["id"]}, token=PEOPLE))["node"] == {"id": found["id"], "ownId": own_id}
    assert (await api.ask("query ($id: ID!) { node(id: $id) { id } }", {"id": found["id"]}, token=MARKETER))[
        "node"
    ] is None


@pytest.mark.parametrize("numbers", [(), (0,), (-1,), (1,), (10**17, 10**17), (300, 300)])
async def test_ids_of_no_customer(api: Api, numbers: tuple[int, ...]) -> None:
    id_ = global_id("Customer", *numbers)
    body = await api.whole("query ($id: ID!) { node(id: $id) { id } }", {"id": id_})
    assert (body.get("data") or {}).get("node") is None


async def test_a_person_is_exported_and_erased(api: Api) -> None:
    await upsert(api, [{"id": "gone-1", "email": "gone@example.com", "attributes": {"tier": "gone"}}])
    promotion = await api.promotion(codes=2)
    text = await api.issue(promotion, "gone-1", channel="email")
    found = await customer(
        api, "gone-1", token=ADMIN, fields="export issuances { text kind channel send codeState customer }"
    )
    assert found["issuances"] == [
        {"text": text, "kind": "INITIAL", "channel": "email", "send": None, "codeState": "ISSUED", "customer": "gone-1"}
    ]
    assert found["export"]["customer"]["email"] == "gone@example.com"
    assert [one["code"] for one in found["export"]["issuances"]] == [text]
    fields = "erased issuances redemptions holds audiences"
    erased = await api.done("customerErase", fields=fields, token=PEOPLE, id="gone-1")
    assert (erased["erased"], erased["issuances"], erased["audiences"]) == (True, 1, 0)
    assert await customer(api, "gone-1") is None
    assert (await api.done("customerErase", fields=fields, token=PEOPLE, id="gone-1"))["erased"] is False
    holder = await api.ask("query ($t: String!) { code(text: $t) { issuances { customer } } }", {"t": text})
    assert holder["code"]["issuances"][0]["customer"].startswith("erased:")
    assert await api.no("customerErase", id="")
