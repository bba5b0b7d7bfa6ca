"""Files of jobs, in parts: so that an upload outlives the server that took it, and every server can read it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from promograph.store.statements import Statement
from promograph.store.tables.instants import from_micros, to_micros

PART_BYTES = 1 << 20
"""About how much a part holds: little enough to be read and written without anybody waiting for it."""

_PARTS_AT_ONCE = 16

_SHOWN = "id, job_id, role, name, size, parts, digest, created_at, expires_at"
_NEW = Statement(
    "INSERT INTO job_file (job_id, role, name, created_at, expires_at) "
    f"VALUES (:job_id, :role, :name, :now, :expires) RETURNING {_SHOWN}"
)
_ADD = Statement("INSERT INTO job_file_part (file_id, part, content) VALUES (:id, :part, :content)")
_GROW = Statement("UPDATE job_file SET parts = :part + 1, size = size + :size WHERE id = :id AND parts = :part")
_CLOSE = Statement("UPDATE job_file SET digest = :digest WHERE id = :id")
_GIVE = Statement(
    "UPDATE job_file SET job_id = :job_id, expires_at = :expires WHERE id = :id "
    "AND (job_id IS NULL OR job_id = :job_id)"
)
_EXPIRE = Statement("UPDATE job_file SET expires_at = :now WHERE job_id = :job_id AND role = :role")
_FORGET = Statement("UPDATE job_file SET expires_at = :now WHERE id = :id AND job_id IS NULL")
_READ = Statement(f"SELECT {_SHOWN} FROM job_file WHERE id = :id")
_OF_JOB = Statement(f"SELECT {_SHOWN} FROM job_file WHERE job_id = :job_id ORDER BY id")
_PART = Statement("SELECT content FROM job_file_part WHERE file_id = :id AND part = :part")
_EXPIRED = Statement("SELECT id, parts FROM job_file WHERE expires_at <= :now ORDER BY expires_at, id LIMIT 1")
_DROP_PARTS = Statement("DELETE FROM job_file_part WHERE file_id = :id AND part >= :first")
_SHRINK = Statement("UPDATE job_file SET parts = :first WHERE id = :id")
_DROP = Statement("DELETE FROM job_file WHERE id = :id")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFile:
    """`role` tells a job's files apart, such as `input`. `digest` is the content's SHA-256, once it is complete."""

    id: int
    job_id: int | None
    role: str
    name: str
    size: int
    parts: int
    digest: str | None
    created_at: datetime
    expires_at: datetime


def make(
    connection: Connection, role: str, name: str, *, job_id: int | None, now: datetime, expires_at: datetime
) -> JobFile:
    """An empty file."""
    rows = _NEW.fetch(
        connection, job_id=job_id, role=role, name=name[:255], now=to_micros(now), expires=to_micros(expires_at)
    )
    return _file(rows[0])


def add(connection: Connection, id_: int, part: int, content: bytes) -> None:
    """Add its next part, number `part` from 0; a part that is there already fails the transaction."""
    _ADD.run(connection, id=id_, part=part, content=content)
    if not _GROW.run(connection, id=id_, part=part, size=len(content)):
        raise ValueError(f"part {part} is not the file's next one")


def close(connection: Connection, id_: int, digest: str) -> None:
    """Say that it is complete."""
    _CLOSE.run(connection, id=id_, digest=digest)


def give(connection: Connection, id_: int, job_id: int, expires_at: datetime) -> bool:
    """Make it a job's file, kept until then; False where it is another's, or gone."""
    return bool(_GIVE.run(connection, id=id_, job_id=job_id, expires=to_micros(expires_at)))


def expire(connection: Connection, job_id: int, role: str, now: datetime) -> None:
    """Let these files of a job be deleted when the store is next swept."""
    _EXPIRE.run(connection, job_id=job_id, role=role, now=to_micros(now))


def forget(connection: Connection, id_: int, now: datetime) -> None:
    """The same for one that no job has."""
    _FORGET.run(connection, id=id_, now=to_micros(now))


def read(connection: Connection, id_: int) -> JobFile | None:
    rows = _READ.fetch(connection, id=id_)
    return _file(rows[0]) if rows else None


def of_job(connection: Connection, job_id: int) -> list[JobFile]:
    return [_file(row) for row in _OF_JOB.fetch(connection, job_id=job_id)]


def part_of(connection: Connection, id_: int, part: int) -> bytes | None:
    """A part's content; None after the last one."""
    rows = _PART.fetch(connection, id=id_, part=part)
    return bytes(rows[0][0]) if rows else None


def sweep(connection: Connection, now: datetime) -> bool:
    """Delete some of what has expired; whether there may be more."""
    rows = _EXPIRED.fetch(connection, now=to_micros(now))
    if not rows:
        return False
    id_, parts = rows[0]
    first = max(0, parts - _PARTS_AT_ONCE)
    _DROP_PARTS.run(connection, id=id_, first=first)
    if first:
        _SHRINK.run(connection, id=id_, first=first)
    else:
        _DROP.run(connection, id=id_)
    return True


def _file(row: Any) -> JobFile:
    id_, job_id, role, name, size, parts, digest, created, expires = row
    return JobFile(
        id=id_,
        job_id=job_id,
        role=role,
        name=name,
        size=size,
        parts=parts,
        digest=digest,
        created_at=from_micros(created),
        expires_at=from_micros(expires),
    )
