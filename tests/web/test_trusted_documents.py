"""Documents sent by their ids: found, unknown, and the only ones that are taken."""

import json
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2
import pytest

from promograph.config import Settings
from promograph.errors import ConfigError
from promograph.services.app import Services
from promograph.web.app import create_app
from promograph.web.trusted_documents import read_manifests

pytestmark = pytest.mark.anyio

QUERY = "query Name { __typename }"
OTHER = "query Other($a: Boolean!) { __typename @include(if: $a) }"
HASH, OTHER_HASH = (sha256(text.encode()).hexdigest() for text in (QUERY, OTHER))


@pytest.fixture(params=[False, True], ids=["others-too", "only-these"])
async def only(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
async def client(tmp_path: Path, only: bool, anyio_backend: str) -> AsyncIterator[httpx2.AsyncClient]:
    manifest = tmp_path / "persisted-documents.json"
    manifest.write_text(json.dumps({HASH: QUERY, OTHER_HASH: OTHER}))
    settings = Settings(
        store=f"sqlite:///{tmp_path}/x.db", trusted_documents=(str(manifest),), only_trusted_documents=only
    )
    services = Services.open(settings.store)
    await services.prepare()
    try:
        transport = httpx2.ASGITransport(app=create_app(settings, services))
        async with httpx2.AsyncClient(transport=transport, base_url="http://promograph") as client:
            yield client
    finally:
        await services.close()


async def asked(client: httpx2.AsyncClient, **request: Any) -> Any:
    body = (await client.post("/graphql", json=request)).json()
    return body["data"] if "errors" not in body else body["errors"][0]["extensions"]["code"]


def hashed(hash_: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": hash_}}


@pytest.mark.parametrize("id_", [HASH, f"sha256:{HASH}"])
async def test_a_document_is_sent_by_its_id(client: httpx2.AsyncClient, id_: str) -> None:
    wanted = {"__typename": "Query"}
    for _ in range(3):
        assert await asked(client, documentId=id_) == wanted
    assert await asked(client, extensions=hashed(HASH)) == wanted
    assert await asked(client, documentId=OTHER_HASH, variables={"a": False}) == {}
    answer = await client.get("/graphql", params={"documentId": id_})
    assert answer.json()["data"] == wanted


async def test_the_text_may_come_with_its_id_but_no_other_text(client: httpx2.AsyncClient) -> None:
    assert await asked(client, query=QUERY, documentId=HASH) == {"__typename": "Query"}
    assert await asked(client, query=OTHER, documentId=HASH) == "BAD_REQUEST"


async def test_an_unknown_id_is_said(client: httpx2.AsyncClient) -> None:
    assert await asked(client, documentId="x") == "DOCUMENT_NOT_FOUND"
    assert await asked(client, documentId=5) == "BAD_REQUEST"
    answer = await client.post("/graphql", json={"extensions": hashed("x")})
    assert answer.status_code == 200
    assert answer.json()["errors"][0]["message"] == "PersistedQueryNotFound"


async def test_other_documents_are_taken_where_that_is_allowed(client: httpx2.AsyncClient, only: bool) -> None:
    text = "{ __typename }"
    wanted = "ONLY_TRUSTED_DOCUMENTS" if only else {"__typename": "Query"}
    assert await asked(client, query=text) == wanted
    assert await asked(client, query=text, extensions=hashed(sha256(text.encode()).hexdigest())) == wanted
    assert await asked(client, query=QUERY) == {"__typename": "Query"}
    form = {"operations": json.dumps({"query": text}), "map": "{}"}
    answer = await client.post("/graphql", data=form, files={"0": b""}, headers={"graphql-require-preflight": "1"})
    assert ("ONLY_TRUSTED_DOCUMENTS" in answer.text) is only
    assert ("ONLY_TRUSTED_DOCUMENTS" in (await client.get("/graphql", params={"query": text})).text) is only


@pytest.mark.parametrize(
    "written",
    [
        {"1f3a": QUERY},
        {
            "format": "apollo-persisted-query-manifest",
            "version": 1,
            "operations": [{"id": "1f3a", "name": "Name", "type": "query", "body": QUERY}],
        },
    ],
)
async def test_manifests_as_generators_write_them(tmp_path: Path, written: object) -> None:
    file = tmp_path / "documents.json"
    file.write_text(json.dumps(written))
    assert read_manifests([str(file)]) == {"1f3a": QUERY}


@pytest.mark.parametrize("written", ["", "[]", '{"a": 1}', '{"format": "apollo-persisted-query-manifest"}'])
async def test_what_is_no_manifest_stops_the_start(tmp_path: Path, written: str) -> None:
    file = tmp_path / "documents.json"
    file.write_text(written)
    with pytest.raises(ConfigError, match=r"documents\.json"):
        create_app(Settings(store="sqlite:///x.db", trusted_documents=(str(file),)))
    with pytest.raises(ConfigError, match="cannot be read"):
        read_manifests([str(tmp_path / "none.json")])


async def test_an_id_has_one_text(tmp_path: Path) -> None:
    for name, text in (("one", QUERY), ("two", OTHER)):
        (tmp_path / name).write_text(json.dumps({"id": text}))
    with pytest.raises(ConfigError, match="another text"):
        read_manifests([str(tmp_path / "one"), str(tmp_path / "two")])
