"""PostgreSQL over asyncpg. Work runs as a plain function; SQLAlchemy carries its waiting to the event loop."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg
from sqlalchemy import URL, NullPool
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from promograph.store.databases.database import Database, Work
from promograph.store.databases.demand import Demand
from promograph.store.databases.failures import Unconfirmed, is_gone, is_transient, wrapped
from promograph.store.databases.postgres_links import PLANNING, Links, link_driver
from promograph.store.planning import LONG_QUESTIONS

T = TypeVar("T")

_LINKS = 6
_COLD_CONNECTIONS = 4
# A server that stands still in the middle of a transaction (stopped, swapped out, behind a broken network) keeps what
# it locked from all the others: PostgreSQL lets go of it after a while, and should that server come to, it begins anew.
_IDLE_SECONDS = 30
_KEEPALIVE = {"tcp_keepalives_idle": "15", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"}
_CONNECT_SECONDS = 5
_STATEMENT_SECONDS = 120
_STATEMENTS = 500  # kept prepared by each connection: several times what there are
_TRIES = 8
_FIRST_PAUSE = 0.05
_FROZEN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class PostgresDatabase(Database):
    """The store in the database that `url` names (in the schema that the user's search_path names first).

    A transaction that never reached its commit is begun again: after a deadlock at once, after a lost connection with
    growing pauses, some six seconds in all, which is what a restart takes.
    """

    dialect = "postgresql"
    rests = 4.0  # what a load does keeps two processors busy, this one's and the server's

    def __init__(self, url: URL) -> None:
        self._demand = Demand()
        idle = {"idle_in_transaction_session_timeout": f"{_IDLE_SECONDS}s"}
        self._hot = _engine(url, PLANNING | idle, poolclass=NullPool)
        self._links = Links(self._hot, most=_LINKS)
        # Long reads keep to connections of their own: they want the planner's freedom, and nobody waits behind them.
        self._cold = _engine(
            url, LONG_QUESTIONS, pool_size=_COLD_CONNECTIONS, max_overflow=0, pool_timeout=_STATEMENT_SECONDS
        )
        # Outside a transaction each statement sees the newest state, and BEGIN and ROLLBACK are saved.
        self._reader = self._cold.execution_options(isolation_level="AUTOCOMMIT")

    async def write(self, work: Work[T], *, heavy: bool = False) -> T:
        if not heavy:
            self._demand.note()
        return await _again(lambda: self._links.use(lambda link: _transact(link, work)))

    async def read(self, work: Work[T], *, heavy: bool = False) -> T:
        if heavy:
            return await _again(lambda: _look(self._reader, work))
        self._demand.note()
        return await _again(lambda: self._links.use(lambda link: link.run_sync(work)))

    async def snapshot(self, work: Work[T]) -> T:
        return await _again(lambda: _look(self._reader, work, in_transaction=_FROZEN))

    @property
    def piece(self) -> int:
        # COPY takes the event loop for as long as it puts rows into bytes.
        return 4_000 if self.is_wanted else 20_000

    @property
    def load_piece(self) -> int:
        return 4_000 if self.is_wanted else 100_000

    @property
    def is_waited_for(self) -> bool:
        return self.is_wanted

    @property
    def is_wanted(self) -> bool:
        return self._demand.is_felt

    async def settle(self) -> None:
        """Nothing: the server does so by itself."""

    async def close(self) -> None:
        await self._links.close()
        await self._hot.dispose()
        await self._cold.dispose()


def _engine(url: URL, settings: dict[str, str], **pool: object) -> AsyncEngine:
    return create_async_engine(
        url.set(drivername="postgresql+asyncpg"),
        connect_args={
            "timeout": _CONNECT_SECONDS,
            "command_timeout": _STATEMENT_SECONDS,
            "statement_cache_size": _STATEMENTS,
            "server_settings": {"application_name": "promograph", "jit": "off", **_KEEPALIVE, **settings},
        },
        **pool,
    )


async def _again(attempt: Callable[[], Awaitable[T]]) -> T:
    pause = _FIRST_PAUSE
    for tries_left in reversed(range(_TRIES)):
        try:
            return await attempt()
        except Unconfirmed:
            raise
        except Exception as failure:
            if not tries_left or not (is_transient(failure) or is_gone(failure)):
                raise wrapped(failure) from failure
            if is_gone(failure):
                await asyncio.sleep(pause)
                pause *= 2
    raise AssertionError("the last try either returned or raised")


async def _transact(link: AsyncConnection, work: Work[T]) -> T:
    driver = link_driver(link)
    await driver.execute("BEGIN")
    try:
        result = await link.run_sync(work)
    except Exception as failure:
        await _undo(driver, failure)
        raise
    await _commit(driver)
    return result


async def _undo(driver: asyncpg.Connection, failure: Exception) -> None:
    """Roll back; where the connection is gone, whatever failed failed of that, and nothing was done."""
    try:
        if not driver.is_closed():
            await driver.execute("ROLLBACK")
            return
    except Exception as further:
        raise ConnectionResetError from further
    raise ConnectionResetError from failure


async def _commit(driver: asyncpg.Connection) -> None:
    if driver.is_closed():
        raise ConnectionResetError  # before it was asked to commit: nothing was done
    try:
        status = await driver.execute("COMMIT")
    except Exception as failure:
        if is_gone(failure) or isinstance(failure, TimeoutError) or driver.is_closed():
            raise Unconfirmed from failure
        raise
    # To asyncpg it is no error that a transaction in which a statement failed ends in a ROLLBACK whatever it is told.
    assert status == "COMMIT", "work swallowed the failure of a statement"


async def _look(engine: AsyncEngine, work: Work[T], *, in_transaction: str | None = None) -> T:
    async with engine.connect() as connection:
        try:
            if in_transaction is None:
                return await connection.run_sync(work)
            # Said to the driver: SQLAlchemy begins one with its own first statement, and ours do not pass it.
            driver = link_driver(connection)
            await driver.execute(in_transaction)
            result = await connection.run_sync(work)
            await driver.execute("COMMIT")
            return result
        except BaseException:
            # The driver may have failed where SQLAlchemy did not see it, or have been left in a transaction by a caller
            # who is gone: nobody gets that connection again.
            if not connection.invalidated:
                link_driver(connection).terminate()
            await connection.invalidate()
            raise
