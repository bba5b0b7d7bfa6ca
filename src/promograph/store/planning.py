"""Other ways of PostgreSQL's planner, for the few transactions that ask a long question."""

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
_NO_LOOPS = Statement("SET LOCAL enable_nestloop = off")


def plan_freely(connection: Connection) -> None:
    """Until this transaction ends statements are planned by what they ask, and not in the order of their joins."""
    if connection.dialect.name == "postgresql":
        for statement in _FREE:
            statement.fetch(connection)


def join_wholes(connection: Connection) -> None:
    """The same, and whole tables are joined at once.

    Statistics that are older than a table's rows promise one row, and a loop in a loop over what are thousands by now.
    """
    if connection.dialect.name == "postgresql":
        plan_freely(connection)
        _NO_LOOPS.fetch(connection)
