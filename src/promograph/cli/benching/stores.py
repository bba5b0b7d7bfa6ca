"""The stores that are measured: empty at first, recounted at the end, and gone with the run."""

import asyncio
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

import asyncpg

from promograph.cli.benching.figures import Row
from promograph.services.app import Services
from promograph.testing.postgres import temporary_postgres

SQLITE = "SQLite"
POSTGRESQL = "PostgreSQL"


@contextmanager
def empty_store(name: str, folder: Path) -> Iterator[str]:
    """The address of an empty store of this name. PostgresUnavailable where there is no such server."""
    if name == POSTGRESQL:
        with temporary_postgres() as url:
            yield url
        return
    with tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as own:
        yield f"sqlite:///{own}/promograph.db"


def is_sqlite(url: str) -> bool:
    return url.startswith("sqlite")


async def settle(url: str, *tables: str) -> None:
    """Let PostgreSQL do at once what millions of new rows in them leave for it to do in the next minutes."""
    if is_sqlite(url):
        return
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"VACUUM (ANALYZE) {', '.join(tables)}")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


def verified(url: str) -> tuple[Row, list[str]]:
    """How long recounting the whole store takes, and the differences that it finds."""
    return asyncio.run(_verified(url))


def version_of(url: str) -> str:
    return sqlite3.sqlite_version if is_sqlite(url) else asyncio.run(_postgres_version(url))


async def _verified(url: str) -> tuple[Row, list[str]]:
    services = Services.open(url)
    try:
        began = perf_counter()
        differences = await services.verify()
        return Row(what="verify, the whole store", unit="", seconds=perf_counter() - began), differences
    finally:
        await services.close()


async def _postgres_version(url: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        return str(await connection.fetchval("SHOW server_version"))
    finally:
        await connection.close()
