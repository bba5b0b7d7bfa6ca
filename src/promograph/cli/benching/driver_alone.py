"""Loading rows with the driver alone: what a bulk load could cost at the least on this store.

The table is a copy of the real one with its indexes, apart from it; the rows are prepared before the clock starts.
"""

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from time import perf_counter

import asyncpg

CodeRow = tuple[int, int, str, None, bool, int]

_COLUMNS = ("promotion_id", "seq", "key", "text", "blocked", "uses")


def code_rows(keys: Sequence[str]) -> list[CodeRow]:
    return [(1, number, key, None, False, 0) for number, key in enumerate(keys, 1)]


def sqlite_seconds(store: Path, rows: Sequence[CodeRow]) -> float:
    """`executemany`, in one transaction, into a new file beside the store's."""
    with sqlite_copy(store, "code") as copy:
        began = perf_counter()
        copy.execute("BEGIN")
        copy.executemany(f"INSERT INTO code ({', '.join(_COLUMNS)}) VALUES (?, ?, ?, ?, ?, ?)", rows)
        copy.execute("COMMIT")
        return perf_counter() - began


@contextmanager
def sqlite_copy(store: Path, table: str) -> Iterator[sqlite3.Connection]:
    """A file beside the store's with this table of it, its indexes too, and no rows; transactions are said by hand."""
    with closing(sqlite3.connect(store)) as real:
        found = real.execute("SELECT sql FROM sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL", (table,))
        statements = [row[0] for row in found.fetchall()]
    with closing(sqlite3.connect(store.with_suffix(f".driver-{table}"), isolation_level=None)) as copy:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-65536"):
            copy.execute(f"PRAGMA {pragma}")
        for statement in statements:
            copy.execute(statement)
        yield copy


def postgres_seconds(url: str, rows: Sequence[CodeRow]) -> float:
    """COPY, in one transaction, into a table that is dropped afterwards."""
    return asyncio.run(_copied(url, rows))


async def _copied(url: str, rows: Sequence[CodeRow]) -> float:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("CREATE TABLE code_of_the_bench (LIKE code INCLUDING ALL)")
        began = perf_counter()
        await connection.copy_records_to_table("code_of_the_bench", records=rows, columns=_COLUMNS)
        seconds = perf_counter() - began
        await connection.execute("DROP TABLE code_of_the_bench")
        return seconds
    finally:
        await connection.close()
