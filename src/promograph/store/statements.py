"""SQL written once for both stores, with a whole batch as one parameter, handed straight to the driver.

Two marks are filled in by dialect, everything else is said in the SQL that both understand:

- `@rows(ord bigint, key text) r` is the batch: PostgreSQL unnests one array a column, SQLite reads one JSON text.
  The statement's text stays the same however long the batch, so that neither store ever compiles it anew.
- `@lock(code)` locks the rows found in that table until the transaction ends, in the order of the statement's
  ORDER BY, against all who would lock or change them. `@hold(stock)` leaves those alone and only keeps out
  `@seize(stock)`, which in turn keeps out everybody. SQLite has one writer and needs no such words.

Tables are joined in the order in which they are written, by their indexes: the batch first, then what it finds. A plan
of the planner's own, made while a table was new and empty, has been seen to read a whole table for each batch.
SQLite is told by CROSS JOIN, PostgreSQL by the settings of its connections.

SQLAlchemy carries the connection and is not asked to run these: its share of a small statement is several times that
of the driver and the server together.
"""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
from sqlalchemy import Connection
from sqlalchemy.util import await_

_ROWS = re.compile(r"@rows\(([^)]*)\)\s+(\w+)")
_LOCK = re.compile(r"@(lock|hold|seize)\((\w+)\)")
_STRENGTHS = {"lock": "NO KEY UPDATE", "hold": "KEY SHARE", "seize": "UPDATE"}
_JOIN = re.compile(r"(?<!LEFT )\bJOIN\b")
_NAMED = re.compile(r":(\w+)")

# Fewer rows than these go to SQLite with all their columns: looking for constant ones would cost what it saves.
_FEW = 16

Rows = Sequence[Sequence[Any]]
Answer = list[Any]
"""Rows that can be unpacked like tuples, and only that: a driver's own."""


class Statement:
    """One statement. Its `rows` are tuples of texts, integers, booleans and None, in the order of the columns."""

    def __init__(self, sql: str) -> None:
        self._columns = _columns(sql)
        self._sqlite = _Sqlite(sql, self._columns)
        self._postgres, self._order = _numbered(_LOCK.sub(_locked, _ROWS.sub(_unnested, sql)))

    def fetch(self, connection: Connection, rows: Rows | None = None, **params: Any) -> Answer:
        """Run it and return what it answers."""
        driver = driver_of(connection)
        if isinstance(driver, sqlite3.Connection):
            return self._sqlite.run(driver, rows, params).fetchall()
        answer: Answer = await_(driver.fetch(self._postgres, *self._arguments(rows, params)))
        return answer

    def run(self, connection: Connection, rows: Rows | None = None, **params: Any) -> int:
        """Run it and return how many rows it changed."""
        driver = driver_of(connection)
        if isinstance(driver, sqlite3.Connection):
            return self._sqlite.run(driver, rows, params).rowcount
        status: str = await_(driver.execute(self._postgres, *self._arguments(rows, params)))
        return int(status.rpartition(" ")[2])  # such as "UPDATE 3" or "INSERT 0 3"

    def _arguments(self, rows: Rows | None, params: dict[str, Any]) -> list[Any]:
        if rows is not None:
            columns = zip(*rows, strict=True) if rows else ((),) * len(self._columns)
            params.update((f"rows_{n}", column) for n, column in enumerate(columns))
        return [params[name] for name in self._order]


class _Sqlite:
    """A statement for SQLite, which spends more on taking a value out of JSON than on most things done with it.

    So a column in which all rows agree (the promotion, the instant, the channel of a large call) is handed over once,
    as a parameter. The statement then has another text for each set of such columns, of which there are few.
    """

    def __init__(self, sql: str, columns: Sequence[str]) -> None:
        self._sql = _JOIN.sub("CROSS JOIN", _LOCK.sub("", sql))
        self._columns = columns
        # An UPDATE has no CROSS JOIN to say that the batch comes first: told of a constant promotion, SQLite begins
        # with all of its codes, and reads the batch once for each.
        self._sifts = len(columns) > 1 and not sql.startswith("UPDATE")
        self._texts: dict[tuple[bool, ...], str] = {}

    def run(self, driver: sqlite3.Connection, rows: Rows | None, params: dict[str, Any]) -> sqlite3.Cursor:
        varying = (True,) * len(self._columns)
        if rows is not None:
            if len(rows) >= _FEW and self._sifts:
                rows, varying = self._sift(rows, params)
            params["rows"] = _json(rows, width=sum(varying))
        text = self._texts.get(varying)
        if text is None:
            text = self._texts[varying] = _ROWS.sub(lambda mark: self._from_json(mark[2], varying), self._sql)
        return driver.execute(text, params)

    def _sift(self, rows: Rows, params: dict[str, Any]) -> tuple[Rows, tuple[bool, ...]]:
        """The rows without the columns in which all agree, which go to `params`; and which columns are left."""
        columns = list(zip(*rows, strict=True))
        varying = [column.count(column[0]) != len(column) for column in columns]
        varying[0] = varying[0] or not any(varying)  # some column has to say how many rows there are
        params.update((f"all_{n}", columns[n][0]) for n, varies in enumerate(varying) if not varies)
        return list(zip(*(columns[n] for n, varies in enumerate(varying) if varies), strict=True)), tuple(varying)

    def _from_json(self, name: str, varying: tuple[bool, ...]) -> str:
        fields, place = [], 0
        for n, (column, varies) in enumerate(zip(self._columns, varying, strict=True)):
            if not varies:
                fields.append(f":all_{n} AS {column}")
            elif sum(varying) == 1:
                fields.append(f"value AS {column}")
            else:
                fields.append(f"json_extract(value, '$[{place}]') AS {column}")
            place += varies
        return f"(SELECT {', '.join(fields)} FROM json_each(:rows)) AS {name}"


def _json(rows: Rows, *, width: int) -> str:
    """An array of arrays, or of the values themselves where there is one column."""
    return orjson.dumps([value for (value,) in rows] if width == 1 else rows).decode()


def _columns(sql: str) -> list[str]:
    found = _ROWS.search(sql)
    return [] if found is None else [part.split()[0] for part in found[1].split(",")]


def _locked(mark: re.Match[str]) -> str:
    return f"FOR {_STRENGTHS[mark[1]]} OF {mark[2]}"


def _unnested(mark: re.Match[str]) -> str:
    kinds = [part.split()[1] for part in mark[1].split(",")]
    arrays = ", ".join(f"CAST(:rows_{n} AS {kind}[])" for n, kind in enumerate(kinds))
    return f"unnest({arrays}) AS {mark[2]}({', '.join(_columns(mark[0]))})"


def _numbered(sql: str) -> tuple[str, list[str]]:
    """The same with PostgreSQL's `$1` for `:name`, and the names in the order of their numbers."""
    order = list(dict.fromkeys(_NAMED.findall(sql)))
    return _NAMED.sub(lambda mark: f"${order.index(mark[1]) + 1}", sql), order


def driver_of(connection: Connection) -> Any:
    """The driver's own connection: sqlite3's, or asyncpg's (whose coroutines are for `await_`)."""
    return connection.connection.driver_connection


@contextmanager
def savepoint(connection: Connection) -> Iterator[None]:
    """What was done inside is undone when it fails, and nothing that was done before."""
    _say(connection, "SAVEPOINT inside")
    try:
        yield
    except Exception:
        _say(connection, "ROLLBACK TO SAVEPOINT inside")
        _say(connection, "RELEASE SAVEPOINT inside")
        raise
    _say(connection, "RELEASE SAVEPOINT inside")


def _say(connection: Connection, command: str) -> None:
    said = driver_of(connection).execute(command)
    if not isinstance(said, sqlite3.Cursor):
        await_(said)
