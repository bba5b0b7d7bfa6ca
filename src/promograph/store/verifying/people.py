"""Queries for what cannot be among people, in the shape of `verifying_breaches`; and segments that are meant."""

from collections import defaultdict
from collections.abc import Iterator

import orjson
from sqlalchemy import Connection, text

from promograph.domain import conditions

PEOPLE = {
    "an audience counts other members than it has": (
        "SELECT a.handle, 'members', a.size, coalesce(m.times, 0) FROM audience a LEFT JOIN (SELECT audience_id, "
        "count(*) AS times FROM audience_member GROUP BY audience_id) m ON m.audience_id = a.id "
        "WHERE a.size <> coalesce(m.times, 0) AND (a.filling_at IS NULL OR a.filling_at <> 0)"
    ),
    "members belong to an audience that is not there": (
        "SELECT 'audience ' || m.audience_id, 'members', count(*), 0 FROM audience_member m WHERE NOT EXISTS "
        "(SELECT 1 FROM audience a WHERE a.id = m.audience_id) GROUP BY m.audience_id"
    ),
    "a dynamic audience has members of its own": (
        "SELECT a.handle, 'members', count(*), 0 FROM audience a JOIN audience_member m ON m.audience_id = a.id "
        "WHERE a.kind = 'DYNAMIC' GROUP BY a.handle"
    ),
    "a booking has more or less left than it can": (
        "SELECT p.handle, b.send, b.remaining, b.codes FROM booking b JOIN promotion p ON p.id = b.promotion_id "
        "WHERE b.remaining < 0 OR b.remaining > b.codes"
    ),
}

_MEANT = (
    "SELECT 'SEGMENT', id, handle, CAST(condition AS text) FROM segment UNION ALL "
    "SELECT 'PROMOTION', id, handle, CAST(condition AS text) FROM promotion WHERE condition IS NOT NULL"
)
_DYNAMIC = "SELECT id, handle, segment FROM audience WHERE kind = 'DYNAMIC' AND (filling_at IS NULL OR filling_at <> 0)"
_NOTED = "SELECT u.user_kind, u.user_id, s.handle FROM segment_use u JOIN segment s ON s.id = u.segment_id"


def uses(connection: Connection) -> Iterator[str]:
    """A sentence for each segment that is meant and not noted as such, or noted and not meant."""
    names: dict[tuple[str, int], str] = {}
    meant: dict[tuple[str, int], set[str]] = {}
    for kind, id_, handle, condition in connection.execute(text(_MEANT)):
        parsed = None if condition in (None, "null") else conditions.parse(orjson.loads(condition))
        names[kind, id_] = handle
        meant[kind, id_] = set() if parsed is None else set(parsed.needs().segments)
    for id_, handle, segment in connection.execute(text(_DYNAMIC)):
        names["AUDIENCE", id_] = handle
        meant["AUDIENCE", id_] = {segment}
    noted: dict[tuple[str, int], set[str]] = defaultdict(set)
    for kind, id_, segment in connection.execute(text(_NOTED)):
        noted[kind, id_].add(segment)
    for user in sorted(meant.keys() | noted.keys()):
        named = f"{user[0].lower()} {names.get(user, user[1])!r}"
        for segment in sorted(meant.get(user, set()) - noted[user]):
            yield f"{named}: means the segment {segment!r}, and is not noted as resting on it"
        for segment in sorted(noted[user] - meant.get(user, set())):
            yield f"{named}: is noted as resting on the segment {segment!r}, which it does not mean"
