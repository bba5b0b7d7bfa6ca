"""Queries for codes that stand otherwise than their history says; in the shape of `verifying_breaches`."""

_PROMOTION = "JOIN promotion p ON p.id = c.promotion_id"
_ISSUED_BY = "JOIN promotion p ON p.id = i.promotion_id"

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
    "a code was given back and its issuance says otherwise": (
        "SELECT p.handle, 'issuance', e.other, e.seq FROM code_event e JOIN promotion p ON p.id = e.promotion_id "
        "WHERE e.kind = 'RETURNED' AND NOT EXISTS (SELECT 1 FROM issuance i WHERE i.promotion_id = e.promotion_id "
        "AND i.number = e.other AND i.kind = 'RETURNED' AND i.seq = e.seq)"
    ),
    "an issuance went back and its code's history does not tell": (
        f"SELECT p.handle, i.customer, i.number, i.seq FROM issuance i {_ISSUED_BY} WHERE i.kind = 'RETURNED' "
        "AND NOT EXISTS (SELECT 1 FROM code_event e WHERE e.promotion_id = i.promotion_id AND e.seq = i.seq "
        "AND e.kind = 'RETURNED' AND e.other = i.number)"
    ),
    "an issuance went back by its kind or by its state, and not by both": (
        f"SELECT p.handle, i.customer, i.number, 0 FROM issuance i {_ISSUED_BY} WHERE i.kind <> 'REPEAT' "
        "AND (i.kind = 'RETURNED') <> (coalesce(i.state, 'FINAL') = 'RETURNED')"
    ),
    "a repeat stands of a code that its customer has no longer": (
        f"SELECT p.handle, i.customer, i.number, i.seq FROM issuance i {_ISSUED_BY} WHERE i.kind = 'REPEAT' "
        "AND i.seq <> 0 AND i.state IS NULL AND NOT EXISTS (SELECT 1 FROM issuance g "
        "WHERE g.promotion_id = i.promotion_id AND g.seq = i.seq AND g.kind = 'INITIAL' AND g.seq <> 0 "
        "AND g.customer = i.customer)"
    ),
    "an issuance is tentative and no message carries it": (
        f"SELECT p.handle, i.customer, i.number, i.seq FROM issuance i {_ISSUED_BY} WHERE i.state = 'TENTATIVE' "
        "AND (i.kind <> 'INITIAL' OR i.seq = 0 OR NOT EXISTS (SELECT 1 FROM carried_code k "
        "WHERE k.promotion_id = i.promotion_id AND k.seq = i.seq))"
    ),
    "a message carries a code that is not tentative": (
        "SELECT p.handle, k.message, k.seq, 0 FROM carried_code k JOIN promotion p ON p.id = k.promotion_id "
        "WHERE NOT EXISTS (SELECT 1 FROM issuance i WHERE i.promotion_id = k.promotion_id AND i.seq = k.seq "
        "AND i.kind = 'INITIAL' AND i.seq <> 0 AND i.state = 'TENTATIVE')"
    ),
    "a code is both blocked and void": (
        f"SELECT p.handle, c.key, c.seq, 0 FROM code c {_PROMOTION} WHERE c.blocked AND c.void"
    ),
}
