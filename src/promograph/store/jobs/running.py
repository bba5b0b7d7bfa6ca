"""Jobs in hand: taken, kept, given back, ended. Each is one guarded statement; whoever comes too late changes nothing.

A process that has a job writes down how far it is in the transaction of the work itself, and only while the job is
its own: so what was done is what is written down, whatever instant it is killed at, and one that was taken for dead
while it only stood still cannot do a thing twice.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from promograph.domain.jobs import Job, JobKind, JobStatus, Progress, Result
from promograph.errors import BadInput
from promograph.store.jobs import SHOWN, dump_error, job_of
from promograph.store.statements import Statement
from promograph.store.tables.instants import to_micros

_MOST_LOOKED_AT = 200

_OPEN = Statement(
    "SELECT id, owner, beat, cancel_asked FROM @rows(kind text) r JOIN job j ON j.kind = r.kind "
    f"WHERE finished_at IS NULL ORDER BY id LIMIT {_MOST_LOOKED_AT}"
)
_ONE = Statement("SELECT id, owner, beat, cancel_asked FROM job WHERE id = :id AND finished_at IS NULL")
_TAKE = Statement(
    "UPDATE job SET status = 'RUNNING', owner = :owner, beat = beat + 1, takes = takes + 1, "
    "started_at = coalesce(started_at, :now) WHERE id = :id AND beat = :beat AND finished_at IS NULL "
    f"RETURNING {SHOWN}, input, progress, beat, takes"
)
_OWN = "WHERE id = :id AND owner = :owner AND finished_at IS NULL"
_KEEP = Statement(
    "UPDATE job SET progress = :progress, done = :done, total = :total, failed = :failed, beat = beat + 1, "
    "takes = CASE WHEN CAST(:is_undoing AS boolean) THEN takes ELSE 1 END "
    f"{_OWN} RETURNING cancel_asked"
)
_BEGIN = Statement("UPDATE job SET progress = :progress WHERE id = :id")
_BEAT = Statement(f"UPDATE job SET beat = beat + 1 {_OWN} RETURNING cancel_asked")
_GIVE_BACK = Statement(f"UPDATE job SET status = 'WAITING', owner = NULL, beat = beat + 1, takes = takes - 1 {_OWN}")
_END = Statement(
    "UPDATE job SET status = :status, report = :report, error = :error, done = coalesce(:done, done), "
    "total = coalesce(:total, total), failed = coalesce(:failed, failed), batch_id = coalesce(:batch_id, batch_id), "
    f"owner = NULL, beat = beat + 1, finished_at = :now {_OWN}"
)
_CANCEL = Statement(f"UPDATE job SET cancel_asked = true WHERE id = :id AND finished_at IS NULL RETURNING {SHOWN}")


class Overtaken(Exception):
    """The job is no longer this process's: another one took it for dead, or has ended it."""


@dataclass(frozen=True, slots=True)
class Open:
    """A job that has not ended, as it was when it was looked at."""

    id: int
    owner: str | None
    beat: int
    cancel_asked: bool


@dataclass(frozen=True, slots=True)
class InHand:
    """A job just taken up, with what is for its kind alone."""

    job: Job
    input: Any
    progress: Progress
    takes: int


def unfinished(connection: Connection, kinds: Iterable[JobKind]) -> list[Open]:
    """Jobs of these kinds that wait or run, the oldest first."""
    return [Open(*row) for row in _OPEN.fetch(connection, [(kind,) for kind in kinds])]


def look(connection: Connection, id_: int) -> Open | None:
    """One of them; None where it has ended, or is not there."""
    rows = _ONE.fetch(connection, id=id_)
    return Open(*rows[0]) if rows else None


def take(connection: Connection, seen: Open, owner: str, now: datetime) -> InHand | None:
    """Make it this owner's, unless anything has happened to it since it was `seen`."""
    rows = _TAKE.fetch(connection, id=seen.id, beat=seen.beat, owner=owner, now=to_micros(now))
    if not rows:
        return None
    *shown, input_, progress, _, takes = rows[0]
    job = job_of(shown)
    state = None if progress is None else orjson.loads(progress)
    so_far = Progress(state=state, done=job.done, total=job.total, failed=job.failed)
    return InHand(job, orjson.loads(input_), so_far, takes)


def keep(connection: Connection, id_: int, owner: str, progress: Progress, *, is_undoing: bool = False) -> bool:
    """Write down how far it is, in the transaction of the work; whether somebody wants it cancelled. Overtaken."""
    rows = _KEEP.fetch(
        connection,
        id=id_,
        owner=owner,
        progress=orjson.dumps(progress.state).decode(),
        done=progress.done,
        total=progress.total,
        failed=progress.failed,
        is_undoing=is_undoing,
    )
    return _answer(rows)


def begin(connection: Connection, id_: int, progress: Progress) -> None:
    """The first progress of a job that this transaction has made."""
    _BEGIN.run(connection, id=id_, progress=orjson.dumps(progress.state).decode())


def beat(connection: Connection, id_: int, owner: str) -> bool:
    """Say that its owner lives; whether somebody wants it cancelled. Overtaken."""
    return _answer(_BEAT.fetch(connection, id=id_, owner=owner))


def give_back(connection: Connection, id_: int, owner: str) -> None:
    """Let the next one take it at once."""
    _GIVE_BACK.run(connection, id=id_, owner=owner)


def end(connection: Connection, id_: int, owner: str, status: JobStatus, now: datetime, result: Result) -> None:
    """End it for good, in the transaction of its last work. Overtaken."""
    _end(connection, id_, owner, status, now, result, None)


def fail(connection: Connection, id_: int, owner: str, now: datetime, error: BadInput) -> None:
    """End it as FAILED. Overtaken."""
    _end(connection, id_, owner, JobStatus.FAILED, now, Result(), error)


def ask_cancel(connection: Connection, id_: int) -> Job | None:
    """Have it cancelled by whoever has it, or takes it next. None where it has ended, or is not there."""
    rows = _CANCEL.fetch(connection, id=id_)
    return job_of(rows[0]) if rows else None


def _end(
    connection: Connection,
    id_: int,
    owner: str,
    status: JobStatus,
    now: datetime,
    result: Result,
    error: BadInput | None,
) -> None:
    changed = _END.run(
        connection,
        id=id_,
        owner=owner,
        status=status,
        now=to_micros(now),
        report=None if result.report is None else orjson.dumps(result.report).decode(),
        error=None if error is None else dump_error(error),
        done=result.done,
        total=result.total,
        failed=result.failed,
        batch_id=result.batch_id,
    )
    if not changed:
        raise Overtaken


def _answer(rows: list[Any]) -> bool:
    if not rows:
        raise Overtaken
    return bool(rows[0][0])
