"""What a document needs, who has it, and which fields name nothing."""

from dataclasses import dataclass, field

import graphql
import pytest
import strawberry

from promograph.api.documents import Documents
from promograph.api.documents.schema import Schema
from promograph.api.scopes import Needs, fields_without_scope, needed_scopes, refusal
from promograph.domain.access import NOBODY, Caller, Scope

READ, ISSUE, REDEEM, PEOPLE, ADMIN = (
    Scope.INVENTORY_READ,
    Scope.CODES_ISSUE,
    Scope.CODES_REDEEM,
    Scope.CUSTOMERS_WRITE,
    Scope.ADMIN,
)


@dataclass
class Context:
    caller: Caller
    calls: list[str] = field(default_factory=list)


def caller(*scopes: Scope) -> Caller:
    return Caller("somebody", frozenset(scopes))


def needs(*any_of: Scope) -> list[Needs]:
    return [Needs(any=list(any_of))]


@strawberry.interface
class Node:
    id: strawberry.ID = strawberry.field(directives=needs())


@strawberry.interface(directives=needs())
class Named:
    name: str = "x"


@strawberry.type(directives=needs(READ))
class Promotion(Node, Named):
    total: int = 3
    owner: str = strawberry.field(default="x", directives=needs(PEOPLE))
    title: str = strawberry.field(default="x", directives=needs())


@strawberry.type(directives=needs(PEOPLE, ISSUE))
class Customer(Node, Named):
    email: str = "x"


@strawberry.type
class Forgotten:
    value: int = 1


@strawberry.type
class Query:
    @strawberry.field(directives=needs(READ))
    def node(self, id: strawberry.ID) -> Node | None:
        return Promotion(id=id)

    @strawberry.field(directives=needs(READ, ISSUE))
    def named(self) -> Named | None:
        return Promotion(id=strawberry.ID("1"))

    @strawberry.field(directives=needs(READ))
    def promotion(self) -> Promotion:
        return Promotion(id=strawberry.ID("1"))

    @strawberry.field(directives=needs())
    def found(self) -> Promotion | Customer | None:
        return None

    @strawberry.field(directives=needs())
    def greeting(self) -> str:
        return "Hello"

    @strawberry.field(directives=[Needs(any=[READ]), Needs(any=[PEOPLE])])
    def both(self) -> int:
        return 1

    @strawberry.field(directives=needs())
    def forgotten(self) -> Forgotten:
        return Forgotten()


@strawberry.type(directives=needs(READ))
class Mutation:
    @strawberry.mutation(directives=needs(REDEEM))
    def redeem(self, info: strawberry.Info) -> int:
        info.context.calls.append("redeem")
        return 1

    @strawberry.mutation(directives=needs(ISSUE))
    def issue(self, info: strawberry.Info) -> int:
        info.context.calls.append("issue")
        return 1

    @strawberry.mutation
    def unnamed(self) -> int:
        return 1


@pytest.fixture
def schema() -> Schema:
    return Schema(Query, mutation=Mutation, types=[Promotion, Customer], documents=Documents())


def needed(schema: Schema, text: str, name: str | None = None) -> set[frozenset[Scope]]:
    document = graphql.parse(text)
    assert not graphql.validate(schema._schema, document)
    return set(needed_scopes(schema, document, name))


def sets(*any_of: Scope | tuple[Scope, ...]) -> set[frozenset[Scope]]:
    return {frozenset(each) if isinstance(each, tuple) else frozenset({each}) for each in any_of}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ greeting }", sets()),
        ("{ __typename __schema { types { name fields { name } } } }", sets()),
        ("{ promotion { total } }", sets(READ)),
        ("{ promotion { __typename } }", sets(READ)),
        ("{ promotion { owner } }", sets(READ, PEOPLE)),
        ("{ promotion { title } }", sets(READ)),
        ("{ hidden: promotion { owner } }", sets(READ, PEOPLE)),
        ("{ promotion @skip(if: true) { owner } }", sets(READ, PEOPLE)),
        ("{ both }", sets(READ, PEOPLE)),
        ("mutation { redeem }", sets(REDEEM)),
        ("mutation { redeem issue }", sets(REDEEM, ISSUE)),
    ],
)
def test_fields_need_what_they_or_their_type_name(schema: Schema, text: str, expected: set[frozenset[Scope]]) -> None:
    assert needed(schema, text) == expected


@pytest.mark.parametrize("text", ["mutation { unnamed }", "{ forgotten { value } }"])
def test_what_is_not_named_needs_admin_whatever_a_root_type_says(schema: Schema, text: str) -> None:
    assert needed(schema, text) == sets(ADMIN)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ node(id: 1) { __typename id } }", sets(READ)),
        ("{ node(id: 1) { ... on Promotion { total } } }", sets(READ)),
        ("{ node(id: 1) { ... on Customer { email } } }", sets(READ, (PEOPLE, ISSUE))),
        ("{ node(id: 1) { ...C } } fragment C on Customer { id email }", sets(READ, (PEOPLE, ISSUE))),
        ("{ found { ... on Promotion { total } } }", sets(READ)),
        ("{ found { ... { ... on Customer { email } } } }", sets((PEOPLE, ISSUE))),
        ("{ named { name } }", sets((READ, ISSUE), READ, (PEOPLE, ISSUE))),
        ("{ named { ... on Promotion { name } } }", sets((READ, ISSUE), READ)),
        ("{ node(id: 1) { ... on Named { name } } }", sets(READ, (PEOPLE, ISSUE))),
    ],
)
def test_an_interface_opens_nothing_that_a_type_behind_it_keeps_shut(
    schema: Schema, text: str, expected: set[frozenset[Scope]]
) -> None:
    assert needed(schema, text) == expected


def test_only_the_operation_chosen_counts_with_its_fragments(schema: Schema) -> None:
    text = """
        query A { greeting ...Both }
        query B { promotion { ...P } }
        mutation C { redeem }
        fragment P on Promotion { owner }
        fragment Both on Query { ...Deep }
        fragment Deep on Query { both }
    """
    assert needed(schema, text, "A") == sets(READ, PEOPLE)
    assert needed(schema, text, "B") == sets(READ, PEOPLE)
    assert needed(schema, text, "C") == sets(REDEEM)
    assert needed(schema, text) == sets(READ, PEOPLE, REDEEM)


def test_fragments_that_double_forty_times_are_read_once(schema: Schema) -> None:
    doubling = " ".join(f"fragment F{i} on Query {{ ...F{i + 1} ... {{ ...F{i + 1} }} }}" for i in range(40))
    assert needed(schema, f"{{ ...F0 }} {doubling} fragment F40 on Query {{ both }}") == sets(READ, PEOPLE)


def test_fields_without_scope_are_found(schema: Schema) -> None:
    assert fields_without_scope(schema) == ["Forgotten.value", "Mutation.unnamed"]


def test_the_scopes_stand_in_the_schema_text(schema: Schema) -> None:
    text = schema.as_str()
    assert "directive @needs(any: [Scope!]!) on OBJECT | INTERFACE | FIELD_DEFINITION" in text
    assert "type Customer implements Node & Named @needs(any: [CUSTOMERS_WRITE, CODES_ISSUE])" in text
    assert "title: String! @needs(any: [])" in text
    enum = schema._schema.type_map["Scope"]
    assert isinstance(enum, graphql.GraphQLEnumType)
    assert all(value.description for value in enum.values.values())
    assert set(enum.values) == {scope.name for scope in Scope}


def test_a_refusal_names_what_is_missing() -> None:
    error = refusal(frozenset({frozenset({REDEEM}), frozenset({READ, PEOPLE})}), caller(ISSUE))
    assert error is not None
    assert error.extensions == {
        "code": "FORBIDDEN",
        "missing": ["codes:redeem", "customers:write", "inventory:read"],
    }
    assert "codes:redeem and either customers:write or inventory:read" in error.message


def test_a_refusal_tells_nobody_to_bring_a_token() -> None:
    error = refusal(frozenset({frozenset({REDEEM})}), NOBODY)
    assert error is not None
    assert error.extensions == {"code": "UNAUTHENTICATED", "missing": ["codes:redeem"]}


@pytest.mark.parametrize("scopes", [(REDEEM, READ), (REDEEM, PEOPLE, ISSUE), (ADMIN,)])
def test_one_of_each_set_is_enough(scopes: tuple[Scope, ...]) -> None:
    assert refusal(frozenset({frozenset({REDEEM}), frozenset({READ, PEOPLE})}), caller(*scopes)) is None


@pytest.mark.anyio
async def test_nothing_is_executed_for_a_caller_without_the_right(schema: Schema) -> None:
    context = Context(caller(ISSUE))
    for _first_and_remembered in range(2):
        result = await schema.execute("mutation { issue redeem }", context_value=context)
        assert result.data is None
        (error,) = result.errors or []
        assert error.extensions == {"code": "FORBIDDEN", "missing": ["codes:redeem"]}
        assert error.path is None
    assert context.calls == []


@pytest.mark.anyio
async def test_the_rights_are_asked_of_each_caller_anew(schema: Schema) -> None:
    answers = []
    for who in (caller(REDEEM), NOBODY, caller(ISSUE), caller(ADMIN), caller(REDEEM)):
        result = await schema.execute("mutation { redeem }", context_value=Context(who))
        answers.append((result.errors or [None])[0])
    codes = [error.extensions["code"] if error else None for error in answers]
    assert codes == [None, "UNAUTHENTICATED", "FORBIDDEN", None, None]


@pytest.mark.anyio
async def test_the_operation_name_chooses_the_rights(schema: Schema) -> None:
    text = "query A { greeting } mutation B { redeem }"
    for _first_and_remembered in range(2):
        fine = await schema.execute(text, operation_name="A", context_value=Context(NOBODY))
        assert fine.data == {"greeting": "Hello"}
        refused = await schema.execute(text, operation_name="B", context_value=Context(NOBODY))
        assert refused.data is None


@pytest.mark.anyio
@pytest.mark.parametrize("context", [None, {"caller": "admin"}, object()])
async def test_a_context_without_a_caller_is_nobodys(schema: Schema, context: object) -> None:
    for _first_and_remembered in range(2):
        result = await schema.execute("mutation { redeem }", context_value=context)
        (error,) = result.errors or []
        assert error.extensions["code"] == "UNAUTHENTICATED"
        assert (await schema.execute("{ greeting }", context_value=context)).data == {"greeting": "Hello"}
