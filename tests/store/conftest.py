"""A prepared store whose inside can be reached, and damaged: each test has one of its own."""

from collections.abc import AsyncIterator

import pytest

from .ground import Ground


@pytest.fixture
async def ground(prepared_url: str, anyio_backend: str) -> AsyncIterator[Ground]:
    made = Ground(prepared_url)
    try:
        yield made
    finally:
        await made.services.close()


@pytest.fixture(scope="module")
async def shared_ground(shared_store_url: str, anyio_backend: str) -> AsyncIterator[Ground]:
    """One for all tests of a file, which leave it as they found it."""
    made = Ground(shared_store_url)
    try:
        yield made
    finally:
        await made.services.close()
