"""GraphiQL works without internet: all that the page names is served here, and nothing else may be asked for."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

import promograph.web
from promograph.web.graphiql import graphiql_routes

FILES = Path(promograph.web.__file__).with_name("graphiql")
OURS = ["index.html", "page.css", "events.js", "page.js"]


class Named(HTMLParser):
    """Collects what a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []
        self.inline = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.urls += [url for name, url in attrs if name in ("src", "href") and url]
        self.inline += tag in ("script", "style") and "src" not in given


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=graphiql_routes()))


def named_by(page: str) -> Named:
    named = Named()
    named.feed(page)
    return named


def test_the_page_loads_only_files_beside_it(client: TestClient) -> None:
    page = client.get("/graphiql/")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    named = named_by(page.text)
    assert named.inline == 0
    files = [url for url in named.urls if not url.startswith("data:")]
    assert len(files) == 7
    for file in files:
        assert re.fullmatch(r"[a-z.-]+\.(js|css)", file), file
        response = client.get(f"/graphiql/{file}")
        assert response.status_code == 200
        assert len(response.content) > 50


def test_the_page_has_its_slash(client: TestClient) -> None:
    assert client.get("/graphiql").url.path == "/graphiql/"


@pytest.mark.parametrize("name", OURS)
def test_what_we_wrote_names_no_other_host(name: str) -> None:
    assert "://" not in (FILES / name).read_text(encoding="utf-8")


def test_the_style_sheets_load_nothing() -> None:
    for style in FILES.glob("*.css"):
        text = style.read_text(encoding="utf-8")
        assert "@import" not in text
        assert [
            url[:40] for url in re.findall(r"url\(([^)]*)\)", text) if not url.strip("'\"").startswith("data:")
        ] == []


def test_the_scripts_ask_for_no_source_maps() -> None:
    for script in FILES.glob("*.js"):
        assert "sourceMappingURL" not in script.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", ["/graphiql/", "/graphiql/page.js", "/graphiql/graphiql.min.css"])
def test_the_policy_allows_this_host_only(client: TestClient, path: str) -> None:
    policy = client.get(path).headers["content-security-policy"]
    rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split("; ")}
    assert rules["default-src"] == ["'none'"]
    assert rules["script-src"] == ["'self'"]
    assert rules["connect-src"] == ["'self'"]
    sources = {source for values in rules.values() for source in values}
    assert sources <= {"'none'", "'self'", "'unsafe-inline'", "data:"}


def test_the_hint_is_shown_and_tokens_are_not_kept() -> None:
    script = (FILES / "page.js").read_text(encoding="utf-8")
    assert "'Bearer …'" in script
    assert "shouldPersistHeaders: false" in script


@pytest.mark.parametrize("path", ["/graphiql/../graphiql.py", "/graphiql/%2e%2e/graphiql.py", "/graphiql/nothing.js"])
def test_nothing_else_is_served(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_versions_and_licences_stand_beside() -> None:
    versions = (FILES / "VERSIONS.md").read_text(encoding="utf-8")
    licences = (FILES / "LICENSES.txt").read_text(encoding="utf-8")
    for name, version in re.findall(r"`(graphiql|react|react-dom)` (\d+\.\d+\.\d+)", versions):
        assert f"{name} {version}" in licences
    described = set(re.findall(r"^\| (`.*?`(?:, `.*?`)*) \|", versions, re.MULTILINE))
    names = {name.strip("`") for entry in described for name in entry.split(", ")}
    assert names == {path.name for path in FILES.iterdir()} - {"VERSIONS.md"}
