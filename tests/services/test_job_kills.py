"""A process that dies before or after each of its transactions: another one goes on; nothing is lost or repeated."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import pytest

from promograph.domain.jobs import Job, JobStatus
from promograph.services import generating
from promograph.services.app import Services
from promograph.services.jobs import runner as job_runner
from promograph.store.databases.database import Work
from promograph.store.databases.opening import open_database
from promograph.store.jobs import running as job_running

from .world import Interposed, SetClock, World

pytestmark = pytest.mark.anyio

T = TypeVar("T")


class Mortal(Interposed):
    """A store whose process dies before its write number `dies_at`, counted from 1, or right after it."""

    def __init__(self, store: str, dies_at: int, *, after: bool) -> None:
        super().__init__(open_database(store))
        self.dies_at, self.after = dies_at, after
        self.writes = 0
        self.services: Services | None = None

    @property
    def piece(self) -> int:
        return 40

    async def write(self, work: Work[T], *, heavy: bool = False) -> T:
        self.writes += 1
        if self.writes < self.dies_at:
            return await super().write(work, heavy=heavy)
        if self.writes == self.dies_at and self.after:
            await super().write(work, heavy=heavy)
        assert self.services is not None
        self.services.runner._is_closing = True  # a dead process begins nothing, and gives nothing back
        raise asyncio.CancelledError


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever another process has is taken for dead at once; and the work is in pieces that a test can afford."""
    monkeypatch.setattr(job_runner, "_DEAD_SECONDS", -1.0)
    monkeypatch.setattr(generating, "_ROUND", 100)


async def dying_ever_later(
    world: World, clock: SetClock, begin: Callable[[Services], Awaitable[Job]]
) -> AsyncIterator[Job]:
    """The same work again and again, each time by a process that dies one transaction later, and then by another one.

    What is given is the job as the other one leaves it; the last time nobody died.
    """
    for dies_at in range(2, 40):
        for after in (False, True):
            database = Mortal(world.store, dies_at, after=after)
            services = database.services = Services(database, clock)
            job = await begin(services)
            await asyncio.gather(*services.runner._tasks.values(), return_exceptions=True)
            other = world.reopen()
            await other.runner.look()
            yield await other.jobs.wait(job.id, 300)
            await services.close()
            if database.writes < dies_at:
                assert dies_at > 3, "there were too few transactions to say anything"
                return


async def test_a_generation_survives_a_kill_at_any_instant(world: World, clock: SetClock) -> None:
    promotion = await world.promotion(codes=3)
    count, size = 0, 130

    async def begin(services: Services) -> Job:
        return await services.stocking.begin_generating(promotion.id, size, None, channel=None)

    async for job in dying_ever_later(world, clock, begin):
        count += 1
        assert (job.status, job.done, job.total) == (JobStatus.DONE, size, size)
        assert (await world.inventory(promotion)).total == 3 + count * size


async def test_a_batch_taken_back_survives_a_kill_at_any_instant(world: World, clock: SetClock) -> None:
    promotion = await world.promotion(codes=3)

    async def begin(services: Services) -> Job:
        added = await world.services.stocking.generate(promotion.id, 130, None, channel=None)
        assert added.batch is not None
        return await services.reverting.begin(services.jobs, added.batch.id)

    async for job in dying_ever_later(world, clock, begin):
        assert (job.status, job.report) == (JobStatus.DONE, {"gone": 130, "issued": 0, "used": 0, "void": 0})
        assert (await world.inventory(promotion)).total == 3


async def test_a_cancelled_generation_leaves_nothing_wherever_it_is_killed(world: World, clock: SetClock) -> None:
    promotion = await world.promotion(codes=3)

    async def begin(services: Services) -> Job:
        job = await services.stocking.begin_generating(promotion.id, 130, None, channel=None)
        await world.write(lambda connection: job_running.ask_cancel(connection, job.id))
        return job

    ends = Counter[JobStatus]()
    async for job in dying_ever_later(world, clock, begin):
        ends[job.status] += 1  # the wish may have come when all was done
        assert ends.keys() <= {JobStatus.CANCELLED, JobStatus.DONE}
        assert (await world.inventory(promotion)).total == 3 + 130 * ends[JobStatus.DONE]
    assert ends[JobStatus.CANCELLED]
    added = await world.services.stocking.paste(promotion.id, "NEXT", channel=None)
    assert added.report.added == 1
