"""The application over a store of its own, asked over HTTP in the same process.

`api` is shared by the tests of a file, which keep apart by the names that they give: making a store for each would
take longer than the tests. `fresh` is for those that look at all there is. Whatever they do, recounting must find
nothing wrong.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count

import httpx2
import pytest

from promograph.config import Settings
from promograph.services.app import Services
from promograph.web.app import create_app

from .asking import SCOPES, Api
from .both_ways import both_ways
from .clocks import SetClock

_databases = count(1)


@pytest.fixture(autouse=True)
def asked_both_ways(request: pytest.FixtureRequest) -> Iterator[None]:
    """Operations are compiled when they are first asked; on SQLite each query is asked of the engine as well."""
    with both_ways(checking="postgresql" not in request.node.name):
        yield


@asynccontextmanager
async def opened(store_url: str) -> AsyncIterator[Api]:
    clock = SetClock()
    services = Services.open(store_url, clock)
    try:
        await services.prepare()
        tokens = {name: (await services.access.create(name, [scope]))[0] for name, scope in SCOPES.items()}
        app = create_app(Settings(store=store_url), services)
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://promograph") as client:
            yield Api(client, services, clock, tokens)
        assert await services.verify() == []
    finally:
        await services.close()


@pytest.fixture(scope="module")
async def api(shared_store_url: str, anyio_backend: str) -> AsyncIterator[Api]:
    async with opened(shared_store_url) as made:
        yield made


@pytest.fixture
async def fresh(prepared_url: str, anyio_backend: str) -> AsyncIterator[Api]:
    """The same over an empty store."""
    async with opened(prepared_url) as made:
        yield made
