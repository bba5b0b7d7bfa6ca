"""Jobs of a kind that counts: what is done once, what survives, who carries it out."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from promograph.domain.jobs import Job, JobKind, JobStatus, Progress, Result
from promograph.errors import BadInput, InputProblem, StoreUnavailable
from promograph.services.jobs import Asking, Jobs
from promograph.services.jobs import runner as job_runner
from promograph.services.jobs.files import JobFiles
from promograph.services.jobs.runner import Runner
from promograph.services.jobs.runs import INPUT, Run
from promograph.store import replays
from promograph.store.databases.database import Connection, Database
from promograph.store.databases.opening import open_database
from promograph.store.jobs import JobQuery, NewJob
from promograph.store.jobs import files as job_files
from promograph.store.jobs import running as job_running
from promograph.store.listing import Slice

from .world import Interposed, SetClock, World

pytestmark = pytest.mark.anyio

OPERATION = "count"
KIND = JobKind.CODES_EXPORT
ALL = frozenset(JobKind)


def add(connection: Connection, run: Run, number: int) -> Progress:
    replays.remember(connection, "counted", f"{run.job.id}-{number}", None, None, 0)
    return Progress(state={"next": number + 1}, done=number + 1, total=run.input)


class Counting:
    """Adds a row for each number up to the input, one a chunk; the rows say how often each was added."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.stop_before: int | None = None
        self.raises: Exception | None = None
        self.undone = 0
        self.chunk = add
        """The next one; those after it are plain."""

    async def run(self, run: Run) -> None:
        for number in range(run.progress.done, run.input):
            if number == self.stop_before:
                self.go_on.clear()
            await self.go_on.wait()
            if self.raises is not None:
                raise self.raises
            chunk, self.chunk = self.chunk, add
            await run.step(lambda connection, number=number, chunk=chunk: chunk(connection, run, number))  # type: ignore[misc]
        await run.finish(lambda _: Result(report={"counted": run.progress.done}))

    async def undo(self, run: Run) -> None:
        self.undone += 1
        await run.step(lambda _: run.progress)


class Process:
    """What one server process is to jobs."""

    def __init__(self, database: Database, clock: SetClock) -> None:
        self.database = database
        self.kind = Counting(database)
        self.runner = Runner(database, clock, {KIND: self.kind})
        self.jobs = Jobs(database, clock, self.runner)

    async def begin(self, count: int, key: str | None = None, **more: Any) -> Job:
        new = NewJob(kind=KIND, input=count, total=count)
        return await self.jobs.submit(new, Asking(operation=OPERATION, key=key, asked=count), **more)

    def die(self) -> None:
        """As by kill -9: nothing is given back."""
        self.runner._is_closing = True
        for task in self.runner._tasks.values():
            task.cancel()


@pytest.fixture
async def process(world: World, clock: SetClock) -> AsyncIterator[Callable[[], Process]]:
    """Makes processes that share the store."""
    made: list[Process] = []

    def new() -> Process:
        made.append(Process(Interposed(open_database(world.store)), clock))
        return made[-1]

    yield new
    for each in made:
        await each.runner.close()
        await each.database.close()


async def counted(process: Process, job: Job) -> list[int]:
    """The numbers that were added for the job, in order."""

    def work(connection: Connection) -> list[str]:
        found = connection.exec_driver_sql("SELECT key FROM replay WHERE operation = 'counted'")
        return [row[0] for row in found]

    keys = [key.split("-") for key in await process.database.read(work)]
    return sorted(int(number) for id_, number in keys if id_ == str(job.id))


async def until(check: Callable[[], Any]) -> None:
    for _ in range(30_000):
        if check():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came to that")


async def test_a_job_is_done(process: Callable[[], Process], clock: SetClock) -> None:
    one = process()
    begun = await one.begin(3)
    assert (begun.kind, begun.status, begun.done, begun.total) == (KIND, JobStatus.RUNNING, 0, 3)
    done = await one.jobs.wait(begun.id, 300)
    assert (done.status, done.done, done.report, done.error) == (JobStatus.DONE, 3, {"counted": 3}, None)
    assert (done.created_at, done.started_at, done.finished_at) == (clock.now,) * 3
    assert await counted(one, done) == [0, 1, 2]


async def test_what_a_dead_process_had_is_gone_on_with_where_it_was(
    process: Callable[[], Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = process(), process()
    one.kind.stop_before = 2
    job = await one.begin(5)
    await until(lambda: not one.kind.go_on.is_set())
    await other.runner.look()
    assert other.runner.has_room
    one.die()
    await other.runner.look()
    assert (await other.jobs.get(job.id) or job).status is JobStatus.RUNNING, "a beat has to stand still for a while"
    assert not other.runner._tasks
    monkeypatch.setattr(job_runner, "_DEAD_SECONDS", -1.0)
    await other.runner.look()
    assert (await other.jobs.wait(job.id, 300)).status is JobStatus.DONE
    assert await counted(one, job) == [0, 1, 2, 3, 4]


async def test_one_that_only_stood_still_does_nothing_twice(
    process: Callable[[], Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = process(), process()
    one.kind.stop_before = 2
    job = await one.begin(5)
    await until(lambda: not one.kind.go_on.is_set())
    await other.runner.look()
    monkeypatch.setattr(job_runner, "_DEAD_SECONDS", -1.0)
    await other.runner.look()
    one.kind.go_on.set()
    done = await other.jobs.wait(job.id, 300)
    assert (done.status, await counted(one, job)) == (JobStatus.DONE, [0, 1, 2, 3, 4])
    await until(lambda: not one.runner._tasks)


async def test_two_processes_never_take_the_same_job(process: Callable[[], Process]) -> None:
    one, other = process(), process()
    for each in (one, other):
        each.kind.stop_before = 1
    monday = [await one.begin(2) for _ in range(6)]
    assert [job.status for job in monday].count(JobStatus.WAITING) == 2
    await asyncio.gather(*(each.runner.look() for each in (one, other) for _ in range(3)))
    assert sorted([*one.runner._tasks, *other.runner._tasks]) == [job.id for job in monday]
    for each in (one, other):
        await until(lambda each=each: not each.kind.go_on.is_set())
        each.kind.stop_before = None
        each.kind.go_on.set()
    for job in monday:
        assert (await one.jobs.wait(job.id, 300)).status is JobStatus.DONE
        assert await counted(one, job) == [0, 1]


async def test_more_jobs_than_there_is_room_for_wait_their_turn(process: Callable[[], Process]) -> None:
    one = process()
    jobs = [await one.begin(1) for _ in range(12)]
    for job in jobs:
        assert (await one.jobs.wait(job.id, 300)).status is JobStatus.DONE


async def test_a_process_that_stops_gives_its_jobs_back(process: Callable[[], Process]) -> None:
    one, other = process(), process()
    one.kind.stop_before = 1
    job = await one.begin(3)
    await until(lambda: not one.kind.go_on.is_set())
    await one.runner.close()
    assert (await other.jobs.get(job.id) or job).status is JobStatus.WAITING
    await other.runner.look()
    assert (await other.jobs.wait(job.id, 300)).status is JobStatus.DONE
    assert await counted(one, job) == [0, 1, 2]


async def test_a_key_is_one_job(process: Callable[[], Process]) -> None:
    one, other = process(), process()
    first, second = await asyncio.gather(one.begin(2, "k"), other.begin(2, "k"))
    assert first.id == second.id
    done = await one.jobs.wait(first.id, 300)
    assert await one.begin(2, "k") == done
    assert await counted(one, done) == [0, 1]
    with pytest.raises(BadInput) as caught:
        await one.begin(3, "k")
    assert caught.value.problem is InputProblem.KEY_REUSED


async def test_what_cannot_begin_is_no_job(process: Callable[[], Process]) -> None:
    one = process()

    def turn_down(_: Connection, __: Job) -> None:
        raise BadInput(InputProblem.BUSY, "Not now.")

    with pytest.raises(BadInput):
        await one.begin(1, "k", begin=turn_down)
    assert (await one.jobs.page(JobQuery(kinds=ALL), Slice(count=5))).rows == []
    assert (await one.begin(1, "k")).total == 1


async def test_a_job_that_cannot_go_on_fails_and_says_why(process: Callable[[], Process]) -> None:
    one = process()
    one.kind.raises = BadInput(InputProblem.STATE, "The promotion has ended.", field=("promotion",))
    job = await one.jobs.wait((await one.begin(3)).id, 300)
    assert (job.status, str(job.error), one.kind.undone) == (JobStatus.FAILED, "The promotion has ended.", 1)
    assert job.error is not None
    assert (job.error.problem, job.error.field) == (InputProblem.STATE, ("promotion",))


async def test_a_mistake_of_ours_fails_the_job_and_tells_nothing(
    process: Callable[[], Process], caplog: pytest.LogCaptureFixture
) -> None:
    one = process()
    one.kind.raises = RuntimeError("secret")
    job = await one.jobs.wait((await one.begin(3)).id, 300)
    assert job.status is JobStatus.FAILED
    assert "secret" not in str(job.error)
    assert "secret" in caplog.text


async def test_a_store_that_is_away_for_a_while_fails_no_job(process: Callable[[], Process]) -> None:
    one = process()

    async def away() -> None:
        raise StoreUnavailable("It is restarting.")

    one.kind.stop_before = 1
    job = await one.begin(3)
    await until(lambda: not one.kind.go_on.is_set())
    one.kind.stop_before = None
    assert isinstance(one.database, Interposed)
    one.database.before_write = away
    one.kind.go_on.set()
    assert (await one.jobs.wait(job.id, 300)).status is JobStatus.DONE
    assert await counted(one, job) == [0, 1, 2]


async def test_what_was_done_when_the_store_went_away_is_not_done_again(process: Callable[[], Process]) -> None:
    """The answer to a chunk was lost, though not the chunk, and the store was then away for several looks."""
    one = process()
    assert isinstance(one.database, Interposed)
    database = one.database
    away = 4

    async def restart() -> None:
        raise StoreUnavailable("It is restarting.")

    async def look() -> None:
        nonlocal away
        if away:
            away -= 1
            database.before_read = look
            raise StoreUnavailable("It is restarting yet.")

    def lose_the_answer(connection: Connection, run: Run, number: int) -> Progress:
        database.after_write, database.before_read = restart, look
        return add(connection, run, number)

    one.kind.chunk = lose_the_answer
    job = await one.begin(3)
    await until(lambda: not away)
    assert (await one.jobs.wait(job.id, 300)).status is JobStatus.DONE
    assert await counted(one, job) == [0, 1, 2]


async def test_what_breaks_off_again_and_again_is_given_up(process: Callable[[], Process]) -> None:
    for number in range(6):
        one = process()
        one.kind.stop_before = 0
        if not number:
            job = await one.begin(3)
        else:
            (seen,) = await one.database.read(lambda connection: job_running.unfinished(connection, [KIND]))
            await one.runner._take(seen)
        await asyncio.sleep(0.02)
        if number < 5:
            one.die()
    over = await one.jobs.wait(job.id, 300)
    assert (over.status, one.kind.undone, over.done) == (JobStatus.FAILED, 1, 0)


async def test_a_cancelled_job_is_undone(process: Callable[[], Process]) -> None:
    one = process()
    one.kind.stop_before = 1
    job = await one.begin(3)
    await until(lambda: not one.kind.go_on.is_set())
    asked = asyncio.create_task(one.jobs.cancel(job.id))
    await asyncio.sleep(0.1)
    one.kind.go_on.set()
    await asked
    over = await one.jobs.wait(job.id, 300)
    assert (over.status, one.kind.undone, over.error) == (JobStatus.CANCELLED, 1, None)
    with pytest.raises(BadInput) as caught:
        await one.jobs.cancel(job.id)
    assert caught.value.problem is InputProblem.STATE
    with pytest.raises(BadInput) as caught:
        await one.jobs.cancel(job.id + 1)
    assert caught.value.problem is InputProblem.NOT_FOUND


async def test_a_job_is_watched_to_its_end(process: Callable[[], Process]) -> None:
    one = process()
    one.kind.stop_before = 1
    job = await one.begin(3)
    seen = []
    async with asyncio.timeout(30):
        async for each in one.jobs.watch(job.id):
            seen.append((each.status, each.done))
            one.kind.stop_before = None
            one.kind.go_on.set()
    assert seen[-1] == (JobStatus.DONE, 3)
    assert len(seen) > 1
    assert [each async for each in one.jobs.watch(job.id + 1)] == []


async def test_jobs_are_listed_as_far_as_asked(process: Callable[[], Process]) -> None:
    one = process()
    jobs = [await one.begin(1) for _ in range(3)]
    for job in jobs:
        await one.jobs.wait(job.id, 300)

    async def ids(query: JobQuery, **part: Any) -> list[int]:
        return [job.id for _, job in (await one.jobs.page(query, Slice(**part))).rows]

    first, second, third = (job.id for job in jobs)
    assert await ids(JobQuery(kinds=ALL), count=2) == [third, second]
    assert await ids(JobQuery(kinds=ALL), count=2, start=(second,)) == [first]
    assert await ids(JobQuery(kinds=frozenset({JobKind.BATCH_REVERT})), count=2) == []
    done = frozenset({JobStatus.DONE})
    assert await ids(JobQuery(kinds=ALL, statuses=done), count=9) == [third, second, first]
    assert await ids(JobQuery(kinds=ALL, promotion_id=1), count=9) == []


async def test_a_file_is_kept_in_parts_until_its_job_is_over(process: Callable[[], Process], clock: SetClock) -> None:
    one = process()
    files = JobFiles(one.database, clock)
    content = b"0123456789" * 250_000
    kept = await files.keep((content[at : at + 7_777] for at in range(0, len(content), 7_777)), "codes.csv")
    assert (kept.size, kept.parts, kept.name, kept.role) == (len(content), 3, "codes.csv", INPUT)
    assert b"".join([part async for part in files.parts(kept.id)]) == content
    assert len(b"".join([part async for part in files.parts(kept.id, 1)])) == len(content) - job_files.PART_BYTES
    job = await one.begin(
        1, begin=lambda connection, job: job_files.give(connection, kept.id, job.id, kept.expires_at) or None
    )
    await one.jobs.wait(job.id, 300)
    assert await files.of_job(job.id) == []
    assert await files.get(kept.id) is None
    await one.runner._sweep()
    assert [part async for part in files.parts(kept.id)] == []


async def test_an_upload_that_became_no_job_is_swept(process: Callable[[], Process], clock: SetClock) -> None:
    one = process()
    files = JobFiles(one.database, clock)
    kept = await files.keep([b"x" * job_files.PART_BYTES] * 20, "large")
    await one.runner._sweep()
    assert await files.get(kept.id) == kept
    clock.move(hours=7)
    await one.runner._sweep()
    assert [part async for part in files.parts(kept.id)] == []
