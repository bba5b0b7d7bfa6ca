"""Queries for codes that stand otherwise than their history says; in the shape of `verifying_breaches`."""

_PROMOTION = "JOIN promotion p ON p.id = c.promotion_id"

STATES = {
    "a code is blocked otherwise than its history says": (
        "SELECT p.handle, c.key, e.id, 0 FROM (SELECT promotion_id, seq, max(id) AS id FROM code_event "
        "WHERE kind IN ('BLOCKED', 'UNBLOCKED', 'VOIDED', 'REPLACED') GROUP BY promotion_id, seq) l "
        "JOIN code_event e ON e.id = l.id JOIN code c ON c.promotion_id = e.promotion_id AND c.seq = e.seq "
        f"{_PROMOTION} WHERE c.blocked <> (e.kind = 'BLOCKED') OR c.void <> (e.kind IN ('VOIDED', 'REPLACED'))"
    ),
    "a code is stopped and nobody stopped it": (
        f"SELECT p.handle, c.key, c.seq, 0 FROM code c {_PROMOTION} WHERE (c.blocked OR c.void) AND NOT EXISTS "
        "(SELECT 1 FROM code_event e WHERE e.promotion_id = c.promotion_id AND e.seq = c.seq "
        "AND e.kind IN ('BLOCKED', 'VOIDED', 'REPLACED'))"
    ),
    "a code replaces another that knows nothing of it, or the other way round": (
        "SELECT p.handle, c.key, e.other, e.seq FROM code_event e JOIN promotion p ON p.id = e.promotion_id "
        "JOIN code c ON c.promotion_id = e.promotion_id AND c.seq = e.seq WHERE e.kind IN ('REPLACED', 'REPLACES') "
        "AND NOT EXISTS (SELECT 1 FROM code_event o WHERE o.promotion_id = e.promotion_id AND o.seq = e.other "
        "AND o.other = e.seq AND o.kind = CASE WHEN e.kind = 'REPLACED' THEN 'REPLACES' ELSE 'REPLACED' END)"
    ),
    "an issuance went back and nobody gave it back, or the other way round": (
        "SELECT p.handle, i.customer, i.number, 0 FROM code_event e JOIN promotion p ON p.id = e.promotion_id "
        "JOIN issuance i ON i.promotion_id = e.promotion_id AND i.number = e.other "
        "WHERE e.kind = 'RETURNED' AND (i.kind <> 'RETURNED' OR i.seq <> e.seq)"
    ),
    "a code is both blocked and void": (
        f"SELECT p.handle, c.key, c.seq, 0 FROM code c {_PROMOTION} WHERE c.blocked AND c.void"
    ),
}
