"""What every test may ask for: the kind of event loop, and an empty store on each database."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from promograph.testing import postgres

# How long an example takes says more about the machine than about the code.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that start servers go first: few and long, they would leave one core with nothing to do at the end."""
    items.sort(key=lambda item: "processes" not in item.path.parts)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Tests marked `anyio` run on asyncio, as the server does."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.PostgresServer]:
    """One server for the whole run, started by the first test that asks; who stops it must start it again."""
    with postgres.postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_database(postgres_server: postgres.PostgresServer) -> str:
    """The address of the database that `store_url` hands out and empties after each test."""
    return postgres.create_database(postgres_server.url, "promograph_test")


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty store; a test that takes it runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/promograph.db"
        return
    url: str = request.getfixturevalue("postgres_database")
    yield url
    # Far cheaper than a new database for each test, and nothing of a store lies outside its schemas.
    postgres.empty_database(url)
