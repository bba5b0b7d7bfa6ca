"""Codes put at the end of a line, as many with one statement as a load can put without keeping anybody waiting.

Both stores are given the codes in the order of the unique index, which grows a quarter faster for it; the numbers stay
those of their codes. SQLite sorts them itself, out of one JSON text: all that while it needs no Python, so that others
go on, and whoever makes the next codes at the same time is not stopped for each row.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count, repeat
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import Connection

from promograph.store.bulk import TAKEN, Insertion
from promograph.store.databases.database import Database
from promograph.store.statements import Statement, driver_of, savepoint
from promograph.store.tables.instants import to_micros

_EXISTING = Statement("SELECT c.key, c.promotion_id FROM @rows(key text) r JOIN code c ON c.key = r.key")
_NEW = Insertion("code", "promotion_id bigint, seq bigint, key text")
_NEW_WITH_MORE = Insertion("code", "promotion_id bigint, seq bigint, key text, text text, expires_at bigint")

# Where no row can fail it, SQLite keeps no copy of the pages that a statement writes to, which is half of the work.
_SQLITE = (
    "INSERT OR IGNORE INTO code (promotion_id, seq, key) "
    "SELECT ?, ? + r.key, r.value FROM json_each(?) r ORDER BY r.value"
)
_SQLITE_WITH_MORE = "INSERT OR IGNORE INTO code (promotion_id, seq, key, text, expires_at) VALUES (?, ?, ?, ?, ?)"
_SQLITE_UNDONE = "DELETE FROM code WHERE promotion_id = ? AND seq >= ?"

_SORTED_AT_ONCE = 20_000
"""PostgreSQL is still writing these while the next ones are being sorted."""

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Codes:
    """Codes in the order in which they are to be given out; `expires` are instants of their own, if any has one."""

    texts: Sequence[str]
    keys: Sequence[str]
    expires: Sequence[datetime | None] = ()

    def part(self, start: int, stop: int) -> "Codes":
        piece = slice(start, stop)
        return Codes(texts=self.texts[piece], keys=self.keys[piece], expires=self.expires[piece])

    def without(self, keys: Iterable[str]) -> "Codes":
        left = [place for place, key in enumerate(self.keys) if key not in keys]
        return Codes(
            texts=[self.texts[place] for place in left],
            keys=[self.keys[place] for place in left],
            expires=[self.expires[place] for place in left] if self.expires else (),
        )

    @property
    def are_keys(self) -> bool:
        """Whether nothing has to be kept of them besides their keys."""
        return self.texts == self.keys and not any(self.expires)

    def rows(self, promotion_id: int, first: int) -> Iterable[Row]:
        """Promotion, number, key; and where the codes are not just keys, the text if it is another, and the expiry."""
        ids, numbers = repeat(promotion_id), count(first)
        if self.are_keys:
            return zip(ids, numbers, self.keys, strict=False)
        shown = [None if text == key else text for text, key in zip(self.texts, self.keys, strict=True)]
        expires = [None if instant is None else to_micros(instant) for instant in self.expires] or repeat(None)
        return zip(ids, numbers, self.keys, shown, expires, strict=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """Where it stopped among the codes, the number that comes next, and the keys that were codes already (of whom)."""

    stop: int
    next: int
    taken: dict[str, int]


def fill(connection: Connection, database: Database, promotion_id: int, first: int, codes: Codes, start: int) -> Filled:
    """Put codes from the place `start` on into the line, from number `first` on, until others want the store."""
    taken: dict[str, int] = {}
    stop, number = start, first
    while stop < len(codes.keys):
        piece = codes.part(stop, stop + database.load_piece)
        found = put(connection, promotion_id, number, piece)
        number += len(piece.keys) - len(found)
        stop += len(piece.keys)
        taken |= found
        if database.is_waited_for:
            break
    return Filled(stop=stop, next=number, taken=taken)


def put(connection: Connection, promotion_id: int, first: int, codes: Codes) -> dict[str, int]:
    """Write them, numbered from `first`; of their keys, those that are codes already, with the promotions they have.

    The numbers of the others close up, so that the line has no gaps. No key may be there twice.
    """
    taken: dict[str, int] = {}
    # Most pieces are new from end to end, and the unique index says so for nothing. Where it objects, ask which ones
    # are not; another load may add some between the question and the second try.
    while not _are_new(connection, promotion_id, first, codes):
        found = existing(connection, codes.keys)
        if not found:
            raise ValueError("a key is twice among the codes of one piece")
        taken |= found
        codes = codes.without(found)
    return taken


def existing(connection: Connection, keys: Sequence[str]) -> dict[str, int]:
    """Of these keys, those that are codes already, with the promotions that have them."""
    return dict(_EXISTING.fetch(connection, [(key,) for key in keys]))


def _are_new(connection: Connection, promotion_id: int, first: int, codes: Codes) -> bool:
    """Write all of them; or none, where one is a code already."""
    driver = driver_of(connection)
    if isinstance(driver, sqlite3.Connection):
        return _are_new_to_sqlite(driver, promotion_id, first, codes)
    try:
        with savepoint(connection):
            rows = _Sorted(codes, promotion_id, first)
            (_NEW if codes.are_keys else _NEW_WITH_MORE).run(connection, rows)
    except TAKEN:
        return False
    return True


def _are_new_to_sqlite(driver: sqlite3.Connection, promotion_id: int, first: int, codes: Codes) -> bool:
    if codes.are_keys:
        done = driver.execute(_SQLITE, (promotion_id, first, orjson.dumps(codes.keys).decode()))
    else:
        done = driver.executemany(_SQLITE_WITH_MORE, sorted(codes.rows(promotion_id, first), key=itemgetter(2)))
    if done.rowcount == len(codes.keys):
        return True
    driver.execute(_SQLITE_UNDONE, (promotion_id, first))
    return False


class _Sorted:
    """Rows in the order of their keys, so many at a time: a batch for an Insertion."""

    def __init__(self, codes: Codes, promotion_id: int, first: int) -> None:
        self._codes = codes
        self._promotion_id = promotion_id
        self._first = first

    def __len__(self) -> int:
        return len(self._codes.keys)

    def __iter__(self) -> Iterator[Row]:
        for start in range(0, len(self), _SORTED_AT_ONCE):
            rows = self._codes.part(start, start + _SORTED_AT_ONCE).rows(self._promotion_id, self._first + start)
            yield from sorted(rows, key=itemgetter(2))
