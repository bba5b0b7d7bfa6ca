"""A prepared store with a clock that the test sets; whatever a test does, recounting must find nothing wrong."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from promograph.services.app import Services

from .world import Recount, SetClock, World


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """As the one for all tests, but the store has its tables already."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("prepared_file"), tmp_path / "promograph.db")
        yield f"sqlite:///{tmp_path}/promograph.db"
        return
    yield request.getfixturevalue("emptied_database")


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def recount(request: pytest.FixtureRequest, store_url: str) -> Recount | None:
    """A cheaper way of recounting than that of services newly opened, where there is one."""
    return None if store_url.startswith("sqlite") else request.getfixturevalue("keeper").recount


@pytest.fixture
async def world(store_url: str, recount: Recount | None, clock: SetClock, anyio_backend: str) -> AsyncIterator[World]:
    """An empty prepared store; after the test every counter and every invariant is recounted."""
    made = World(store_url, clock, recount)
    try:
        yield made
        assert await made.verify() == []
    finally:
        for services in made.opened:
            await services.close()


@pytest.fixture
def services(world: World) -> Services:
    return world.services
