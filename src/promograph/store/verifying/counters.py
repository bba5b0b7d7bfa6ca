"""What each counter of a stock should say, counted from the rows that it counts."""

# Which codes the counters count: those in line or past it and those made on demand; and a SINGLE promotion's one code.
# Codes above the tail belong to a load that has not finished.
_COUNTED = (
    "FROM code c JOIN stock s ON s.promotion_id = c.promotion_id AND c.seq <= s.tail "
    "JOIN promotion p ON p.id = c.promotion_id WHERE (c.seq <> 0 OR p.code_kind = 'SINGLE')"
)
# Said so that the index of codes of one's own can serve: it holds no shared code.
OUT = (
    "(c.uses > 0 OR (c.seq = 0 AND s.issuances > 0) OR EXISTS (SELECT 1 FROM issuance i "
    "WHERE i.promotion_id = c.promotion_id AND i.seq = c.seq AND i.kind = 'INITIAL' AND i.seq <> 0))"
)
"""Whether `code c` of the promotion with `stock s` is out among people: issued, or used without that."""

# A code that waits is in line, or back in it. What is in neither had expired when the line came to it.
_PASSED = (
    "(c.expires_at IS NOT NULL AND c.seq <> 0 AND c.seq < s.head AND NOT EXISTS (SELECT 1 FROM returned_code t "
    "WHERE t.promotion_id = c.promotion_id AND t.seq = c.seq))"
)
_STOPPED = "(c.blocked OR c.void)"
_WAITING = f"NOT {_STOPPED} AND NOT {OUT}"

STANDING = (
    "(SELECT d.promotion_id, d.seq, d.customer FROM redemption d WHERE NOT EXISTS (SELECT 1 FROM rollback b "
    "WHERE b.promotion_id = d.promotion_id AND b.number = d.number AND b.is_whole))"
)
"""Redemptions that were not rolled back as a whole."""

_OF_BUDGET = "JOIN promotion p ON p.id = {0}.promotion_id AND p.budget_currency = {0}.discount_currency"

COUNTS = {
    "available": f"SELECT c.promotion_id, count(*) {_COUNTED} AND {_WAITING} AND NOT {_PASSED} GROUP BY c.promotion_id",
    "issued": f"SELECT c.promotion_id, count(*) {_COUNTED} AND NOT {_STOPPED} AND {OUT} GROUP BY c.promotion_id",
    "blocked": f"SELECT c.promotion_id, count(*) {_COUNTED} AND c.blocked GROUP BY c.promotion_id",
    "void": (
        f"SELECT c.promotion_id, count(*) {_COUNTED} AND (c.void OR ({_WAITING} AND {_PASSED})) GROUP BY c.promotion_id"
    ),
    "redeemed": f"SELECT c.promotion_id, count(*) {_COUNTED} AND c.uses > 0 GROUP BY c.promotion_id",
    "issuances": "SELECT promotion_id, count(*) FROM issuance GROUP BY promotion_id",
    "fallback_issued": "SELECT promotion_id, count(*) FROM issuance WHERE kind = 'FALLBACK' GROUP BY promotion_id",
    "repeats": "SELECT promotion_id, count(*) FROM issuance WHERE kind = 'REPEAT' GROUP BY promotion_id",
    "customers": "SELECT promotion_id, count(DISTINCT customer) FROM issuance "
    "WHERE kind NOT IN ('REPEAT', 'RETURNED') GROUP BY promotion_id",
    "redemptions": f"SELECT promotion_id, count(*) FROM {STANDING} d GROUP BY promotion_id",
    "redemption_number": "SELECT promotion_id, count(*) FROM redemption GROUP BY promotion_id",
    "hold_number": "SELECT promotion_id, count(*) FROM hold GROUP BY promotion_id",
    "holds": "SELECT promotion_id, count(*) FROM hold WHERE ended IS NULL GROUP BY promotion_id",
    "booked": "SELECT promotion_id, sum(remaining) FROM booking WHERE released_at IS NULL GROUP BY promotion_id",
    "erased": (
        "SELECT promotion_id, count(*) FROM (SELECT i.promotion_id, i.customer FROM erasure e JOIN issuance i "
        "ON i.customer = e.hash UNION SELECT d.promotion_id, d.customer FROM erasure e JOIN redemption d "
        "ON d.customer = e.hash UNION SELECT h.promotion_id, h.customer FROM erasure e JOIN hold h "
        "ON h.customer = e.hash) x GROUP BY promotion_id"
    ),
    "held": (
        f"SELECT h.promotion_id, sum(h.discount_minor) FROM hold h {_OF_BUDGET.format('h')} "
        "WHERE h.ended IS NULL GROUP BY h.promotion_id"
    ),
    "spent": (
        "SELECT d.promotion_id, sum(d.discount_minor) - coalesce(sum((SELECT sum(b.minor) FROM rollback b "
        "WHERE b.promotion_id = d.promotion_id AND b.number = d.number)), 0) "
        f"FROM redemption d {_OF_BUDGET.format('d')} GROUP BY d.promotion_id"
    ),
}
"""By counter, a query that counts its rows: (promotion, count)."""
