"""A long load gives way while others ask, and only then. Nobody sleeps here: rests are written down."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing

import pytest

from promograph.services.ahead import ahead
from promograph.services.pacing import Pace
from promograph.store.databases import demand as store_demand
from promograph.store.databases.database import Database
from promograph.store.databases.demand import Demand
from promograph.store.databases.opening import open_database

pytestmark = pytest.mark.anyio


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long a load has slept, each time that it did."""
    slept: list[float] = []
    sleep = asyncio.sleep

    async def nap(seconds: float) -> None:
        slept.extend([seconds] if seconds else [])
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", nap)
    return slept


@pytest.fixture
async def database(store_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    """A store for which a moment lasts, however slow the machine is."""
    monkeypatch.setattr(store_demand, "_LATELY", 1e6)
    monkeypatch.setattr(store_demand, "_LINGERS", 1e6)
    opened = open_database(store_url)
    yield opened
    await opened.close()


async def ask(database: Database, times: int) -> None:
    for _ in range(times):
        await database.read(lambda _: None)


async def test_a_load_rests_while_others_ask(database: Database, naps: list[float]) -> None:
    pace = Pace(database)
    pace.worked(0.1)
    await pace.rest()
    assert naps == [], "nobody asks"
    assert not database.is_wanted
    large = database.piece
    await ask(database, 16)
    assert database.is_wanted
    assert database.piece < large, "and takes less at a time"
    pace.worked(0.04)
    pace.worked(0.06)
    await pace.rest()
    assert 0.1 * database.rests <= sum(naps) <= 0.5
    naps.clear()
    await pace.rest()
    assert naps == [], "it has done nothing since"
    pace.worked(60)
    await pace.rest()
    assert sum(naps) == pytest.approx(0.5), "it may have waited for others itself"


async def test_what_a_server_does_by_itself_is_no_demand(database: Database) -> None:
    await ask(database, 15)
    assert not database.is_wanted


def test_demand_is_several_in_a_moment_and_lingers() -> None:
    now = 0.0
    demand = Demand(lambda: now)

    def come(every: float) -> None:
        nonlocal now
        for _ in range(16):
            now += every
            demand.note()

    come(every=0.1)
    assert not demand.is_felt
    come(every=0.01)
    assert demand.is_felt
    now += 1.9
    assert demand.is_felt, "the next ones may be on their way"
    now += 0.2
    assert not demand.is_felt


class Busy(Pace):
    """Of a store that others want, or do not."""

    def __init__(self, *, asked: bool) -> None:
        self.seconds = 0.0
        self.asked = asked

    @property
    def gives_way(self) -> bool:
        return self.asked

    def worked(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.mark.parametrize("asked", [False, True])
async def test_things_are_made_ahead_unless_others_ask(asked: bool) -> None:
    """While they ask, one thing at a time: what is made during a load's rest would not be rested from."""
    made: list[int] = []
    second = threading.Event()

    def making() -> Iterator[int]:
        for number in (1, 2, 3):
            made.append(number)
            if number == 2:
                second.set()
            yield number

    pace = Busy(asked=asked)
    seen = []
    async with aclosing(ahead(making(), pace)) as things:
        async for thing in things:
            if not asked:
                assert await asyncio.to_thread(second.wait, 60)
            else:
                assert made == [*seen, thing]
            seen.append(thing)
    assert seen == made == [1, 2, 3]
    assert pace.seconds > 0
