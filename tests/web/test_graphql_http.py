"""GraphQL over HTTP: media types, status codes, malformed requests, and what an error says."""

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, NewType

import pytest
import strawberry
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Mount, Route
from starlette.testclient import TestClient
from strawberry.schema.config import StrawberryConfig

from promograph.api.documents import Documents
from promograph.api.documents.schema import Schema
from promograph.api.scopes import Needs
from promograph.domain.access import NOBODY, Caller, Scope
from promograph.errors import BadInput, InputProblem, StoreBusy, StoreReadOnly, StoreUnavailable
from promograph.web.graphql import GraphQLEndpoint

MODERN = "application/graphql-response+json"
PLAIN = "application/json"
OPEN = [Needs(any=[])]

Raw = NewType("Raw", object)
RAW = strawberry.scalar(name="Raw", serialize=lambda value: value, parse_value=lambda value: value)


@dataclass
class Context:
    caller: Caller


@strawberry.type
class Query:
    @strawberry.field(directives=OPEN)
    def greeting(self, name: str = "you") -> str:
        return f"Hello {name}"

    @strawberry.field(directives=OPEN)
    def count(self, first: int) -> int:
        if first < 0:
            raise BadInput(InputProblem.OUT_OF_RANGE, "At least 0.", field=("first",))
        return first

    @strawberry.field(directives=OPEN)
    def broken(self, how: str) -> int:
        faults: dict[str, Exception] = {
            "fault": RuntimeError("secret"),
            "away": StoreUnavailable("The store is away."),
            "busy": StoreBusy("The store is busy."),
            "readonly": StoreReadOnly("The store is read-only."),
        }
        raise faults[how]

    @strawberry.field(directives=OPEN)
    def partly(self) -> int | None:
        raise StoreUnavailable("The store is away.")

    @strawberry.field(directives=OPEN)
    def raw(self) -> Raw:
        return Raw(object())

    @strawberry.field(directives=[Needs(any=[Scope.CODES_REDEEM])])
    def secret(self) -> str:
        return "x"


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


async def context_of(request: Request) -> Context:
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    return Context(Caller(token, frozenset({Scope(token)})) if token else NOBODY)


def client_of(get_context: Callable[[Request], Awaitable[Any]] = context_of, **options: Any) -> TestClient:
    schema = Schema(
        Query,
        mutation=Mutation,
        subscription=Subscription,
        documents=Documents(),
        config=StrawberryConfig(scalar_map={Raw: RAW}),
    )
    return TestClient(Starlette(routes=[Route("/graphql", GraphQLEndpoint(schema, get_context, **options))]))


@pytest.fixture
def client() -> TestClient:
    return client_of()


def post(
    client: TestClient, query: str, accept: str = MODERN, headers: dict[str, str] | None = None, **rest: Any
) -> Any:
    return client.post("/graphql", json={"query": query, **rest}, headers={"accept": accept, **(headers or {})})


def only_error(response: Any) -> dict[str, Any]:
    (error,) = response.json()["errors"]
    assert error["message"][0].isupper()
    assert isinstance(error, dict)
    return error


# Media types


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, PLAIN),
        ("", PLAIN),
        ("*/*", PLAIN),
        ("application/*", PLAIN),
        (PLAIN, PLAIN),
        (MODERN, MODERN),
        (f"{MODERN}, {PLAIN};q=0.9", MODERN),
        (f"{PLAIN};q=0.5, {MODERN};q=0.8", MODERN),
        (f"{PLAIN}, {MODERN}", PLAIN),
        (f"{MODERN};q=0.2, */*", PLAIN),
        (f"text/html, {MODERN};charset=utf-8", MODERN),
        (f"{MODERN};q=nonsense, {PLAIN};q=0.1", PLAIN),
        ("Application/GraphQL-Response+JSON", MODERN),
        ("application/json, text/event-stream", PLAIN),
    ],
)
def test_the_answer_has_the_media_type_preferred(client: TestClient, accept: str | None, expected: str) -> None:
    del client.headers["accept"]
    headers = {} if accept is None else {"accept": accept}
    response = client.post("/graphql", json={"query": "{ greeting }"}, headers=headers)
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{expected}; charset=utf-8"
    assert response.json() == {"data": {"greeting": "Hello you"}}


@pytest.mark.parametrize("accept", ["text/html", "multipart/mixed", f"{PLAIN};q=0"])
def test_an_answer_that_cannot_be_read_is_not_made(client: TestClient, accept: str) -> None:
    response = post(client, "mutation { change }", accept)
    assert response.status_code == 406
    assert only_error(response)["extensions"]["code"] == "NOT_ACCEPTABLE"


def test_answers_are_not_stored(client: TestClient) -> None:
    assert post(client, "{ greeting }").headers["cache-control"] == "no-store"


# Requests that are fine


def test_post_takes_query_variables_and_operation_name(client: TestClient) -> None:
    query = "query A($n: String!) { greeting(name: $n) } query B { count(first: 1) }"
    assert post(client, query, variables={"n": "Søren 🏃"}, operationName="A").json()["data"] == {
        "greeting": "Hello Søren 🏃"
    }
    assert post(client, query, operationName="B", variables=None, extensions={"a": 1}).json()["data"] == {"count": 1}
    assert post(client, "query A { greeting }", operationName="").json()["data"] == {"greeting": "Hello you"}


def test_get_takes_the_same(client: TestClient) -> None:
    parameters = {
        "query": "query A($n: String!) { greeting(name: $n) } query B { greeting }",
        "variables": json.dumps({"n": "Søren"}),
        "operationName": "A",
        "extensions": "",
    }
    response = client.get("/graphql", params=parameters, headers={"accept": MODERN})
    assert (response.status_code, response.json()) == (200, {"data": {"greeting": "Hello Søren"}})


@pytest.mark.parametrize("content_type", [PLAIN, f"{PLAIN}; charset=utf-8", "Application/JSON;charset=UTF-8"])
def test_json_may_name_its_character_set(client: TestClient, content_type: str) -> None:
    response = client.post("/graphql", content='{"query": "{ greeting }"}', headers={"content-type": content_type})
    assert response.status_code == 200


def test_the_endpoint_can_be_mounted() -> None:
    schema = Schema(Query, documents=Documents(), config=StrawberryConfig(scalar_map={Raw: RAW}))
    client = TestClient(Starlette(routes=[Mount("/shop/graphql", GraphQLEndpoint(schema, context_of))]))
    assert client.post("/shop/graphql/", json={"query": "{ greeting }"}).json()["data"] == {"greeting": "Hello you"}


# Malformed requests


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b'"x"',
        b"[]",
        b'[{"query": "{ greeting }"}]',
        b"7",
        b"{",
        b"\xff\xfe",
        b'{"query": "\xff"}',
        b'{"query": "\\ud800"}',
        b"{}",
        b'{"qeury": "{ greeting }"}',
        b'{"query": null}',
        b'{"query": ""}',
        b'{"query": "  "}',
        b'{"query": 1}',
        b'{"query": ["{ greeting }"]}',
        b'{"query": "{ greeting }", "variables": []}',
        b'{"query": "{ greeting }", "variables": "{}"}',
        b'{"query": "{ greeting }", "variables": 0}',
        b'{"query": "{ greeting }", "operationName": 1}',
        b'{"query": "{ greeting }", "operationName": {}}',
        b'{"query": "{ greeting }", "extensions": []}',
        b"[" * 100_000,
    ],
)
@pytest.mark.parametrize("accept", [PLAIN, MODERN])
def test_a_malformed_body_is_400_with_a_sentence(client: TestClient, body: bytes, accept: str) -> None:
    response = client.post("/graphql", content=body, headers={"content-type": PLAIN, "accept": accept})
    assert response.status_code == 400
    assert response.headers["content-type"].startswith(accept)
    assert only_error(response)["extensions"] == {"code": "BAD_REQUEST"}
    assert "data" not in response.json()


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=5), below, max_size=3),
    max_leaves=5,
)
QUERIES = st.sampled_from(["{ greeting }", "query A($n: Int!) { count(first: $n) }", "{", "mutation { change }"])
REQUESTS = st.fixed_dictionaries(
    {},
    optional={
        "query": QUERIES | JSON_VALUES,
        "variables": JSON_VALUES | st.dictionaries(st.sampled_from("nm"), JSON_VALUES),
        "operationName": st.sampled_from(["A", "B", ""]) | JSON_VALUES,
        "extensions": JSON_VALUES,
    },
)
BODIES = st.binary(max_size=30) | (JSON_VALUES | REQUESTS).map(lambda value: json.dumps(value).encode())


@cache
def shared_client() -> TestClient:
    return client_of()


@given(body=BODIES, accept=st.sampled_from([PLAIN, MODERN]))
def test_no_body_is_answered_with_a_fault(body: bytes, accept: str) -> None:
    response = shared_client().post("/graphql", content=body, headers={"content-type": PLAIN, "accept": accept})
    assert response.status_code in (200, 400)
    assert "INTERNAL" not in response.text
    assert set(response.json()) <= {"data", "errors"}


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"query": ""},
        {"query": "{ greeting }", "variables": "[]"},
        {"query": "{ greeting }", "variables": "{"},
        {"query": "{ greeting }", "extensions": "1"},
    ],
)
def test_a_malformed_url_is_400_with_a_sentence(client: TestClient, parameters: dict[str, str]) -> None:
    response = client.get("/graphql", params=parameters)
    assert response.status_code == 400
    assert only_error(response)["extensions"] == {"code": "BAD_REQUEST"}


@pytest.mark.parametrize(
    "content_type",
    [None, "text/plain", "application/x-www-form-urlencoded", "application/graphql", f"{PLAIN}; charset=utf-16", ";"],
)
def test_other_bodies_than_json_are_415(client: TestClient, content_type: str | None) -> None:
    headers = {} if content_type is None else {"content-type": content_type}
    response = client.post("/graphql", content=b'{"query": "{ greeting }"}', headers=headers)
    assert response.status_code == 415
    assert only_error(response)["extensions"] == {"code": "UNSUPPORTED_MEDIA_TYPE"}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_405(client: TestClient, method: str) -> None:
    response = client.request(method, "/graphql")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST"


@pytest.mark.parametrize("accept", [PLAIN, MODERN])
def test_a_mutation_by_get_is_405(client: TestClient, accept: str) -> None:
    for _first_and_remembered in range(2):
        response = client.get("/graphql", params={"query": "mutation { change }"}, headers={"accept": accept})
        assert response.status_code == 405
        assert response.headers["allow"] == "POST"
        assert only_error(response)["extensions"] == {"code": "METHOD_NOT_ALLOWED"}
        post(client, "mutation { change }")


def test_the_operation_chosen_decides_about_get(client: TestClient) -> None:
    query = "query A { greeting } mutation B { change }"
    post(client, query, operationName="A")
    codes = [client.get("/graphql", params={"query": query, "operationName": name}).status_code for name in "AB"]
    assert codes == [200, 405]


@pytest.mark.parametrize("accept", [PLAIN, MODERN])
def test_a_subscription_is_refused(client: TestClient, accept: str) -> None:
    response = post(client, "subscription { ticks }", accept)
    assert response.status_code == 400
    assert only_error(response)["extensions"] == {"code": "SUBSCRIPTION_NOT_HERE"}


# Requests that are well-formed and fail before execution: 200 to one media type, 4xx to the other


@pytest.mark.parametrize(
    ("query", "rest", "status", "code"),
    [
        ("{", {}, 400, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", {}, 400, "GRAPHQL_VALIDATION_FAILED"),
        ("{ greeting " + "@skip(if: true) " * 60 + "}", {}, 400, "DOCUMENT_TOO_LARGE"),
        ("query A { greeting }", {"operationName": "B"}, 400, "OPERATION_NOT_FOUND"),
        ("fragment F on Query { greeting }", {}, 400, "OPERATION_NOT_FOUND"),
        ("query A { greeting } query B { greeting }", {}, 400, "OPERATION_NAME_MISSING"),
        ("query A($n: Int!) { count(first: $n) }", {"variables": {"n": "x"}}, 400, None),
        ("query A($n: Int!) { count(first: $n) }", {}, 400, None),
        ("{ secret }", {}, 401, "UNAUTHENTICATED"),
        ("{ secret }", {"headers": {"authorization": "Bearer codes:issue"}}, 403, "FORBIDDEN"),
    ],
)
def test_a_request_error(client: TestClient, query: str, rest: dict[str, Any], status: int, code: str | None) -> None:
    for accept, expected in ((MODERN, status), (PLAIN, 200), (MODERN, status)):
        response = post(client, query, accept, **rest)
        assert response.status_code == expected
        assert "data" not in response.json()
        error = only_error(response)
        assert error.get("extensions", {}).get("code") == code
        assert "path" not in error
        assert response.headers.get("www-authenticate") == ("Bearer" if expected == 401 else None)


def test_the_right_scope_opens_the_field(client: TestClient) -> None:
    response = post(client, "{ secret }", headers={"authorization": "Bearer codes:redeem"})
    assert (response.status_code, response.json()) == (200, {"data": {"secret": "x"}})


# Errors while executing


@pytest.mark.parametrize("accept", [PLAIN, MODERN])
def test_a_fault_is_masked_with_a_number(client: TestClient, accept: str, caplog: pytest.LogCaptureFixture) -> None:
    response = post(client, '{ broken(how: "fault") }', accept)
    assert response.status_code == 200
    assert response.json()["data"] is None
    error = only_error(response)
    assert error["extensions"]["code"] == "INTERNAL"
    assert error["path"] == ["broken"]
    assert "secret" not in response.text
    records = [record for record in caplog.records if record.name == "promograph.api"]
    assert [error["extensions"]["incident"] in record.getMessage() for record in records] == [True]


def test_a_mistake_of_the_client_stays_readable(client: TestClient) -> None:
    error = only_error(post(client, "{ count(first: -1) }"))
    assert error["message"] == "At least 0."
    assert error["extensions"] == {"code": "OUT_OF_RANGE", "field": ["first"]}


@pytest.mark.parametrize("accept", [PLAIN, MODERN])
@pytest.mark.parametrize("how", ["away", "busy"])
def test_while_the_store_is_away_it_is_503(client: TestClient, how: str, accept: str) -> None:
    response = post(client, f'{{ broken(how: "{how}") }}', accept)
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0
    assert only_error(response)["extensions"] == {"code": "UNAVAILABLE"}


def test_a_part_of_an_answer_is_an_answer_even_while_the_store_is_away(client: TestClient) -> None:
    response = post(client, "{ greeting partly }")
    assert response.status_code == 200
    assert response.json()["data"] == {"greeting": "Hello you", "partly": None}
    assert only_error(response)["extensions"] == {"code": "UNAVAILABLE"}


def test_a_store_that_can_only_be_read_says_so(client: TestClient) -> None:
    response = post(client, '{ broken(how: "readonly") }')
    assert response.status_code == 200
    assert only_error(response)["extensions"] == {"code": "READ_ONLY"}


def test_a_result_that_is_no_json_is_a_fault(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    response = post(client, "{ raw }")
    assert response.status_code == 500
    assert only_error(response)["extensions"]["code"] == "INTERNAL"
    assert caplog.records[-1].levelno == logging.ERROR


# Making the context


@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [
        (HTTPException(401, "The token is unknown.", {"WWW-Authenticate": "Bearer"}), 401, "UNAUTHENTICATED"),
        (HTTPException(429, "Too many requests."), 429, "TOO_MANY_REQUESTS"),
        (HTTPException(418, "A teapot."), 418, "HTTP_ERROR"),
        (StoreUnavailable("The store is away."), 503, "UNAVAILABLE"),
        (RuntimeError("secret"), 500, "INTERNAL"),
    ],
)
def test_making_the_context_may_fail(raised: Exception, status: int, code: str) -> None:
    async def failing(_request: Request) -> Context:
        raise raised

    response = post(client_of(failing), "{ greeting }", PLAIN)
    assert response.status_code == status
    assert only_error(response)["extensions"]["code"] == code
    assert ("www-authenticate" in response.headers) == (status == 401)
    assert "secret" not in response.text


# Browsers


def test_a_browser_is_led_to_graphiql() -> None:
    client = client_of(graphiql=True)
    browser = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    response = client.get("/graphql", headers=browser, follow_redirects=False)
    assert (response.status_code, response.headers["location"]) == (303, "/graphiql/")
    assert client.get("/graphql", params={"query": "{ greeting }"}, headers=browser).status_code == 200
    assert client.get("/graphql").status_code == 400
    behind_a_proxy = TestClient(client.app, root_path="/promo")
    assert behind_a_proxy.get("/graphql", headers=browser, follow_redirects=False).headers["location"] == (
        "/promo/graphiql/"
    )


def test_without_graphiql_a_browser_gets_a_sentence(client: TestClient) -> None:
    response = client.get("/graphql", headers={"accept": "text/html,*/*;q=0.8"})
    assert response.status_code == 400
    assert only_error(response)["extensions"] == {"code": "BAD_REQUEST"}
