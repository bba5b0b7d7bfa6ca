"""Blocking codes, and lifting that again."""

from collections.abc import Sequence

from sqlalchemy import Connection

from promograph.store import stock
from promograph.store.statements import Statement
from promograph.store.stock import Stock

_LOCK = Statement(
    "SELECT c.promotion_id, c.seq, c.uses, p.code_kind FROM code c JOIN @rows(key text) r ON c.key = r.key "
    "JOIN stock s ON s.promotion_id = c.promotion_id AND c.seq <= s.tail JOIN promotion p ON p.id = c.promotion_id "
    "WHERE c.blocked = :blocked ORDER BY c.key @lock(c)"
)
_KNOWN = Statement(
    "SELECT c.key FROM code c JOIN @rows(key text) r ON c.key = r.key "
    "JOIN stock s ON s.promotion_id = c.promotion_id AND c.seq <= s.tail"
)
_SET = Statement(
    "UPDATE code SET blocked = :blocked FROM @rows(promotion_id bigint, seq bigint) r "
    "WHERE code.promotion_id = r.promotion_id AND code.seq = r.seq"
)
_ISSUED = Statement(
    "SELECT r.promotion_id, r.seq FROM @rows(promotion_id bigint, seq bigint) r "
    "WHERE EXISTS (SELECT 1 FROM issuance i WHERE i.promotion_id = r.promotion_id AND i.seq = r.seq "
    "AND i.kind = 'INITIAL' AND i.seq <> 0)"
)
_RETURN = Statement(
    "INSERT INTO returned_code (promotion_id, seq) SELECT r.promotion_id, r.seq "
    "FROM @rows(promotion_id bigint, seq bigint) r WHERE NOT EXISTS "
    "(SELECT 1 FROM returned_code t WHERE t.promotion_id = r.promotion_id AND t.seq = r.seq)"
)


def known(connection: Connection, keys: Sequence[str]) -> set[str]:
    """Of these keys, those that are codes."""
    return {row[0] for row in _KNOWN.fetch(connection, [(key,) for key in keys])}


def set_blocked(connection: Connection, keys: Sequence[str], *, blocked: bool) -> int:
    """Block (or unblock) the codes of these keys; how many changed. Codes first, then stock: the order of redeeming."""
    rows = _LOCK.fetch(connection, [(key,) for key in sorted(set(keys))], blocked=not blocked)
    if not rows:
        return 0
    codes = [(row.promotion_id, row.seq) for row in rows]
    _SET.run(connection, sorted(codes), blocked=blocked)
    stocks = stock.lock(connection, sorted({row.promotion_id for row in rows}))
    issued = {(row[0], row[1]) for row in _ISSUED.fetch(connection, codes)}
    back = []
    for row in rows:
        counters = stocks[row.promotion_id]
        is_shared = row.seq == 0
        if is_shared and row.code_kind != "SINGLE":
            continue  # a fallback is outside the counts
        used = row.uses > 0 or (row.promotion_id, row.seq) in issued
        out = used or (is_shared and counters.issuances > 0)
        _move(counters, out=out, blocked=blocked)
        if not blocked and not out and 0 < row.seq < counters.head:
            back.append((row.promotion_id, row.seq))
    if back:
        _RETURN.run(connection, sorted(back))
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
