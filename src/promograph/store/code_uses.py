"""How often codes have been used, as their rows say."""

from collections.abc import Iterable

from sqlalchemy import Connection

from promograph.store.statements import Statement

_ADD = Statement(
    "UPDATE code SET uses = code.uses + r.uses FROM @rows(promotion_id bigint, seq bigint, uses bigint) r "
    "WHERE code.promotion_id = r.promotion_id AND code.seq = r.seq"
)


def add(connection: Connection, uses: Iterable[tuple[int, int, int]]) -> None:
    """So many uses more, each with the promotion and the code's number there; a code comes once."""
    rows = sorted(uses)
    if rows:
        _ADD.run(connection, rows)
