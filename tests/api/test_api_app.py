"""The application around the API: its own store, its settings, and the pages beside it."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from promograph.config import Settings
from promograph.errors import ConfigError
from promograph.web.app import create_app


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(store=f"sqlite:///{tmp_path}/promograph.db")


def changed(settings: Settings, **changes: object) -> Settings:
    return settings.model_copy(update=changes)


def test_an_application_opens_its_store_and_closes_it(settings: Settings) -> None:
    for _ in range(2):
        with TestClient(create_app(settings)) as client:
            answer = client.post("/graphql", json={"query": "{ __typename }"})
            assert answer.json() == {"data": {"__typename": "Query"}}
            assert client.get("/health").json() == {"status": "ok"}


def test_health_says_when_the_store_is_away(settings: Settings, tmp_path: Path) -> None:
    with TestClient(create_app(settings)) as client:
        client.post("/graphql", json={"query": "{ __typename }"}, headers={"Authorization": "Bearer x"})
        (tmp_path / "promograph.db").rename(tmp_path / "moved.db")
        answer = client.get("/health")
        assert answer.status_code == 503
        assert "moved" in answer.json()["why"]
        refused = client.post("/graphql", json={"query": "{ __typename }"}, headers={"Authorization": "Bearer x"})
        assert refused.status_code == 503
        assert refused.headers["retry-after"]


def test_the_first_page_says_where_to_go(settings: Settings) -> None:
    with TestClient(create_app(settings)) as client:
        assert "/graphql" in client.get("/").text
        assert client.get("/nowhere").status_code == 404


def test_a_browser_gets_graphiql_unless_it_is_switched_off(settings: Settings) -> None:
    html = {"Accept": "text/html"}
    with TestClient(create_app(settings)) as client:
        assert client.get("/graphql", headers=html).url.path == "/graphiql/"
    with TestClient(create_app(changed(settings, graphiql=False))) as client:
        assert client.get("/graphql", headers=html).status_code in (400, 406)
        assert client.get("/graphiql/").status_code == 404


def test_introspection_can_be_switched_off(settings: Settings) -> None:
    query = {"query": "{ __schema { queryType { name } } }"}
    with TestClient(create_app(settings)) as client:
        assert client.post("/graphql", json=query).json()["data"]
    with TestClient(create_app(changed(settings, introspection=False))) as client:
        (error,) = client.post("/graphql", json=query).json()["errors"]
        assert error["extensions"]["code"] == "INTROSPECTION_OFF"
        (error,) = client.post("/graphql", json={"query": "{ promotion { id } }"}).json()["errors"]
        assert "mean" not in error["message"]


def test_the_bounds_are_those_of_the_settings(settings: Settings) -> None:
    bounded = changed(settings, max_body_bytes=1000, max_upload_bytes=2000)
    with TestClient(create_app(bounded)) as client:
        body = {"query": "{ __typename }", "variables": {"a": "x" * 900}}
        assert client.post("/graphql", json=body).status_code == 200
        assert client.post("/graphql", json=body | {"operationName": "x" * 200}).status_code == 413
        file = {"0": ("codes.csv", b"x" * 2000, "text/csv")}
        answer = client.post("/graphql", files=file, headers={"graphql-require-preflight": "1"})
        assert answer.status_code == 413
        assert answer.json()["errors"][0]["extensions"]["code"] == "BODY_TOO_LARGE"


def test_a_store_that_cannot_be_opened_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        create_app(Settings(store="sqlite:///:memory:"))
