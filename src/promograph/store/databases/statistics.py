"""Statistics for PostgreSQL's planner, taken before a long question where they tell of another table than there is.

The server takes them by itself, a minute later. Until then a table that was just filled passes for a small one, and
what is then planned for a million customers takes several times as long.
"""

from sqlalchemy import Connection

from promograph.store.databases.database import Database
from promograph.store.statements import Statement

_TABLES = ("customer", "issuance", "code", "redemption", "rollback", "send_message")

# The server's own count of changes comes a second or more after them; a file that has grown is seen at once.
_STALE = Statement(
    "SELECT c.relname FROM pg_class c JOIN pg_stat_user_tables t ON t.relid = c.oid "
    f"WHERE t.schemaname = current_schema() AND c.relname IN {_TABLES} "
    "AND (t.n_mod_since_analyze > 10000 + t.n_live_tup / 4 "
    "OR pg_relation_size(c.oid) / CAST(current_setting('block_size') AS integer) > 100 + c.relpages * 1.25) "
    "ORDER BY c.relname"
)
_ANALYZE = {table: Statement(f"ANALYZE {table}") for table in _TABLES}


async def freshen(database: Database) -> None:
    """Take those of the tables that have changed by a good part since they were last taken."""
    if database.dialect != "postgresql":
        return
    stale = [table for (table,) in await database.read(_STALE.fetch)]
    if stale:
        await database.write(lambda connection: _take(connection, stale), heavy=True)


def _take(connection: Connection, tables: list[str]) -> None:
    for table in tables:
        _ANALYZE[table].fetch(connection)
