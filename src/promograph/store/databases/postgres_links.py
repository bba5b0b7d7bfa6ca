"""Connections for small transactions, kept open between them.

SQLAlchemy makes them; handing one out and taking it back through its pool costs several times what a small transaction
does, so these stay out until they break. They run in autocommit, where BEGIN and COMMIT are ours to say.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from promograph.errors import StoreBusy
from promograph.store.statements import driver_of

T = TypeVar("T")

PLANNING = {
    # Every hot statement finds a batch of rows by an index, in the order in which it is written, so that a plan made
    # once is right for ever. Left alone, the planner takes a table that was just filled for empty and reads all of it
    # for each batch (a third of the speed, until statistics are taken), and plans anew as often as it runs.
    "plan_cache_mode": "force_generic_plan",
    "join_collapse_limit": "1",
    "enable_hashjoin": "off",
    "enable_material": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
}
"""Settings of the connections that run the hot statements, and of no others."""

_WAIT_SECONDS = 30


class Links:
    """At most `most` connections of an engine without a pool; the one used last is used next."""

    def __init__(self, engine: AsyncEngine, *, most: int) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._slots = asyncio.Semaphore(most)
        self._free: list[AsyncConnection] = []

    async def use(self, act: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """What `act` makes of a connection, which it leaves as it found it: outside a transaction."""
        await self._wait()
        try:
            link = self._free.pop() if self._free else await self._engine.connect()
            try:
                answer = await act(link)
            except Exception:
                await self._take_back(link)
                raise
            except BaseException:
                await _drop(link)  # cancelled in the middle of whatever it was
                raise
            await self._take_back(link)
            return answer
        finally:
            self._slots.release()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(_WAIT_SECONDS if self._slots.locked() else None):
                await self._slots.acquire()
        except TimeoutError:
            raise StoreBusy("The store has been busy with other requests for half a minute; try again.") from None

    async def _take_back(self, link: AsyncConnection) -> None:
        if link.invalidated or link_driver(link).is_closed():
            # What broke one has most likely broken all of them: a restart, say.
            await asyncio.gather(_drop(link), self.close())
        elif link_driver(link).is_in_transaction():
            await _drop(link)
        else:
            self._free.append(link)

    async def close(self) -> None:
        """Close those that nobody uses just now."""
        free, self._free = self._free, []
        for link in free:
            await _drop(link)


def link_driver(link: AsyncConnection) -> asyncpg.Connection:
    """asyncpg's own connection."""
    assert link.sync_connection is not None, "links are open"
    driver: asyncpg.Connection = driver_of(link.sync_connection)
    return driver


async def _drop(link: AsyncConnection) -> None:
    if not link.invalidated:  # else SQLAlchemy has seen it break, and closed the driver's own
        link_driver(link).terminate()  # without a farewell, which a server that hangs would not answer
    await link.close()
