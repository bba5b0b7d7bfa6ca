"""A prepared store with a clock that the test sets; whatever a test does, recounting must find nothing wrong."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest
from sqlmodel import SQLModel

from promograph.services.app import Services
from promograph.testing import postgres

from .world import SetClock, World

T = TypeVar("T")


def apart(work: Coroutine[Any, Any, T]) -> T:
    """Run it in a thread of its own: the caller may sit inside a running event loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(work)).result()


async def prepare(url: str) -> None:
    services = Services.open(url)
    await services.prepare()
    await services.close()


async def empty(url: str) -> None:
    """Take out every row. Making the tables anew for each test takes ten times as long."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET lock_timeout = '10s'")
        for table in reversed(SQLModel.metadata.sorted_tables):
            await connection.execute(f"DELETE FROM {table.name}")
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def prepared_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("prepared") / "promograph.db"
    apart(prepare(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def prepared_database(postgres_server: postgres.PostgresServer) -> str:
    url = postgres.create_database(postgres_server.url, "promograph_services")
    apart(prepare(url))
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """As the one for all tests, but the store has its tables already."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("prepared_file"), tmp_path / "promograph.db")
        yield f"sqlite:///{tmp_path}/promograph.db"
        return
    url: str = request.getfixturevalue("prepared_database")
    yield url
    apart(empty(url))


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
async def world(store_url: str, clock: SetClock, anyio_backend: str) -> AsyncIterator[World]:
    """An empty prepared store; after the test every counter and every invariant is recounted."""
    made = World(store_url, clock)
    await made.services.prepare()
    try:
        yield made
        assert await made.services.verify() == []
    finally:
        for services in made.opened:
            await services.close()


@pytest.fixture
def services(world: World) -> Services:
    return world.services
