"""Queries for what would go wrong with the next code issued, made or added; in the shape of `verifying_breaches`."""

from promograph.store.verifying.counters import OUT

_STOCK = "FROM stock s JOIN promotion p ON p.id = s.promotion_id"
_RETURNED = "FROM returned_code t JOIN promotion p ON p.id = t.promotion_id"
_CODE = "JOIN code c ON c.promotion_id = t.promotion_id AND c.seq = t.seq"

LINE = {
    "a code waits but the line has passed it": (
        "SELECT p.handle, c.key, c.seq, s.head FROM code c JOIN stock s ON s.promotion_id = c.promotion_id "
        "JOIN promotion p ON p.id = c.promotion_id "
        f"WHERE c.seq <> 0 AND c.seq < s.head AND NOT c.blocked AND NOT c.void AND NOT {OUT} "
        "AND (c.expires_at IS NULL OR c.expires_at > :now) "
        "AND NOT EXISTS (SELECT 1 FROM returned_code t WHERE t.promotion_id = c.promotion_id AND t.seq = c.seq)"
    ),
    "the line has yet to come to codes that were issued": (
        f"SELECT p.handle, 'head', s.head, max(i.seq) + 1 {_STOCK} JOIN issuance i ON i.promotion_id = s.promotion_id "
        "AND i.seq >= s.head AND i.kind = 'INITIAL' AND i.seq <> 0 GROUP BY p.handle, s.head"
    ),
    "the line begins outside of itself": (
        f"SELECT p.handle, 'head', s.head, s.tail + 1 {_STOCK} WHERE s.head < 1 OR s.head > s.tail + 1"
    ),
    # A load that is under way, or was broken off, has its name there, and the next one clears up after it.
    "codes lie behind the line's end and nobody is adding any": (
        f"SELECT p.handle, 'tail', s.tail, max(c.seq) {_STOCK} JOIN code c ON c.promotion_id = s.promotion_id "
        "AND c.seq > s.tail WHERE s.loader IS NULL GROUP BY p.handle, s.tail"
    ),
    "the line's end belongs to a job that has ended": (
        f"SELECT p.handle, s.loader, s.tail, 0 {_STOCK} WHERE s.loader LIKE 'job-%' AND NOT EXISTS "
        "(SELECT 1 FROM job j WHERE s.loader = 'job-' || j.id AND j.finished_at IS NULL)"
    ),
    "a batch has other codes than were added and not taken back": (
        "SELECT p.handle, 'batch ' || b.id, count(c.seq), b.size - b.reverted FROM batch b "
        "JOIN promotion p ON p.id = b.promotion_id LEFT JOIN code c ON c.promotion_id = b.promotion_id "
        "AND c.seq >= b.first_seq AND c.seq <= b.last_seq WHERE b.first_seq > 0 "
        "GROUP BY p.handle, b.id, b.size, b.reverted HAVING count(c.seq) <> b.size - b.reverted"
    ),
    "codes made on demand have numbers that are yet to be given": (
        f"SELECT p.handle, 'made', s.made, -min(c.seq) {_STOCK} JOIN code c ON c.promotion_id = s.promotion_id "
        "AND c.seq < -s.made GROUP BY p.handle, s.made"
    ),
    "a code that is back in line was issued": (
        f"SELECT p.handle, c.key, c.seq, 0 {_RETURNED} {_CODE} WHERE EXISTS (SELECT 1 FROM issuance i "
        "WHERE i.promotion_id = t.promotion_id AND i.seq = t.seq AND i.kind = 'INITIAL' AND i.seq <> 0)"
    ),
    "a code is back in line that the line has not passed": (
        f"SELECT p.handle, c.key, c.seq, s.head - 1 {_RETURNED} {_CODE} "
        "JOIN stock s ON s.promotion_id = t.promotion_id WHERE t.seq = 0 OR t.seq >= s.head"
    ),
    "a place in line is that of a code that is not there": (
        f"SELECT p.handle, 'code', t.seq, 0 {_RETURNED} LEFT {_CODE} WHERE c.seq IS NULL"
    ),
}
