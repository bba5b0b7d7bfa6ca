"""Documents: what is remembered, what is too large, what is invalid, and what the schema does not tell."""

import logging
from collections.abc import AsyncIterator
from enum import Enum
from typing import Any, NewType

import graphql
import pytest
import strawberry
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionResult

from promograph.api import documents as documents_module
from promograph.api.documents import Documents
from promograph.api.documents.limits import DocumentLimits
from promograph.api.documents.memory import DocumentMemory, KnownDocument
from promograph.api.documents.schema import Schema
from promograph.api.scopes import Needs
from promograph.errors import BadInput, InputProblem, StoreReadOnly, StoreUnavailable

OPEN = [Needs(any=[])]

Even = NewType("Even", int)


def even(value: Any) -> int:
    if value % 2:
        raise ValueError(f"{value} is odd.")
    return int(value)


CONFIG = StrawberryConfig(scalar_map={Even: strawberry.scalar(name="Even", serialize=int, parse_value=even)})


@strawberry.enum
class Colour(Enum):
    CRIMSON = "crimson"


@strawberry.input
class Search:
    text: str
    colour: Colour | None = None


@strawberry.input(one_of=True)
class Either:
    left: strawberry.Maybe[int]
    right: strawberry.Maybe[int]


@strawberry.type(directives=OPEN)
class Item:
    name: str = "x"

    @strawberry.field
    def inner(self) -> "Item":
        return Item()


@strawberry.type
class Query:
    @strawberry.field(directives=OPEN)
    def item(self) -> Item:
        return Item()

    @strawberry.field(directives=OPEN)
    def found(self, search: Search) -> str:
        return search.text

    @strawberry.field(directives=OPEN)
    def half(self, of: Even) -> int:
        return of // 2

    @strawberry.field(directives=OPEN)
    def chosen(self, either: Either) -> str:
        return "left" if either.left else "right"

    @strawberry.field(directives=OPEN)
    def broken(self, how: str) -> int | None:
        faults: dict[str, Exception] = {
            "fault": RuntimeError("postgresql://user:secret@db"),
            "input": BadInput(InputProblem.TOO_MANY, "At most 50.", field=("input", "first")),
            "away": StoreUnavailable("The store is away."),
            "readonly": StoreReadOnly("The store is read-only."),
            "graphql": graphql.GraphQLError("Said on purpose.", extensions={"code": "MINE"}),
        }
        raise faults[how]


@strawberry.type
class Mutation:
    @strawberry.mutation(directives=OPEN)
    def change(self) -> int:
        return 1


@strawberry.type
class Subscription:
    @strawberry.subscription(directives=OPEN)
    async def ticks(self) -> AsyncIterator[int]:
        yield 1
        raise RuntimeError("secret")


def made(**options: Any) -> tuple[Schema, Documents]:
    documents = Documents(**options)
    schema = Schema(Query, mutation=Mutation, subscription=Subscription, documents=documents, config=CONFIG)
    return schema, documents


def codes(result: ExecutionResult) -> list[str]:
    return [(error.extensions or {}).get("code", "") for error in result.errors or []]


def messages(result: ExecutionResult) -> list[str]:
    return [error.message for error in result.errors or []]


def known(text: str) -> KnownDocument:
    return KnownDocument(graphql.parse(text), {})


# Remembering


@pytest.mark.anyio
async def test_a_document_is_parsed_and_validated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    schema, documents = made()
    judged: list[str] = []
    judge = Documents.judge

    def counted(self: Documents, schema: strawberry.Schema, text: str, document: graphql.DocumentNode) -> Any:
        judged.append(text)
        return judge(self, schema, text, document)

    monkeypatch.setattr(Documents, "judge", counted)
    results = [await schema.execute("{ item { name } }") for _ in range(3)]
    assert [result.data for result in results] == [{"item": {"name": "x"}}] * 3
    assert judged == ["{ item { name } }"]
    assert len(documents.memory) == 1


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("text", "variables", "name"),
    [
        ("{ item { name inner { name } } }", None, None),
        ("query Q($s: Search!) { found(search: $s) }", {"s": {"text": "a"}}, "Q"),
        ("query Q($s: Search!) { found(search: $s) }", {"s": {"text": 3}}, None),
        ("query Q($s: Search!) { found(search: $s) }", None, None),
        ('{ broken(how: "input") }', None, None),
        ("query A { item { name } } query B { item { inner { name } } }", None, "B"),
        ("query A { item { name } } query B { item { inner { name } } }", None, None),
        ("mutation { change }", None, None),
        ("query Q($e: Either!) { chosen(either: $e) }", {"e": {"left": 1}}, None),
        ("query Q($e: Either!) { chosen(either: $e) }", {"e": {"left": 1, "right": 1}}, None),
    ],
)
async def test_a_remembered_document_answers_as_at_first(
    text: str, variables: dict[str, Any] | None, name: str | None
) -> None:
    schema, _ = made()
    first, again = [await schema.execute(text, variables, operation_name=name) for _ in range(2)]
    assert (first.data, [e.formatted for e in first.errors or []]) == (
        again.data,
        [e.formatted for e in again.errors or []],
    )


@pytest.mark.anyio
async def test_a_plain_strawberry_schema_takes_the_extension_too() -> None:
    documents = Documents()
    schema = strawberry.Schema(Query, extensions=[documents.extension], config=CONFIG)
    for _first_and_remembered in range(2):
        assert (await schema.execute("{ item { name } }")).data == {"item": {"name": "x"}}
        assert codes(await schema.execute("{ nothing }")) == ["GRAPHQL_VALIDATION_FAILED"]
    assert len(documents.memory) == 1
    assert schema.execute_sync("{ item { name } }").data == {"item": {"name": "x"}}


@pytest.mark.anyio
async def test_other_extensions_see_every_operation() -> None:
    seen: list[str | None] = []

    class Watching(SchemaExtension):
        def on_execute(self) -> Any:
            seen.append(self.execution_context.query)
            yield

    schema = Schema(Query, documents=Documents(), extensions=[Watching], config=CONFIG)
    for _ in range(3):
        await schema.execute("{ item { name } }")
    assert len(seen) == 3


@pytest.mark.anyio
async def test_bad_documents_are_not_remembered() -> None:
    schema, documents = made(limits=DocumentLimits(tokens=30, depth=2))
    for text in ("{", "{ nothing }", "{ item { inner { inner { name } } } }", "{ " + "item { name } " * 10 + "}"):
        assert (await schema.execute(text)).errors
    assert len(documents.memory) == 0


@pytest.mark.anyio
async def test_one_memory_does_not_serve_two_schemas() -> None:
    documents = Documents()
    first, second = (Schema(Query, documents=documents, config=CONFIG) for _ in range(2))
    assert (await first.execute("{ item { name } }")).data
    with pytest.raises(RuntimeError, match="another schema"):
        await second.execute("{ item { name } }")


def test_the_memory_keeps_what_was_used_last() -> None:
    memory = DocumentMemory(max_documents=2, max_bytes=10**9)
    texts = ["{ a }", "{ b }", "{ c }"]
    memory.put(texts[0], known(texts[0]))
    memory.put(texts[1], known(texts[1]))
    assert memory.get(texts[0])
    memory.put(texts[2], known(texts[2]))
    assert [bool(memory.get(text)) for text in texts] == [True, False, True]


def test_the_memory_is_bounded_by_size_and_counts_it_right() -> None:
    memory = DocumentMemory(max_documents=10**6, max_bytes=100_000)
    for number in range(500):
        text = f"{{ field{number} }}"
        memory.put(text, known(text))
        memory.put(text, known(text))
        assert memory.size <= 100_000
    assert 0 < len(memory) < 100
    each = memory.size / len(memory)
    assert 1_000 < each < 5_000
    huge = "{ " + "a " * 500 + "}"
    memory.put(huge, known(huge))
    assert memory.get(huge) is None
    assert (len(memory), memory.size) == (0, 0)


@pytest.mark.anyio
async def test_a_flood_of_distinct_documents_leaves_the_memory_small() -> None:
    schema, documents = made(max_documents=16)
    for number in range(100):
        assert (await schema.execute(f"query Q{number} {{ item {{ name }} }}")).data
    assert len(documents.memory) == 16


# Limits


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{ " + "item { name } " * 300 + "}", "1000 tokens"),
        ("# " + "x\n# " * 1200 + "\n{ item { name } }", "1000 tokens"),
        ("{ item { name } } #" + "x" * 70_000, "65536"),
        ("{ item " + "@skip(if: false) " * 51 + "{ name } }", "51 directives; at most 50"),
        ("{ item { " + "inner { " * 15 + "name" + " }" * 17, "17 levels of fields; at most 16"),
        ("{ " + " ".join(f"a{i}: item {{ name }}" for i in range(31)) + " }", "31 aliases; at most 30"),
    ],
    ids=["tokens", "comments", "text", "directives", "depth", "aliases"],
)
async def test_a_document_over_a_limit_is_told_which(text: str, said: str) -> None:
    schema, _ = made()
    result = await schema.execute(text)
    assert codes(result) == ["DOCUMENT_TOO_LARGE"]
    assert said in messages(result)[0]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "text",
    [
        "{ item { " + "inner { " * 14 + "name" + " }" * 16,
        "{ " + " ".join(f"a{i}: item {{ name }}" for i in range(30)) + " }",
        "{ item " + "@skip(if: false) " + "{ name } } # " + "@" * 60,
    ],
    ids=["depth", "aliases", "directives"],
)
async def test_a_document_at_a_limit_is_fine(text: str) -> None:
    schema, _ = made()
    assert (await schema.execute(text)).errors is None


@pytest.mark.anyio
async def test_fragments_count_where_they_are_spread() -> None:
    schema, _ = made(limits=DocumentLimits(depth=3, aliases=3))
    deep = "{ item { inner { ...F } } } fragment F on Item { inner { name } }"
    assert "4 levels" in messages(await schema.execute(deep))[0]
    wide = "{ item { ...F inner { ...F } } } fragment F on Item { a: name b: name }"
    assert "4 aliases" in messages(await schema.execute(wide))[0]


@pytest.mark.anyio
async def test_fragments_that_double_forty_times_end_at_once() -> None:
    schema, _ = made(limits=DocumentLimits(depth=100))
    doubling = " ".join(
        f"fragment F{i} on Item {{ inner {{ ...F{i + 1} }} other: inner {{ ...F{i + 1} }} }}" for i in range(40)
    )
    result = await schema.execute(f"{{ item {{ ...F0 }} }} {doubling} fragment F40 on Item {{ name }}")
    assert "over a million aliases" in messages(result)[0]


@pytest.mark.anyio
async def test_the_directives_are_counted_before_validation(monkeypatch: pytest.MonkeyPatch) -> None:
    schema, _ = made()
    monkeypatch.setattr(documents_module, "invalidities", lambda *_args, **_options: pytest.fail("validated"))
    assert codes(await schema.execute("{ item " + "@a " * 51 + "{ name } }")) == ["DOCUMENT_TOO_LARGE"]


# Validation


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ found(search: {text: 1}) }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ chosen(either: {left: 1, right: 2}) }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ ...F } fragment F on Query { ...F }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { item { name } } query B { item { name } }", "OPERATION_NAME_MISSING"),
    ],
)
async def test_errors_of_documents_have_codes_and_sentences(text: str, code: str) -> None:
    schema, _ = made()
    result = await schema.execute(text)
    assert result.data is None
    assert set(codes(result)) == {code}
    assert all(messages(result))


@pytest.mark.anyio
async def test_a_one_of_input_may_stand_in_a_fragment() -> None:
    schema, _ = made()
    text = "fragment F on Query { chosen(either: {left: $n}) } query Q($n: Int!) { ...F }"
    assert (await schema.execute(text, {"n": 1})).data == {"chosen": "left"}


@pytest.mark.anyio
async def test_the_number_of_errors_is_bounded() -> None:
    schema, _ = made()
    result = await schema.execute("{ " + " ".join(f"nothing{i}" for i in range(300)) + " }")
    assert 20 <= len(result.errors or []) <= 21


# What the schema does not tell


@pytest.mark.anyio
@pytest.mark.parametrize("text", ["{ __schema { types { name } } }", '{ __type(name: "Item") { name } }'])
async def test_introspection_can_be_off(text: str) -> None:
    told, _ = made()
    assert (await told.execute(text)).data
    secretive, _ = made(introspection=False)
    result = await secretive.execute(text)
    assert codes(result) == ["INTROSPECTION_OFF"]
    assert (await secretive.execute("{ __typename item { __typename } }")).data


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("{ itm { name } }", None),
        ('{ found(serch: {text: "a"}) }', None),
        ('{ found(search: {text: "a", colour: CRIMSOM}) }', None),
        ("{ item { ... on Itemm { name } } }", None),
        ("query Q($s: Search!) { found(search: $s) }", {"s": {"text": "a", "colour": "CRIMSOM"}}),
        ("query Q($s: Search!) { found(search: $s) }", {"s": {"txt": "a"}}),
    ],
)
async def test_suggestions_go_with_introspection(text: str, variables: dict[str, Any] | None) -> None:
    told, _ = made()
    assert any("Did you mean" in message for message in messages(await told.execute(text, variables)))
    secretive, _ = made(introspection=False)
    for _first_and_remembered in range(2):
        said = messages(await secretive.execute(text, variables))
        assert said
        assert not any("Did you mean" in message for message in said)


# What is told of errors


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("how", "message", "extensions"),
    [
        ("input", "At most 50.", {"code": "TOO_MANY", "field": ["input", "first"]}),
        ("away", "The store is away.", {"code": "UNAVAILABLE"}),
        ("readonly", "The store is read-only.", {"code": "READ_ONLY"}),
        ("graphql", "Said on purpose.", {"code": "MINE"}),
    ],
)
async def test_errors_for_clients_stay_readable(
    how: str, message: str, extensions: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    schema, _ = made()
    for _first_and_remembered in range(2):
        (error,) = (await schema.execute(f'{{ broken(how: "{how}") }}')).errors or []
        assert (error.message, error.extensions, error.path) == (message, extensions, ["broken"])
    assert not caplog.records


@pytest.mark.anyio
async def test_a_fault_is_masked_and_logged_once_under_its_number(caplog: pytest.LogCaptureFixture) -> None:
    schema, _ = made()
    for _first_and_remembered in range(2):
        caplog.clear()
        (error,) = (await schema.execute('{ broken(how: "fault") }')).errors or []
        assert error.extensions is not None
        incident = error.extensions["incident"]
        assert error.message == f"Internal error (incident {incident})."
        assert error.extensions["code"] == "INTERNAL"
        assert error.path == ["broken"]
        (record,) = caplog.records
        assert record.levelno == logging.ERROR
        assert incident in record.getMessage()
        assert record.exc_info is not None
        assert "secret" in str(record.exc_info[1])


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("text", "variables"), [("{ half(of: 3) }", None), ("query Q($n: Even!) { half(of: $n) }", {"n": 3})]
)
async def test_what_a_scalar_says_of_a_value_stays_readable(
    text: str, variables: dict[str, Any] | None, caplog: pytest.LogCaptureFixture
) -> None:
    schema, _ = made()
    for _first_and_remembered in range(2):
        (message,) = messages(await schema.execute(text, variables))
        assert "3 is odd." in message
    assert not caplog.records


@pytest.mark.anyio
async def test_mistakes_of_clients_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    schema, _ = made()
    for text in ("{", "{ nothing }", "query Q($s: Search!) { found(search: $s) }"):
        assert (await schema.execute(text)).errors
    assert not caplog.records


@pytest.mark.anyio
async def test_subscriptions_pass_the_same_gate(caplog: pytest.LogCaptureFixture) -> None:
    schema, documents = made()
    events = [event async for event in await schema.subscribe("subscription { ticks }")]
    assert events[0].data == {"ticks": 1}
    assert codes(events[1]) == ["INTERNAL"]
    assert "secret" not in str(events[1])
    assert len(documents.memory) == 1
    for text, code in (
        ("subscription {", "GRAPHQL_PARSE_FAILED"),
        ("subscription { no }", "GRAPHQL_VALIDATION_FAILED"),
    ):
        (event,) = [event async for event in await schema.subscribe(text)]
        assert codes(event) == [code]
