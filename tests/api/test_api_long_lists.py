"""Long lists of inputs mean what graphql-core says that they mean."""

from typing import Any

import pytest
from graphql import GraphQLInputObjectType, Undefined, build_schema, parse
from graphql.utilities import coerce_input_value
from hypothesis import given
from hypothesis import strategies as st

from promograph.api.long_lists import LONG, LongListExecutor, coercer
from promograph.api.plain_lists import are_plain

from .asking import schema

SCHEMA = build_schema(
    """
    enum Colour { RED BLUE }
    input Part { name: String!, size: Int, more: [Part!] }
    input Tag { name: String!, on: Boolean }
    input Thing { id: ID!, text: String, size: Int, colour: Colour, flags: [Boolean!], tags: [Tag!], of: Tag }
    input Defaulted { id: ID!, size: Int! = 3, note: String = null }
    input Things { things: [Thing!]!, parts: [Part!], defaulted: [Defaulted], names: [String!], maybe: [Thing] }
    type Query { f(input: Things!): Int }
    """
)
DOCUMENT = parse("query ($input: Things!) { f(input: $input) }")

PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**33), 2**33), st.floats(allow_nan=False), st.text(max_size=3)
)
TAG = st.fixed_dictionaries({"name": st.text(max_size=3)}, optional={"on": st.one_of(st.none(), st.booleans())})
GOOD = st.fixed_dictionaries(
    {"id": st.one_of(st.text(max_size=3), st.integers(0, 9))},
    optional={
        "text": st.one_of(st.none(), st.text(max_size=3)),
        "size": st.integers(-9, 9),
        "colour": st.sampled_from(["RED", "BLUE", None]),
        "flags": st.one_of(st.none(), st.lists(st.booleans(), max_size=2), st.booleans()),
        "tags": st.lists(TAG, max_size=2),
        "of": TAG,
    },
)
ODD = st.one_of(
    PLAIN,
    st.dictionaries(st.sampled_from(["id", "text", "size", "colour", "flags", "tags", "of", "else"]), PLAIN),
)


def coerced(given_: dict[str, Any]) -> Any:
    built = LongListExecutor.build(SCHEMA, DOCUMENT, None, None, {"input": given_})
    return built if isinstance(built, list) else built.variable_values.coerced["input"]


def expected(given_: dict[str, Any]) -> Any:
    kind = SCHEMA.type_map["Things"]
    assert isinstance(kind, GraphQLInputObjectType)
    return coerce_input_value(given_, kind)


@given(st.lists(GOOD, min_size=1, max_size=4), st.one_of(st.none(), ODD, GOOD))
def test_a_long_list_is_what_it_is_to_the_library(good: list[Any], odd: Any) -> None:
    things = (good * LONG)[:LONG] + ([] if odd is None else [odd])
    meant, found = expected({"things": things}), coerced({"things": things})
    if meant is Undefined:
        assert isinstance(found, list), "an error"
        assert f"things[{LONG}]" in found[0].message
    else:
        assert found == meant


@pytest.mark.parametrize(
    "more",
    [
        {"parts": [{"name": "a", "more": [{"name": "b", "size": 1}]}] * LONG},
        {"defaulted": [{"id": "a"}, None, {"id": "b", "size": 4, "note": "n"}] * LONG},
        {"names": ["a", "b"] * LONG},
        {"maybe": [None, {"id": 1}] * LONG},
    ],
)
def test_types_of_other_kinds(more: dict[str, Any]) -> None:
    things = [{"id": "x"}] * LONG
    assert coerced({"things": things, **more}) == expected({"things": things, **more})


@pytest.mark.parametrize(
    "wrong",
    [
        {"parts": [{"name": "a"}, {"size": 1}] * LONG},
        {"names": ["a", 1] * LONG},
        {"unheard": [1] * LONG},
        {"maybe": [{"id": None}] * LONG},
    ],
)
def test_what_is_wrong_beside_a_long_list(wrong: dict[str, Any]) -> None:
    assert isinstance(coerced({"things": [{"id": "x"}] * LONG, **wrong}), list)


def test_what_was_given_is_left_as_it_was() -> None:
    things: list[dict[str, Any]] = [{"id": n, "flags": True} for n in range(LONG)]
    given_ = {"things": things}
    assert coerced(given_)["things"][3] == {"id": "3", "flags": [True]}
    assert given_ == {"things": [{"id": n, "flags": True} for n in range(LONG)]}


def test_documents_with_several_operations_are_left_to_the_library() -> None:
    document = parse("query A ($input: Things!) { f(input: $input) } query B ($input: Int) { __typename }")
    built = LongListExecutor.build(SCHEMA, document, None, None, {"input": {"things": [{"id": 1}] * LONG}}, "A")
    assert built.variable_values.coerced["input"]["things"][0] == {"id": "1"}


def test_customers_are_checked_here() -> None:
    """Were their type one that is left to the library, nothing but the time that it takes would tell."""
    kind = schema().type_map["CustomersUpsertInput"]
    assert isinstance(kind, GraphQLInputObjectType)
    items = kind.fields["customers"].type.of_type.of_type
    customer = {"id": "ada", "email": None, "consent": [{"channel": "sms", "given": True}], "attributes": {"a": 1}}
    assert coercer(items)(customer) is customer
    assert are_plain(items, [customer] * 300)
    assert not are_plain(items, [customer] * 300 + [{"id": 7}])
    assert coercer(items)({"id": "ada", "consent": [{"channel": "sms"}]})["consent"] == [
        {"channel": "sms", "given": None}
    ]
