"""Blocking codes, and lifting that again."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from promograph.domain.decisions import SHARED_SEQ
from promograph.store import issuances, line, stock
from promograph.store.statements import Statement
from promograph.store.stock import Stock
from promograph.store.tables import to_micros

_PLACES = Statement("SELECT DISTINCT c.promotion_id FROM @rows(key text) r JOIN code c ON c.key = r.key")
_FACTS = Statement(
    "SELECT c.promotion_id, c.seq, c.uses, p.code_kind FROM @rows(key text) r JOIN code c ON c.key = r.key "
    "JOIN stock s ON s.promotion_id = c.promotion_id AND c.seq <= s.tail JOIN promotion p ON p.id = c.promotion_id "
    "WHERE c.blocked = :blocked"
)
_KNOWN = Statement(
    "SELECT c.key FROM @rows(key text) r JOIN code c ON c.key = r.key "
    "JOIN stock s ON s.promotion_id = c.promotion_id AND c.seq <= s.tail"
)
_SET = Statement(
    "UPDATE code SET blocked = :blocked FROM @rows(promotion_id bigint, seq bigint) r "
    "WHERE code.promotion_id = r.promotion_id AND code.seq = r.seq"
)
_EVENT = Statement(
    "INSERT INTO code_event (promotion_id, seq, kind, happened_at) SELECT r.promotion_id, r.seq, :kind, :now "
    "FROM @rows(promotion_id bigint, seq bigint) r"
)


def known(connection: Connection, keys: Sequence[str]) -> set[str]:
    """Of these keys, those that are codes."""
    return {row[0] for row in _KNOWN.fetch(connection, [(key,) for key in keys])}


def set_blocked(connection: Connection, keys: Sequence[str], now: datetime, *, blocked: bool) -> int:
    """Block (or unblock) the codes of these keys; how many changed. Whoever changes a code has locked its stock."""
    asked = [(key,) for key in sorted(set(keys))]
    stocks = stock.lock(connection, sorted(id_ for (id_,) in _PLACES.fetch(connection, asked)))
    rows = _FACTS.fetch(connection, asked, blocked=not blocked)
    if not rows:
        return 0
    codes = sorted((promotion_id, seq) for promotion_id, seq, _, _ in rows)
    _SET.run(connection, codes, blocked=blocked)
    _EVENT.run(connection, codes, kind="BLOCKED" if blocked else "UNBLOCKED", now=to_micros(now))
    issued = issuances.issued_codes(connection, codes)
    back = []
    for promotion_id, seq, uses, code_kind in rows:
        counters = stocks[promotion_id]
        is_shared = seq == SHARED_SEQ
        if is_shared and code_kind != "SINGLE":
            continue  # a fallback is outside the counts
        used = uses > 0 or (promotion_id, seq) in issued
        out = used or (is_shared and counters.issuances > 0)
        _move(counters, out=out, blocked=blocked)
        if not blocked and not out and 0 < seq < counters.head:
            back.append((promotion_id, seq))
    if back:
        line.put_back(connection, sorted(back))
    stock.save(connection, stocks.values())
    return len(rows)


def _move(counters: Stock, *, out: bool, blocked: bool) -> None:
    """Between `blocked` and where the code came from: `issued` when it is out among people, else `available`."""
    step = 1 if blocked else -1
    counters.blocked += step
    if out:
        counters.issued -= step
    else:
        counters.available -= step
