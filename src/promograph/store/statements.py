"""SQL written once for both stores, with a whole batch as one parameter.

Two marks are filled in by dialect, everything else is said in the SQL that both understand:

- `@rows(ord bigint, key text) r` is the batch: PostgreSQL unnests one array a column, SQLite reads one JSON text.
  The statement's text stays the same however long the batch, so that neither store ever compiles it anew.
- `@lock(code)` locks the rows found in that table until the transaction ends, in the order of the statement's
  ORDER BY. SQLite has one writer and needs no such words.
"""

import re
from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, TextClause, text

_ROWS = re.compile(r"@rows\(([^)]*)\)\s+(\w+)")
_LOCK = re.compile(r"@lock\((\w+)\)")


class Statement:
    """One statement. Its `rows` are tuples of texts, integers, booleans and None, in the order of the columns."""

    def __init__(self, sql: str) -> None:
        self._columns = _columns(sql)
        self._by_dialect = {
            "postgresql": text(_LOCK.sub(r"FOR UPDATE OF \1", _ROWS.sub(_unnested, sql))),
            "sqlite": text(_LOCK.sub("", _ROWS.sub(_from_json, sql))),
        }

    def fetch(self, connection: Connection, rows: Sequence[Sequence[Any]] | None = None, **params: Any) -> list[Any]:
        """Run it and return what it answers."""
        return list(self._execute(connection, rows, params))

    def run(self, connection: Connection, rows: Sequence[Sequence[Any]] | None = None, **params: Any) -> int:
        """Run it and return how many rows it changed."""
        return int(self._execute(connection, rows, params).rowcount)

    def _execute(self, connection: Connection, rows: Sequence[Sequence[Any]] | None, params: dict[str, Any]) -> Any:
        dialect = connection.dialect.name
        statement: TextClause = self._by_dialect[dialect]
        if rows is not None:
            params.update(self._bound(dialect, rows))
        return connection.execute(statement, params)

    def _bound(self, dialect: str, rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
        if dialect == "sqlite":
            return {"rows": orjson.dumps(rows).decode()}
        if not rows:
            return {f"rows_{n}": [] for n in range(len(self._columns))}
        return {f"rows_{n}": list(column) for n, column in enumerate(zip(*rows, strict=True))}


def _columns(sql: str) -> list[tuple[str, str]]:
    found = _ROWS.search(sql)
    if found is None:
        return []
    return [(name, kind) for name, kind in (part.split() for part in found.group(1).split(","))]


def _unnested(mark: re.Match[str]) -> str:
    columns = _columns(mark.group(0))
    arrays = ", ".join(f"CAST(:rows_{n} AS {kind}[])" for n, (_, kind) in enumerate(columns))
    names = ", ".join(name for name, _ in columns)
    return f"unnest({arrays}) AS {mark.group(2)}({names})"


def _from_json(mark: re.Match[str]) -> str:
    columns = _columns(mark.group(0))
    fields = ", ".join(f"json_extract(value, '$[{n}]') AS {name}" for n, (name, _) in enumerate(columns))
    return f"(SELECT {fields} FROM json_each(:rows)) AS {mark.group(2)}"
