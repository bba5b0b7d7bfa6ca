"""Audiences as rows. One that is being filled, or taken down, is seen by nobody."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from promograph.domain.conditions.customers import InSegment
from promograph.domain.people.audiences import Audience, AudienceKind, AudienceSource
from promograph.domain.people.segments import UserKind
from promograph.errors import BadInput, InputProblem
from promograph.store import keyset
from promograph.store.listing import Page, Slice
from promograph.store.people import segments
from promograph.store.statements import Statement
from promograph.store.tables.instants import from_micros, to_micros

ABANDONED_AFTER = timedelta(seconds=60)

_COLUMNS = "a.id, a.handle, a.name, a.kind, a.source, a.segment, a.size, a.created_at, a.updated_at"
_SEEN = "a.filling_at IS NULL"

_BY_ID = Statement(
    f"SELECT {_COLUMNS} FROM @rows(id bigint) r JOIN audience a ON a.id = r.id WHERE {_SEEN} ORDER BY a.id"
)
_LOCK = Statement(f"SELECT {_COLUMNS} FROM audience a WHERE a.id = :id AND {_SEEN} @lock(a)")
_BY_HANDLE = Statement("SELECT a.name, a.filling_at FROM audience a WHERE a.handle = :handle")
_COUNT = Statement("SELECT count(*) FROM audience")
_INSERT = Statement(
    "INSERT INTO audience (handle, name, kind, source, segment, size, filling_at, created_at, updated_at) "
    "VALUES (:handle, :name, :kind, :source, :segment, 0, :filling_at, :now, :now) RETURNING id"
)
_UPDATE = Statement("UPDATE audience SET name = :name, segment = :segment, updated_at = :now WHERE id = :id")
_GROW = Statement("UPDATE audience SET size = size + :count, updated_at = :now WHERE id = :id")
_FILL = Statement(
    "UPDATE audience SET size = size + :count, filling_at = CASE WHEN filling_at < 0 THEN filling_at "
    "ELSE CAST(:now AS bigint) END WHERE id = :id AND filling_at <> 0"
)
_PUBLISH = Statement("UPDATE audience SET filling_at = NULL, updated_at = :now WHERE id = :id AND filling_at <> 0")
_ABANDON = Statement("UPDATE audience SET filling_at = 0 WHERE id = :id")
_GIVE_UP = Statement("UPDATE audience SET filling_at = 0 WHERE id = :id AND filling_at IS NOT NULL")
# One that a job fills has the job's number there, below zero: that is nobody's to take down while there is the job.
_IS_LEFT = (
    "filling_at < :before AND (filling_at >= 0 OR NOT EXISTS (SELECT 1 FROM job j WHERE j.id = -audience.filling_at "
    "AND j.finished_at IS NULL))"
)
_ABANDONED = Statement(f"SELECT id FROM audience WHERE {_IS_LEFT} ORDER BY id")
_TAKE_DOWN = Statement(f"UPDATE audience SET filling_at = 0 WHERE id = :id AND {_IS_LEFT}")
_DELETE = Statement("DELETE FROM audience WHERE id = :id AND filling_at = 0")


def by_id(connection: Connection, ids: Iterable[int]) -> dict[int, Audience]:
    return {row[0]: _audience(row) for row in _BY_ID.fetch(connection, [(id_,) for id_ in ids])}


def lock(connection: Connection, id_: int) -> Audience | None:
    """Until this transaction ends nobody else changes it or its members."""
    rows = _LOCK.fetch(connection, id=id_)
    return _audience(rows[0]) if rows else None


def page(connection: Connection, part: Slice) -> Page:
    """The latest first, by id."""
    found = keyset.page(connection, _COLUMNS, f"FROM audience a WHERE {_SEEN}", {}, part, descending=True)
    return Page([(key, _audience(row)) for key, row in found.rows], found.has_next, found.has_previous)


def count(connection: Connection) -> int:
    return int(_COUNT.fetch(connection)[0][0])


def check_free(connection: Connection, handle: str) -> None:
    """BadInput where another one has the handle."""
    rows = _BY_HANDLE.fetch(connection, handle=handle)
    if not rows:
        return
    name, filling_at = rows[0]
    sentence = f"The handle {handle!r} belongs to the audience {name!r}; choose another."
    if filling_at is not None:
        sentence = f"An audience with the handle {handle!r} is being made just now; ask again in a moment."
    raise BadInput(InputProblem.TAKEN if filling_at is None else InputProblem.BUSY, sentence, field=("handle",))


def insert(
    connection: Connection,
    *,
    handle: str,
    name: str,
    kind: AudienceKind,
    source: AudienceSource,
    segment: str | None,
    now: datetime,
    is_filled: bool,
    job: int | None = None,
) -> int:
    """The id of the new one, which rests on its segment where it is DYNAMIC. `job`: by which it is filled."""
    micros = to_micros(now)
    rows = _INSERT.fetch(
        connection,
        handle=handle,
        name=name,
        kind=kind,
        source=source,
        segment=segment,
        filling_at=None if is_filled else micros if job is None else -job,
        now=micros,
    )
    id_ = int(rows[0][0])
    _rest(connection, id_, kind, segment)
    return id_


def update(connection: Connection, audience: Audience, *, name: str, segment: str | None, now: datetime) -> None:
    _UPDATE.run(connection, id=audience.id, name=name, segment=segment, now=to_micros(now))
    _rest(connection, audience.id, audience.kind, segment)


def grow(connection: Connection, id_: int, count: int, now: datetime) -> None:
    """So many members more, or less, of one that is locked."""
    _GROW.run(connection, id=id_, count=count, now=to_micros(now))


def fill(connection: Connection, id_: int, count: int, now: datetime) -> None:
    """So many members more of one that is being filled; BadInput where it was taken for abandoned meanwhile."""
    if not _FILL.run(connection, id=id_, count=count, now=to_micros(now)):
        raise _overtaken()


def publish(connection: Connection, id_: int, now: datetime) -> None:
    """From now on it is there."""
    if not _PUBLISH.run(connection, id=id_, now=to_micros(now)):
        raise _overtaken()


def abandon(connection: Connection, id_: int) -> None:
    """Nobody sees it any more, it rests on nothing, and whoever comes next may take it down."""
    segments.set_uses(connection, UserKind.AUDIENCE, id_, None)
    _ABANDON.run(connection, id=id_)


def give_up(connection: Connection, id_: int) -> None:
    """The same of one that was being made. One that is there is left alone: it was published, and nobody heard so."""
    _GIVE_UP.run(connection, id=id_)


def any_abandoned(connection: Connection, now: datetime) -> bool:
    return bool(_ABANDONED.fetch(connection, before=to_micros(now - ABANDONED_AFTER)))


def abandoned(connection: Connection, now: datetime) -> list[int]:
    """Those that nobody fills any more; from now on nobody can, and their members may be taken out."""
    before = to_micros(now - ABANDONED_AFTER)
    found = [id_ for (id_,) in _ABANDONED.fetch(connection, before=before)]
    return [id_ for id_ in found if _TAKE_DOWN.run(connection, id=id_, before=before)]


def delete(connection: Connection, id_: int) -> None:
    """An abandoned one without members."""
    _DELETE.run(connection, id=id_)


def _rest(connection: Connection, id_: int, kind: AudienceKind, segment: str | None) -> None:
    rests = kind is AudienceKind.DYNAMIC and segment is not None
    segments.set_uses(connection, UserKind.AUDIENCE, id_, InSegment(segment=str(segment)) if rests else None)


def _overtaken() -> BadInput:
    return BadInput(
        InputProblem.BUSY, "Making this audience stood still for over a minute and was given up; try again."
    )


def _audience(row: Any) -> Audience:
    id_, handle, name, kind, source, segment, size, created_at, updated_at = row
    return Audience(
        id=id_,
        handle=handle,
        name=name,
        kind=AudienceKind(kind),
        source=AudienceSource(source),
        segment=segment,
        size=size if kind == AudienceKind.STATIC else None,
        created_at=from_micros(created_at),
        updated_at=from_micros(updated_at),
    )
