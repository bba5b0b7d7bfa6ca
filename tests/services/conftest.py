"""A prepared store with a clock that the test sets; whatever a test does, recounting must find nothing wrong."""

from collections.abc import AsyncIterator

import pytest

from promograph.services.app import Services

from .world import Recount, SetClock, World


@pytest.fixture
def store_url(prepared_url: str) -> str:
    """The store has its tables already."""
    return prepared_url


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
