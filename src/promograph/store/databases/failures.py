"""Drivers' words for what went wrong, turned once into ours."""

import sqlite3

import asyncpg
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from promograph.errors import StoreBusy, StoreError, StoreOutdated, StoreReadOnly, StoreUnavailable

_SQLITE = {
    sqlite3.SQLITE_BUSY: StoreBusy("Another process is writing to the store; try again."),
    sqlite3.SQLITE_LOCKED: StoreBusy("Another process is writing to the store; try again."),
    sqlite3.SQLITE_READONLY: StoreReadOnly(
        "The store is read-only: give this user the right to write its file and folder."
    ),
    sqlite3.SQLITE_PERM: StoreReadOnly(
        "The store is read-only: give this user the right to write its file and folder."
    ),
    sqlite3.SQLITE_CANTOPEN: StoreUnavailable(
        "The store's file cannot be opened: its folder must exist and be writable."
    ),
    sqlite3.SQLITE_FULL: StoreUnavailable("The store's disk is full."),
    sqlite3.SQLITE_IOERR: StoreUnavailable("The store's disk does not answer."),
    sqlite3.SQLITE_NOTADB: StoreUnavailable("The store's file is not a SQLite database."),
    sqlite3.SQLITE_CORRUPT: StoreUnavailable("The store's file is damaged."),
}

# SQLSTATE classes and codes, as listed in PostgreSQL's appendix A.
_POSTGRES = {
    "25006": StoreReadOnly("The store is read-only: point promograph at the primary server."),
    "42501": StoreReadOnly("The store's user may not write: grant it the rights on the schema."),
    "42P01": StoreOutdated("The store's tables are missing or older than this version: run `promograph migrate`."),
    "42703": StoreOutdated("The store's tables are missing or older than this version: run `promograph migrate`."),
    "28P01": StoreUnavailable("The store refuses the password: check PROMOGRAPH_STORE."),
    "28000": StoreUnavailable("The store refuses the user: check PROMOGRAPH_STORE."),
    "3D000": StoreUnavailable("The store's database does not exist: create it, or check PROMOGRAPH_STORE."),
    "53300": StoreUnavailable("The store has no connection left: lower the number of workers, or raise its limit."),
    "53100": StoreUnavailable("The store's disk is full."),
    "57014": StoreBusy("The store took too long over this; try again, or with less at a time."),
    "55P03": StoreBusy("The store took too long over this; try again."),
}

# The transaction is gone and did nothing; run again, it may well succeed.
_TRANSIENT = ("40001", "40P01")
# The tables were migrated since the connection learned of them; it has forgotten that by now.
_OUTDATED = (asyncpg.InvalidCachedStatementError, asyncpg.OutdatedSchemaCacheError)
_GONE = StoreUnavailable("The store cannot be reached; it may be restarting.")
_CROWDED = StoreBusy("The store has been busy with other requests for too long; try again.")


class Unconfirmed(StoreUnavailable):
    """The connection broke while committing: what was asked may or may not have been done."""

    def __init__(self) -> None:
        super().__init__("The store went away while answering: repeat the request with the same idempotencyKey.")


def sqlstate(failure: BaseException) -> str:
    """PostgreSQL's code of what went wrong, whether the driver or SQLAlchemy says it; empty where there is none."""
    origin = failure.orig if isinstance(failure, DBAPIError) else failure
    return str(getattr(origin, "sqlstate", None) or "")


def is_transient(failure: BaseException) -> bool:
    """Whether the same transaction, begun again at once, may succeed."""
    return isinstance(failure, _OUTDATED) or sqlstate(failure) in _TRANSIENT


def is_gone(failure: BaseException) -> bool:
    """Whether the connection broke (or could not be made) rather than the statement failed.

    One that gave no answer in time (an OSError too, to Python) is left at that: waiting again would take as long.
    """
    if isinstance(failure, TimeoutError):
        return False
    if isinstance(failure, OSError | asyncpg.InternalClientError) or type(failure) is asyncpg.InterfaceError:
        return True  # the latter two are how asyncpg says that a connection has been closed, or has broken just now
    if isinstance(failure, DBAPIError) and failure.connection_invalidated:
        return True
    return sqlstate(failure).startswith(("08", "57P"))


def is_locked(failure: BaseException) -> bool:
    code = _sqlite_code(failure)
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def wrapped(failure: Exception) -> Exception:
    """The failure in our words where we have some; otherwise the failure itself, which is then a fault of ours."""
    code = _sqlite_code(failure)
    if code is not None and code in _SQLITE:
        return _copy(_SQLITE[code])
    if _is_missing_table(failure):
        return _copy(_POSTGRES["42P01"])
    if sqlstate(failure) in _POSTGRES:
        return _copy(_POSTGRES[sqlstate(failure)])
    if is_gone(failure) or isinstance(failure, TimeoutError):
        return _copy(_GONE)
    if isinstance(failure, PoolTimeout):  # which is no TimeoutError to Python
        return _copy(_CROWDED)
    return failure


def _sqlite_code(failure: BaseException) -> int | None:
    """SQLite's primary result code: the lowest byte of the extended one."""
    origin = failure.orig if isinstance(failure, DBAPIError) else failure
    code = getattr(origin, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _is_missing_table(failure: BaseException) -> bool:
    return isinstance(failure, (sqlite3.OperationalError, SQLAlchemyError)) and "no such table" in str(failure)


def _copy(error: StoreError) -> StoreError:
    return type(error)(*error.args)
