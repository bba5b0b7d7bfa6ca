"""SQL written once for both stores, with a whole batch as one parameter, handed straight to the driver.

Three marks are filled in by dialect, everything else is said in the SQL that both understand:

- `@rows(ord bigint, key text) r` is the batch: PostgreSQL unnests one array a column, SQLite reads one JSON text.
  The statement's text stays the same however long the batch, so that neither store ever compiles it anew.
- `@lock(code)` locks the rows found in that table (or in several) until the transaction ends, in the order of the
  statement's ORDER BY, against all who would lock or change them. `@hold(stock)` leaves those alone and only keeps out
  `@seize(stock)`, which in turn keeps out everybody. SQLite has one writer and needs no such words.

- `@by(redemption_customer)` behind a table's alias names the index to find its rows by. Without statistics SQLite takes
  a primary key that begins with the promotion for as good as any index, and walks all that a promotion has for each
  row of a batch; with them PostgreSQL knows better.
- `i.promotion_id@aside` keeps PostgreSQL from finding rows by that column, where another index finds one and this one
  thousands. Without statistics it too takes both for equal, and stays with the plan until it has some.

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
_LOCK = re.compile(r"@(lock|hold|seize)\(([\w, ]+)\)")
_BY = re.compile(r" @by\((\w+)\)")
_STRENGTHS = {"lock": "NO KEY UPDATE", "hold": "KEY SHARE", "seize": "UPDATE"}
_ASIDE = re.compile(r"@aside\b")
_JOIN = re.compile(r"(?<!LEFT )\bJOIN\b")
_NAMED = re.compile(r":(\w+)")
_CHANGE = re.compile(r"(UPDATE [^:@]+) FROM @rows\(([^)]*)\) (\w+) WHERE ([^:@]+)")

# Fewer rows than these are handed over with all their columns: looking for constant ones would cost what it saves.
_FEW = 16

Rows = Sequence[Sequence[Any]]
Answer = list[Any]
"""Rows that can be unpacked like tuples, and only that: a driver's own."""

Varying = tuple[bool, ...]
"""Of each column of a batch, whether its rows differ there.

A column in which all rows agree (the promotion, the instant, the channel of a large call) is handed over once, as a
parameter: taking a value out of JSON costs SQLite more than most things that are done with it, and putting one into an
array costs asyncpg as much. A statement has another text for each set of such columns, of which there are few.
"""


class Statement:
    """One statement. Its `rows` are tuples of texts, integers, booleans and None, in the order of the columns."""

    def __init__(self, sql: str) -> None:
        self._sqlite, self._postgres = _Sqlite(sql), _Postgres(sql)

    def fetch(self, connection: Connection, rows: Rows | None = None, **params: Any) -> Answer:
        """Run it and return what it answers."""
        driver = driver_of(connection)
        if isinstance(driver, sqlite3.Connection):
            return driver.execute(self._sqlite.text(rows, params), params).fetchall()
        answer: Answer = await_(driver.fetch(*self._postgres.text_and_arguments(rows, params)))
        return answer

    def run(self, connection: Connection, rows: Rows | None = None, **params: Any) -> int:
        """Run it and return how many rows it changed."""
        driver = driver_of(connection)
        if isinstance(driver, sqlite3.Connection):
            if self._sqlite.one is not None and rows is not None:
                return driver.executemany(self._sqlite.one, rows).rowcount
            return driver.execute(self._sqlite.text(rows, params), params).rowcount
        status: str = await_(driver.execute(*self._postgres.text_and_arguments(rows, params)))
        return int(status.rpartition(" ")[2])  # such as "UPDATE 3" or "INSERT 0 3"


class _Sqlite:
    def __init__(self, sql: str) -> None:
        sql = _ASIDE.sub("", sql)
        self._sql = _BY.sub(r" INDEXED BY \1", _JOIN.sub("CROSS JOIN", _LOCK.sub("", sql)))
        self._columns = _columns(sql)
        # An UPDATE has no CROSS JOIN to say that the batch comes first: told of a constant promotion, SQLite begins
        # with all of its codes, and reads the batch once for each.
        self._sifts = len(self._columns) > 1 and not sql.startswith("UPDATE")
        self._texts: dict[Varying, str] = {}
        self.one = _of_one(sql)

    def text(self, rows: Rows | None, params: dict[str, Any]) -> str:
        """The text to run with `params`, to which the batch is added."""
        varying = (True,) * len(self._columns)
        if rows is not None:
            if len(rows) >= _FEW and self._sifts:
                columns, varying = _sifted(list(zip(*rows, strict=True)), params)
                rows = list(zip(*columns, strict=True))
            params["rows"] = orjson.dumps([row[0] for row in rows] if sum(varying) == 1 else rows).decode()
        if varying not in self._texts:
            self._texts[varying] = _ROWS.sub(lambda mark: self._from_json(mark[2], varying), self._sql)
        return self._texts[varying]

    def _from_json(self, name: str, varying: Varying) -> str:
        fields, place = [], 0
        for n, ((column, _), varies) in enumerate(zip(self._columns, varying, strict=True)):
            if not varies:
                fields.append(f":all_{n} AS {column}")
            elif sum(varying) == 1:
                fields.append(f"value AS {column}")
            else:
                fields.append(f"json_extract(value, '$[{place}]') AS {column}")
            place += varies
        return f"(SELECT {', '.join(fields)} FROM json_each(:rows)) AS {name}"


class _Postgres:
    def __init__(self, sql: str) -> None:
        sql = _ASIDE.sub(" + 0", sql)
        self._sql = _BY.sub("", _LOCK.sub(lambda mark: f"FOR {_STRENGTHS[mark[1]]} OF {mark[2]}", sql))
        self._columns = _columns(sql)
        # Elsewhere a constant would be a condition on the table that is joined, and the planner, which takes a new
        # table for small, would begin with the rows that fulfil it and read the batch once for each.
        self._sifts = len(self._columns) > 1 and sql.startswith("INSERT")
        self._texts: dict[Varying, tuple[str, list[str]]] = {}

    def text_and_arguments(self, rows: Rows | None, params: dict[str, Any]) -> list[Any]:
        varying = (True,) * len(self._columns)
        if rows is not None:
            columns: Rows = list(zip(*rows, strict=True)) if rows else [()] * len(varying)
            if len(rows) >= _FEW and self._sifts:
                columns, varying = _sifted(columns, params)
            params.update((f"rows_{n}", column) for n, column in enumerate(columns))
        if varying not in self._texts:
            self._texts[varying] = _numbered(_ROWS.sub(lambda mark: self._unnested(mark[2], varying), self._sql))
        text, order = self._texts[varying]
        return [text, *(params[name] for name in order)]

    def _unnested(self, name: str, varying: Varying) -> str:
        fields: list[str] = []
        arrays: list[str] = []
        names: list[str] = []
        for n, ((column, kind), varies) in enumerate(zip(self._columns, varying, strict=True)):
            if varies:
                arrays.append(f"CAST(:rows_{len(arrays)} AS {kind}[])")
                names.append(column)
            fields.append(column if varies else f"CAST(:all_{n} AS {kind}) AS {column}")
        batch = f"unnest({', '.join(arrays)}) AS {name}({', '.join(names)})"
        return batch if all(varying) else f"(SELECT {', '.join(fields)} FROM {batch}) AS {name}"


def _sifted(columns: Rows, params: dict[str, Any]) -> tuple[Rows, Varying]:
    """The columns that vary, and which they are; the values of the others go to `params`."""
    varying = [column.count(column[0]) != len(column) for column in columns]
    varying[0] = varying[0] or not any(varying)  # some column has to say how many rows there are
    params.update((f"all_{n}", columns[n][0]) for n, varies in enumerate(varying) if not varies)
    return [column for column, varies in zip(columns, varying, strict=True) if varies], tuple(varying)


def _columns(sql: str) -> list[tuple[str, str]]:
    """Name and type of each column of the batch."""
    found = _ROWS.search(sql)
    return [] if found is None else [(name, kind) for name, kind in map(str.split, found[1].split(","))]


def _numbered(sql: str) -> tuple[str, list[str]]:
    """The same with PostgreSQL's `$1` for `:name`, and the names in the order of their numbers."""
    order = list(dict.fromkeys(_NAMED.findall(sql)))
    return _NAMED.sub(lambda mark: f"${order.index(mark[1]) + 1}", sql), order


def _of_one(sql: str) -> str | None:
    """SQLite's change of one row, its values by number; None for what is no mere change of rows by what a batch says.

    To be handed a value costs SQLite a third of taking it out of JSON, and each row is found by its key in either case.
    """
    found = _CHANGE.fullmatch(sql)
    if found is None or "RETURNING" in sql:
        return None
    change, _, alias, where = found.groups()
    numbers = {f"{alias}.{name}": f"?{n}" for n, (name, _) in enumerate(_columns(sql), 1)}
    return re.sub(rf"\b{alias}\.\w+", lambda mark: numbers[mark[0]], f"{change} WHERE {where}")


class Deletion:
    """Delete the rows of a table that have the keys of a batch; `columns` as in `@rows`, such as `id bigint`.

    Of keys of several columns each store has a way of its own to begin with the batch: said as the other would have it,
    PostgreSQL passes over all of the table for each of its rows.
    """

    def __init__(self, table: str, columns: str) -> None:
        names = [column.split()[0] for column in columns.split(",")]
        listed, found = ", ".join(names), ", ".join(f"r.{name}" for name in names)
        same = " AND ".join(f"{table}.{name} = r.{name}" for name in names)
        self.sqlite = Statement(f"DELETE FROM {table} WHERE ({listed}) IN (SELECT {found} FROM @rows({columns}) r)")
        self.postgresql = Statement(f"DELETE FROM {table} USING @rows({columns}) r WHERE {same}")

    def run(self, connection: Connection, rows: Rows) -> int:
        """How many rows are gone."""
        if isinstance(driver_of(connection), sqlite3.Connection):
            return self.sqlite.run(connection, rows)
        return self.postgresql.run(connection, rows)


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
        driver = driver_of(connection)
        if isinstance(driver, sqlite3.Connection) and not driver.in_transaction:
            raise  # a full disk has ended all of the transaction
        _say(connection, "ROLLBACK TO SAVEPOINT inside")
        _say(connection, "RELEASE SAVEPOINT inside")
        raise
    _say(connection, "RELEASE SAVEPOINT inside")


def _say(connection: Connection, command: str) -> None:
    said = driver_of(connection).execute(command)
    if not isinstance(said, sqlite3.Cursor):
        await_(said)
