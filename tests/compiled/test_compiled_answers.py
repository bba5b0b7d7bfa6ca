"""A compiled operation answers as the schema does, to the byte."""

from typing import Any

import pytest
from graphql import parse
from strawberry.extensions import SchemaExtension

from strawberry_compiled import compile

from .both_ways import both, compared
from .shop_schema import shop_schema

# Past an error the library itself leaves coroutines that nobody awaits.
pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore:.*never awaited:RuntimeWarning")]

SCHEMA = shop_schema()


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("{ version }", None),
        ("{ version again: version ...A } fragment A on Query { version __typename }", None),
        (
            "{ things { name __typename ... on Book { pages loaded sequel { name loaded } } ... on Lamp { size } } }",
            None,
        ),
        ("{ items { ... on Book { parts { number } grid } ... on Lamp { litAt data other { __typename } } } }", {}),
        ("{ manyBooks { loaded sometimes } }", None),
        ("{ brokenLamps { name colour size price tags odd never data secret } }", None),
        ("{ a: maybeFails(after: 3) b: maybeFails(after: 1) c: maybeFails d: fails }", None),
        ("{ streamed }", None),
        ('query Q($t: String!) { version wish(wish: {text: $t, price: "sNaN"}) }', {"t": "x"}),
        ("{ slowly version }", None),
        ("query Q($w: Wish!) { wish(wish: $w) }", {"w": {"text": "t", "class": None, "ranges": [{"low": 1}]}}),
        ("query Q($w: Wish!) { wish(wish: $w) }", {"w": {"text": "t", "colour": "GREEN", "size": "LARGE", "price": 3}}),
        ("query Q($t: String!, $n: Int) { wish(wish: {text: $t, best: {low: 1, high: $n}}) }", {"t": "x"}),
        ("query Q($c: Colour = GREEN) { plain(id: 5, colour: $c, sizes: [SMALL]) }", None),
        ("query Q($f: Boolean!) { version @skip(if: $f) things { name @include(if: $f) } }", {"f": False}),
        ("query Q($f: Boolean!) { version @skip(if: $f) things { name @include(if: $f) } }", {"f": True}),
        ("mutation M($w: Wish) { first(wish: $w) { name } second(fail: true) { name } third }", {"w": None}),
        ("mutation { first { name } third(fail: true) second { loaded } }", None),
    ],
)
async def test_each_of_these_is_compiled(text: str, given: dict[str, object] | None) -> None:
    assert await both(SCHEMA, text, given) == "compiled"


@pytest.mark.parametrize("may", [True, False])
async def test_permissions_and_field_extensions_count(may: bool) -> None:
    text = '{ version guarded(word: "w") { described } items { ... on Lamp { secret shout(word: "x") } } }'
    assert await both(SCHEMA, text, may=may) == "compiled"


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("query Q($w: Wish!) { wish(wish: $w) }", {}),
        ("query Q($w: Wish!) { wish(wish: $w) }", {"w": {"text": 5}}),
        ("query Q($w: Wish!) { wish(wish: $w) }", {"w": {"text": "t", "other": 1}}),
        ("query Q($w: Wish!) { wish(wish: $w) }", {"w": {"text": "t", "ranges": {"low": 1}}}),
        ("query Q($f: Boolean!) { version @skip(if: $f) }", {"f": None}),
        ("query Q($n: Int!) { maybeFails(after: $n) }", {"n": 2**31}),
    ],
)
async def test_variables_out_of_the_ordinary_are_left_to_the_schema(text: str, given: dict[str, object]) -> None:
    assert await both(SCHEMA, text, given) == "left"


@pytest.mark.parametrize("text", ["{ __schema { types { name } } }", '{ version __type(name: "Book") { name } }'])
async def test_introspection_is_declined(text: str) -> None:
    assert await both(SCHEMA, text) == "declined"


async def test_each_combination_of_conditions_is_its_own_and_the_ninth_is_left() -> None:
    names = [f"c{number}" for number in range(4)]
    fields = " ".join(f"{name}: version @include(if: ${name})" for name in names)
    text = f"query Q({' '.join(f'${name}: Boolean!' for name in names)}) {{ {fields} }}"
    compiled = compile(SCHEMA, parse(text))
    assert compiled is not None
    answers = [
        await compiled({name: bool(bits >> place & 1) for place, name in enumerate(names)}) for bits in range(16)
    ]
    assert [answer is None for answer in answers] == [False] * 8 + [True] * 8
    assert answers[5] is not None and answers[5].data == {"c0": "1", "c2": "1"}


async def test_an_extension_that_resolves_fields_declines_all() -> None:
    class Watching(SchemaExtension):
        def resolve(self, _next: Any, root: Any, info: Any, *args: Any, **kwargs: Any) -> Any:
            return _next(root, info, *args, **kwargs)

    assert await both(shop_schema(extensions=[Watching]), "{ version }") == "declined"


@pytest.mark.parametrize("seed", range(2))
async def test_requests_at_random(seed: int) -> None:
    went = await compared(SCHEMA, seed, 100, depth=4)
    assert went["compiled"] > 50
    assert went["left"] > 5
