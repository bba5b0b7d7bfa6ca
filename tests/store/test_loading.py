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


@pytest.mark.parametrize("form", ["keys", "texts", "expiries"])
async def test_codes_that_are_there_already_leave_no_gap_in_the_line(ground: Ground, form: str) -> None:
    """A piece is written with one statement; the numbers of the codes that are new follow one another all the same."""
    other = await ground.promotion("other", ["B-5", "B-2"])
    promotion = await ground.promotion("sale", ["A"])
    now = system_clock()
    load = await ground.database.write(lambda connection: loading.claim(connection, promotion.id, "one", now))
    before = [f"C-{number}" for number in range(600)]  # enough for COPY
    keys = [f"B-{number}" for number in reversed(range(600))]
    texts = [key.lower() for key in keys] if form == "texts" else keys
    expires = [now] * len(keys) if form == "expiries" else []

    def put(connection: Connection) -> dict[str, int]:
        assert pieces.put(connection, promotion.id, load.first, Codes(texts=before, keys=before)) == {}
        codes = Codes(texts=texts, keys=keys, expires=expires)
        return pieces.put(connection, promotion.id, load.first + 600, codes)

    assert await ground.database.write(put, heavy=True) == {"B-5": other.id, "B-2": other.id}
    rows = await ground.ask(f"SELECT seq, key FROM code WHERE promotion_id = {promotion.id} AND seq > 1 ORDER BY seq")
    new = [key for key in keys if key not in ("B-5", "B-2")]
    assert rows == list(enumerate(before + new, load.first))
    await ground.database.write(lambda connection: loading.abandon(connection, load), heavy=True)
    assert await ground.services.verify() == []
