"""Adding codes to the end of a promotion's line: claimed, filled in pieces, then made visible at once.

Codes numbered above the line's tail are invisible to everybody, so that a load may commit piece by piece (others are
kept waiting for one piece at the most) and is yet all or nothing: the last step moves the tail. What a load that died
left above the tail is deleted when the next one claims the line.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection

from promograph.errors import BadInput, InputProblem
from promograph.store import jobs, stock, stock_telling
from promograph.store.statements import Statement
from promograph.store.tables.instants import to_micros

_ABANDONED_AFTER = timedelta(seconds=60)
_JOB = "job-"

# Taking the line's end waits until a piece that its owner is just writing is there to be seen, and cleared away.
_LOADER = Statement("SELECT loader, loader_seen_at FROM stock s WHERE promotion_id = :id @seize(s)")
_HELD = Statement("SELECT promotion_id FROM stock s WHERE promotion_id = :id AND loader = :loader @hold(s)")
_CLAIM = Statement("UPDATE stock SET loader = :loader, loader_seen_at = :now WHERE promotion_id = :id")
_SEEN = Statement("UPDATE stock SET loader_seen_at = :now WHERE promotion_id = :id AND loader = :loader")
_CLEAR = Statement("DELETE FROM code WHERE promotion_id = :id AND seq > :tail")
_CLEAR_FROM = Statement("DELETE FROM code WHERE promotion_id = :id AND seq >= :first AND seq > :tail")
_BATCH = Statement(
    "INSERT INTO batch (promotion_id, source, channel, first_seq, last_seq, size, report, created_at) "
    "VALUES (:id, :source, :channel, :first, :last, :size, :report, :now) RETURNING id"
)
_REPORT = Statement("UPDATE batch SET report = :report FROM @rows(id bigint) r WHERE batch.id = r.id")
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
    held_by, seen_at = _LOADER.fetch(connection, id=promotion_id)[0]
    counters = stock.lock(connection, [promotion_id])[promotion_id]
    if held_by is not None and _moves(connection, held_by, seen_at, now):
        raise BadInput(
            InputProblem.BUSY,
            "Codes are being added to this promotion already; try again when that is done (a load that was "
            "interrupted gives way after a minute, a job goes on as soon as a server runs).",
            field=("promotion",),
        )
    if held_by is not None:
        _CLEAR.run(connection, id=promotion_id, tail=counters.tail)
    _CLAIM.run(connection, id=promotion_id, loader=loader, now=to_micros(now))
    return Load(promotion_id=promotion_id, loader=loader, first=counters.tail + 1)


def loader_of_job(job_id: int) -> str:
    """The name of a claim that is a job's until the job ends."""
    return f"{_JOB}{job_id}"


def _moves(connection: Connection, loader: str, seen_at: int, now: datetime) -> bool:
    """Whether a claim is to be respected yet. A job that stands still will be gone on with; another load is lost."""
    if loader.startswith(_JOB):
        return jobs.is_open(connection, int(loader.removeprefix(_JOB)))
    return to_micros(now - _ABANDONED_AFTER) < seen_at


def check_held(connection: Connection, load: Load) -> None:
    """Keep the line's end until this transaction ends; BadInput (BUSY) as in `seen`."""
    if not _HELD.fetch(connection, id=load.promotion_id, loader=load.loader):
        raise _overtaken()


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
    size = last - load.first + 1  # the line has no gaps, and counting millions would keep everybody waiting
    if not _PUBLISH.run(
        connection, id=load.promotion_id, loader=load.loader, last=max(last, load.first - 1), size=size
    ):
        raise _overtaken()
    if not size:
        return None
    counters = stock.read(connection, [load.promotion_id])
    stock_telling.tell_by_id(connection, counters.values(), now)
    stock.save(connection, counters.values())
    span = (load.first, last)
    return add_batch(connection, load.promotion_id, span, size, source=source, channel=channel, report=report, now=now)


def add_batch(
    connection: Connection,
    promotion_id: int,
    span: tuple[int, int],
    size: int,
    *,
    source: str,
    channel: str | None,
    report: dict[str, Any],
    now: datetime,
) -> int:
    """A batch of the codes numbered from the span's beginning to its end; its id."""
    rows = _BATCH.fetch(
        connection,
        id=promotion_id,
        source=source,
        channel=channel,
        first=span[0],
        last=span[1],
        size=size,
        report=orjson.dumps(report).decode(),
        now=to_micros(now),
    )
    return int(rows[0][0])


def report_on(connection: Connection, batch_ids: Sequence[int], report: dict[str, Any]) -> None:
    """Write down what is known of batches only when all of their file has been read."""
    _REPORT.run(connection, [(id_,) for id_ in batch_ids], report=orjson.dumps(report).decode())


def release(connection: Connection, load: Load) -> None:
    """Give back a line's end to which nothing was added."""
    _RELEASE.run(connection, id=load.promotion_id, loader=load.loader)


def abandon(connection: Connection, load: Load) -> None:
    """Undo a load that failed: its codes go, and the line's end is free."""
    _LOADER.fetch(connection, id=load.promotion_id)  # a piece whose caller has gone may be on its way to its commit
    counters = stock.lock(connection, [load.promotion_id])[load.promotion_id]
    if _RELEASE.run(connection, id=load.promotion_id, loader=load.loader):
        _CLEAR.run(connection, id=load.promotion_id, tail=counters.tail)


def clear(connection: Connection, load: Load, first: int) -> None:
    """Delete what was put there, from number `first` on; nothing that can be seen."""
    counters = stock.read(connection, [load.promotion_id])[load.promotion_id]
    _CLEAR_FROM.run(connection, id=load.promotion_id, first=first, tail=counters.tail)


def _overtaken() -> BadInput:
    return BadInput(
        InputProblem.BUSY,
        "This load stood still for over a minute and another one took its place; none of its codes was added.",
        field=("promotion",),
    )
