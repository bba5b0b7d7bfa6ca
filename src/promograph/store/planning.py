"""Freedom for PostgreSQL's planner, in the few transactions that write what a long question finds."""

from sqlalchemy import Connection

from promograph.store.statements import Statement

# The connections that write are told to go by indexes, row by row, which is right for a batch of a few thousand.
_FREE = tuple(
    Statement(f"SET LOCAL {setting}")
    for setting in (
        "plan_cache_mode = auto",
        "join_collapse_limit = 8",
        "enable_hashjoin = on",
        "enable_material = on",
        "enable_mergejoin = on",
        "enable_seqscan = on",
    )
)


def plan_freely(connection: Connection) -> None:
    """Until this transaction ends statements are planned by what they ask, and not in the order of their joins."""
    if connection.dialect.name == "postgresql":
        for statement in _FREE:
            statement.fetch(connection)
