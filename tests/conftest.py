"""What every test may ask for: the kind of event loop, and an empty store on each database."""

import asyncio
import shutil
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from hypothesis import settings

from promograph.services.app import Services
from promograph.testing import postgres

from .keeper import Keeper

T = TypeVar("T")

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


def apart(work: Coroutine[Any, Any, T]) -> T:
    """Run it in a thread of its own: the caller may sit inside a running event loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(work)).result()


async def prepare(url: str) -> None:
    services = Services.open(url)
    await services.prepare()
    await services.close()


@pytest.fixture(scope="session")
def prepared_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("prepared") / "promograph.db"
    apart(prepare(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def keeper_of(postgres_server: postgres.PostgresServer) -> Iterator[Callable[[str], Keeper]]:
    """The keeper of a prepared database of that name. To copy a database takes longer than to make all tables anew."""
    keepers: dict[str, Keeper] = {}

    def find(name: str) -> Keeper:
        if name not in keepers:
            url = postgres.create_database(postgres_server.url, name)
            apart(prepare(url))
            keepers[name] = Keeper(url)
        return keepers[name]

    yield find
    for made in keepers.values():
        made.close()


@pytest.fixture(scope="session")
def keeper(keeper_of: Callable[[str], Keeper]) -> Keeper:
    """Of the prepared store that tests have one after the other."""
    return keeper_of("promograph_emptied")


@pytest.fixture
def emptied_database(keeper: Keeper) -> Iterator[str]:
    """A prepared PostgreSQL store for a test that leaves rows in it."""
    yield keeper.url
    keeper.empty()


@pytest.fixture
def unknown_database(postgres_server: postgres.PostgresServer) -> str:
    """A prepared PostgreSQL store of one's own, of whose tables the planner knows nothing; one emptied it remembers."""
    url = postgres.create_database(postgres_server.url, f"promograph_unknown_{uuid4().hex[:12]}")
    apart(prepare(url))
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def prepared_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """As `store_url`, but the store has its tables already."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("prepared_file"), tmp_path / "promograph.db")
        return f"sqlite:///{tmp_path}/promograph.db"
    return str(request.getfixturevalue("emptied_database"))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_store_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A prepared store for all tests of a file, beside the one that `prepared_url` hands out."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("shared") / "promograph.db"
        shutil.copy(request.getfixturevalue("prepared_file"), path)
        yield f"sqlite:///{path}"
        return
    kept: Keeper = request.getfixturevalue("keeper_of")("promograph_shared")
    yield kept.url
    kept.empty()
