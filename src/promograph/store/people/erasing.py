"""Erasing a person: wherever their id stands, the hash stands instead, and what described them is gone.

What an index finds is rewritten in one transaction, with the promotions locked that it is about. Holds that are over,
and answers kept for idempotency keys, are looked for beforehand, since that takes a look at all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from promograph.store import stock
from promograph.store.people import erasures
from promograph.store.statements import Statement
from promograph.store.webhooks import erasing as webhooks
from promograph.store.webhooks.erasing import Told

_PROMOTIONS = Statement(
    "SELECT promotion_id FROM issuance WHERE customer = :id UNION SELECT promotion_id FROM redemption "
    "WHERE customer = :id UNION SELECT promotion_id FROM hold WHERE customer = :id AND ended IS NULL"
)
_KNOWN = Statement(
    "SELECT promotion_id FROM issuance WHERE customer = :id UNION SELECT promotion_id FROM redemption "
    "WHERE customer = :id UNION SELECT promotion_id FROM hold WHERE customer = :id"
)
_ISSUANCES = Statement("UPDATE issuance SET customer = :hash WHERE customer = :id")
_REDEMPTIONS = Statement("UPDATE redemption SET customer = :hash WHERE customer = :id")
_ORDERS = Statement("UPDATE shop_order SET customer = :hash WHERE customer = :id")
_OPEN_HOLDS = Statement("UPDATE hold SET customer = :hash WHERE customer = :id AND ended IS NULL")
_HOLDS = Statement(
    "UPDATE hold SET customer = :hash FROM @rows(promotion_id bigint, number bigint) r "
    "WHERE hold.promotion_id = r.promotion_id AND hold.number = r.number AND hold.customer = :id"
)
_OLD_HOLDS = Statement("SELECT promotion_id, number FROM hold WHERE customer = :id AND ended IS NOT NULL")
_AUDIENCES = Statement(
    "UPDATE audience SET size = size - 1 WHERE id IN (SELECT a.id FROM audience a JOIN audience_member m "
    "ON m.audience_id = a.id AND m.customer = :id)"
)
_MEMBERSHIPS = Statement(
    "DELETE FROM audience_member WHERE customer = :id AND audience_id IN (SELECT a.id FROM audience a)"
)
_MESSAGES = Statement("UPDATE send_message SET customer = :hash WHERE customer = :id")
_CUSTOMER = Statement("DELETE FROM customer WHERE id = :id")
_ANSWERS = {
    "sqlite": Statement("SELECT operation, key, answer FROM replay WHERE instr(answer, :needle) > 0"),
    "postgresql": Statement("SELECT operation, key, answer FROM replay WHERE strpos(answer, :needle) > 0"),
}
_ADDRESSES = Statement("SELECT c.email, c.phone FROM customer c WHERE c.id = :id")
_FINDS = {"sqlite": "instr", "postgresql": "strpos"}
_EVENTS = {
    dialect: Statement(
        f"SELECT e.channel, e.id FROM inbound_event e WHERE e.due_at IS NULL AND ({find}(e.raw, :needle) > 0 OR EXISTS "
        f"(SELECT 1 FROM @rows(word text) r WHERE {find}(lower(e.raw), r.word) > 0 "
        f"OR {find}(lower(coalesce(e.recipient, '')), r.word) > 0))"
    )
    for dialect, find in _FINDS.items()
}
_BLANK = Statement(
    "UPDATE inbound_event SET recipient = NULL, why = NULL, raw = '' FROM @rows(channel text, id text) r "
    "WHERE inbound_event.channel = r.channel AND inbound_event.id = r.id"
)
_REWRITE = Statement(
    "UPDATE replay SET answer = r.answer FROM @rows(operation text, key text, answer text) r "
    "WHERE replay.operation = r.operation AND replay.key = r.key"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """How many rows the person's id stood in."""

    customers: int = 0
    issuances: int = 0
    redemptions: int = 0
    holds: int = 0
    audiences: int = 0
    messages: int = 0
    answers: int = 0
    events: int = 0
    told: int = 0

    def __add__(self, other: "Erased") -> "Erased":
        return Erased(**{part.name: getattr(self, part.name) + getattr(other, part.name) for part in fields(self)})

    def __bool__(self) -> bool:
        return any(getattr(self, part.name) for part in fields(self))


@dataclass(frozen=True, slots=True)
class Remains:
    """What no index finds: holds that are over (promotion, number), answers (operation, key, text), and of what
    providers and shops have said (channel, id) whatever names the id or an address, once it has been worked on; and
    likewise what webhooks were told. `words` are the addresses."""

    holds: Sequence[tuple[int, int]]
    answers: Sequence[tuple[str, str, str]]
    events: Sequence[tuple[str, str]]
    told: Sequence[Told]
    words: Sequence[tuple[str]]


def look_for(connection: Connection, id_: str) -> Remains:
    needle, dialect = orjson.dumps(id_).decode(), connection.dialect.name
    # A phone's `+` may be written otherwise in a form.
    known = [word for row in _ADDRESSES.fetch(connection, id=id_) for word in tuple(row) if word]
    words = [(word.lower().lstrip("+"),) for word in known]
    return Remains(
        holds=[(row[0], row[1]) for row in _OLD_HOLDS.fetch(connection, id=id_)],
        answers=[
            (row[0], row[1], row[2])
            for row in _ANSWERS[dialect].fetch(connection, needle=needle)
            if _without(row[2], id_, "") != row[2]
        ],
        events=[(row[0], row[1]) for row in _EVENTS[dialect].fetch(connection, words, needle=needle)],
        told=webhooks.naming(connection, id_, words),
        words=words,
    )


def erase(connection: Connection, id_: str, remains: Remains, now: datetime) -> Erased:
    """Rewrite all of it. A row that is written meanwhile, by somebody who had not heard, is left to the next call."""
    found = {row[0] for row in _PROMOTIONS.fetch(connection, id=id_)} | {promotion for promotion, _ in remains.holds}
    locked = stock.lock(connection, sorted(found)) if found else {}
    hash_ = erasures.note(connection, id_, now)
    known = {row[0] for row in _KNOWN.fetch(connection, id=hash_)}
    for promotion_id, counters in locked.items():
        counters.erased += promotion_id not in known
    stock.save(connection, locked.values())
    holds = _OPEN_HOLDS.run(connection, id=id_, hash=hash_)
    if remains.holds:
        holds += _HOLDS.run(connection, remains.holds, id=id_, hash=hash_)
    if remains.answers:
        rows = [(operation, key, _without(answer, id_, hash_)) for operation, key, answer in remains.answers]
        _REWRITE.run(connection, rows)
    if remains.events:
        _BLANK.run(connection, remains.events)
    _ORDERS.run(connection, id=id_, hash=hash_)
    audiences = _AUDIENCES.run(connection, id=id_)
    _MEMBERSHIPS.run(connection, id=id_)
    # Last, as it is by those who send: behind the promotions.
    messages = _MESSAGES.run(connection, id=id_, hash=hash_)
    return Erased(
        customers=_CUSTOMER.run(connection, id=id_),
        issuances=_ISSUANCES.run(connection, id=id_, hash=hash_),
        redemptions=_REDEMPTIONS.run(connection, id=id_, hash=hash_),
        holds=holds,
        audiences=audiences,
        messages=messages,
        answers=len(remains.answers),
        events=len(remains.events),
        told=webhooks.rewrite(connection, remains.told, id_, hash_, remains.words),
    )


def _without(answer: str, id_: str, hash_: str) -> str:
    """The answer with the hash wherever it names the customer; the text itself where it does not."""
    data = orjson.loads(answer)
    return orjson.dumps(data).decode() if _rename(data, id_, hash_) else answer


def _rename(data: Any, id_: str, hash_: str) -> int:
    """How often it was named."""
    if isinstance(data, list):
        return sum(_rename(each, id_, hash_) for each in data)
    if not isinstance(data, dict):
        return 0
    times = sum(_rename(each, id_, hash_) for each in data.values())
    if data.get("customer") == id_:
        data["customer"] = hash_
        times += 1
    return times
