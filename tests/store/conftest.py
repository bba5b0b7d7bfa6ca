"""A prepared store whose inside can be reached."""

from collections.abc import AsyncIterator

import pytest

from .ground import Ground


@pytest.fixture
async def ground(store_url: str, anyio_backend: str) -> AsyncIterator[Ground]:
    made = Ground(store_url)
    await made.services.prepare()
    try:
        yield made
    finally:
        await made.services.close()
