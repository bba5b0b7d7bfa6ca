"""Sales that promograph does not know of yet, in a file of the shop: kept before the shopper is told anything.

The file is SQLite's, so that several processes of a shop share it and a crash loses nothing that was kept.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

_TABLE = (
    "CREATE TABLE IF NOT EXISTS late_sale (number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, "
    "operation TEXT NOT NULL, input TEXT NOT NULL, wish TEXT NOT NULL, sold_at TEXT NOT NULL, refusals TEXT)"
)
_COLUMNS = "key, operation, input, wish, sold_at, refusals"
_BUSY_SECONDS = 10.0


class Wish(StrEnum):
    """What is to be done: REPORT the sale; or UNDO it, should promograph have heard of it after all. UNDONE: it is."""

    REPORT = "REPORT"
    UNDO = "UNDO"
    UNDONE = "UNDONE"


@dataclass(frozen=True, slots=True, kw_only=True)
class LateSale:
    """`input` is that of the operation, as JSON. `refusals` are user errors: it was reported, and turned down."""

    key: str
    operation: str
    input: dict[str, Any]
    wish: Wish
    sold_at: datetime
    refusals: list[dict[str, Any]] | None = None


class LateSales:
    """The file at `path`, made when it is first needed."""

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)

    def keep(self, sale: LateSale) -> None:
        """On disk when this returns. What is kept under the key already stays as it is."""
        with self._open() as file:
            file.execute(
                f"INSERT INTO late_sale ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, NULL) ON CONFLICT (key) DO NOTHING",
                (sale.key, sale.operation, json.dumps(sale.input), sale.wish, sale.sold_at.isoformat()),
            )

    def waiting(self) -> list[LateSale]:
        """Those that promograph has not answered to yet, the oldest first."""
        return self._read("refusals IS NULL AND wish <> 'UNDONE'")

    def refused(self) -> list[LateSale]:
        """Those that it has turned down: discounts that were given and count nowhere, until somebody looks."""
        return self._read("refusals IS NOT NULL")

    def cancel(self, key: str) -> bool:
        """The order was cancelled: whatever came or comes of its report is undone. False where none is kept."""
        with self._open() as file:
            changed = file.execute(
                "UPDATE late_sale SET wish = 'UNDO', refusals = NULL WHERE key = ? AND wish = 'REPORT'", (key,)
            )
            return changed.rowcount > 0

    def is_undone(self, key: str) -> bool:
        """Whether a sale under this key was, or is to be, undone: the key is used up, as what it answers is history."""
        if not self._path.exists():
            return False
        with self._open() as file:
            return bool(file.execute("SELECT 1 FROM late_sale WHERE key = ? AND wish <> 'REPORT'", (key,)).fetchone())

    def done(self, sale: LateSale) -> None:
        """Reported, unless it was cancelled meanwhile; or undone, which is remembered."""
        with self._open() as file:
            if sale.wish is Wish.REPORT:
                file.execute("DELETE FROM late_sale WHERE key = ? AND wish = 'REPORT'", (sale.key,))
            else:
                file.execute("UPDATE late_sale SET wish = 'UNDONE' WHERE key = ?", (sale.key,))

    def turned_down(self, sale: LateSale, refusals: list[dict[str, Any]]) -> None:
        with self._open() as file:
            file.execute(
                "UPDATE late_sale SET refusals = ? WHERE key = ? AND wish = 'REPORT'", (json.dumps(refusals), sale.key)
            )

    def _read(self, condition: str) -> list[LateSale]:
        if not self._path.exists():
            return []
        with self._open() as file:
            rows = file.execute(f"SELECT {_COLUMNS} FROM late_sale WHERE {condition} ORDER BY number").fetchall()
        return [
            LateSale(
                key=key,
                operation=operation,
                input=json.loads(input_),
                wish=Wish(wish),
                sold_at=datetime.fromisoformat(sold_at),
                refusals=None if refusals is None else json.loads(refusals),
            )
            for key, operation, input_, wish, sold_at, refusals in rows
        ]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """One transaction, durable at its end. A connection each: late sales are rare, and threads need not care."""
        with closing(sqlite3.connect(self._path, timeout=_BUSY_SECONDS)) as file:
            file.execute("PRAGMA synchronous = FULL")
            with file:
                file.execute(_TABLE)
                yield file


def now() -> datetime:
    return datetime.now(UTC)
