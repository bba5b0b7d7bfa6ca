"""Other ways of PostgreSQL's planner, for the few transactions that ask a long question."""

from sqlalchemy import Connection

from promograph.store.statements import Statement

LONG_QUESTIONS = {
    # What a long question costs depends on its values, and planning it takes nothing against it.
    "plan_cache_mode": "force_custom_plan",
    # What is looked up by the million lies in memory, or on disks that find any page as soon as the next one.
    "random_page_cost": "1.1",
    # Some hundred thousand customers are remembered at a time, and with 4 MB they go to the disk and back. With much
    # more, codes are counted in a table without order where their index has them by customer.
    "work_mem": "16MB",
}
"""Settings of PostgreSQL for a question that goes through all customers or codes."""

# The connections that write are told to go by indexes, row by row, which is right for a batch of a few thousand.
_FREE = tuple(
    Statement(f"SET LOCAL {setting}")
    for setting in (
        *(f"{name} = '{value}'" for name, value in LONG_QUESTIONS.items()),
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
