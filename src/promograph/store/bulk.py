"""Adding rows to a table, one or ten thousand."""

import sqlite3
from collections.abc import Iterable, Sized
from typing import Any, Protocol

import asyncpg
from sqlalchemy import Connection
from sqlalchemy.util import await_

from promograph.store.statements import Statement, driver_of

TAKEN = (sqlite3.IntegrityError, asyncpg.UniqueViolationError)
"""What is raised when a row has the unique key of another."""

# Fewer rows than these are sent and planned sooner than COPY has introduced itself.
_COPIED_FROM = 500


class Rows(Sized, Iterable[tuple[Any, ...]], Protocol):
    """So many rows, which need not be there before somebody wants them."""


class Insertion:
    """New rows of one table; `columns` as in `@rows`, such as `id bigint, name text`."""

    def __init__(self, table: str, columns: str) -> None:
        self._table = table
        self._names = [column.split()[0] for column in columns.split(",")]
        names = ", ".join(self._names)
        shown = ", ".join(f"r.{name}" for name in self._names)
        # Taking a value out of JSON costs SQLite three times what it costs to be handed it.
        self._one = f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(self._names))})"
        self._statement = Statement(f"INSERT INTO {table} ({names}) SELECT {shown} FROM @rows({columns}) r")

    def run(self, connection: Connection, rows: Rows) -> None:
        """Add them all; raises one of TAKEN where one of them is there already."""
        driver = driver_of(connection)
        if isinstance(driver, sqlite3.Connection):
            driver.executemany(self._one, rows)
        elif len(rows) < _COPIED_FROM:
            self._statement.run(connection, list(rows))
        else:
            await_(driver.copy_records_to_table(self._table, columns=self._names, records=rows))
