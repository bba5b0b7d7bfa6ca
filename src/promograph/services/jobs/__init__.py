"""Use cases of jobs: begin one, look at it, wait for it, watch it, cancel it."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from promograph.domain.clock import Clock
from promograph.domain.jobs import Job, Progress
from promograph.domain.keys import checked_optional
from promograph.errors import BadInput, InputProblem
from promograph.services.jobs.runner import Runner
from promograph.services.keyed_writes import Once, write_again
from promograph.store import jobs, replays
from promograph.store.databases.database import Connection, Database
from promograph.store.jobs import JobQuery, NewJob
from promograph.store.jobs import running as job_running
from promograph.store.jobs.running import InHand
from promograph.store.listing import Page, Slice

_GLANCE_SECONDS = 0.3
"""Between two looks at a job that somebody waits for or watches."""

Beginning = Callable[[Connection, Job], Any]
"""What is done in the transaction that makes a job; the state that it gives is the job's first progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A call that may be repeated: under `key`, `operation` with the same `asked` (as JSON can say it) is one job."""

    operation: str
    key: str | None
    asked: Any = None


class Jobs:
    """Jobs by id. Who may see which kinds is for the caller to know."""

    def __init__(self, database: Database, clock: Clock, runner: Runner) -> None:
        self._database = database
        self._clock = clock
        self._runner = runner

    async def submit(self, new: NewJob, asking: Asking, begin: Beginning | None = None, *, quick: bool = False) -> Job:
        """A new job, begun at once where this process has room for it (or it is `quick`), or the one that the key has.

        What `begin` raises is raised here, and then there is no job.
        """
        checked_optional(asking.key, "idempotencyKey")
        now = self._clock()
        owner = self._runner.owner if quick or self._runner.has_room else None

        def work(connection: Connection) -> tuple[Job, InHand | None]:
            def make() -> tuple[Job, InHand | None]:
                job = jobs.make(connection, new, owner, now)
                progress = Progress(state=None, done=0, total=new.total)
                if begin is not None:
                    progress = Progress(state=begin(connection, job), done=0, total=new.total)
                    job_running.begin(connection, job.id, progress)
                return job, InHand(job, new.input, progress, 1)

            def found_again(id_: int) -> tuple[Job, InHand | None]:
                found = jobs.read(connection, id_)
                assert found is not None, "jobs are kept for ever"
                return found, None

            once: Once[tuple[Job, InHand | None]] = Once(
                operation=asking.operation,
                key=asking.key,
                asked=asking.asked,
                now=now,
                dump=lambda made: made[0].id,
                load=found_again,
            )
            return once.answer(connection, make)

        try:
            job, taken = await write_again(self._database, work, heavy=begin is not None)
        except BadInput:
            # What it came upon may have been this very call, made twice.
            earlier = await self.earlier(asking)
            if earlier is None:
                raise
            return earlier
        if taken is not None and owner is not None:
            self._runner.start(taken)
        return job

    async def earlier(self, asking: Asking) -> Job | None:
        """The job that the key has; BadInput (KEY_REUSED) where that was asked for something else."""
        checked_optional(asking.key, "idempotencyKey")
        if asking.key is None:
            return None
        key = asking.key

        def work(connection: Connection) -> Job | None:
            id_ = replays.recall(connection, asking.operation, key, asking.asked)
            return None if id_ is None else jobs.read(connection, id_)

        return await self._database.read(work)

    async def get(self, id_: int) -> Job | None:
        return await self._database.read(lambda connection: jobs.read(connection, id_))

    async def page(self, query: JobQuery, part: Slice) -> Page:
        return await self._database.read(lambda connection: jobs.page(connection, query, part), heavy=True)

    async def wait(self, id_: int, seconds: float) -> Job:
        """The job when it has ended, or as it is after so long; BadInput where there is none."""
        until = monotonic() + seconds
        while True:
            job = await self.get(id_)
            if job is None:
                raise _unknown()
            left = until - monotonic()
            if job.is_over or left <= 0:
                return job
            await self._runner.settled(id_, min(left, _GLANCE_SECONDS))

    async def watch(self, id_: int) -> AsyncGenerator[Job, None]:
        """The job as it is, and again each time that it has changed, at most a few times a second, to its end."""
        last = None
        while (job := await self.get(id_)) is not None:
            if job != last:
                yield job
            if job.is_over:
                return
            last = job
            await self._runner.settled(id_, _GLANCE_SECONDS)

    async def cancel(self, id_: int) -> Job:
        """Have it cancelled: whoever has it takes back what nobody was to see, then it is CANCELLED. BadInput."""
        asked = await self._database.write(lambda connection: job_running.ask_cancel(connection, id_))
        if asked is None:
            job = await self.get(id_)
            raise _unknown() if job is None else _over(job)
        await self._runner.look()
        return await self.wait(id_, 1.0)


def _unknown() -> BadInput:
    return BadInput(InputProblem.NOT_FOUND, "No job has this id.", field=("id",))


def _over(job: Job) -> BadInput:
    return BadInput(InputProblem.STATE, f"This job has ended already ({job.status}).", field=("id",))
