"""Deliveries taken to be tried, and what came of it.

A delivery that is taken comes again after a while, unless what came of it was written by then: whoever dies with it in
hand loses nothing. `tries` says whose it is: an outcome that comes too late is another's business.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from promograph.domain.webhooks.endpoints import GONE, Webhook
from promograph.domain.webhooks.retrying import Answer, DeliveryState, next_try, rest
from promograph.store.statements import Statement
from promograph.store.tables.instants import from_micros, to_micros
from promograph.store.webhooks import endpoints

_READY = Statement(
    f"SELECT {endpoints.COLUMNS} FROM webhook w WHERE w.is_enabled "
    "AND (w.rests_until IS NULL OR w.rests_until <= :now) AND EXISTS "
    "(SELECT 1 FROM webhook_delivery d WHERE d.webhook_id = w.id AND d.due_at <= :now) ORDER BY w.id"
)
_DUE = Statement(
    "SELECT d.id, d.event, d.body, d.tries, d.first_tried_at FROM webhook_delivery d "
    "WHERE d.webhook_id = :webhook AND d.due_at <= :now ORDER BY d.due_at, d.id LIMIT :most @lock(d)"
)
_TAKE = Statement(
    "UPDATE webhook_delivery SET due_at = :until, tries = tries + 1, last_tried_at = :now, "
    "first_tried_at = coalesce(first_tried_at, :now) FROM @rows(id bigint) r WHERE webhook_delivery.id = r.id"
)
_SETTLE = Statement(
    "UPDATE webhook_delivery SET state = r.state, due_at = r.due_at, status = r.status, why = r.why "
    "FROM @rows(id bigint, tries bigint, state text, due_at bigint, status bigint, why text) r "
    "WHERE webhook_delivery.id = r.id AND webhook_delivery.tries = r.tries"
)
_UP_AGAIN = Statement("UPDATE webhook SET failures = 0, rests_until = NULL WHERE id = :id AND failures > 0")
_LONGEST_WHY = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A delivery in hand. `tries` counts this one too; `first_tried_at` is that of the first of them."""

    id: int
    webhook_id: int
    event: str
    body: bytes
    tries: int
    first_tried_at: datetime


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a try. `luck`, from 0 to 1, is for the pause before the next."""

    due: Due
    answer: Answer
    luck: float


def ready(connection: Connection, now: datetime) -> list[Webhook]:
    """Those for which something is due, and which do not rest."""
    return [endpoints.webhook_of(row) for row in _READY.fetch(connection, now=to_micros(now))]


def take(connection: Connection, webhook_id: int, now: datetime, *, most: int, until: datetime) -> list[Due]:
    """What is due for a webhook, the oldest first, which nobody else gets before `until`."""
    rows = _DUE.fetch(connection, webhook=webhook_id, now=to_micros(now), most=most)
    if rows:
        _TAKE.run(connection, sorted((row[0],) for row in rows), now=to_micros(now), until=to_micros(until))
    return [
        Due(
            id=id_,
            webhook_id=webhook_id,
            event=event,
            body=body.encode(),
            tries=tries + 1,
            first_tried_at=now if first is None else from_micros(first),
        )
        for id_, event, body, tries, first in rows
    ]


def settle(connection: Connection, tried: Sequence[Tried], now: datetime) -> None:
    """Write down what came of these, and what it says of their webhooks."""
    for id_ in sorted({one.due.webhook_id for one in tried}):
        _learn(connection, id_, [one for one in tried if one.due.webhook_id == id_], now)
    _SETTLE.run(connection, sorted(_row(one, now) for one in tried))


def _learn(connection: Connection, webhook_id: int, tried: Sequence[Tried], now: datetime) -> None:
    """Switch off one that is gone; leave one alone that is down; forget that it was, once it takes something."""
    down = next((one for one in tried if one.answer.is_down), None)
    is_gone = any(one.answer.is_gone for one in tried)
    if down is None and not is_gone:
        if any(one.answer.is_taken for one in tried):
            _UP_AGAIN.run(connection, id=webhook_id)
        return
    webhook = endpoints.lock(connection, webhook_id)
    if webhook is None:
        return
    if is_gone:
        endpoints.save(connection, replace(webhook, is_enabled=False, off_because=GONE, updated_at=now))
    elif down is not None and (webhook.rests_until is None or webhook.rests_until <= now):
        # Of many that were under way when it went down, one counts.
        failures = webhook.failures + 1
        until = rest(down.answer, failures=failures, now=now, luck=down.luck)
        endpoints.save(connection, replace(webhook, failures=failures, rests_until=until))


def _row(one: Tried, now: datetime) -> tuple[int, int, str, int | None, int | None, str | None]:
    due, answer = one.due, one.answer
    state, again = DeliveryState.DELIVERED, None
    if not answer.is_taken:
        again = next_try(answer, tries=due.tries, first=due.first_tried_at, now=now, luck=one.luck)
        state = DeliveryState.DEAD if again is None else DeliveryState.WAITING
    why = None if answer.why is None else answer.why[:_LONGEST_WHY]
    return due.id, due.tries, state, None if again is None else to_micros(again), answer.status, why
