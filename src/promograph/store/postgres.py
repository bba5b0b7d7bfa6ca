"""PostgreSQL over asyncpg. Work runs as a plain function; SQLAlchemy carries its waiting to the event loop."""

import asyncio
from typing import TypeVar

from sqlalchemy import URL, Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from promograph.store.database import Database, Work
from promograph.store.failures import Unconfirmed, is_gone, is_transient, wrapped

T = TypeVar("T")

_CONNECTIONS = 8
_CONNECT_SECONDS = 5
_STATEMENT_SECONDS = 120
_TRIES = 8
_FIRST_PAUSE = 0.05


class PostgresDatabase(Database):
    """The store in the database that `url` names (in the schema that the user's search_path names first).

    A transaction that never reached its commit is begun again: after a deadlock at once, after a lost connection with
    growing pauses, some six seconds in all, which is what a restart takes.
    """

    dialect = "postgresql"

    def __init__(self, url: URL) -> None:
        self._engine: AsyncEngine = create_async_engine(
            url.set(drivername="postgresql+asyncpg"),
            pool_size=_CONNECTIONS,
            max_overflow=0,
            pool_timeout=30,
            connect_args={
                "timeout": _CONNECT_SECONDS,
                "command_timeout": _STATEMENT_SECONDS,
                "server_settings": {"application_name": "promograph", "jit": "off"},
            },
        )
        # Outside a transaction each statement sees the newest state, and BEGIN and ROLLBACK are saved.
        self._reader = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._frozen = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    async def write(self, work: Work[T], *, heavy: bool = False) -> T:
        return await self._again(self._engine, work, commit=True)

    async def read(self, work: Work[T], *, heavy: bool = False) -> T:
        return await self._again(self._reader, work, commit=False)

    async def snapshot(self, work: Work[T]) -> T:
        return await self._again(self._frozen, work, commit=False)

    async def breathe(self) -> None:
        await asyncio.sleep(0)

    @property
    def piece(self) -> int:
        return 20_000

    async def close(self) -> None:
        await self._engine.dispose()

    async def _again(self, engine: AsyncEngine, work: Work[T], *, commit: bool) -> T:
        pause = _FIRST_PAUSE
        for tries_left in reversed(range(_TRIES)):
            try:
                return await _once(engine, work, commit=commit)
            except Unconfirmed:
                raise
            except Exception as failure:
                if not tries_left or not (is_transient(failure) or is_gone(failure)):
                    raise wrapped(failure) from failure
                if is_gone(failure):
                    await asyncio.sleep(pause)
                    pause *= 2
        raise AssertionError("the last try either returned or raised")


async def _once(engine: AsyncEngine, work: Work[T], *, commit: bool) -> T:
    async with engine.connect() as connection:
        result = await connection.run_sync(work)
        if commit:
            await _commit(connection)
        return result


async def _commit(connection: AsyncConnection) -> None:
    try:
        await connection.commit()
    except (DBAPIError, OSError) as failure:
        if is_gone(failure):
            raise Unconfirmed from failure
        raise


def driver_connection(connection: Connection) -> object:
    """asyncpg's own connection, for COPY."""
    return connection.connection.driver_connection
