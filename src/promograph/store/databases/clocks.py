"""Whether this machine's clock and the store's tell the same time.

Servers that share a store judge by their own clocks whether a hold has lapsed, and whether another server that has
messages in hand is dead: with a clock a minute ahead, every message of a send goes twice.
"""

from datetime import timedelta

from promograph.domain.clock import Clock
from promograph.errors import StoreError
from promograph.store.databases.database import Database
from promograph.store.statements import Statement
from promograph.store.tables.instants import from_micros

_MOST = timedelta(seconds=20)  # a third of how long a server has messages in hand unless it says that it lives
_NOW = Statement("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)")


class ClocksDiffer(StoreError):
    """The clocks are too far apart for servers that share a store."""


async def check_clock(database: Database, clock: Clock) -> None:
    """ClocksDiffer where ours is farther from PostgreSQL's than servers can do with; SQLite's is ours."""
    if database.dialect != "postgresql":
        return
    before = clock()
    ((micros,),) = await database.read(_NOW.fetch)
    after = clock()
    there = from_micros(micros)
    # However long the question took: it was answered between the two.
    apart = max(before - there, there - after)
    if apart > _MOST:
        which = "ahead of" if before > there else "behind"
        raise ClocksDiffer(
            f"This machine's clock is {apart.total_seconds():,.0f} seconds {which} the database's: set both right "
            "(NTP), as servers that share a store go by theirs."
        )
