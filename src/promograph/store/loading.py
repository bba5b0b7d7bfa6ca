"""Adding codes to the end of a promotion's line: claimed, filled in pieces, then made visible at once.

Codes numbered above the line's tail are invisible to everybody, so that a load may commit piece by piece (others are
kept waiting for one piece at the most) and is yet all or nothing: the last step moves the tail. What a load that died
left above the tail is deleted when the next one claims the line.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import orjson
from sqlalchemy import Connection
from sqlalchemy.util import await_only

from promograph.errors import BadInput, InputProblem
from promograph.store import stock
from promograph.store.postgres import driver_connection
from promograph.store.statements import Statement
from promograph.store.tables import to_micros

NewCode = tuple[int, str, str | None]
"""A code to add: its number, its key, and its text where that differs from the key."""

_ABANDONED_AFTER = timedelta(seconds=60)

_LOADER = Statement("SELECT loader, loader_seen_at FROM stock WHERE promotion_id = :id")
_CLAIM = Statement("UPDATE stock SET loader = :loader, loader_seen_at = :now WHERE promotion_id = :id")
_SEEN = Statement("UPDATE stock SET loader_seen_at = :now WHERE promotion_id = :id AND loader = :loader")
_CLEAR = Statement("DELETE FROM code WHERE promotion_id = :id AND seq > :tail")
_EXISTING = Statement("SELECT c.key, c.promotion_id FROM @rows(key text) r JOIN code c ON c.key = r.key")
_PUT = Statement(
    "INSERT INTO code (promotion_id, seq, key, text, blocked, uses) "
    "SELECT :id, r.seq, r.key, r.text, false, 0 FROM @rows(seq bigint, key text, text text) r WHERE true "
    "ON CONFLICT (key) DO NOTHING"
)
_PUT_SQLITE = (
    "INSERT INTO code (promotion_id, seq, key, text, blocked, uses) VALUES (?, ?, ?, ?, 0, 0) "
    "ON CONFLICT (key) DO NOTHING"
)
_COUNT = Statement("SELECT count(*) FROM code WHERE promotion_id = :id AND seq >= :first AND seq <= :last")
_BATCH = Statement(
    "INSERT INTO batch (promotion_id, source, channel, first_seq, last_seq, size, report, created_at) "
    "VALUES (:id, :source, :channel, :first, :last, :size, :report, :now) RETURNING id"
)
_PUBLISH = Statement(
    "UPDATE stock SET tail = :last, available = available + :size, loader = NULL, loader_seen_at = NULL "
    "WHERE promotion_id = :id AND loader = :loader"
)
_RELEASE = Statement(
    "UPDATE stock SET loader = NULL, loader_seen_at = NULL WHERE promotion_id = :id AND loader = :loader"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A claimed line's end. `loader` names the claim; the first code gets the number `first`."""

    promotion_id: int
    loader: str
    first: int


def claim(connection: Connection, promotion_id: int, loader: str, now: datetime) -> Load:
    """Take the line's end; BadInput (BUSY) while another load that still moves has it."""
    counters = stock.lock(connection, [promotion_id])[promotion_id]
    held_by, seen_at = _LOADER.fetch(connection, id=promotion_id)[0]
    if held_by is not None and to_micros(now - _ABANDONED_AFTER) < seen_at:
        raise BadInput(
            InputProblem.BUSY,
            "Codes are being added to this promotion already; try again when that is done (a load that was "
            "interrupted gives way after a minute).",
            field=("promotion",),
        )
    if held_by is not None:
        _CLEAR.run(connection, id=promotion_id, tail=counters.tail)
    _CLAIM.run(connection, id=promotion_id, loader=loader, now=to_micros(now))
    return Load(promotion_id=promotion_id, loader=loader, first=counters.tail + 1)


def existing(connection: Connection, keys: Sequence[str]) -> dict[str, int]:
    """Of these keys, those that are taken, with the promotion that has them."""
    return {row[0]: row[1] for row in _EXISTING.fetch(connection, [(key,) for key in keys])}


def put(connection: Connection, load: Load, codes: Sequence[NewCode]) -> int:
    """Write a piece; how many were new. The others' keys were taken meanwhile, and their numbers stay unused."""
    if connection.dialect.name == "sqlite":
        rows = [(load.promotion_id, *code) for code in codes]
        return connection.exec_driver_sql(_PUT_SQLITE, rows).rowcount
    before = connection.begin_nested()
    try:
        _copy(connection, load, codes)
    except asyncpg.UniqueViolationError:
        before.rollback()  # rare, and slower: say for each row what to do
        return _PUT.run(connection, codes, id=load.promotion_id)
    before.commit()
    return len(codes)


def _copy(connection: Connection, load: Load, codes: Sequence[NewCode]) -> None:
    driver: Any = driver_connection(connection)
    id_ = load.promotion_id
    await_only(
        driver.copy_records_to_table(
            "code",
            columns=("promotion_id", "seq", "key", "text", "blocked", "uses"),
            records=[(id_, seq, key, text, False, 0) for seq, key, text in codes],
        )
    )


def seen(connection: Connection, load: Load, now: datetime) -> None:
    """Say that the load still moves; BadInput (BUSY) when it was taken for dead and its place was taken."""
    if not _SEEN.run(connection, id=load.promotion_id, loader=load.loader, now=to_micros(now)):
        raise _overtaken()


def publish(
    connection: Connection,
    load: Load,
    last: int,
    *,
    source: str,
    channel: str | None,
    report: dict[str, Any],
    now: datetime,
) -> int | None:
    """Make the codes up to number `last` visible and give back the line's end. The batch's id; None for no codes."""
    stock.lock(connection, [load.promotion_id])
    size = _COUNT.fetch(connection, id=load.promotion_id, first=load.first, last=last)[0][0]
    if not _PUBLISH.run(
        connection, id=load.promotion_id, loader=load.loader, last=max(last, load.first - 1), size=size
    ):
        raise _overtaken()
    if not size:
        return None
    rows = _BATCH.fetch(
        connection,
        id=load.promotion_id,
        source=source,
        channel=channel,
        first=load.first,
        last=last,
        size=size,
        report=orjson.dumps(report).decode(),
        now=to_micros(now),
    )
    return int(rows[0][0])


def abandon(connection: Connection, load: Load) -> None:
    """Undo a load that failed: its codes go, and the line's end is free."""
    counters = stock.lock(connection, [load.promotion_id])[load.promotion_id]
    if _RELEASE.run(connection, id=load.promotion_id, loader=load.loader):
        _CLEAR.run(connection, id=load.promotion_id, tail=counters.tail)


def _overtaken() -> BadInput:
    return BadInput(
        InputProblem.BUSY,
        "This load stood still for over a minute and another one took its place; none of its codes was added.",
        field=("promotion",),
    )
