"""Deliveries listed, sent again, and at last forgotten."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from promograph.domain.webhooks.events import WebhookType
from promograph.domain.webhooks.retrying import DeliveryState
from promograph.store import keyset
from promograph.store.listing import Page, Slice
from promograph.store.statements import Statement
from promograph.store.tables.instants import from_micros, to_micros

_COLUMNS = (
    "d.id, d.webhook_id, d.event, d.type, d.body, d.happened_at, d.state, d.due_at, d.tries, d.last_tried_at, "
    "d.status, d.why"
)
_THERE = "FROM webhook_delivery d JOIN webhook w ON w.id = d.webhook_id WHERE w.deleted_at IS NULL"
_ONE = Statement(f"SELECT {_COLUMNS} {_THERE} AND d.id = :id")
_AGAIN = Statement(
    "UPDATE webhook_delivery SET state = 'WAITING', due_at = :now, tries = 0, first_tried_at = NULL, status = NULL, "
    "why = NULL FROM @rows(id bigint) r WHERE webhook_delivery.id = r.id AND webhook_delivery.state <> 'WAITING'"
)
_KNOWN = Statement(
    "SELECT d.id FROM @rows(id bigint) r JOIN webhook_delivery d ON d.id = r.id "
    "JOIN webhook w ON w.id = d.webhook_id WHERE w.deleted_at IS NULL"
)
_OLDEST = Statement(
    "SELECT d.id, d.happened_at, d.due_at, w.is_enabled FROM webhook_delivery d JOIN webhook w ON w.id = d.webhook_id "
    "ORDER BY d.id LIMIT :most"
)
_OF_DELETED = Statement(
    "SELECT d.id FROM webhook w JOIN webhook_delivery d ON d.webhook_id = w.id WHERE w.deleted_at IS NOT NULL "
    "LIMIT :most"
)
_DELETE = Statement("DELETE FROM webhook_delivery WHERE id IN (SELECT r.id FROM @rows(id bigint) r)")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDelivery:
    """`status` and `why` are the last try's; `next_try_at` is None once it is over."""

    id: int
    webhook_id: int
    event: str
    type: WebhookType
    body: str
    happened_at: datetime
    state: DeliveryState
    next_try_at: datetime | None
    tries: int
    last_tried_at: datetime | None
    status: int | None
    why: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryQuery:
    """Which deliveries: all of the conditions hold. `since` and `until` are about what they tell of."""

    webhook_id: int | None = None
    states: frozenset[DeliveryState] = frozenset()
    types: frozenset[WebhookType] = frozenset()
    since: datetime | None = None
    until: datetime | None = None


def page(connection: Connection, query: DeliveryQuery, part: Slice) -> Page:
    """The latest first, by id."""
    rows, params = _matching(query)
    found = keyset.page(connection, _COLUMNS, rows, params, part, descending=True)
    return Page([(key, _delivery(row)) for key, row in found.rows], found.has_next, found.has_previous)


def by_id(connection: Connection, id_: int) -> WebhookDelivery | None:
    rows = _ONE.fetch(connection, id=id_)
    return _delivery(rows[0]) if rows else None


def known(connection: Connection, ids: Sequence[int]) -> set[int]:
    """Of these ids, those of deliveries that are there."""
    return {id_ for (id_,) in _KNOWN.fetch(connection, [(id_,) for id_ in ids])}


def again(connection: Connection, ids: Sequence[int], now: datetime) -> int:
    """Have these tried as if for the first time; how many of them were not waiting anyway."""
    return _AGAIN.run(connection, sorted((id_,) for id_ in ids), now=to_micros(now))


def find(connection: Connection, query: DeliveryQuery, *, most: int) -> list[int]:
    """The ids of the oldest that it means."""
    rows, params = _matching(query)
    found = Statement(f"SELECT d.id {rows} ORDER BY d.id LIMIT :most").fetch(connection, **params, most=most)
    return [id_ for (id_,) in found]


def prune(connection: Connection, before: datetime, *, most: int) -> bool:
    """Delete some of what is older, or a deleted webhook's; whether there may be more.

    What waits for a webhook that is on is kept, however old. Rows have ids in the order in which they were written, or
    nearly so: looking at the first of them is enough, and costs the same however many there are.
    """
    limit = to_micros(before)
    oldest = _OLDEST.fetch(connection, most=most)
    gone = [(id_,) for id_, at, due_at, is_on in oldest if at < limit and (due_at is None or not is_on)]
    gone += [(id_,) for (id_,) in _OF_DELETED.fetch(connection, most=most)]
    if gone:
        _DELETE.run(connection, sorted(set(gone)))
    return len(gone) >= most


def _matching(query: DeliveryQuery) -> tuple[str, dict[str, Any]]:
    rows, params = _THERE, dict[str, Any]()
    if query.webhook_id is not None:
        rows += " AND d.webhook_id = :webhook"
        params["webhook"] = query.webhook_id
    if len(query.states) == 1:
        rows += f" AND d.state = {_listed(query.states)}"  # so said, the index of dead letters serves
    elif query.states:
        rows += f" AND d.state IN ({_listed(query.states)})"
    if query.types:
        rows += f" AND d.type IN ({_listed(query.types)})"
    for name, at, compares in (("since", query.since, ">="), ("until", query.until, "<")):
        if at is not None:
            rows += f" AND d.happened_at {compares} :{name}"
            params[name] = to_micros(at)
    return rows, params


def _listed(names: Iterable[DeliveryState] | Iterable[WebhookType]) -> str:
    """Words of ours, which need no quoting."""
    return ", ".join(f"'{name}'" for name in sorted(names))


def _delivery(row: Any) -> WebhookDelivery:
    id_, webhook_id, event, type_, body, happened_at, state, due_at, tries, last_tried_at, status, why = row
    return WebhookDelivery(
        id=id_,
        webhook_id=webhook_id,
        event=event,
        type=WebhookType(type_),
        body=body,
        happened_at=from_micros(happened_at),
        state=DeliveryState(state),
        next_try_at=None if due_at is None else from_micros(due_at),
        tries=tries,
        last_tried_at=None if last_tried_at is None else from_micros(last_tried_at),
        status=status,
        why=why,
    )
