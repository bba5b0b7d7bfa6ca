"""What is done to a PostgreSQL store that tests share after each of them: recounting it and emptying it."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar

import asyncpg

from promograph.store.databases.opening import open_database
from promograph.store.databases.statistics import freshen
from promograph.store.tables import METADATA
from promograph.store.verifying import recount

T = TypeVar("T")

# Rows, and what numbers them: a store that was empty looks the same to a test as one that is new.
_EMPTY = "; ".join(
    [
        *(f"DELETE FROM {table.name}" for table in reversed(METADATA.sorted_tables)),
        "SELECT setval(seqrelid, seqstart, false) FROM pg_sequence",
    ]
)
# Deleted rows stay where they are until somebody sweeps, and whoever recounts walks over them: tables that have grown.
_LARGE = (
    "SELECT string_agg(oid::regclass::text, ', ') FROM pg_class WHERE relkind = 'r' "
    "AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 128 * 1024"
)


class Keeper:
    """It keeps its connections, in a thread and a loop of its own: a new one would prepare two hundred statements
    before it has recounted a few rows.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._thread = ThreadPoolExecutor(1)
        self._runner = asyncio.Runner()
        self._database = open_database(url)
        self._emptying: asyncpg.Connection | None = None

    def recount(self, now: datetime) -> Future[list[str]]:
        """As `Services.verify`."""
        return self._do(self._recount(now))

    def empty(self) -> None:
        """Take out every row. Making the tables anew for each test takes ten times as long."""
        self._do(self._empty()).result()

    def close(self) -> None:
        self._do(self._close()).result()
        self._thread.submit(self._runner.close).result()
        self._thread.shutdown()

    async def _recount(self, now: datetime) -> list[str]:
        await freshen(self._database)
        return await self._database.snapshot(lambda connection: recount(connection, now))

    async def _empty(self) -> None:
        if self._emptying is None or self._emptying.is_closed():
            self._emptying = await asyncpg.connect(self.url, server_settings={"lock_timeout": "60s"})
        while True:
            # What a test broke off may be under way yet, in a server that has not heard that nobody is there any more.
            with suppress(asyncpg.DeadlockDetectedError):
                await self._emptying.execute(_EMPTY)
                break
        large = await self._emptying.fetchval(_LARGE)
        if large is not None:
            await self._emptying.execute(f"VACUUM {large}")

    async def _close(self) -> None:
        await self._database.close()
        if self._emptying is not None:
            await self._emptying.close()

    def _do(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return self._thread.submit(self._runner.run, work)
