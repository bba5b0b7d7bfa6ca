"""Expiries that codes have of their own."""

from datetime import datetime

from sqlalchemy import Connection

from promograph.store import line, stock, stock_telling
from promograph.store.codes.selecting import Range
from promograph.store.statements import Statement
from promograph.store.tables.instants import to_micros

# Those that the line has found expired; nothing else that waits lies behind it and is not back in it.
_PASSED = Statement(
    "SELECT c.seq FROM stock s JOIN code c ON c.promotion_id = s.promotion_id AND c.seq < s.head "
    "WHERE s.promotion_id = :id AND c.seq >= :low AND c.seq <= :high AND c.expires_at IS NOT NULL AND c.seq <> 0 "
    "AND NOT c.blocked AND NOT c.void AND c.uses = 0 "
    "AND NOT EXISTS (SELECT 1 FROM issuance i WHERE i.promotion_id = c.promotion_id AND i.seq = c.seq "
    "AND i.kind = 'INITIAL' AND i.seq <> 0) "
    "AND NOT EXISTS (SELECT 1 FROM returned_code t WHERE t.promotion_id = c.promotion_id AND t.seq = c.seq)"
)
_SET = Statement(
    "UPDATE code SET expires_at = :at WHERE promotion_id = :id AND seq >= :low AND seq <= :high "
    "AND (expires_at IS NULL OR expires_at <> :at)"
)
_CLEAR = Statement(
    "UPDATE code SET expires_at = NULL WHERE promotion_id = :id AND seq >= :low AND seq <= :high "
    "AND expires_at IS NOT NULL"
)
# Whoever looks whether anything has happened to a promotion's codes need not look at each.
_CHANGED = Statement("UPDATE stock SET expiry_changes = expiry_changes + 1 WHERE promotion_id = :id")


def change(connection: Connection, id_: int, part: Range, expires_at: datetime | None, now: datetime) -> int:
    """Give the codes with these numbers this expiry (None: none); how many had another.

    Those that the line had passed because they had expired wait again, if they now may.
    """
    counters = stock.lock(connection, [id_])[id_]
    low, high = part
    if expires_at is None or expires_at > now:
        back = [(id_, seq) for (seq,) in _PASSED.fetch(connection, id=id_, low=low, high=high)]
        if back:
            line.put_back(connection, sorted(back))
            counters.void -= len(back)
            counters.available += len(back)
            stock_telling.tell_by_id(connection, [counters], now)
            stock.save(connection, [counters])
    if expires_at is None:
        changed = _CLEAR.run(connection, id=id_, low=low, high=high)
    else:
        changed = _SET.run(connection, id=id_, low=low, high=high, at=to_micros(expires_at))
    if changed:
        _CHANGED.run(connection, id=id_)
    return changed
