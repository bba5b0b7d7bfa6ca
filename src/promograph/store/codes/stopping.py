"""Stopping codes, for a while or for good, and lifting the former again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from promograph.domain.decisions import SHARED_SEQ
from promograph.domain.stock.changes import CodeChange
from promograph.domain.stock.events import CodeEventKind
from promograph.store import line, stock, stock_telling
from promograph.store.codes.events import write_events
from promograph.store.statements import Statement
from promograph.store.stock import Stock

Place = tuple[int, int]
"""A promotion and the number of a code in it."""

_PLACES = Statement(
    "SELECT c.key, c.promotion_id, c.seq FROM @rows(key text) r JOIN code c ON c.key = r.key "
    "JOIN stock s ON s.promotion_id = c.promotion_id AND c.seq <= s.tail"
)
# A code that expired in line was put among the void ones by the line itself: nothing else leaves one behind it that
# waits and is not back in line.
_FACTS = Statement(
    "SELECT c.promotion_id, c.seq, c.blocked, c.void, p.code_kind, "
    "c.uses > 0 OR (c.seq = 0 AND s.issuances > 0) OR EXISTS (SELECT 1 FROM issuance i "
    "WHERE i.promotion_id = c.promotion_id AND i.seq = c.seq AND i.kind = 'INITIAL' AND i.seq <> 0), "
    "c.expires_at IS NOT NULL AND c.seq <> 0 AND c.seq < s.head AND NOT EXISTS (SELECT 1 FROM returned_code t "
    "WHERE t.promotion_id = c.promotion_id AND t.seq = c.seq) "
    "FROM @rows(promotion_id bigint, seq bigint) r JOIN code c ON c.promotion_id = r.promotion_id AND c.seq = r.seq "
    "JOIN stock s ON s.promotion_id = c.promotion_id AND c.seq <= s.tail JOIN promotion p ON p.id = c.promotion_id"
)
_SET = Statement(
    "UPDATE code SET blocked = :blocked, void = :void FROM @rows(promotion_id bigint, seq bigint) r "
    "WHERE code.promotion_id = r.promotion_id AND code.seq = r.seq"
)
_WRITTEN = {
    CodeChange.BLOCK: CodeEventKind.BLOCKED,
    CodeChange.UNBLOCK: CodeEventKind.UNBLOCKED,
    CodeChange.VOID: CodeEventKind.VOIDED,
}


@dataclass(frozen=True, slots=True)
class _Fact:
    """`is_out`: among people, issued or used. `has_passed`: the line has, because it had expired."""

    promotion_id: int
    seq: int
    blocked: bool
    void: bool
    code_kind: str
    is_out: bool
    has_passed: bool

    @property
    def is_counted(self) -> bool:
        """A fallback is outside the counts."""
        return self.seq != SHARED_SEQ or self.code_kind == "SINGLE"

    @property
    def counter(self) -> str:
        """The one of the stock's that the code is in."""
        if self.void:
            return "void"
        if self.blocked:
            return "blocked"
        if self.is_out:
            return "issued"
        return "void" if self.has_passed else "available"


def lock(connection: Connection, promotion_id: int) -> None:
    """From here on nobody else changes this promotion's codes."""
    stock.lock(connection, [promotion_id])


def places_of(connection: Connection, keys: Sequence[str]) -> dict[str, Place]:
    """Of these keys, those that are codes, and where they are."""
    rows = _PLACES.fetch(connection, [(key,) for key in sorted(set(keys))]) if keys else []
    return {key: (promotion_id, seq) for key, promotion_id, seq in rows}


def change_keys(connection: Connection, keys: Sequence[str], change: CodeChange, now: datetime) -> tuple[int, set[str]]:
    """Change the codes of these keys: how many changed, and the keys that are no codes."""
    stock.lock(connection, sorted({place[0] for place in places_of(connection, keys).values()}))
    places = places_of(connection, keys)  # as they are under the lock
    return change_places(connection, list(places.values()), change, now), set(keys) - places.keys()


def change_places(connection: Connection, places: Sequence[Place], change: CodeChange, now: datetime) -> int:
    """Change these codes; how many changed. Whoever changes a code has locked its stock."""
    stocks = stock.lock(connection, sorted({promotion_id for promotion_id, _ in places}))
    facts = [
        _Fact(id_, seq, bool(blocked), bool(void), kind, bool(is_out), bool(has_passed))
        for id_, seq, blocked, void, kind, is_out, has_passed in _FACTS.fetch(connection, sorted(places))
    ]
    changing = [fact for fact in facts if change.changes(blocked=fact.blocked, void=fact.void)]
    if not changing:
        return 0
    asked = sorted((fact.promotion_id, fact.seq) for fact in changing)
    _SET.run(connection, asked, blocked=change is CodeChange.BLOCK, void=change is CodeChange.VOID)
    write_events(connection, asked, _WRITTEN[change], now)
    back = []
    for fact in changing:
        counters = stocks[fact.promotion_id]
        if fact.is_counted:
            _move(counters, fact, change)
        if change is CodeChange.UNBLOCK and not fact.is_out and fact.seq != SHARED_SEQ and fact.seq < counters.head:
            back.append((fact.promotion_id, fact.seq))
    if back:
        line.put_back(connection, sorted(back))
    stock_telling.tell_by_id(connection, stocks.values(), now)
    stock.save(connection, stocks.values())
    return len(changing)


def _move(counters: Stock, fact: _Fact, change: CodeChange) -> None:
    """From the counter that the code was in to the one that it is in now."""
    after = {CodeChange.BLOCK: "blocked", CodeChange.VOID: "void"}
    to = after.get(change) or ("issued" if fact.is_out else "available")
    for counter, step in ((fact.counter, -1), (to, 1)):
        setattr(counters, counter, getattr(counters, counter) + step)
