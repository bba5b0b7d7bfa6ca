"""Rows of webhooks: whom to tell of what. There are few, and a deleted one is only left out."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from promograph.domain.webhooks.endpoints import OldSecret, Webhook
from promograph.domain.webhooks.events import WebhookType
from promograph.store import keyset
from promograph.store.listing import Page, Slice
from promograph.store.statements import Statement
from promograph.store.tables.instants import from_micros, to_micros

COLUMNS = (
    "w.id, w.url, w.description, w.types, w.is_enabled, w.off_because, w.secret, w.old_secrets, w.failures, "
    "w.rests_until, w.created_at, w.updated_at"
)
"""What `webhook_of` reads, in its order, of `webhook w`."""

_THERE = "FROM webhook w WHERE w.deleted_at IS NULL"
_COUNT = Statement(f"SELECT count(*) {_THERE}")
_WITH_URL = Statement(f"SELECT w.id {_THERE} AND w.url = :url")
_ONE = Statement(f"SELECT {COLUMNS} {_THERE} AND w.id = :id")
_MANY = Statement(f"SELECT {COLUMNS} FROM @rows(id bigint) r JOIN webhook w ON w.id = r.id WHERE w.deleted_at IS NULL")
_LOCK = Statement(f"SELECT {COLUMNS} {_THERE} AND w.id = :id @lock(w)")
_INSERT = Statement(
    "INSERT INTO webhook (url, description, types, is_enabled, secret, old_secrets, created_at, updated_at) "
    "VALUES (:url, :description, :types, :is_enabled, :secret, '[]', :now, :now) RETURNING id"
)
_SET = Statement(
    "UPDATE webhook SET url = :url, description = :description, types = :types, is_enabled = :is_enabled, "
    "off_because = :off_because, secret = :secret, old_secrets = :old_secrets, failures = :failures, "
    "rests_until = :rests_until, updated_at = :updated_at WHERE id = :id"
)
_DELETE = Statement(
    "UPDATE webhook SET is_enabled = false, url = '', secret = '', old_secrets = '[]', deleted_at = :now WHERE id = :id"
)


def count(connection: Connection) -> int:
    ((found,),) = _COUNT.fetch(connection)
    return int(found)


def with_url(connection: Connection, url: str) -> int | None:
    """The id of the webhook that has this address."""
    rows = _WITH_URL.fetch(connection, url=url)
    return rows[0][0] if rows else None


def read(connection: Connection, id_: int) -> Webhook | None:
    rows = _ONE.fetch(connection, id=id_)
    return webhook_of(rows[0]) if rows else None


def many(connection: Connection, ids: Sequence[int]) -> dict[int, Webhook]:
    return {row[0]: webhook_of(row) for row in _MANY.fetch(connection, [(id_,) for id_ in ids])}


def lock(connection: Connection, id_: int) -> Webhook | None:
    """As it is once nobody else can change it."""
    rows = _LOCK.fetch(connection, id=id_)
    return webhook_of(rows[0]) if rows else None


def page(connection: Connection, part: Slice) -> Page:
    """The oldest first."""
    found = keyset.page(connection, COLUMNS, _THERE, {}, part)
    return Page([(key, webhook_of(row)) for key, row in found.rows], found.has_next, found.has_previous)


def insert(
    connection: Connection,
    *,
    url: str,
    description: str,
    types: frozenset[WebhookType],
    is_enabled: bool,
    secret: str,
    now: datetime,
) -> int:
    rows = _INSERT.fetch(
        connection,
        url=url,
        description=description,
        types=_dumped(types),
        is_enabled=is_enabled,
        secret=secret,
        now=to_micros(now),
    )
    return int(rows[0][0])


def save(connection: Connection, webhook: Webhook) -> None:
    """Of one that is locked."""
    _SET.run(
        connection,
        id=webhook.id,
        url=webhook.url,
        description=webhook.description,
        types=_dumped(webhook.types),
        is_enabled=webhook.is_enabled,
        off_because=webhook.off_because,
        secret=webhook.secret,
        old_secrets=orjson.dumps([[old.text, to_micros(old.until)] for old in webhook.old_secrets]).decode(),
        failures=webhook.failures,
        rests_until=None if webhook.rests_until is None else to_micros(webhook.rests_until),
        updated_at=to_micros(webhook.updated_at),
    )


def delete(connection: Connection, id_: int, now: datetime) -> None:
    """It is told nothing any more; what it was told goes bit by bit."""
    _DELETE.run(connection, id=id_, now=to_micros(now))


def types_of(text: str) -> frozenset[WebhookType]:
    return frozenset(map(WebhookType, orjson.loads(text)))


def webhook_of(row: Sequence[Any]) -> Webhook:
    """From a row of COLUMNS."""
    id_, url, description, types, is_enabled, off_because, secret, olds, failures, rests_until, created, updated = row
    return Webhook(
        id=id_,
        url=url,
        description=description,
        types=types_of(types),
        is_enabled=bool(is_enabled),
        off_because=off_because,
        secret=secret,
        old_secrets=tuple(OldSecret(text, from_micros(until)) for text, until in orjson.loads(olds)),
        failures=failures,
        rests_until=None if rests_until is None else from_micros(rests_until),
        created_at=from_micros(created),
        updated_at=from_micros(updated),
    )


def _dumped(types: frozenset[WebhookType]) -> str:
    return orjson.dumps(sorted(types)).decode()
