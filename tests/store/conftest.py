"""A prepared store whose inside can be reached, and damaged: each test has one of its own."""

import shutil
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import pytest

from promograph.testing import postgres

from .ground import Ground

_databases = count(1)


@pytest.fixture(params=["sqlite", "postgresql"])
def prepared_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("prepared_file"), tmp_path / "promograph.db")
        yield f"sqlite:///{tmp_path}/promograph.db"
        return
    server: postgres.PostgresServer = request.getfixturevalue("postgres_server")
    template: str = request.getfixturevalue("prepared_template")
    with postgres.copied_database(server.url, template, f"promograph_copy_{next(_databases)}") as url:
        yield url


@pytest.fixture
async def ground(prepared_url: str, anyio_backend: str) -> AsyncIterator[Ground]:
    made = Ground(prepared_url)
    try:
        yield made
    finally:
        await made.services.close()
