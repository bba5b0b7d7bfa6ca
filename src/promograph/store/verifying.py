"""Recounting: every counter against its rows, every invariant against the rows that could break it."""

from sqlalchemy import Connection, text

# Which codes the counters count: those in line or past it and those made on demand; and a SINGLE promotion's one code.
# Codes above the tail belong to a load that has not finished.
_COUNTED = (
    "FROM code c JOIN stock s ON s.promotion_id = c.promotion_id AND c.seq <= s.tail "
    "JOIN promotion p ON p.id = c.promotion_id WHERE (c.seq <> 0 OR p.code_kind = 'SINGLE')"
)
# Said so that the index of codes of one's own can serve: it holds no shared code.
_OUT = (
    "(c.uses > 0 OR (c.seq = 0 AND s.issuances > 0) OR EXISTS (SELECT 1 FROM issuance i "
    "WHERE i.promotion_id = c.promotion_id AND i.seq = c.seq AND i.kind = 'INITIAL' AND i.seq <> 0))"
)

_COUNTS = {
    "available": f"SELECT c.promotion_id, count(*) {_COUNTED} AND NOT c.blocked AND NOT {_OUT} GROUP BY c.promotion_id",
    "issued": f"SELECT c.promotion_id, count(*) {_COUNTED} AND NOT c.blocked AND {_OUT} GROUP BY c.promotion_id",
    "blocked": f"SELECT c.promotion_id, count(*) {_COUNTED} AND c.blocked GROUP BY c.promotion_id",
    "redeemed": f"SELECT c.promotion_id, count(*) {_COUNTED} AND c.uses > 0 GROUP BY c.promotion_id",
    "issuances": "SELECT promotion_id, count(*) FROM issuance GROUP BY promotion_id",
    "fallback_issued": "SELECT promotion_id, count(*) FROM issuance WHERE kind = 'FALLBACK' GROUP BY promotion_id",
    "customers": "SELECT promotion_id, count(DISTINCT customer) FROM issuance GROUP BY promotion_id",
    "redemptions": "SELECT promotion_id, count(*) FROM redemption GROUP BY promotion_id",
}

# Each finds rows that must not be; a row is (handle, what, number found, number allowed).
_BREACHES = {
    "a code was redeemed more often than it may be": (
        "SELECT p.handle, c.key, count(*), p.uses_per_code FROM redemption d "
        "JOIN code c ON c.promotion_id = d.promotion_id AND c.seq = d.seq JOIN promotion p ON p.id = d.promotion_id "
        "WHERE p.uses_per_code IS NOT NULL AND (d.seq <> 0 OR p.code_kind = 'SINGLE') "
        "GROUP BY p.handle, c.key, p.uses_per_code HAVING count(*) > p.uses_per_code"
    ),
    "a code counts other uses than it has": (
        "SELECT p.handle, c.key, c.uses, (SELECT count(*) FROM redemption d WHERE d.promotion_id = c.promotion_id "
        "AND d.seq = c.seq) FROM code c JOIN promotion p ON p.id = c.promotion_id WHERE c.uses <> "
        "(SELECT count(*) FROM redemption d WHERE d.promotion_id = c.promotion_id AND d.seq = c.seq)"
    ),
    "a code was issued to several customers": (
        "SELECT p.handle, i.seq, count(DISTINCT i.customer), 1 FROM issuance i "
        "JOIN promotion p ON p.id = i.promotion_id WHERE i.seq <> 0 "
        "GROUP BY p.handle, i.promotion_id, i.seq HAVING count(DISTINCT i.customer) > 1"
    ),
    "an occasion got several codes": (
        "SELECT p.handle, i.customer, count(*), 1 FROM issuance i JOIN promotion p ON p.id = i.promotion_id "
        "GROUP BY p.handle, i.customer, i.occasion HAVING count(*) > 1"
    ),
    "more customers were reached than the audience cap allows": (
        "SELECT p.handle, 'customers', count(DISTINCT i.customer), p.audience_cap FROM issuance i "
        "JOIN promotion p ON p.id = i.promotion_id WHERE p.audience_cap IS NOT NULL "
        "GROUP BY p.handle, p.audience_cap HAVING count(DISTINCT i.customer) > p.audience_cap"
    ),
    "a customer redeemed more often than allowed": (
        "SELECT p.handle, d.customer, count(*), p.uses_per_customer FROM redemption d "
        "JOIN promotion p ON p.id = d.promotion_id WHERE p.uses_per_customer IS NOT NULL AND d.customer IS NOT NULL "
        "GROUP BY p.handle, d.customer, p.uses_per_customer HAVING count(*) > p.uses_per_customer"
    ),
    "an issuance names a code that is not there": (
        "SELECT p.handle, i.customer, i.seq, 0 FROM issuance i JOIN promotion p ON p.id = i.promotion_id "
        "LEFT JOIN code c ON c.promotion_id = i.promotion_id AND c.seq = i.seq WHERE c.seq IS NULL"
    ),
    "a redemption names a code that is not there": (
        "SELECT p.handle, d.order_ref, d.seq, 0 FROM redemption d JOIN promotion p ON p.id = d.promotion_id "
        "LEFT JOIN code c ON c.promotion_id = d.promotion_id AND c.seq = d.seq WHERE c.seq IS NULL"
    ),
    "a key is held by several codes": (
        "SELECT min(p.handle), c.key, count(*), 1 FROM code c JOIN promotion p ON p.id = c.promotion_id "
        "GROUP BY c.key HAVING count(*) > 1"
    ),
    "a code waits but the line has passed it": (
        "SELECT p.handle, c.key, c.seq, s.head FROM code c JOIN stock s ON s.promotion_id = c.promotion_id "
        "JOIN promotion p ON p.id = c.promotion_id "
        f"WHERE c.seq > 0 AND c.seq < s.head AND NOT c.blocked AND NOT {_OUT} "
        "AND NOT EXISTS (SELECT 1 FROM returned_code t WHERE t.promotion_id = c.promotion_id AND t.seq = c.seq)"
    ),
}
_SHOWN = 20


def recount(connection: Connection) -> list[str]:
    """A sentence for each difference, empty when all is as it should be. Run it on one state of the store."""
    differences = []
    handles = {row[0]: row[1] for row in connection.execute(text("SELECT id, handle FROM promotion"))}
    for counter, sql in _COUNTS.items():
        counted = {row[0]: row[1] for row in connection.execute(text(sql))}
        kept = {row[0]: row[1] for row in connection.execute(text(f"SELECT promotion_id, {counter} FROM stock"))}
        for id_ in sorted(handles):
            if counted.get(id_, 0) != kept.get(id_, 0):
                differences.append(
                    f"{handles[id_]}: {counter} is kept as {kept.get(id_, 0)}, and its rows count {counted.get(id_, 0)}"
                )
    for sentence, sql in _BREACHES.items():
        found = connection.execute(text(f"{sql} LIMIT {_SHOWN + 1}")).fetchall()
        differences += [f"{row[0]}: {sentence}: {row[1]} ({row[2]}, expected {row[3]})" for row in found[:_SHOWN]]
        if len(found) > _SHOWN:
            differences.append(f"... and more where {sentence}")
    return differences
