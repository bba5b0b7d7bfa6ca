"""SQLite: one writer at a time, readers beside it (WAL), every commit flushed to the disk.

A small transaction runs in the event loop's own thread: handing it to another costs more than it takes. Heavy work
goes to threads, so that the loop keeps answering.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool, StaticPool

from promograph.errors import StoreBusy, StoreError, StoreUnavailable
from promograph.store.databases.database import Database, Work
from promograph.store.databases.demand import Demand
from promograph.store.databases.failures import is_locked, wrapped
from promograph.store.statements import driver_of

T = TypeVar("T")

_LOCK_PATIENCE = 10.0
_READERS = 4
_WANTED_SECONDS = 0.25
_SHORTEN = "PRAGMA wal_checkpoint(PASSIVE)"
_PRAGMAS = (
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA wal_autocheckpoint=4000",
)


# A load puts its keys all over the unique index, which the writer had better remember. What readers come upon again
# they find in the system's own cache; four of them, each remembering what a long list or a file was, took 256 MB.
_WRITER_CACHE, _READER_CACHE = "PRAGMA cache_size=-49152", "PRAGMA cache_size=-8192"


class SqliteDatabase(Database):
    """The store in one file. Other processes may write too; they wait for each other, at most ten seconds."""

    dialect = "sqlite"
    rests = 1.0

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        # The writer never waits inside SQLite: that would stop the event loop. `_begin` waits outside.
        self._writer = _engine(path, StaticPool, busy_seconds=0)
        self._readers = _engine(path, QueuePool, busy_seconds=_LOCK_PATIENCE)
        self._lock = asyncio.Lock()
        self._demand = Demand()
        self._waiting = 0
        self._wanted_at = -_WANTED_SECONDS
        self._write_thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-writer")
        self._read_threads = ThreadPoolExecutor(_READERS, thread_name_prefix="sqlite-reader")
        self._identity: tuple[int, int] | None = None

    async def write(self, work: Work[T], *, heavy: bool = False) -> T:
        if not heavy:
            self._demand.note()
        has_to_wait = self._lock.locked()
        self._waiting += 1
        try:
            await self._lock.acquire()
            if has_to_wait:
                self._wanted_at = time.monotonic()
        finally:
            self._waiting -= 1
        try:
            return await self._locked_write(work, heavy=heavy)
        finally:
            self._lock.release()

    async def _locked_write(self, work: Work[T], *, heavy: bool) -> T:
        try:
            with self._writer.connect() as connection:
                await self._begin(connection)
                if not heavy:
                    return _finish(connection, work)
                loop = asyncio.get_running_loop()
                # Shielded: a caller that goes away must not leave the connection to two users at once.
                running = loop.run_in_executor(self._write_thread, _finish, connection, work)
                return await _to_the_end(running)
        except Exception as failure:
            raise wrapped(failure) from failure

    async def _begin(self, connection: Connection) -> None:
        """Take the write lock, waiting without holding up the loop while another process has it."""
        self._check_there()
        deadline = time.monotonic() + _LOCK_PATIENCE
        pause = 0.001
        while True:
            try:
                driver_of(connection).execute("BEGIN IMMEDIATE")
                break
            except Exception as failure:
                if not is_locked(failure):
                    raise
                if time.monotonic() > deadline:
                    raise StoreBusy(
                        "Another process has been writing to the store for ten seconds; try again."
                    ) from failure
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.02)
        self._know_file()

    def _know_file(self) -> None:
        """Remember which file was opened first."""
        if self._identity is None:
            self._identity = _identity(self._path)

    def _check_there(self) -> None:
        """A file moved or deleted under an open connection would take every write and keep none."""
        if self._identity is not None and _identity(self._path) != self._identity:
            raise StoreUnavailable(f"The store's file {self._path} was moved or deleted; put it back and restart.")

    async def read(self, work: Work[T], *, heavy: bool = False) -> T:
        if not heavy:
            self._demand.note()
            return self._read(work)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._read_threads, self._read, work)

    def _read(self, work: Work[T]) -> T:
        try:
            self._check_there()
            with self._readers.connect() as connection:
                self._know_file()
                return work(connection)
        except Exception as failure:
            raise wrapped(failure) from failure

    async def snapshot(self, work: Work[T]) -> T:
        def all_at_once(connection: Connection) -> T:
            driver_of(connection).execute("BEGIN")
            try:
                return work(connection)
            finally:
                driver_of(connection).execute("ROLLBACK")

        return await self.read(all_at_once, heavy=True)

    @property
    def piece(self) -> int:
        # There is one writer: with others about, a load takes turns in small pieces.
        return 500 if self.is_wanted else 20_000

    @property
    def load_piece(self) -> int:
        return self.piece

    @property
    def is_waited_for(self) -> bool:
        return self.is_wanted

    @property
    def is_wanted(self) -> bool:
        # Not before: each commit writes anew every page of the unique index that its keys fall into, which for keys
        # without order is most of them.
        # Who was answered a moment ago asks again in the next one. That nobody waits just now, between the two, is no
        # leave to keep them all waiting for a large piece.
        lately = time.monotonic() - self._wanted_at < _WANTED_SECONDS
        return self._waiting > 0 or lately or self._demand.is_felt

    async def settle(self) -> None:
        # Left alone, the commit that makes the log too long does it while they all wait, whoever's commit that is.
        with suppress(StoreError):
            await self.read(lambda connection: driver_of(connection).execute(_SHORTEN).fetchall(), heavy=True)

    async def close(self) -> None:
        self._write_thread.shutdown()
        self._read_threads.shutdown()
        self._readers.dispose()
        self._writer.dispose()


def _engine(path: str, pool: type[Any], *, busy_seconds: float) -> Engine:
    # isolation_level None: the driver begins no transaction of its own, `BEGIN IMMEDIATE` is ours to say.
    # One for each thread, and one for the loop itself, which nothing may keep waiting.
    sizes: dict[str, Any] = {} if pool is StaticPool else {"pool_size": _READERS + 1, "max_overflow": 0}
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=pool,
        connect_args={"check_same_thread": False, "isolation_level": None, "timeout": busy_seconds},
        **sizes,
    )
    cache = _WRITER_CACHE if pool is StaticPool else _READER_CACHE
    event.listen(engine, "connect", partial(_set_pragmas, busy_seconds, cache))
    return engine


def _set_pragmas(busy_seconds: float, cache: str, connection: Any, _record: object) -> None:
    connection.execute(f"PRAGMA busy_timeout={int(_LOCK_PATIENCE * 1000)}")  # turning WAL on wants a lock
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        connection.execute("PRAGMA journal_mode=WAL")  # to say it again would wait for whoever is writing
    for pragma in (*_PRAGMAS, cache, f"PRAGMA busy_timeout={int(busy_seconds * 1000)}"):
        connection.execute(pragma)


def _finish(connection: Connection, work: Callable[[Connection], T]) -> T:
    try:
        result = work(connection)
        driver_of(connection).execute("COMMIT")
    except BaseException:
        if driver_of(connection).in_transaction:  # a full disk, say, has ended it already
            driver_of(connection).execute("ROLLBACK")
        raise
    return result


async def _to_the_end(running: "asyncio.Future[T]") -> T:
    """Await it even when cancelled meanwhile, however often; the cancellation is told afterwards."""
    cancelled: asyncio.CancelledError | None = None
    while not running.done():
        try:
            await asyncio.wait([running])
        except asyncio.CancelledError as cancellation:  # a task group says so again and again, until it is obeyed
            cancelled = cancellation
    if cancelled is None:
        return running.result()
    running.exception()  # which is for nobody any more
    raise cancelled


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
