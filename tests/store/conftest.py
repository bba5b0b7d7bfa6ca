"""A prepared store whose inside can be reached, and damaged: each test has one of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from .ground import Ground


@asynccontextmanager
async def _ground(url: str) -> AsyncIterator[Ground]:
    made = Ground(url)
    try:
        yield made
    finally:
        await made.services.close()


@pytest.fixture
async def ground(prepared_url: str, anyio_backend: str) -> AsyncIterator[Ground]:
    async with _ground(prepared_url) as made:
        yield made


@pytest.fixture(scope="module")
async def shared_ground(shared_store_url: str, anyio_backend: str) -> AsyncIterator[Ground]:
    """One for all tests of a file, which leave it as they found it."""
    async with _ground(shared_store_url) as made:
        yield made
