"""Jobs as rows: made, read, listed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from promograph.domain.jobs import Job, JobKind, JobStatus
from promograph.errors import BadInput, InputProblem
from promograph.store import keyset
from promograph.store.listing import Page, Slice
from promograph.store.statements import Statement
from promograph.store.tables.instants import from_micros, to_micros

SHOWN = (
    "id, kind, status, done, total, failed, report, error, promotion_id, batch_id, cancel_asked, "
    "created_at, started_at, finished_at"
)
"""What a `Job` is made of, in the order that `job_of` reads."""


_NEW = Statement(
    "INSERT INTO job (kind, status, input, total, promotion_id, batch_id, owner, takes, created_at, started_at) "
    "VALUES (:kind, :status, :input, :total, :promotion_id, :batch_id, :owner, :takes, :now, :started) "
    f"RETURNING {SHOWN}"
)
_READ = Statement(f"SELECT {SHOWN} FROM job WHERE id = :id")
_IS_OPEN = Statement("SELECT 1 FROM job WHERE id = :id AND finished_at IS NULL")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """What is to be done. `input` is for its kind alone, as JSON can say it. `total` where it is known already."""

    kind: JobKind
    input: Any
    total: int | None = None
    promotion_id: int | None = None
    batch_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobQuery:
    """Which jobs: all conditions hold. `kinds` are those that may be seen."""

    kinds: frozenset[JobKind]
    statuses: frozenset[JobStatus] = frozenset()
    promotion_id: int | None = None


def make(connection: Connection, new: NewJob, owner: str | None, now: datetime) -> Job:
    """A new job: its owner's from the beginning, or (with none) one that waits for whoever takes it."""
    rows = _NEW.fetch(
        connection,
        kind=new.kind,
        status=JobStatus.WAITING if owner is None else JobStatus.RUNNING,
        input=orjson.dumps(new.input).decode(),
        total=new.total,
        promotion_id=new.promotion_id,
        batch_id=new.batch_id,
        owner=owner,
        takes=0 if owner is None else 1,
        now=to_micros(now),
        started=None if owner is None else to_micros(now),
    )
    return job_of(rows[0])


def read(connection: Connection, id_: int) -> Job | None:
    rows = _READ.fetch(connection, id=id_)
    return job_of(rows[0]) if rows else None


def is_open(connection: Connection, id_: int) -> bool:
    """Whether there is such a job and it has not ended."""
    return bool(_IS_OPEN.fetch(connection, id=id_))


def page(connection: Connection, query: JobQuery, part: Slice) -> Page:
    """Jobs with their sort values (id,), the latest first."""
    rows = f"FROM job WHERE kind IN ({_listed(query.kinds)})"
    if query.statuses:
        rows += f" AND status IN ({_listed(query.statuses)})"
    if query.promotion_id is not None:
        rows += " AND promotion_id = :promotion"
    params = {} if query.promotion_id is None else {"promotion": query.promotion_id}
    found = keyset.page(connection, SHOWN, rows, params, part, descending=True)
    return Page([(values, job_of(row)) for values, row in found.rows], found.has_next, found.has_previous)


def _listed(names: Iterable[JobKind] | Iterable[JobStatus]) -> str:
    """Words of ours, which need no quoting; none of them where there are none."""
    return ", ".join(f"'{name}'" for name in sorted(names)) or "NULL"


def job_of(row: Sequence[Any]) -> Job:
    """From the columns of `SHOWN`, as the driver gives them."""
    id_, kind, status, done, total, failed, report, error, promotion, batch, cancel, created, started, finished = row
    return Job(
        id=id_,
        kind=JobKind(kind),
        status=JobStatus(status),
        done=done,
        total=total,
        failed=failed,
        report=None if report is None else orjson.loads(report),
        error=None if error is None else _error_of(orjson.loads(error)),
        promotion_id=promotion,
        batch_id=batch,
        cancel_asked=bool(cancel),
        created_at=from_micros(created),
        started_at=None if started is None else from_micros(started),
        finished_at=None if finished is None else from_micros(finished),
    )


def dump_error(error: BadInput) -> str:
    return orjson.dumps({"problem": error.problem, "message": str(error), "field": error.field}).decode()


def _error_of(kept: dict[str, Any]) -> BadInput:
    return BadInput(InputProblem(kept["problem"]), kept["message"], field=kept["field"])
