"""Files over GraphQL: the multipart request specification, its malformations, and forms of other sites."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
import strawberry
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.routing import Route
from starlette.testclient import TestClient
from strawberry.file_uploads import Upload, UploadDefinition
from strawberry.schema.config import StrawberryConfig

from promograph.api.documents import Documents
from promograph.api.documents.schema import Schema
from promograph.api.scopes import Needs
from promograph.domain.access import NOBODY, Caller
from promograph.web.bodies import BodyBounds
from promograph.web.graphql import GraphQLEndpoint

OPEN = [Needs(any=[])]
PREFLIGHT = {"x-promograph-preflight": "1"}
ONE = "mutation M($file: Upload!) { length(file: $file) }"
files_seen: list[Any] = []


@dataclass
class Context:
    caller: Caller


async def context_of(_request: Request) -> Context:
    return Context(NOBODY)


@strawberry.input
class Batch:
    files: list[Upload | None]


@strawberry.type
class Query:
    greeting: str = strawberry.field(default="Hello", directives=OPEN)


@strawberry.type
class Mutation:
    @strawberry.mutation(directives=OPEN)
    async def length(self, file: Upload) -> int:
        files_seen.append(file)
        assert isinstance(file, UploadFile)
        return len(await file.read())

    @strawberry.mutation(directives=OPEN)
    async def lengths(self, batch: Batch) -> list[int]:
        return [len(await file.read()) if isinstance(file, UploadFile) else -1 for file in batch.files]


def endpoint() -> GraphQLEndpoint:
    config = StrawberryConfig(scalar_map={Upload: UploadDefinition})
    schema = Schema(Query, mutation=Mutation, documents=Documents(), config=config)
    return GraphQLEndpoint(schema, context_of, bounds=BodyBounds(max_body_bytes=2_000, max_upload_bytes=100_000))


@pytest.fixture(params=["in an application", "alone"])
def client(request: pytest.FixtureRequest) -> TestClient:
    if request.param == "alone":
        return TestClient(endpoint())
    return TestClient(Starlette(routes=[Route("/graphql", endpoint())]))


def upload(
    client: TestClient, operations: Any, placing: Any, *files: bytes, headers: dict[str, str] = PREFLIGHT
) -> Any:
    def text(value: Any) -> str:
        return value if isinstance(value, str) else json.dumps(value)

    return client.post(
        "/graphql",
        data={"operations": text(operations), "map": text(placing)},
        files={str(number): (f"{number}.csv", content) for number, content in enumerate(files)},
        headers=headers,
    )


def test_a_file_arrives_and_is_closed_afterwards(client: TestClient) -> None:
    files_seen.clear()
    operations = {"query": ONE, "variables": {"file": None}}
    response = upload(client, operations, {"0": ["variables.file"]}, b"x" * 50_000)
    assert (response.status_code, response.json()) == (200, {"data": {"length": 50_000}})
    assert files_seen[0].file.closed


def test_files_go_into_lists_and_to_several_places(client: TestClient) -> None:
    query = "mutation M($b: Batch!) { lengths(batch: $b) }"
    operations = {"query": query, "variables": {"b": {"files": [None, None, None, None]}}}
    placing = {"0": ["variables.b.files.0"], "1": ["variables.b.files.1"], "2": ["variables.b.files.3"]}
    response = upload(client, operations, placing, b"a", b"bb", b"")
    assert response.json() == {"data": {"lengths": [1, 2, -1, 0]}}


@pytest.mark.parametrize(
    "header",
    ["x-promograph-preflight", "graphql-require-preflight", "apollo-require-preflight", "authorization"],
)
def test_a_header_that_makes_a_browser_ask_lets_a_form_in(client: TestClient, header: str) -> None:
    operations = {"query": ONE, "variables": {"file": None}}
    assert upload(client, operations, {"0": ["variables.file"]}, b"x", headers={header: "1"}).status_code == 200


def test_a_form_of_another_site_is_refused(client: TestClient) -> None:
    files_seen.clear()
    operations = {"query": ONE, "variables": {"file": None}}
    response = upload(client, operations, {"0": ["variables.file"]}, b"x", headers={"cookie": "a=b"})
    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "PREFLIGHT_REQUIRED"}
    assert "x-promograph-preflight" in error["message"]
    assert files_seen == []


@pytest.mark.parametrize(
    ("operations", "placing"),
    [
        ("[]", {}),
        ("null", {}),
        ('"x"', {}),
        ("{", {}),
        ("{}", {}),
        ([{"query": ONE, "variables": {"file": None}}], {"0": ["0.variables.file"]}),
        ({"query": ONE, "variables": []}, {"0": ["variables.file"]}),
        ({"query": ONE, "variables": {"file": None}}, "["),
        ({"query": ONE, "variables": {"file": None}}, "[]"),
        ({"query": ONE, "variables": {"file": None}}, "null"),
        ({"query": ONE, "variables": {"file": None}}, {"0": "variables.file"}),
        ({"query": ONE, "variables": {"file": None}}, {"0": [1]}),
        ({"query": ONE, "variables": {"file": None}}, {"0": ["file"]}),
        ({"query": ONE, "variables": {"file": None}}, {"0": ["variables"]}),
        ({"query": ONE, "variables": {"file": None}}, {"0": ["query"]}),
        ({"query": ONE, "variables": {"file": None}}, {"0": ["variables.other"]}),
        ({"query": ONE, "variables": {"file": None}}, {"0": ["variables.file.0"]}),
        ({"query": ONE, "variables": {"file": "x"}}, {"0": ["variables.file"]}),
        ({"query": ONE, "variables": {"file": [None]}}, {"0": ["variables.file.1"]}),
        ({"query": ONE, "variables": {"file": [None]}}, {"0": ["variables.file.x"]}),
        ({"query": ONE, "variables": None}, {"0": ["variables.file"]}),
        ({"query": ONE, "variables": {"file": None}}, {"7": ["variables.file"]}),
        ({"query": ONE, "variables": {"file": None}}, {"operations": ["variables.file"]}),
    ],
)
def test_a_malformed_upload_is_400_with_a_sentence(client: TestClient, operations: Any, placing: Any) -> None:
    files_seen.clear()
    response = upload(client, operations, placing, b"x")
    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "BAD_REQUEST"}
    assert error["message"].startswith(("The ", "One "))
    assert files_seen == []


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--x\r\n\r\n--x--"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"nonsense"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\nv\r\n--x--\r\n"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n\xff\xfe\r\n--x--\r\n',
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="operations"; filename="a"\r\n\r\n{}\r\n--x--\r\n',
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n' + b" " * 3_000 + b"\r\n--x--\r\n",
        ),
    ],
)
def test_a_malformed_form_is_400_with_a_sentence(client: TestClient, content_type: str, body: bytes) -> None:
    response = client.post("/graphql", content=body, headers={"content-type": content_type, **PREFLIGHT})
    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "BAD_REQUEST"}


def test_the_number_of_parts_is_bounded(client: TestClient) -> None:
    operations = {"query": ONE, "variables": {"file": None}}
    response = upload(client, operations, {"0": ["variables.file"]}, *[b"x"] * 11)
    assert response.status_code == 400
    response = client.post("/graphql", files=[("operations", (None, "{}"))] * 3, headers=PREFLIGHT)
    assert response.status_code == 400


def test_an_upload_that_is_too_large_is_413(client: TestClient) -> None:
    operations = {"query": ONE, "variables": {"file": None}}
    response = upload(client, operations, {"0": ["variables.file"]}, b"x" * 100_001)
    assert response.status_code == 413
    assert response.json()["errors"][0]["extensions"] == {"code": "BODY_TOO_LARGE"}


def test_a_json_body_that_is_too_large_is_413(client: TestClient) -> None:
    response = client.post("/graphql", json={"query": "{ greeting }", "variables": {"x": "y" * 2_000}})
    assert response.status_code == 413
