"""Rows of what happened: written with what they tell of, read by page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from promograph.domain.events import Event, EventKind
from promograph.domain.promotions import EndReason
from promograph.domain.webhooks.events import OF_EVENTS, Notice
from promograph.store import keyset
from promograph.store.listing import Page, Slice
from promograph.store.statements import Statement
from promograph.store.tables.instants import from_micros, to_micros
from promograph.store.webhooks import outbox

_COLUMNS = "e.id, e.kind, e.promotion_id, CAST(e.data AS text), e.happened_at"
_NEW = Statement(
    "INSERT INTO event (kind, promotion_id, data, happened_at) SELECT r.kind, r.promotion_id, r.data, :now "
    "FROM @rows(kind text, promotion_id bigint, data json) r"
)
_HANDLES = Statement("SELECT p.id, p.handle FROM @rows(id bigint) r JOIN promotion p ON p.id = r.id")
_ONE = Statement(f"SELECT {_COLUMNS} FROM event e WHERE e.id = :id")

NewEvent = tuple[EventKind, int | None, dict[str, Any]]
"""Kind, promotion, data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """Which events: all of the conditions hold."""

    kinds: frozenset[EventKind] = frozenset()
    promotion_id: int | None = None
    since: datetime | None = None


def ended(promotion_id: int, reason: EndReason) -> NewEvent:
    return EventKind.PROMOTION_ENDED, promotion_id, {"reason": reason.value}


def append(connection: Connection, new: Sequence[NewEvent], now: datetime) -> None:
    rows = [(kind, promotion_id, orjson.dumps(data).decode()) for kind, promotion_id, data in new]
    _NEW.run(connection, rows, now=to_micros(now))
    outbox.tell(connection, _notices(connection, new, now), *(OF_EVENTS[kind] for kind, _, _ in new))


def page(connection: Connection, query: EventQuery, part: Slice) -> Page:
    """The latest first, by id."""
    rows, params = "FROM event e WHERE true", dict[str, Any]()
    if query.kinds:
        rows += f" AND e.kind IN ({_quoted(query.kinds)})"
    if query.promotion_id is not None:
        rows += " AND e.promotion_id = :promotion_id"
        params["promotion_id"] = query.promotion_id
    if query.since is not None:
        rows += " AND e.happened_at >= :since"
        params["since"] = to_micros(query.since)
    found = keyset.page(connection, _COLUMNS, rows, params, part, descending=True)
    return Page([(key, _event(row)) for key, row in found.rows], found.has_next, found.has_previous)


def by_id(connection: Connection, id_: int) -> Event | None:
    rows = _ONE.fetch(connection, id=id_)
    return _event(rows[0]) if rows else None


def _notices(connection: Connection, new: Sequence[NewEvent], now: datetime) -> Iterator[Notice]:
    ids = {(promotion_id,) for _, promotion_id, _ in new if promotion_id is not None}
    handles = dict(_HANDLES.fetch(connection, sorted(ids)))
    for kind, promotion_id, data in new:
        handle = None if promotion_id is None else handles[promotion_id]
        yield Notice(OF_EVENTS[kind], now, {"promotion": handle, **data})


def _quoted(kinds: frozenset[EventKind]) -> str:
    """Names of an enumeration of ours: nothing that a caller wrote."""
    return ", ".join(f"'{kind.value}'" for kind in sorted(kinds))


def _event(row: Any) -> Event:
    id_, kind, promotion_id, data, happened_at = row
    return Event(
        id=id_,
        kind=EventKind(kind),
        promotion_id=promotion_id,
        data=orjson.loads(data),
        happened_at=from_micros(happened_at),
    )
