"""Segments as rows, and who rests on them.

Whoever changes a segment locks all of them first: whether segments go round in a circle is a matter of all together.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Connection

from promograph.domain import conditions
from promograph.domain.conditions.nodes import Condition
from promograph.domain.people.segments import Segment, SegmentUse, UserKind
from promograph.errors import BadInput, InputProblem
from promograph.store.statements import Statement
from promograph.store.tables.instants import from_micros, to_micros

_COLUMNS = "s.id, s.handle, s.name, CAST(s.condition AS text), s.created_at, s.updated_at"

_LOCK = Statement("SELECT s.id FROM segment s ORDER BY s.id @lock(s)")
_EVERY = Statement(f"SELECT {_COLUMNS} FROM segment s ORDER BY s.id")
_BY_ID = Statement(f"SELECT {_COLUMNS} FROM @rows(id bigint) r JOIN segment s ON s.id = r.id")
_BY_HANDLE = Statement(f"SELECT {_COLUMNS} FROM @rows(handle text) r JOIN segment s ON s.handle = r.handle")
_CONDITIONS = Statement("SELECT handle, CAST(condition AS text) FROM segment")
_REACHED = Statement(
    "WITH RECURSIVE reached(id) AS (SELECT s.id FROM @rows(handle text) r JOIN segment s ON s.handle = r.handle "
    "UNION SELECT u.segment_id FROM reached x JOIN segment_use u ON u.user_kind = 'SEGMENT' AND u.user_id = x.id) "
    "SELECT s.handle, CAST(s.condition AS text) FROM reached x JOIN segment s ON s.id = x.id"
)
_INSERT = Statement(
    "INSERT INTO segment (handle, name, condition, created_at, updated_at) "
    "VALUES (:handle, :name, :condition, :now, :now) RETURNING id"
)
_UPDATE = Statement("UPDATE segment SET name = :name, condition = :condition, updated_at = :now WHERE id = :id")
_DELETE = Statement("DELETE FROM segment WHERE id = :id")
_USED_BY = {
    UserKind.SEGMENT: Statement(
        "SELECT s.id, s.handle, s.name FROM segment_use u JOIN segment s ON s.id = u.user_id "
        "WHERE u.segment_id = :id AND u.user_kind = 'SEGMENT' ORDER BY s.id"
    ),
    UserKind.PROMOTION: Statement(
        "SELECT p.id, p.handle, p.name FROM segment_use u JOIN promotion p ON p.id = u.user_id "
        "WHERE u.segment_id = :id AND u.user_kind = 'PROMOTION' ORDER BY p.id"
    ),
    UserKind.AUDIENCE: Statement(
        "SELECT a.id, a.handle, a.name FROM segment_use u JOIN audience a ON a.id = u.user_id "
        "WHERE u.segment_id = :id AND u.user_kind = 'AUDIENCE' ORDER BY a.id"
    ),
}
_FORGET = Statement("DELETE FROM segment_use WHERE user_kind = :kind AND user_id = :id")
_USE = Statement(
    "INSERT INTO segment_use (user_kind, user_id, segment_id) "
    "SELECT :kind, :id, r.segment_id FROM @rows(segment_id bigint) r"
)


def lock_all(connection: Connection) -> None:
    """Until this transaction ends nobody else changes a segment."""
    _LOCK.fetch(connection)


def every(connection: Connection) -> list[Segment]:
    """All of them, the oldest first."""
    return [_segment(row) for row in _EVERY.fetch(connection)]


def by_id(connection: Connection, ids: Iterable[int]) -> dict[int, Segment]:
    return {row[0]: _segment(row) for row in _BY_ID.fetch(connection, [(id_,) for id_ in ids])}


def by_handle(connection: Connection, handles: Iterable[str]) -> dict[str, Segment]:
    return {row[1]: _segment(row) for row in _BY_HANDLE.fetch(connection, [(handle,) for handle in handles])}


def every_condition(connection: Connection) -> dict[str, Condition]:
    """By handle."""
    return {handle: _condition(text) for handle, text in _CONDITIONS.fetch(connection)}


def reached_from(connection: Connection, handles: Iterable[str]) -> dict[str, Condition]:
    """The conditions of these segments and of all that they rest on, by handle."""
    wanted = [(handle,) for handle in handles]
    if not wanted:
        return {}
    return {handle: _condition(text) for handle, text in _REACHED.fetch(connection, wanted)}


def insert(connection: Connection, *, handle: str, name: str, condition: Condition, now: datetime) -> int:
    """The id of the new one, which is noted as resting on those that its condition means."""
    written = orjson.dumps(conditions.dump(condition)).decode()
    id_ = int(_INSERT.fetch(connection, handle=handle, name=name, condition=written, now=to_micros(now))[0][0])
    set_uses(connection, UserKind.SEGMENT, id_, condition)
    return id_


def update(connection: Connection, id_: int, *, name: str, condition: Condition, now: datetime) -> None:
    written = orjson.dumps(conditions.dump(condition)).decode()
    _UPDATE.run(connection, id=id_, name=name, condition=written, now=to_micros(now))
    set_uses(connection, UserKind.SEGMENT, id_, condition)


def delete(connection: Connection, id_: int) -> None:
    """The store refuses it for one that something rests on."""
    _FORGET.run(connection, kind=UserKind.SEGMENT, id=id_)
    _DELETE.run(connection, id=id_)


def uses_of(connection: Connection, id_: int) -> list[SegmentUse]:
    """Whatever rests on the segment."""
    return [
        SegmentUse(kind=kind, id=user_id, handle=handle, name=name)
        for kind, statement in _USED_BY.items()
        for user_id, handle, name in statement.fetch(connection, id=id_)
    ]


def set_uses(connection: Connection, kind: UserKind, user_id: int, condition: Condition | None) -> None:
    """Note which segments this user's condition means, in the transaction that keeps the condition.

    From then on they cannot be deleted. BadInput (NOT_FOUND) where one of them is not there.
    """
    handles = sorted(condition.needs().segments) if condition is not None else []
    found = by_handle(connection, handles) if handles else {}
    for handle in handles:
        if handle not in found:
            sentence = f"No segment has the handle {handle!r}."
            raise BadInput(InputProblem.NOT_FOUND, sentence, field=("condition",))
    _FORGET.run(connection, kind=kind, id=user_id)
    if handles:
        _USE.run(connection, [(found[handle].id,) for handle in handles], kind=kind, id=user_id)


@lru_cache(maxsize=1024)
def _condition(text: str) -> Condition:
    """By its own text, so that nothing can be stale."""
    return conditions.parse(orjson.loads(text))


def _segment(row: Any) -> Segment:
    id_, handle, name, condition, created_at, updated_at = row
    return Segment(
        id=id_,
        handle=handle,
        name=name,
        condition=_condition(condition),
        created_at=from_micros(created_at),
        updated_at=from_micros(updated_at),
    )
