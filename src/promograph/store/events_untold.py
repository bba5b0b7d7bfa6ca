"""Events of which plugins have yet to be told; of each by one server process."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from promograph.domain.events import EventKind
from promograph.store.statements import Statement
from promograph.store.tables.instants import from_micros

_NEWEST = Statement("SELECT max(id) FROM event")
_UNTOLD = Statement(
    "SELECT e.id, e.kind, p.handle, e.happened_at FROM event e LEFT JOIN promotion p ON p.id = e.promotion_id "
    "LEFT JOIN event_told t ON t.event_id = e.id WHERE e.id > :after AND t.event_id IS NULL ORDER BY e.id LIMIT 500"
)
_TAKE = Statement(
    "INSERT INTO event_told (event_id) SELECT r.id FROM @rows(id bigint) r WHERE true "
    "ON CONFLICT (event_id) DO NOTHING RETURNING event_id"
)


@dataclass(frozen=True, slots=True)
class Untold:
    """An event, and the handle of the promotion that it is about."""

    id: int
    kind: EventKind
    promotion: str | None
    happened_at: datetime


def newest(connection: Connection) -> int:
    """The highest id so far, 0 where there is none."""
    ((found,),) = _NEWEST.fetch(connection)
    return found or 0


def look(connection: Connection, after: int) -> list[Untold]:
    rows = _UNTOLD.fetch(connection, after=after)
    return [Untold(id_, EventKind(kind), handle, from_micros(at)) for id_, kind, handle, at in rows]


def take(connection: Connection, untold: Sequence[Untold]) -> set[int]:
    """The ids of those that are ours to tell: nobody else has taken them."""
    return {id_ for (id_,) in _TAKE.fetch(connection, sorted((one.id,) for one in untold))}
