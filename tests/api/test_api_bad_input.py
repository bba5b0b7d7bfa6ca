"""Whatever is sent, the answer is a sentence for whoever sent it: user errors, errors or a 4xx, never a fault.

`Api.post` looks at each answer for faults, so many tests here need to say no more than what they send.
"""

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    get_named_type,
    is_required_input_field,
)

from .asking import ADMIN, Api, schema

pytestmark = pytest.mark.anyio

ON_SQLITE = pytest.mark.parametrize("shared_store_url", ["sqlite"], indirect=True, scope="module")
"""Of what is turned down before a store hears of it."""

Path = tuple[str | int, ...]


def leaves(
    kind: GraphQLInputType, names: frozenset[str], at: Path = (), inside: tuple[str, ...] = (), *, most: int = 1
) -> Iterator[Path]:
    """The path of each value of a type in `names` inside an input; the first item stands for a list.

    `inside`: the types on the way, each of which may be there `most` times.
    """
    if isinstance(kind, GraphQLNonNull):
        yield from leaves(kind.of_type, names, at, inside, most=most)
    elif isinstance(kind, GraphQLList):
        yield from leaves(kind.of_type, names, (*at, 0), inside, most=most)
    elif isinstance(kind, GraphQLInputObjectType):
        if inside.count(kind.name) < most:
            for name, field in kind.fields.items():
                yield from leaves(field.type, names, (*at, name), (*inside, kind.name), most=most)
    elif get_named_type(kind).name in names:
        yield at


def with_value(kind: GraphQLInputType, path: Path, value: Any) -> Any:
    """The least input of that type that holds `value` at `path`; what the outermost needs besides is for the caller."""
    return _with_value(kind, path, value, outermost=True)


def _with_value(kind: GraphQLInputType, path: Path, value: Any, *, outermost: bool = False) -> Any:
    if isinstance(kind, GraphQLNonNull):
        return _with_value(kind.of_type, path, value, outermost=outermost)
    if not path:
        return value
    if isinstance(kind, GraphQLList):
        return [_with_value(kind.of_type, path[1:], value)]
    assert isinstance(kind, GraphQLInputObjectType)
    held = {path[0]: _with_value(kind.fields[str(path[0])].type, path[1:], value)}
    return held if outermost or is_one_of(kind) else least(kind) | held


def is_one_of(kind: GraphQLInputObjectType) -> bool:
    """Whether exactly one of its fields is to be given."""
    return bool(kind.extensions["strawberry-definition"].is_one_of)


def least(kind: GraphQLInputType) -> Any:
    """The least that is a good value of this type."""
    if isinstance(kind, GraphQLNonNull):
        return least(kind.of_type)
    if isinstance(kind, GraphQLList):
        return [least(kind.of_type)]
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        needed = {name: field for name, field in kind.fields.items() if is_required_input_field(field)}
        if is_one_of(kind):
            plain = ((name, field) for name, field in kind.fields.items() if get_named_type(field.type) is not kind)
            needed = dict([next(plain)])
        return {name: least(field.type) for name, field in needed.items()}
    return _LEAST.get(get_named_type(kind).name, "x")


_LEAST = {
    "Int": 1,
    "Decimal": "1",
    "Boolean": True,
    "CurrencyCode": "EUR",
    "Duration": "PT1M",
    "DateTime": "2027-03-01T12:00:00Z",
}


def put(kind: GraphQLInputType, base: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """The input `base` with `value` at `path`."""
    outer = get_named_type(kind)
    assert isinstance(outer, GraphQLInputObjectType)
    at_first = get_named_type(outer.fields[str(path[0])].type)
    if isinstance(at_first, GraphQLInputObjectType) and is_one_of(at_first):
        base = {name: given for name, given in base.items() if name != path[0]}  # one field of it, and no second
    changed: dict[str, Any] = merged(base, with_value(kind, path, value))
    return changed


def merged(base: Any, other: Any) -> Any:
    """`base` with what `other` says on top, one object inside another."""
    if isinstance(base, dict) and isinstance(other, dict):
        return base | {name: merged(base.get(name), value) for name, value in other.items()}
    if isinstance(base, list) and isinstance(other, list) and base:
        return [merged(base[0], other[0])]
    return other


def fields_with_input() -> dict[str, tuple[str, GraphQLInputType]]:
    """Each field of the roots that takes an `input` and tells what is wrong with it: operation and input's type."""
    query, mutation = schema().query_type, schema().mutation_type
    assert query is not None
    assert mutation is not None
    return {
        name: (operation, field.args["input"].type)
        for operation, root in (("query", query), ("mutation", mutation))
        for name, field in root.fields.items()
        if "input" in field.args and "userErrors" in getattr(get_named_type(field.type), "fields", ())
    }


def leaves_of(name: str, *names: str) -> Iterator[Path]:
    """Of that operation's input. Several take the same condition, of which one tries a condition inside another."""
    return leaves(fields_with_input()[name][1], frozenset(names), most=2 if name == "segmentCreate" else 1)


_OF_CODES = {"codesBlock", "codesUnblock", "codesVoid", "codesReplace"}


async def base_input(api: Api, name: str) -> dict[str, Any]:
    """An input of which nothing is wrong; nested ones are complete, so that one value of them can be replaced."""
    made = await api.promotion(codes=1)
    known: dict[str, Any] = {
        "codes": [f"{made['handle']}-1"] if name in _OF_CODES else f"{made['handle']}-added",
        "code": f"{made['handle']}-1",
        "customer": "ann",
        "customers": ["ann"],
        "scopes": ["ADMIN"],
        "count": 1,
        "id": made["id"],
        "promotion": made["handle"] if "ssue" in name else made["id"],
        "name": f"named after {made['handle']}",
        "file": None,
        "properties": [{"name": "a", "value": "b"}],
        "discount": {"amount": "1", "currency": "EUR"},
        "orderAmount": {"amount": "1", "currency": "EUR"},
    }
    if name == "customersUpsert":
        known["customers"] = [{"id": "ann"}]
    if name == "bookingCreate":
        known["codes"] = 1
    if name == "codesRedeem":
        known["codes"] = [{"code": known["code"]}]
    kind = get_named_type(fields_with_input()[name][1])
    assert isinstance(kind, GraphQLInputObjectType)
    return least(kind) | {field: value for field, value in known.items() if field in kind.fields}


async def send(api: Api, name: str, input: Any) -> httpx2.Response:
    """As JSON that has nothing but ASCII, so that any text can be sent; a file goes along where one belongs."""
    operation, kind = fields_with_input()[name]
    fields = "isValid" if name == "codeValidate" else "__typename"
    selection = f"{fields} userErrors {{ code field message data }}"
    query = f"{operation} ($input: {kind}) {{ {name}(input: $input) {{ {selection} }} }}"
    text = json.dumps({"query": query, "variables": {"input": input}})
    if name in ("codesImport", "customersImport", "audienceImport"):
        parts = {"operations": text, "map": '{"0": ["variables.input.file"]}'}
        return await api.post(ADMIN, data=parts, files={"0": ("codes.csv", b"A\n", "text/csv")})
    return await api.post_text(text)


NASTY = {
    "a NUL": "a\0b",
    "half of a pair": "a\udfff",
    "a control character": "\x1b[31m\x07",
    "direction": "\u202eabc\uffff",
    "combining": "e" + "\u0301" * 3000,
    "SQL and templates": "'; DROP TABLE code; -- {{x}} ${7*7} %s",
    "long": "x" * 100_000,
    "emoji": "👩‍👩‍👧‍👦" * 20,
    "empty": "",
    "white space": " \r\n",
}


@pytest.mark.parametrize("name", fields_with_input())
async def test_nasty_texts_in_every_text_of_an_input(api: Api, name: str) -> None:
    kind = fields_with_input()[name][1]
    base = await base_input(api, name)
    for path in leaves_of(name, "String", "ID"):
        for text in NASTY.values():
            answer = await send(api, name, put(kind, base, path, text))
            is_surrogate = any("\ud800" <= character <= "\udfff" for character in text)
            assert answer.status_code == (400 if is_surrogate else 200), (path, answer.text[:500])
            body = answer.json()
            assert "errors" not in body or is_surrogate, (path, body)


NUMBERS = [2**31, -(10**400), 1.5, 1e300, "1", True, None, {}, -1, 0, 2**31 - 1]


@pytest.mark.parametrize("name", fields_with_input())
async def test_huge_and_odd_numbers_in_every_number_of_an_input(api: Api, name: str) -> None:
    kind = fields_with_input()[name][1]
    base = await base_input(api, name)
    for path in leaves_of(name, "Int", "Decimal", "Boolean"):
        for number in NUMBERS:
            if path == ("count",) and number == 0:
                continue
            answer = await send(api, name, put(kind, base, path, number))
            assert answer.status_code in (200, 400)


ODD_VALUES: list[Any] = [[], {"a": {"b": 1}}, 1.5, [None], "x" * 10_000, [1] * 1000]


@ON_SQLITE
@pytest.mark.parametrize("name", fields_with_input())
async def test_values_of_another_kind_in_every_field_of_an_input(api: Api, name: str) -> None:
    kind = get_named_type(fields_with_input()[name][1])
    assert isinstance(kind, GraphQLInputObjectType)
    base = await base_input(api, name)
    for field in kind.fields:
        for value in ODD_VALUES:
            answer = await send(api, name, base | {field: value})
            assert answer.status_code in (200, 400)
    for input in (None, [], "x", 1, {}, base | {"no": 1}, [base]):
        assert (await send(api, name, input)).status_code in (200, 400)


DATES = [
    "0000-01-01", "10000-01-01", "2027-02-30", "2027-13-01", "yesterday", "", "2027-W10", "20270101", "\0", "9" * 4000,
    "2027-01-01T00:00:00", "2027-01-01T25:00:00Z", "2027-01-01T00:00:00+99:99", "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59.999999-23:59", "2027-01-01T00:00:00.123456789Z", "2027-01-01 00:00Z", "T", "1e9",
    0, 1e20, True, [], {},
]  # fmt: skip


@pytest.mark.parametrize("field", ["startsOn", "startsAt", "endsOn", "endsAt"])
async def test_odd_dates(api: Api, field: str) -> None:
    for value in DATES:
        for zone in ("UTC", "Asia/Tokyo", "America/Toronto"):
            await send(api, "promotionCreate", {"name": "Dates", "window": {field: value, "timeZone": zone}})


@ON_SQLITE
@pytest.mark.parametrize(
    "value",
    [
        "P" * 10_000,
        "PT999999999S",
        "P999999W",
        "P٣D",
        "PT1H\n",
        "P1DT",
        "-PT1H",
        "PT0.5S",
        "P1Y",
        48,
        1e400,
        True,
        [],
        {},
        "\0",
    ],
    ids=lambda value: str(value)[:20],
)
async def test_odd_durations(api: Api, value: Any) -> None:
    query = """mutation ($d: Duration) {
        promotionCreate(input: { name: "D", validFor: $d }) { userErrors { code } } }"""
    await api.post_text(json.dumps({"query": query, "variables": {"d": value}}))


# Documents


DOCUMENTS = [
    '{ code(text: "\\ud800") { id } }',
    '{ code(text: "\\u0000") { id } }',
    '{ promotion(handle: "\\u{110000}") { id } }',
    '{ promotion(handle: """\\"""") { id } }',
    "{ promotions(first: 99999999999999999999) { totalCount } }",
    "{ promotions(first: -1) { totalCount } }",
    "{ promotions(first: 1.5) { totalCount } }",
    '{ promotions(first: "1") { totalCount } }',
    "{ promotions(sort: none) { totalCount } }",
    "{ promotions(filter: {}) { totalCount } }",
    "{ promotions(filter: { status: DRAFT }) { totalCount } }",
    "{ promotions(filter: { status: [null] }) { totalCount } }",
    '{ promotions(filter: { properties: { name: "a" } }) { totalCount } }',
    "{ node(id: 1) { id } }",
    "{ node(id: 99999999999999999999999999) { id } }",
    "{ node(id: null) { id } }",
    '{ nodes(ids: "x") { id } }',
    "{ nodes(ids: [[]]) { id } }",
    'mutation { codesIssue(input: { promotion: "x", customers: "ann" }) { issued } }',
    'mutation { codesBlock(input: { codes: [["x"]] }) { changed } }',
    "mutation { codesGenerate(input: { promotion: 1, count: 1 }) { userErrors { code } } }",
    'mutation { codesGenerate(input: { promotion: "x", count: 1e2 }) { userErrors { code } } }',
    'mutation { codesImport(input: { promotion: "x", file: "x" }) { userErrors { code } } }',
    'mutation { tokenCreate(input: { name: "x", scopes: [NONE] }) { text } }',
    'mutation { codeRedeem(input: { code: "x", discount: { amount: 1e400, currency: "EUR" } }) { replayed } }',
    'mutation { codeRedeem(input: { code: "x", discount: { amount: {}, currency: EUR } }) { userErrors { code } } }',
    'mutation { promotionCreate(input: { name: "x", validFor: 5 }) { userErrors { code } } }',
    "subscription { inventoryChanged }",
    'query { __typename @skip(if: "x") }',
    '{ __type(name: "\\u0000") { name } }',
    "{" * 5000,
    "{ a" * 2000,
    "[" * 60_000,
    '"' * 10_001,
    "\0",
    "\ufeff{ __typename }",
    "#" * 60_000,
]


@ON_SQLITE
@pytest.mark.parametrize("text", DOCUMENTS, ids=lambda text: text[:60])
async def test_odd_documents(api: Api, text: str) -> None:
    for accept in ("application/json", "application/graphql-response+json"):
        headers = {"Accept": accept}
        answer = await api.post(ADMIN, json={"query": text}, extra_headers=headers)
        assert answer.status_code in (200, 400, 405)


VARIABLES = [
    '{"first": NaN}',
    '{"first": Infinity}',
    '{"first": 1e400}',
    '{"first": 1' + "0" * 5000 + "}",
    '{"first": 1, "first": 2}',
    '{"after": "\\ud800"}',
    '{"after": "\\u0000"}',
    '{"after": ' + "[" * 500 + "]" * 500 + "}",
    '{"after": ' + "[" * 100_000 + "]" * 100_000 + "}",
    '{"after": ' + '{"a":' * 1000 + "1" + "}" * 1000 + "}",
    '{"after": ' + '{"a":' * 100_000 + "1" + "}" * 100_000 + "}",
    '{"": 1}',
    '{"\\u0000": 1}',
    '{"__proto__": {"first": 1}}',
    "[" * 200_000,
]


@pytest.mark.parametrize("text", VARIABLES, ids=lambda text: text[:30])
async def test_odd_variables(api: Api, text: str) -> None:
    query = "query ($first: Int, $after: String) { promotions(first: $first, after: $after) { totalCount } }"
    body = f'{{"query": {json.dumps(query)}, "variables": {text}}}'
    answer = await api.post_text(body)
    assert answer.status_code in (200, 400)
    answer = await api.client.get(
        "/graphql", params={"query": query, "variables": text[:20_000]}, headers=api.headers(ADMIN)
    )
    assert answer.status_code in (200, 400)


async def test_a_value_of_another_kind_is_not_sent_back_whole(api: Api) -> None:
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    answer = await api.post(ADMIN, json={"query": query, "variables": {"ids": [{"a": "x" * 1000}] * 5000}})
    assert len(answer.text) < 50_000


async def test_ten_thousand_texts_are_no_trouble(api: Api) -> None:
    made = await api.promotion(onEmpty="GENERATE")
    payload = await api.do(
        "codesIssue", promotion=made["handle"], customers=["\0"] * 10_000, fields="issued", token="issuer"
    )
    assert (payload["issued"], len(payload["userErrors"])) == (0, 10_000)


async def test_a_body_over_the_bound_is_413(api: Api) -> None:
    answer = await api.post(json={"query": "{ __typename }", "variables": {"a": "x" * (8 * 2**20)}})
    assert answer.status_code == 413
