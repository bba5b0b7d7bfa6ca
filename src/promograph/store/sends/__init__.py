"""Sends as rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from promograph.domain.sending.messages import MessageContent
from promograph.domain.sending.sends import Send, SendStatus, SendTerms
from promograph.store import keyset
from promograph.store.listing import Page, Slice
from promograph.store.statements import Statement
from promograph.store.tables.instants import from_micros, to_micros

_TERMS = "key, name, channel, subject, text, html, audience_id, promotion, campaign, fallback, rate, start_at"
_NAMES = _TERMS.split(", ")
_COLUMNS = ", ".join(
    f"s.{name}"
    for name in ("id", *_NAMES, "status", "token", "messages", "planned", "problem", "created_at", "updated_at")
)
_COLUMNS += ", s.started_at, s.finished_at"
_INSERT = Statement(
    f"INSERT INTO send ({_TERMS}, token, status, is_read, created_at, updated_at) VALUES "
    f"({', '.join(f':{name}' for name in _NAMES)}, :token, 'DRAFT', :is_read, :now, :now) RETURNING id"
)
_UPDATE = Statement(
    f"UPDATE send SET {', '.join(f'{name} = :{name}' for name in _NAMES)}, is_read = :is_read, updated_at = :now "
    "WHERE id = :id"
)
_BY_ID = Statement(f"SELECT {_COLUMNS} FROM @rows(id bigint) r JOIN send s ON s.id = r.id")
_BY_TOKEN = Statement("SELECT s.token, s.id FROM @rows(token text) r JOIN send s ON s.token = r.token")
_BY_KEY = Statement("SELECT s.key, s.id FROM @rows(key text) r JOIN send s ON s.key = r.key")
_LOCK = Statement(
    f"SELECT s.reached, s.is_read, s.paced_to, s.spans, {_COLUMNS} FROM @rows(id bigint) r "
    "JOIN send s ON s.id = r.id ORDER BY s.id @lock(s)"
)
_LOOK = Statement(
    f"SELECT s.reached, s.is_read, s.paced_to, s.spans, {_COLUMNS} FROM @rows(id bigint) r JOIN send s ON s.id = r.id"
)
_STATE = Statement(
    "UPDATE send SET status = :status, messages = :messages, reached = :reached, is_read = :is_read, "
    "paced_to = :paced_to, spans = :spans, planned = :planned, problem = :problem, start_at = :start_at, "
    "started_at = :started, finished_at = :finished, updated_at = :now WHERE id = :id"
)
_USES_AUDIENCE = Statement(
    "SELECT s.name FROM send s WHERE s.audience_id = :audience AND s.status IN ('SCHEDULED', 'RUNNING', 'PAUSED') "
    "ORDER BY s.id LIMIT 1"
)
_AT_WORK = Statement(
    "SELECT s.id FROM send s WHERE (s.status = 'SCHEDULED' AND s.start_at <= :now) "
    "OR (s.status = 'RUNNING' AND s.audience_id IS NOT NULL) "
    "OR (s.status IN ('RUNNING', 'CANCELLED') AND EXISTS (SELECT 1 FROM send_message m WHERE m.send_id = s.id "
    "AND m.due_at IS NOT NULL)) ORDER BY s.audience_id IS NOT NULL, s.id LIMIT 500"
)


@dataclass(slots=True)
class Going:
    """A send in the hands of a transaction, with how far it is; `save` writes it back.

    `paced_to` is in microseconds. `spans`: by promotion, the issuances' numbers from where on, and up to where once
    the send is over.
    """

    send: Send
    status: SendStatus
    messages: int
    reached: str
    is_read: bool
    paced_to: int
    spans: dict[int, list[int]]
    planned: int | None
    problem: str | None
    start_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None


def insert(connection: Connection, terms: SendTerms, token: str, now: datetime) -> int:
    return int(_INSERT.fetch(connection, **_written(terms), token=token, now=to_micros(now))[0][0])


def update(connection: Connection, id_: int, terms: SendTerms, now: datetime) -> None:
    _UPDATE.run(connection, id=id_, **_written(terms), now=to_micros(now))


def by_id(connection: Connection, ids: Iterable[int]) -> dict[int, Send]:
    return {row[0]: _send(row) for row in _BY_ID.fetch(connection, [(id_,) for id_ in ids])}


def by_token(connection: Connection, tokens: Iterable[str]) -> dict[str, int]:
    """The ids of sends by their tokens."""
    rows = _BY_TOKEN.fetch(connection, [(token,) for token in sorted(set(tokens))])
    return {row[0]: row[1] for row in rows}


def by_key(connection: Connection, keys: Iterable[str]) -> dict[str, int]:
    """The ids of sends by their keys."""
    return {row[0]: row[1] for row in _BY_KEY.fetch(connection, [(key,) for key in sorted(set(keys))])}


def page(connection: Connection, part: Slice, status: SendStatus | None = None) -> Page:
    """`Send`s, the latest first, by id."""
    rows = "FROM send s WHERE true" if status is None else "FROM send s WHERE s.status = :status"
    params: Mapping[str, Any] = {} if status is None else {"status": status.value}
    found = keyset.page(connection, _COLUMNS, rows, params, part, descending=True)
    return Page([(key, _send(row)) for key, row in found.rows], found.has_next, found.has_previous)


def lock(connection: Connection, ids: Iterable[int]) -> dict[int, Going]:
    """Until this transaction ends nobody else changes them or their messages."""
    return {going.send.id: going for going in map(_going, _LOCK.fetch(connection, [(id_,) for id_ in sorted(ids)]))}


def look(connection: Connection, id_: int) -> Going | None:
    """The same without a lock."""
    rows = _LOOK.fetch(connection, [(id_,)])
    return _going(rows[0]) if rows else None


def save(connection: Connection, going: Going, now: datetime) -> None:
    """Write back what is locked."""
    _STATE.run(
        connection,
        id=going.send.id,
        status=going.status,
        messages=going.messages,
        reached=going.reached,
        is_read=going.is_read,
        paced_to=going.paced_to,
        spans=orjson.dumps({str(id_): span for id_, span in going.spans.items()}).decode(),
        planned=going.planned,
        problem=going.problem,
        start_at=_micros(going.start_at),
        started=_micros(going.started_at),
        finished=_micros(going.finished_at),
        now=to_micros(now),
    )


def user_of_audience(connection: Connection, audience: int) -> str | None:
    """The name of a send that has begun and still needs this audience."""
    rows = _USES_AUDIENCE.fetch(connection, audience=audience)
    return None if not rows else str(rows[0][0])


def at_work(connection: Connection, now: datetime) -> list[int]:
    """Sends for which something may have to be done: the triggered first, each kind from the oldest on."""
    return [id_ for (id_,) in _AT_WORK.fetch(connection, now=to_micros(now))]


def _written(terms: SendTerms) -> dict[str, Any]:
    return {
        "key": terms.key,
        "name": terms.name,
        "channel": terms.channel,
        "subject": terms.content.subject,
        "text": terms.content.text,
        "html": terms.content.html,
        "audience_id": terms.audience,
        "promotion": terms.promotion,
        "campaign": terms.campaign,
        "fallback": terms.fallback,
        "rate": terms.rate,
        "start_at": _micros(terms.start_at),
        "is_read": terms.is_triggered,
    }


def _send(row: Any) -> Send:
    id_, key, name, channel, subject, text, html, audience, promotion, campaign, fallback, rate, start_at, *rest = row
    status, token, messages, planned, problem, created, updated, started, finished = rest
    terms = SendTerms(
        key=key,
        name=name,
        channel=channel,
        content=MessageContent(subject=subject, text=text, html=html),
        audience=audience,
        promotion=promotion,
        campaign=campaign,
        fallback=bool(fallback),
        rate=rate,
        start_at=_instant(start_at),
    )
    return Send(
        id=id_,
        terms=terms,
        status=SendStatus(status),
        token=token,
        messages=messages,
        planned=planned,
        problem=problem,
        created_at=from_micros(created),
        updated_at=from_micros(updated),
        started_at=_instant(started),
        finished_at=_instant(finished),
    )


def _going(row: Any) -> Going:
    reached, is_read, paced_to, spans, *columns = row
    send = _send(columns)
    return Going(
        send=send,
        status=send.status,
        messages=send.messages,
        reached=reached,
        is_read=bool(is_read),
        paced_to=paced_to,
        spans={} if spans is None else {int(id_): span for id_, span in orjson.loads(spans).items()},
        planned=send.planned,
        problem=send.problem,
        start_at=send.terms.start_at,
        started_at=send.started_at,
        finished_at=send.finished_at,
    )


def _micros(instant: datetime | None) -> int | None:
    return None if instant is None else to_micros(instant)


def _instant(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)
