"""Conditions over HTTP: kept as they were sent, read back ready to be sent again, turned down where they are wrong."""

import json
from typing import Any

import pytest

from promograph.domain.conditions import DEEPEST, MOST_NODES

from .asking import READER, Api

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
async def gold(api: Api) -> None:
    """The segment that conditions here mean: one that is not there is turned down."""
    known = (await api.ask("{ segments { handle } }"))["segments"]
    if {"handle": "gold"} not in known:
        condition = {"attribute": {"name": "tier", "op": "EQUALS", "value": {"text": "gold"}}}
        await api.done("segmentCreate", fields="segment { id }", name="gold", condition=condition)


async def test_a_promotion_keeps_the_segment_that_it_means(api: Api) -> None:
    unknown = await api.no("promotionCreate", name="No", condition={"segment": "silver"})
    assert unknown == [("NOT_FOUND", "input.condition")]
    condition = {"attribute": {"name": "tier", "op": "EXISTS"}}
    made = await api.done("segmentCreate", fields="segment { id handle }", name="Bronze age", condition=condition)
    segment = made["segment"]
    promotion = await api.draft(condition={"segment": segment["handle"]})
    query = "query ($id: ID!) { promotion(id: $id) { condition { text } } }"
    shown = (await api.ask(query, {"id": promotion["id"]}))["promotion"]["condition"]["text"]
    assert shown == "customer in 'Bronze age'"
    assert await api.no("segmentDelete", fields="segment { id }", id=segment["id"]) == [("STATE", "input.id")]
    await api.done("promotionUpdate", id=promotion["id"], condition=None)
    await api.done("segmentDelete", fields="segment { id }", id=segment["id"])


Tree = dict[str, Any]


def subtotal(op: str, amount: Any, currency: str = "EUR") -> Tree:
    return {"subtotal": {"op": op, "value": {"amount": amount, "currency": currency}}}


def attribute(name: str, op: str, **value: Any) -> Tree:
    return {"attribute": {"name": name, "op": op, **({"value": value} if value else {})}}


def nested(depth: int, kind: str = "not") -> Tree:
    """A tree so deep, its leaf counted."""
    tree: Tree = {"segment": "gold"}
    for _ in range(depth - 1):
        tree = {kind: tree if kind == "not" else [tree]}
    return tree


async def kept(api: Api, tree: Tree) -> Tree:
    """What is read back of a new promotion's condition."""
    made = await api.draft(condition=tree)
    query = "query ($id: ID!) { promotion(id: $id) { condition { asInput text } } }"
    found: Tree = (await api.ask(query, made, token=READER))["promotion"]["condition"]
    return found


LEAVES: list[tuple[Tree, str]] = [
    ({"segment": "gold"}, "customer in 'gold'"),
    ({"holds": "summer"}, "customer holds a code of 'summer'"),
    ({"firstOrder": True}, "customer's first order"),
    ({"firstOrder": False}, "customer has ordered before"),
    ({"salesChannel": ["web", "app"]}, "sales channel 'web' or 'app'"),
    (subtotal("GT", "50.00"), "cart subtotal over 50.00 EUR"),
    (subtotal("LTE", "500", "JPY"), "cart subtotal at most 500 JPY"),
    ({"issued": {"op": "LT", "count": 3}}, "customer has been issued under 3 codes"),
    (
        {"issued": {"promotion": "summer", "since": "2026-06-01T00:00:00+00:00", "op": "GTE", "count": 1}},
        "customer has been issued at least 1 code of 'summer' since 2026-06-01T00:00:00+00:00",
    ),
    (attribute("age", "GTE", number="18"), "customer's age at least 18"),
    (attribute("rate", "LT", number="0.50"), "customer's rate under 0.50"),
    (attribute("joined", "LT", date="2026-12-15"), "customer's joined before 2026-12-15"),
    (attribute("loyal", "EQUALS", boolean=False), "customer's loyal is no"),
    (attribute("city", "EQUALS", text="Montréal"), "customer's city is 'Montréal'"),
    (attribute("city", "IN", texts=["Montréal", "Québec"]), "customer's city is one of 'Montréal', 'Québec'"),
    (attribute("size", "IN", numbers=["38", "39.5"]), "customer's size is one of 38, 39.5"),
    (attribute("flag", "IN", booleans=[True]), "customer's flag is one of yes"),
    (attribute("day", "IN", dates=["2026-12-24", "2026-12-25"]), "customer's day is one of 2026-12-24, 2026-12-25"),
    (attribute("city", "EXISTS"), "customer's city is known"),
    ({"lines": {"quantity": 2}}, "cart has at least 2 units"),
    (
        {
            "lines": {
                "filter": {"categories": ["shoes"], "attributes": [{"name": "colour", "values": ["red", "blue"]}]},
                "quantity": 1,
                "amount": {"amount": "80.00", "currency": "EUR"},
            }
        },
        "cart has at least 1 unit of category 'shoes' and colour 'red' or 'blue' for at least 80.00 EUR",
    ),
    (
        {"hours": {"weekdays": ["FRIDAY", "SATURDAY"], "start": "18:00", "end": "02:00"}},
        "on Friday or Saturday from 18:00 to 02:00",
    ),
]


@pytest.mark.parametrize(("tree", "text"), LEAVES, ids=[text for _, text in LEAVES])
async def test_a_condition_is_read_back_as_it_was_sent(api: Api, tree: Tree, text: str) -> None:
    assert await kept(api, tree) == {"asInput": tree, "text": text}


async def test_a_tree_of_everything_goes_round(api: Api) -> None:
    tree = {"all": [{"any": [leaf for leaf, _ in LEAVES]}, {"not": {"all": [leaf for leaf, _ in LEAVES[:3]]}}]}
    found = await kept(api, tree)
    assert found["asInput"] == tree
    assert (await kept(api, found["asInput"])) == found


async def test_what_may_be_said_in_several_ways_is_read_back_in_one(api: Api) -> None:
    for given, shown in (
        (subtotal("GT", 50), subtotal("GT", "50.00")),
        (attribute("age", "GTE", number=18), attribute("age", "GTE", number="18")),
        ({"lines": {}}, {"lines": {"quantity": 1}}),
        ({"lines": {"filter": {"skus": ["a"], "brands": []}}}, {"lines": {"filter": {"skus": ["a"]}, "quantity": 1}}),
        (
            {"hours": {"start": "18:00"}},
            {
                "hours": {
                    "weekdays": ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"],
                    "start": "18:00",
                    "end": "24:00",
                }
            },
        ),
        (
            {"issued": {"op": "LT", "count": 1, "promotion": None, "since": "2026-06-01T02:00:00+02:00"}},
            {"issued": {"op": "LT", "count": 1, "since": "2026-06-01T00:00:00+00:00"}},
        ),
    ):
        assert (await kept(api, given))["asInput"] == shown


LEAF = """text attribute { name op value { text number boolean date texts numbers booleans dates } } segment holds
    issued { promotion since op count } subtotal { op value { amount currency } } firstOrder salesChannel
    lines { filter { skus categories brands attributes { name values } } quantity amount { amount currency } }
    hours { weekdays start end }"""
LEVELS = " ".join(
    f"fragment C{n} on Condition {{ ...Leaf all {{ {inner} }} any {{ {inner} }} not {{ {inner} }} }}"
    for n in range(1, DEEPEST)
    for inner in [f"...C{n + 1}" if n + 1 < DEEPEST else "...Leaf"]
)
TYPED = f"{{ ...C1 }} }} }} {LEVELS} fragment Leaf on Condition {{ {LEAF} }}"


def without_nulls(shown: Any) -> Any:
    """A typed answer without what is null, without texts and without parts of a filter that are empty."""
    if isinstance(shown, list):
        return [without_nulls(each) for each in shown]
    if not isinstance(shown, dict):
        return shown
    return {name: without_nulls(part) for name, part in shown.items() if part is not None and part != []}


def without_texts(tree: Tree) -> Tree:
    """A condition's own text is for people; an attribute's is a value."""
    shown = {name: part for name, part in tree.items() if name != "text"}
    for name in ("all", "any"):
        if name in shown:
            shown[name] = [without_texts(each) for each in shown[name]]
    if "not" in shown:
        shown["not"] = without_texts(shown["not"])
    return shown


async def test_the_typed_answer_has_the_fields_and_shapes_of_the_input(api: Api) -> None:
    """Down to the greatest depth, which a document may ask for."""
    tree: Tree = {"all": [leaf for leaf, _ in LEAVES]}
    for kind in ("not", "any", "all", "not", "any", "all"):
        tree = {kind: tree if kind == "not" else [tree]}
    made = await api.draft(condition=tree)
    query = f"query ($id: ID!) {{ promotion(id: $id) {{ condition {TYPED}"
    shown = (await api.ask(query, made, token=READER))["promotion"]["condition"]
    assert without_texts(without_nulls(shown)) == tree


async def test_the_lobby_may_show_the_deepest_tree(api: Api) -> None:
    tree = nested(DEEPEST)
    made = await api.draft(condition=tree, name="Deep in the lobby")
    query = f'{{ promotions(search: "Deep in the lobby") {{ edges {{ node {{ condition {TYPED}'
    query = query.replace("} } fragment", "} } } } fragment", 1)
    (edge,) = (await api.ask(query, token=READER))["promotions"]["edges"]
    assert without_texts(without_nulls(edge["node"]["condition"])) == tree
    assert made["name"] == "Deep in the lobby"


async def test_a_condition_may_be_written_into_the_document(api: Api) -> None:
    tree = nested(DEEPEST, "all")
    literal = json.dumps(tree).replace('"all"', "all").replace('"segment"', "segment")
    query = (
        f'mutation {{ promotionCreate(input: {{ name: "Written", condition: {literal} }}) {{ promotion {{ id }} }} }}'
    )
    assert (await api.ask(query))["promotionCreate"]["promotion"]


async def test_a_condition_is_kept_changed_and_taken_away(api: Api) -> None:
    made = await api.draft(onEmpty="GENERATE", condition=subtotal("GT", "50"))
    await api.done("promotionActivate", id=made["id"])
    await api.done("promotionUpdate", id=made["id"], name="Kept")
    assert (await api.state(made))["condition"] == {"asInput": subtotal("GT", "50.00")}
    await api.done("promotionUpdate", id=made["id"], condition={"firstOrder": True})
    assert (await api.state(made))["condition"] == {"asInput": {"firstOrder": True}}
    copy = (await api.done("promotionDuplicate", id=made["id"]))["promotion"]
    assert (await api.state(copy))["condition"] == {"asInput": {"firstOrder": True}}
    await api.done("promotionUpdate", id=made["id"], condition=None)
    assert (await api.state(made))["condition"] is None


AT = "input.condition"


@pytest.mark.parametrize(
    ("tree", "problem"),
    [
        # A word with a number, and what else has no order.
        (attribute("age", "GT", text="old"), ("INVALID", f"{AT}.attribute.value.text")),
        (attribute("age", "LTE", boolean=True), ("INVALID", f"{AT}.attribute.value.boolean")),
        (attribute("age", "IN", number="3"), ("INVALID", f"{AT}.attribute.value.number")),
        (attribute("age", "EQUALS", numbers=["3"]), ("INVALID", f"{AT}.attribute.value.numbers")),
        (attribute("age", "IN", texts=[]), ("REQUIRED", f"{AT}.attribute.value.texts")),
        (attribute("age", "IN", texts=["x"] * 101), ("TOO_MANY", f"{AT}.attribute.value.texts")),
        (attribute("age", "IN", texts=["x", "y" * 501]), ("OUT_OF_RANGE", f"{AT}.attribute.value.texts.1")),
        (attribute("age", "IN"), ("REQUIRED", f"{AT}.attribute.value")),
        (attribute("age", "EXISTS", text="x"), ("INVALID", f"{AT}.attribute.value.text")),
        (attribute("", "EXISTS"), ("REQUIRED", f"{AT}.attribute.name")),
        (attribute("age", "EQUALS", text="a\0b"), ("INVALID", f"{AT}.attribute.value.text")),
        (attribute("age", "EQUALS", number="NaN"), ("INVALID", f"{AT}.attribute.value.number")),
        (attribute("age", "EQUALS", number="1e400"), ("OUT_OF_RANGE", f"{AT}.attribute.value.number")),
        (attribute("age", "EQUALS", number="0.0000000001"), ("OUT_OF_RANGE", f"{AT}.attribute.value.number")),
        ({"segment": ""}, ("REQUIRED", f"{AT}.segment")),
        ({"holds": "x" * 129}, ("OUT_OF_RANGE", f"{AT}.holds")),
        ({"salesChannel": []}, ("REQUIRED", f"{AT}.salesChannel")),
        ({"issued": {"op": "IN", "count": 1}}, ("INVALID", f"{AT}.issued.op")),
        ({"issued": {"op": "LT", "count": -1}}, ("OUT_OF_RANGE", f"{AT}.issued.count")),
        ({"issued": {"op": "LT", "count": 1, "since": "2026-06-01T00:00:00"}}, ("INVALID", f"{AT}.issued.since")),
        (subtotal("EXISTS", "5"), ("INVALID", f"{AT}.subtotal.op")),
        (subtotal("GT", "5.001"), ("INVALID", f"{AT}.subtotal.value.amount")),
        (subtotal("GT", "0"), ("OUT_OF_RANGE", f"{AT}.subtotal.value")),
        (subtotal("GT", "-5"), ("OUT_OF_RANGE", f"{AT}.subtotal.value")),
        ({"lines": {"quantity": 0}}, ("OUT_OF_RANGE", f"{AT}.lines.quantity")),
        ({"lines": {"quantity": -1}}, ("OUT_OF_RANGE", f"{AT}.lines.quantity")),
        ({"lines": {"filter": {}}}, ("REQUIRED", f"{AT}.lines.filter")),
        ({"lines": {"filter": {"skus": ["a", " b"]}}}, ("INVALID", f"{AT}.lines.filter.skus.1")),
        (
            {"lines": {"filter": {"attributes": [{"name": "x", "values": []}]}}},
            ("REQUIRED", f"{AT}.lines.filter.attributes.0.values"),
        ),
        ({"hours": {}}, ("INVALID", f"{AT}.hours")),
        ({"hours": {"start": "25:00"}}, ("INVALID", f"{AT}.hours.start")),
        ({"hours": {"start": "9:00"}}, ("INVALID", f"{AT}.hours.start")),
        ({"hours": {"start": "09:00", "end": "09:00"}}, ("INVALID", f"{AT}.hours")),
        ({"hours": {"weekdays": []}}, ("REQUIRED", f"{AT}.hours.weekdays")),
        # Trees.
        ({"all": []}, ("REQUIRED", f"{AT}.all")),
        ({"any": []}, ("REQUIRED", f"{AT}.any")),
        ({"all": [{"firstOrder": True}, {"not": {"segment": ""}}]}, ("REQUIRED", f"{AT}.all.1.not.segment")),
        (nested(DEEPEST + 1), ("OUT_OF_RANGE", f"{AT}{'.not' * DEEPEST}")),
        (nested(DEEPEST + 1, "all"), ("OUT_OF_RANGE", f"{AT}{'.all.0' * DEEPEST}")),
        (nested(60), ("OUT_OF_RANGE", f"{AT}{'.not' * DEEPEST}")),
        ({"any": [{"firstOrder": True}] * MOST_NODES}, ("TOO_MANY", f"{AT}.any.{MOST_NODES - 1}")),
        ({"any": [{"firstOrder": True}] * 5_000}, ("TOO_MANY", f"{AT}.any")),
        ({"any": [{"salesChannel": ["x"] * 900}] * 8}, ("TOO_MANY", f"{AT}.any.5.salesChannel")),
    ],
    ids=lambda value: json.dumps(value)[:60],
)
async def test_a_condition_that_cannot_be_is_turned_down_where_it_stands(
    api: Api, tree: Tree, problem: tuple[str, str]
) -> None:
    assert await api.no("promotionCreate", name="Never", handle="never", condition=tree) == [problem]
    assert (await api.ask('{ promotion(handle: "never") { id } }'))["promotion"] is None
    made = await api.draft(condition={"firstOrder": True})
    before = await api.state(made)
    assert await api.no("promotionUpdate", id=made["id"], condition=tree) == [problem]
    assert await api.state(made) == before


async def test_a_tree_of_the_greatest_size_is_fine(api: Api) -> None:
    tree = {"any": [{"firstOrder": True}] * (MOST_NODES - 1)}
    assert (await kept(api, tree))["asInput"] == tree


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"segment": None},
        {"segment": "a", "holds": "b"},
        {"segment": "a", "holds": None},
        {"all": None},
        {"all": [{}]},
        {"all": [None]},
        {"not": {}},
        {"unknown": "x"},
        {"attribute": {"name": "a", "op": "EQUALS", "value": {}}},
        {"attribute": {"name": "a", "op": "EQUALS", "value": {"text": "x", "number": 1}}},
        {"attribute": {"name": "a", "op": "BETWEEN"}},
        {"attribute": {"name": "a", "op": "EQUALS", "value": {"date": "2026-02-30"}}},
        {"subtotal": {"op": "GT", "value": {"amount": "x", "currency": "EUR"}}},
        {"subtotal": {"op": "GT", "value": {"amount": "5", "currency": "XXX"}}},
        {"hours": {"weekdays": ["FUNDAY"]}},
        nested(250),
        nested(180, "all"),
        [],
        "segment",
    ],
    ids=lambda value: json.dumps(value)[:60],
)
async def test_what_is_no_condition_at_all_is_an_error_of_the_document(api: Api, tree: Any) -> None:
    text = json.dumps(
        {
            "query": 'mutation ($c: ConditionInput!) { promotionCreate(input: { name: "x", condition: $c }) '
            "{ userErrors { code } } }",
            "variables": {"c": tree},
        }
    )
    answer = await api.post_text(text)
    assert answer.status_code in (200, 400)
    assert answer.json()["errors"]
    assert not answer.json().get("data")


CREATE = "mutation ($input: PromotionCreateInput!) { promotionCreate(input: $input) { userErrors { code } } }"


@pytest.mark.parametrize("kind", ["not", "all"])
async def test_every_depth_in_between_is_answered_without_a_fault(api: Api, kind: str) -> None:
    for depth in (*range(80, 260, 20), 320):
        tree = nested(depth, kind)
        await api.whole(CREATE, {"input": {"name": "Deep", "condition": tree}})
        literal = json.dumps(tree).replace('"', "").replace("gold", '"gold"')
        written = CREATE.replace("mutation ($input: PromotionCreateInput!)", "mutation")
        await api.whole(written.replace("$input", f'{{ name: "Deep", condition: {literal} }}'))


async def test_a_promotion_asks_of_an_attribute_what_it_can_be(api: Api) -> None:
    """As a segment does: a number is never a word, and to compare the two would be false for ever."""
    customers = [{"id": "typed", "attributes": {"typedAge": 41, "typedTier": "gold"}}]
    await api.done("customersUpsert", fields="created", customers=customers)
    word, number = attribute("typedAge", "EQUALS", text="41"), attribute("typedAge", "EQUALS", number="41")
    place = "input.condition.all.1.attribute.value.text"
    assert await api.no("promotionCreate", name="Typed", condition={"all": [number, word]}) == [("INVALID", place)]
    made = await api.draft(condition=number)
    assert await api.no("promotionUpdate", id=made["id"], condition={"all": [number, word]}) == [("INVALID", place)]
    many = attribute("typedTier", "IN", numbers=["1", "2"])
    assert await api.no("promotionUpdate", id=made["id"], condition={"not": many}) == [
        ("INVALID", "input.condition.not.attribute.value.numbers")
    ]
    assert (await kept(api, attribute("unheardOf", "EQUALS", text="41")))["text"] == "customer's unheardOf is '41'"
