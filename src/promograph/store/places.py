"""Where codes are: of a text, the promotion and the number there."""

from collections.abc import Iterable

from sqlalchemy import Connection

from promograph.store.statements import Statement

Place = tuple[int, int]
"""A promotion, and a code's number there."""

# A code above the line's tail belongs to a load that has not finished: it is not there yet.
_PLACES = Statement(
    "SELECT c.key, c.promotion_id, c.seq FROM @rows(key text) r JOIN code c ON c.key = r.key "
    "JOIN stock s ON s.promotion_id = c.promotion_id AND c.seq <= s.tail"
)


def by_key(connection: Connection, keys: Iterable[str]) -> dict[str, Place]:
    """Of these keys, those that are codes."""
    rows = [(key,) for key in sorted(set(keys))]
    return {key: (promotion_id, seq) for key, promotion_id, seq in _PLACES.fetch(connection, rows)} if rows else {}
