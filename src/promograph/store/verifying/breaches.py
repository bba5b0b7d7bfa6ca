"""Queries for rows that must not be, each under the sentence that says what they break.

A row found is (handle, what, number found, number expected). All of them are sets that an index or one pass over a
table yields: they are run on stores with millions of codes.
"""

from promograph.store.verifying.counters import STANDING

_PROMOTION = "JOIN promotion p ON p.id ="
_NUMBERS = (
    "SELECT p.handle, 'the last', n.last, n.times FROM "
    "(SELECT promotion_id, max(number) AS last, count(*) AS times FROM {} GROUP BY promotion_id) n "
    f"{_PROMOTION} n.promotion_id WHERE n.last <> n.times"
)
# Every table is in the order of its promotions somewhere: from each to the next is one step, however many rows it has.
_ORPHANS = (
    "SELECT 'promotion ' || o.id, '{0}', (SELECT count(*) FROM {0} WHERE promotion_id = o.id), 0 FROM "
    "(WITH RECURSIVE ids(id) AS (SELECT min(promotion_id) FROM {0} UNION ALL "
    "SELECT (SELECT min(promotion_id) FROM {0} WHERE promotion_id > ids.id) FROM ids WHERE ids.id IS NOT NULL) "
    "SELECT id FROM ids) o WHERE o.id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM promotion p WHERE p.id = o.id)"
)

# Whatever takes a use ends the holds that have lapsed first, so that one that has not ended counts.
_USES = (
    f"SELECT promotion_id, seq, customer FROM {STANDING} r "
    "UNION ALL SELECT promotion_id, seq, customer FROM hold WHERE ended IS NULL"
)

LIMITS = {
    "a code was redeemed more often than it may be": (
        "SELECT p.handle, c.key, d.times, p.uses_per_code FROM "
        f"(SELECT u.promotion_id, u.seq, count(*) AS times FROM ({_USES}) u GROUP BY u.promotion_id, u.seq) d "
        f"{_PROMOTION} d.promotion_id JOIN code c ON c.promotion_id = d.promotion_id AND c.seq = d.seq "
        "WHERE d.times > p.uses_per_code AND (d.seq <> 0 OR p.code_kind = 'SINGLE')"
    ),
    "a code was issued to several customers": (
        f"SELECT p.handle, i.seq, count(DISTINCT i.customer), 1 FROM issuance i {_PROMOTION} i.promotion_id "
        "WHERE i.seq <> 0 AND coalesce(i.state, 'FINAL') <> 'RETURNED' "
        "GROUP BY p.handle, i.promotion_id, i.seq "
        "HAVING count(DISTINCT i.customer) > 1"
    ),
    "an occasion got several codes": (
        f"SELECT p.handle, i.customer, count(*), 1 FROM issuance i {_PROMOTION} i.promotion_id "
        "GROUP BY p.handle, i.customer, i.occasion HAVING count(*) > 1"
    ),
    "more customers were reached than the audience cap allows": (
        "SELECT p.handle, 'customers', count(DISTINCT i.customer), p.audience_cap "
        f"FROM issuance i {_PROMOTION} i.promotion_id WHERE p.audience_cap IS NOT NULL "
        "AND i.kind NOT IN ('REPEAT', 'RETURNED') "
        "GROUP BY p.handle, p.audience_cap HAVING count(DISTINCT i.customer) > p.audience_cap"
    ),
    "a customer redeemed more often than allowed": (
        f"SELECT p.handle, d.customer, count(*), p.uses_per_customer FROM ({_USES}) d {_PROMOTION} d.promotion_id "
        "WHERE p.uses_per_customer IS NOT NULL AND d.customer IS NOT NULL "
        "GROUP BY p.handle, d.customer, p.uses_per_customer HAVING count(*) > p.uses_per_customer"
    ),
    # Which kind a promotion's codes are is settled before the first is redeemed.
    "a code was redeemed though it had never been issued": (
        "SELECT p.handle, c.key, d.times, 0 FROM "
        "(SELECT r.promotion_id, r.seq, count(*) AS times FROM redemption r WHERE r.seq <> 0 AND NOT EXISTS "
        "(SELECT 1 FROM issuance i WHERE i.promotion_id = r.promotion_id AND i.seq = r.seq AND i.kind = 'INITIAL' "
        "AND i.seq <> 0) GROUP BY r.promotion_id, r.seq) d "
        f"{_PROMOTION} d.promotion_id JOIN code c ON c.promotion_id = d.promotion_id AND c.seq = d.seq "
        "WHERE p.code_kind = 'PERSONALIZED'"
    ),
}
"""What the marketer was promised."""

ROWS = {
    "a code counts other uses than it has": (
        f"SELECT p.handle, c.key, c.uses, coalesce(d.times, 0) FROM code c {_PROMOTION} c.promotion_id LEFT JOIN "
        f"(SELECT r.promotion_id, r.seq, count(*) AS times FROM {STANDING} r GROUP BY r.promotion_id, r.seq) d "
        "ON d.promotion_id = c.promotion_id AND d.seq = c.seq WHERE c.uses <> coalesce(d.times, 0)"
    ),
    "an issuance names a code that is not there": (
        f"SELECT p.handle, i.customer, i.seq, 0 FROM issuance i {_PROMOTION} i.promotion_id "
        "LEFT JOIN code c ON c.promotion_id = i.promotion_id AND c.seq = i.seq WHERE c.seq IS NULL"
    ),
    "a redemption names a code that is not there": (
        f"SELECT p.handle, d.order_ref, d.seq, 0 FROM redemption d {_PROMOTION} d.promotion_id "
        "LEFT JOIN code c ON c.promotion_id = d.promotion_id AND c.seq = d.seq "
        "WHERE c.seq IS NULL AND d.seq IS NOT NULL"
    ),
    "a key is held by several codes": (
        "SELECT min(p.handle), c.key, count(*), 1 FROM (SELECT key FROM code GROUP BY key HAVING count(*) > 1) k "
        f"JOIN code c ON c.key = k.key {_PROMOTION} c.promotion_id GROUP BY c.key"
    ),
    "a promotion has no counters": (
        "SELECT p.handle, 'stock', 0, 1 FROM promotion p LEFT JOIN stock s ON s.promotion_id = p.id "
        "WHERE s.promotion_id IS NULL"
    ),
    # Counted from 1 without gaps; the next row takes the number after the count.
    "issuances have other numbers than their count gives them": _NUMBERS.format("issuance"),
    "redemptions have other numbers than their count gives them": _NUMBERS.format("redemption"),
    "holds have other numbers than their count gives them": _NUMBERS.format("hold"),
    "rows belong to a promotion that is not there": " UNION ALL ".join(
        _ORPHANS.format(table)
        for table in (
            "batch",
            "booking",
            "carried_code",
            "code",
            "code_event",
            "hold",
            "issuance",
            "issue_mark",
            "order_code",
            "redemption",
            "returned_code",
            "rollback",
            "stock",
        )
    ),
}
"""What rows say of each other."""
