"""What providers and shops have told us: kept once, worked on until that is done."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from promograph.channels import ProviderEvent
from promograph.domain.pauses import pause_after
from promograph.domain.sending.deliveries import DeliveryEventKind
from promograph.domain.webhooks.events import Notice, WebhookType
from promograph.store.statements import Deletion, Statement
from promograph.store.tables.instants import from_micros, to_micros
from promograph.store.webhooks import outbox

Said = tuple[str, Sequence[ProviderEvent]]
"""A channel, and what its provider says at once."""

_KEEP = Statement(
    "INSERT INTO inbound_event (channel, id, kind, key, provider_id, recipient, why, raw, happened_at, received_at, "
    "due_at) SELECT r.channel, r.id, r.kind, r.key, r.provider_id, r.recipient, r.why, r.raw, r.happened_at, :now, "
    ":now FROM @rows(channel text, id text, kind text, key text, provider_id text, recipient text, why text, raw text, "
    "happened_at bigint) r WHERE true ON CONFLICT (channel, id) DO NOTHING RETURNING channel, id"
)
_DUE = Statement(
    "SELECT e.channel, e.id, e.kind, e.key, e.provider_id, e.recipient, e.why, e.raw, e.happened_at, e.tries "
    "FROM inbound_event e WHERE e.due_at <= :now ORDER BY e.due_at, e.channel, e.id LIMIT :most @lock(e)"
)
_ANY_DUE = Statement("SELECT 1 FROM inbound_event e WHERE e.due_at <= :now LIMIT 1")
_TAKE = Statement(
    "UPDATE inbound_event SET due_at = :until, tries = tries + 1 FROM @rows(channel text, id text) r "
    "WHERE inbound_event.channel = r.channel AND inbound_event.id = r.id"
)
# An outcome that comes after another process was given the event is that one's business.
_STILL = (
    "FROM @rows(channel text, id text, tries bigint) r WHERE inbound_event.channel = r.channel "
    "AND inbound_event.id = r.id AND inbound_event.tries = r.tries AND inbound_event.due_at IS NOT NULL"
)
_PUT_OFF = Statement(f"UPDATE inbound_event SET due_at = :until {_STILL}")
_DONE = Statement(f"UPDATE inbound_event SET due_at = NULL {_STILL} RETURNING inbound_event.channel, inbound_event.id")
_SAID = Statement(
    "SELECT DISTINCT e.key, e.kind FROM @rows(channel text, key text) r "
    "JOIN inbound_event e ON e.channel = r.channel AND e.key = r.key"
)

_OLD = Statement(
    "SELECT e.channel, e.id FROM inbound_event e WHERE e.due_at IS NULL AND e.received_at < :before "
    "ORDER BY e.received_at LIMIT :most"
)
_DROP = Deletion("inbound_event", "channel text, id text")
_TOLD = {
    DeliveryEventKind.DELIVERED: WebhookType.MESSAGE_DELIVERED,
    DeliveryEventKind.BOUNCED: WebhookType.MESSAGE_BOUNCED,
    DeliveryEventKind.SUPPRESSED: WebhookType.MESSAGE_BOUNCED,
}

_FIRST_PAUSE = timedelta(seconds=2)
_LONGEST_PAUSE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Due:
    """An event that is to be worked on, and how often that was begun before."""

    channel: str
    event: ProviderEvent
    tries: int

    @property
    def pause(self) -> timedelta:
        """How long to wait after this try fails."""
        return pause_after(self.tries + 1, first=_FIRST_PAUSE, longest=_LONGEST_PAUSE)


def keep(connection: Connection, said: Sequence[Said], now: datetime) -> list[int]:
    """How many of each are new. The others are here already, word for word or not: the first counts."""
    rows = [[(channel, *_row(event)) for event in events] for channel, events in said]
    # In one order for everybody, so that two calls with the same events wait for each other and no longer.
    together = sorted((row for part in rows for row in part), key=lambda row: (row[0], row[1]))
    new = {(row[0], row[1]) for row in _KEEP.fetch(connection, together, now=to_micros(now))}
    counts = []
    for part in rows:
        mine = {(row[0], row[1]) for row in part} & new
        new -= mine
        counts.append(len(mine))
    return counts


def take_due(connection: Connection, now: datetime, *, most: int, until: datetime) -> list[Due]:
    """Those that are due, which nobody else gets before `until`: by then they are done, or come again."""
    due = [_due(row) for row in _DUE.fetch(connection, now=to_micros(now), most=most)]
    if due:
        _TAKE.run(connection, _places(due), until=to_micros(until))
    return due


def is_any_due(connection: Connection, now: datetime) -> bool:
    return bool(_ANY_DUE.fetch(connection, now=to_micros(now)))


def put_off(connection: Connection, due: Iterable[Due], until: datetime) -> None:
    _PUT_OFF.run(connection, _in_hand(due), until=to_micros(until))


def done(connection: Connection, due: Sequence[Due], now: datetime) -> None:
    """Whoever wants to know what became of messages is told by this very transaction."""
    mine = {(channel, id_) for channel, id_ in _DONE.fetch(connection, _in_hand(due))}
    over = [one for one in due if (one.channel, one.event.id) in mine]
    outbox.tell(connection, _notices(over, now), *_TOLD.values())


def _notices(due: Iterable[Due], now: datetime) -> Iterator[Notice]:
    for one in due:
        event = one.event
        if event.kind in _TOLD and event.key is not None:
            data = {"channel": one.channel, "message": event.key, "recipient": event.recipient, "why": event.why}
            yield Notice(_TOLD[event.kind], min(event.happened_at or now, now), data)


def are_any_old(connection: Connection, before: datetime) -> bool:
    return bool(_OLD.fetch(connection, before=to_micros(before), most=1))


def prune(connection: Connection, before: datetime, *, most: int) -> int:
    """Drop those that are done with and came before that instant, the oldest first; how many, `most` at the most."""
    rows = [(row[0], row[1]) for row in _OLD.fetch(connection, before=to_micros(before), most=most)]
    return _DROP.run(connection, sorted(rows)) if rows else 0


def _places(due: Iterable[Due]) -> list[tuple[str, str]]:
    return sorted((one.channel, one.event.id) for one in due)


def _in_hand(due: Iterable[Due]) -> list[tuple[str, str, int]]:
    """With the count of tries at which they are."""
    return sorted((one.channel, one.event.id, one.tries + 1) for one in due)


def kinds_said(connection: Connection, channel: str, keys: Iterable[str]) -> dict[str, set[DeliveryEventKind]]:
    """All that was said of each message, by its key; messages of which nothing was said are missing."""
    said: dict[str, set[DeliveryEventKind]] = {}
    for key, kind in _SAID.fetch(connection, [(channel, key) for key in sorted(set(keys))]):
        said.setdefault(key, set()).add(DeliveryEventKind(kind))
    return said


def _row(event: ProviderEvent) -> tuple[Any, ...]:
    return (
        _storable(event.id, 200),
        event.kind.value,
        _storable(event.key, 100),
        _storable(event.provider_id, 200),
        _storable(event.recipient, 254),
        _storable(event.why, 500),
        # In ASCII, where every sign that JSON can name has a place in every store.
        json.dumps(dict(event.raw), default=str),
        None if event.happened_at is None else to_micros(event.happened_at),
    )


def _storable(text: str | None, longest: int) -> str | None:
    """Other people's text, without what PostgreSQL has no place for."""
    return None if text is None else text.encode("utf-8", "replace").decode().replace("\0", "")[:longest]


def _due(row: Any) -> Due:
    channel, id_, kind, key, provider_id, recipient, why, raw, happened_at, tries = row
    event = ProviderEvent(
        id=id_,
        kind=DeliveryEventKind(kind),
        key=key,
        provider_id=provider_id,
        recipient=recipient,
        why=why,
        happened_at=None if happened_at is None else from_micros(happened_at),
        raw=json.loads(raw),
    )
    return Due(channel, event, tries)
