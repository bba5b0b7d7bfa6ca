"""Queries for sends whose messages are not what they count, in the shape of `verifying.breaches`."""

SENDS = {
    "a send counts other messages of a status than it has": (
        "SELECT s.key, x.status || ' ' || x.why, sum(x.kept), sum(x.counted) FROM "
        "(SELECT send_id, status, why, messages AS kept, 0 AS counted FROM send_tally UNION ALL "
        "SELECT m.send_id, m.status, CASE WHEN m.status = 'SKIPPED' THEN m.why ELSE '' END, 0, count(*) "
        "FROM send_message m GROUP BY 1, 2, 3) x JOIN send s ON s.id = x.send_id "
        "GROUP BY s.key, x.status, x.why HAVING sum(x.kept) <> sum(x.counted)"
    ),
    "a send's messages have other numbers than their count gives them": (
        "SELECT s.key, 'the last', s.messages, coalesce(m.times, 0) FROM send s LEFT JOIN (SELECT send_id, "
        "count(*) AS times, max(number) AS last FROM send_message GROUP BY send_id) m ON m.send_id = s.id "
        "WHERE s.messages <> coalesce(m.times, 0) OR s.messages <> coalesce(m.last, 0)"
    ),
    "messages belong to a send that is not there": (
        "SELECT 'send ' || m.send_id, 'messages', count(*), 0 FROM send_message m WHERE NOT EXISTS "
        "(SELECT 1 FROM send s WHERE s.id = m.send_id) GROUP BY m.send_id"
    ),
    "a message is open and nothing will come of it, or over and due": (
        "SELECT s.key, 'message ' || m.number || ' ' || m.status, m.due_at, 0 FROM send_message m "
        "JOIN send s ON s.id = m.send_id WHERE (m.status IN ('WAITING', 'TAKEN')) <> (m.due_at IS NOT NULL) "
        "OR (m.status = 'TAKEN') <> (m.owner IS NOT NULL) OR (s.status IN ('DONE', 'DRAFT') AND m.due_at IS NOT NULL)"
    ),
}
