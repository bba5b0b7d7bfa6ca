"""The messages of sends: taken by one server for a while, answered, told of later.

Whoever calls these has locked the send. So a message is in one pair of hands at a time, and the tally is exact.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from promograph.domain.sending.deliveries import DeliveryState
from promograph.domain.sending.outbox import MessageStatus, SkipReason, told
from promograph.store.bulk import Insertion
from promograph.store.sends import tallies
from promograph.store.statements import Statement
from promograph.store.tables.instants import from_micros, to_micros

_NEW = Insertion(
    "send_message",
    "send_id bigint, number bigint, customer text, trigger_key text, status text, why text, owner text, "
    "tries int, due_at bigint, changed_at bigint",
)
_SHOWN = "m.number, m.customer, m.trigger_key, m.status, m.tries, m.maybe_seen, CAST(m.codes AS text)"
_DUE = Statement(
    f"SELECT {_SHOWN} FROM send_message m WHERE m.send_id = :send AND m.due_at <= :now ORDER BY m.due_at LIMIT :most"
)
_WAITING = Statement(
    f"SELECT {_SHOWN} FROM send_message m WHERE m.send_id = :send AND m.due_at IS NOT NULL "
    "AND (m.status = 'WAITING' OR m.due_at <= :now) ORDER BY m.due_at LIMIT :most"
)
# The send comes with each row: told of one send for all, SQLite reads the whole send for each batch, and may read the
# whole batch for each of its messages.
_SAME = "send_message.send_id = r.send AND send_message.number = r.number"
_TAKE = Statement(
    "UPDATE send_message SET status = 'TAKEN', owner = :owner, due_at = :until, tries = tries + 1, "
    "maybe_seen = r.seen, changed_at = :now FROM @rows(send bigint, number bigint, seen boolean) r "
    f"WHERE {_SAME}"
)
_RENEW = Statement(
    "UPDATE send_message SET due_at = :until FROM @rows(send bigint, number bigint) r "
    f"WHERE {_SAME} AND send_message.owner = :owner"
)
_ANSWER = Statement(
    "UPDATE send_message SET status = r.status, why = r.why, codes = r.codes, due_at = r.due_at, owner = NULL, "
    "maybe_seen = (send_message.maybe_seen OR r.seen), changed_at = :now "
    "FROM @rows(send bigint, number bigint, tries int, status text, why text, codes text, due_at bigint, seen boolean) "
    f"r WHERE {_SAME} AND send_message.owner = :owner AND send_message.tries = r.tries "
    "RETURNING send_message.number, send_message.status, send_message.why"
)
_NEXT = Statement("SELECT min(m.due_at) FROM send_message m WHERE m.send_id = :send AND m.due_at IS NOT NULL")
_OWNERS = Statement(
    "SELECT DISTINCT m.owner FROM send_message m @by(send_message_due) WHERE m.send_id = :send "
    "AND m.due_at IS NOT NULL AND m.owner IS NOT NULL"
)
_LEFT = Statement(
    "UPDATE send_message @by(send_message_due) SET due_at = changed_at WHERE send_id = :send "
    "AND due_at IS NOT NULL AND owner = :owner"
)
_TOLD = Statement(
    f"SELECT {_SHOWN} FROM @rows(send_id bigint, number bigint) r JOIN send_message m ON m.send_id = r.send_id "
    "AND m.number = r.number"
)
_BECOME = Statement(
    "UPDATE send_message SET status = r.status, due_at = NULL, owner = NULL, changed_at = :now "
    f"FROM @rows(send bigint, number bigint, status text) r WHERE {_SAME}"
)
_TRIGGERED = Statement(
    "SELECT m.number, m.customer, m.trigger_key, m.status, m.why, m.tries, m.changed_at "
    "FROM @rows(customer text, trigger_key text) r "
    "JOIN send_message m ON m.customer = r.customer AND m.send_id = :send AND m.trigger_key = r.trigger_key"
)

Issued = tuple[tuple[int, int], ...]
"""Promotion and number of each issuance in a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """For whom, and if there will be none, why."""

    customer: str
    skip: SkipReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A message in hand. `maybe_seen`: in an earlier try the provider may have taken it."""

    number: int
    customer: str
    trigger_key: str = ""
    tries: int = 1
    maybe_seen: bool = False
    codes: Issued = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a message that was in hand, at that try. `due_at`: of one that waits."""

    number: int
    tries: int
    status: MessageStatus
    why: str | None = None
    codes: Issued = ()
    due_at: datetime | None = None
    maybe_seen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A message as it stands."""

    number: int
    customer: str
    trigger_key: str
    status: MessageStatus
    why: str | None
    tries: int
    changed_at: datetime


def enlist(
    connection: Connection,
    send_id: int,
    new: Sequence[NewMessage],
    *,
    first: int,
    owner: str,
    now: datetime,
    until: datetime,
) -> list[Taken]:
    """Write messages from number `first` on: those that are not skipped are this owner's until then."""
    micros, end = to_micros(now), to_micros(until)
    rows: list[tuple[Any, ...]] = []
    taken = []
    moved = tallies.Tally()
    for number, one in enumerate(new, first):
        if one.skip is None:
            rows.append((send_id, number, one.customer, "", "TAKEN", None, owner, 1, end, micros))
            taken.append(Taken(number=number, customer=one.customer))
            moved["TAKEN", ""] += 1
        else:
            why = one.skip.value
            rows.append((send_id, number, one.customer, "", "SKIPPED", why, None, 0, None, micros))
            moved["SKIPPED", why] += 1
    if rows:
        _NEW.run(connection, rows)
        tallies.add(connection, send_id, moved)
    return taken


def await_turn(
    connection: Connection, send_id: int, recipients: Iterable[tuple[str, str]], *, first: int, now: datetime
) -> list[Kept]:
    """Write a message to each (customer, trigger key), from number `first` on, for whichever server comes first."""
    micros = to_micros(now)
    waiting = MessageStatus.WAITING
    kept = [
        Kept(number=number, customer=customer, trigger_key=key, status=waiting, why=None, tries=0, changed_at=now)
        for number, (customer, key) in enumerate(recipients, first)
    ]
    rows = [
        (send_id, one.number, one.customer, one.trigger_key, waiting.value, None, None, 0, micros, micros)
        for one in kept
    ]
    if rows:
        _NEW.run(connection, rows)
        tallies.add(connection, send_id, {("WAITING", ""): len(rows)})
    return kept


def take_due(
    connection: Connection, send_id: int, *, most: int, owner: str, now: datetime, until: datetime
) -> list[Taken]:
    """Those that are due for another try, and those of servers that are dead."""
    rows = [tuple(row) for row in _DUE.fetch(connection, send=send_id, now=to_micros(now), most=most)]
    return _take(connection, send_id, rows, owner=owner, now=now, until=until)


def take_waiting(
    connection: Connection, send_id: int, *, most: int, owner: str, now: datetime, until: datetime
) -> list[Taken]:
    """Those that no living server has in hand, due or not."""
    rows = [tuple(row) for row in _WAITING.fetch(connection, send=send_id, now=to_micros(now), most=most)]
    return _take(connection, send_id, rows, owner=owner, now=now, until=until)


def _take(
    connection: Connection, send_id: int, rows: Sequence[Any], *, owner: str, now: datetime, until: datetime
) -> list[Taken]:
    if not rows:
        return []
    # What a dead server had in hand may have got as far as the provider.
    lost = sum(status == "TAKEN" for _, _, _, status, *_ in rows)
    marks = sorted((send_id, row[0], bool(row[5]) or row[3] == "TAKEN") for row in rows)
    _TAKE.run(connection, marks, owner=owner, until=to_micros(until), now=to_micros(now))
    tallies.add(connection, send_id, {("WAITING", ""): lost - len(rows), ("TAKEN", ""): len(rows) - lost})
    seen = {number: is_seen for _, number, is_seen in marks}
    return [
        Taken(
            number=number,
            customer=customer,
            trigger_key=key,
            tries=tries + 1,
            maybe_seen=seen[number],
            codes=_issued(codes),
        )
        for number, customer, key, _, tries, _, codes in rows
    ]


def renew(connection: Connection, send_id: int, numbers: Iterable[int], *, owner: str, until: datetime) -> None:
    """Those that are still this owner's are so until then."""
    rows = [(send_id, number) for number in sorted(numbers)]
    _RENEW.run(connection, rows, owner=owner, until=to_micros(until))


def answer(connection: Connection, send_id: int, answers: Sequence[Answer], *, owner: str, now: datetime) -> int:
    """Write down what came of messages that are this owner's still, at the same try; how many that were.

    What is said twice, since the first answer was lost, says nothing of a later try that is under way by then.
    """
    rows = [
        (
            send_id,
            one.number,
            one.tries,
            one.status.value,
            None if one.why is None else one.why[:300].replace("\0", ""),
            orjson.dumps(one.codes).decode() if one.codes else None,
            None if one.due_at is None else to_micros(one.due_at),
            one.maybe_seen,
        )
        for one in sorted(answers, key=lambda one: one.number)
    ]
    done = _ANSWER.fetch(connection, rows, owner=owner, now=to_micros(now)) if rows else []
    moved = tallies.Tally(Counter((status, why if status == "SKIPPED" else "") for _, status, why in done))
    moved["TAKEN", ""] -= len(done)
    tallies.add(connection, send_id, moved)
    return len(done)


def next_due(connection: Connection, send_id: int) -> datetime | None:
    """When the first of its open messages is due; None where all are over."""
    ((micros,),) = _NEXT.fetch(connection, send=send_id)
    return None if micros is None else from_micros(micros)


def owners(connection: Connection, send_id: int) -> list[str]:
    """Who has messages of it in hand."""
    return [owner for (owner,) in _OWNERS.fetch(connection, send=send_id)]


def leave(connection: Connection, send_id: int, owner: str) -> None:
    """What this owner has in hand is due, and has been since it was taken: so it goes first, the oldest before all."""
    _LEFT.run(connection, send=send_id, owner=owner)


def hear(
    connection: Connection, send_id: int, states: dict[int, DeliveryState], now: datetime
) -> list[tuple[Taken, MessageStatus]]:
    """What a provider tells of messages, by their numbers: those that it changes, with what they are now."""
    changed = []
    moved = tallies.Tally()
    for row in _TOLD.fetch(connection, [(send_id, number) for number in sorted(states)]):
        number, customer, key, status, tries, seen, codes = row
        becomes = told(MessageStatus(status), states[number])
        if becomes is not None:
            kept = Taken(
                number=number,
                customer=customer,
                trigger_key=key,
                tries=tries,
                maybe_seen=bool(seen),
                codes=_issued(codes),
            )
            changed.append((kept, becomes))
            moved[status, ""] -= 1
            moved[becomes.value, ""] += 1
    if changed:
        _BECOME.run(connection, [(send_id, kept.number, to.value) for kept, to in changed], now=to_micros(now))
        tallies.add(connection, send_id, moved)
    return changed


def triggered(connection: Connection, send_id: int, recipients: Iterable[tuple[str, str]]) -> list[Kept]:
    """The messages that there are to these (customer, trigger key)."""
    return [_kept(row) for row in _TRIGGERED.fetch(connection, sorted(set(recipients)), send=send_id)]


def _kept(row: Any) -> Kept:
    number, customer, key, status, why, tries, changed_at = row
    return Kept(
        number=number,
        customer=customer,
        trigger_key=key,
        status=MessageStatus(status),
        why=why,
        tries=tries,
        changed_at=from_micros(changed_at),
    )


def _issued(codes: str | None) -> Issued:
    return () if codes is None else tuple((id_, number) for id_, number in orjson.loads(codes))
