"""Queries for what was not told of a pool, or told wrongly; in the shape of `verifying_breaches`."""

_STOCK = "FROM stock s JOIN promotion p ON p.id = s.promotion_id"
_FREE = "CASE WHEN s.available > s.booked THEN s.available - s.booked ELSE 0 END"
_RUNS_OUT = "p.status IN ('ACTIVE', 'PAUSED') AND p.code_kind <> 'SINGLE' AND p.on_empty <> 'GENERATE'"

STOCK = {
    "its pool is low or empty and that was not told, or is not any more and that was not": (
        f"SELECT p.handle, 'level', s.level, {_FREE} {_STOCK} WHERE {_RUNS_OUT} "
        f"AND (({_FREE} > coalesce(p.low_stock_threshold, 0)) <> (s.level = 0) OR ({_FREE} = 0 AND s.level < 2))"
    ),
    "its pool was told to be low or empty and cannot be": (
        f"SELECT p.handle, 'level', s.level, 0 {_STOCK} WHERE s.level <> 0 AND (p.status = 'DRAFT' "
        f"OR (p.status IN ('ACTIVE', 'PAUSED') AND NOT ({_RUNS_OUT})))"
    ),
    "a mark of how many codes it was asked for is wrong": (
        "SELECT p.handle, 'mark', m.asked, m.counted FROM (SELECT m.promotion_id, m.asked, "
        "coalesce(n.counted, 0) AS counted FROM issue_mark m LEFT JOIN (SELECT i.promotion_id, i.number, "
        "sum(CASE WHEN i.kind <> 'REPEAT' THEN 1 ELSE 0 END) OVER (PARTITION BY i.promotion_id ORDER BY i.number) "
        "AS counted FROM issuance i WHERE i.promotion_id IN (SELECT promotion_id FROM issue_mark)) n "
        "ON n.promotion_id = m.promotion_id AND n.number = m.number) m "
        "JOIN promotion p ON p.id = m.promotion_id WHERE m.asked <> m.counted"
    ),
}
