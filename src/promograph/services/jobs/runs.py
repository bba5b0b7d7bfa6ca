"""One job in the hands of one process, as its kind sees it; and what a kind is.

To add a kind: name it in `domain.jobs.JobKind`, write a `Kind` and put it into the table in `services.app`. `run` is
called with a `Run` and does its work in chunks:

    state = run.progress.state            # None the first time, else what the last `step` left
    await run.step(work)                  # one chunk: a transaction that does something and returns its `Progress`
    await run.finish(work)                # the last chunk: returns the `Result`, and the job is DONE

A `step` writes down how far the job is in the transaction of the chunk, so `run` may be killed at any instant and is
called again, here or on another server, with the progress of its last whole chunk. A chunk may be done again when its
transaction was not, so `work` changes nothing but the store. After each chunk the job rests while others ask; what it
does besides (looks, files) it counts with `run.pace`.

BadInput ends the job as FAILED and is its error. Then, and when somebody cancels it, `undo` is called: it takes back
what nobody was to see of half a job, in chunks as well. It may be called anew after a kill, too.
"""

from collections.abc import Callable
from typing import Any, Protocol

from promograph.domain.clock import Clock
from promograph.domain.jobs import Job, JobStatus, Progress, Result
from promograph.errors import BadInput
from promograph.services.pacing import Pace
from promograph.store.databases.database import Connection, Database
from promograph.store.jobs import files as job_files
from promograph.store.jobs import running as job_running
from promograph.store.jobs.running import InHand

INPUT = "input"
"""The role of the file that a job reads; it is deleted when the job has ended."""


class JobCancelled(Exception):
    """Somebody wants the job cancelled; only the runner catches it."""


class Run:
    """A job in hand. Every method raises Overtaken once it is another process's; let it pass."""

    def __init__(self, database: Database, clock: Clock, owner: str, taken: InHand) -> None:
        self._database = database
        self._clock = clock
        self._owner = owner
        self.job: Job = taken.job
        self.input: Any = taken.input
        self.progress: Progress = taken.progress
        self.pace = Pace(database)
        self.cancel_asked = taken.job.cancel_asked
        self.is_undoing = False
        self.is_over = False

    async def step(self, work: Callable[[Connection], Progress], *, heavy: bool = True) -> None:
        """Do a chunk, write down how far the job is then, and rest. JobCancelled where somebody wants that."""

        def chunk(connection: Connection) -> tuple[Progress, bool]:
            progress = work(connection)
            job, owner, is_undoing = self.job.id, self._owner, self.is_undoing
            return progress, job_running.keep(connection, job, owner, progress, is_undoing=is_undoing)

        with self.pace.working():
            self.progress, self.cancel_asked = await self._database.write(chunk, heavy=heavy)
        self.check_wanted()
        await self.pace.rest()

    def check_wanted(self) -> None:
        """JobCancelled where somebody wants that: for a long way between two steps."""
        if self.cancel_asked and not self.is_undoing:
            raise JobCancelled

    async def finish(self, work: Callable[[Connection], Result]) -> None:
        """Do the last chunk: with it the job is done."""
        now = self._clock()

        def chunk(connection: Connection) -> None:
            result = work(connection)
            job_running.end(connection, self.job.id, self._owner, JobStatus.DONE, now, result)
            job_files.expire(connection, self.job.id, INPUT, now)

        await self._database.write(chunk, heavy=True)
        self.is_over = True

    async def give_up(self, error: BadInput | None) -> None:
        """End it as FAILED, or without an error as CANCELLED; what is to be undone has been."""
        now = self._clock()

        def chunk(connection: Connection) -> None:
            if error is None:
                job_running.end(connection, self.job.id, self._owner, JobStatus.CANCELLED, now, Result())
            else:
                job_running.fail(connection, self.job.id, self._owner, now, error)
            job_files.expire(connection, self.job.id, INPUT, now)

        await self._database.write(chunk)
        self.is_over = True

    async def beat(self) -> None:
        """Say that its owner lives, and hear whether it is still wanted."""
        # Heavy only in so far as it is no request, and nothing to be felt as demand.
        self.cancel_asked = await self._database.write(
            lambda connection: job_running.beat(connection, self.job.id, self._owner), heavy=True
        )


class Kind(Protocol):
    """What is done for the jobs of one `JobKind`."""

    async def run(self, run: Run) -> None:
        """Do it, or go on with it, to the end."""

    async def undo(self, run: Run) -> None:
        """Take back what nobody was to see of half a job. The job has failed, or somebody has cancelled it."""
