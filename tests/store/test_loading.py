"""A load that is broken off leaves nothing, whatever of it was on its way."""

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor, wait

import pytest
from sqlalchemy import Connection

from promograph.domain.clock import system_clock
from promograph.store import loading, pieces
from promograph.store.databases.opening import open_database
from promograph.store.pieces import Codes

from .ground import Ground

pytestmark = pytest.mark.anyio


async def test_undoing_a_load_waits_for_the_piece_that_is_being_committed(ground: Ground, prepared_url: str) -> None:
    """Whoever asked for the piece has gone; its transaction has not, and comes to its commit after all."""
    promotion = await ground.promotion("sale", ["A"])
    now = system_clock()
    load = await ground.database.write(lambda connection: loading.claim(connection, promotion.id, "broken", now))

    async def abandon() -> None:
        beside = open_database(prepared_url)
        try:
            await beside.write(lambda connection: loading.abandon(connection, load))
        finally:
            await beside.close()

    with ThreadPoolExecutor(1) as thread:

        def put(connection: Connection) -> None:
            loading.check_held(connection, load)
            pieces.put(connection, promotion.id, load.first, Codes(texts=["B", "C"], keys=["B", "C"]))
            undoing.append(thread.submit(lambda: asyncio.run(abandon())))
            wait(undoing, timeout=0.5)

        undoing: list[Future[None]] = []
        await ground.database.write(put, heavy=True)
        undoing[0].result()
    assert await ground.ask("SELECT count(*) FROM code WHERE seq <> 0") == [(1,)]
    assert await ground.services.verify() == []
