"""A load that a job carries out: codes put at the end of a promotion's line piece by piece, and shown all at once.

The line's end belongs to the job from the transaction that makes it until it ends, however long that takes and
whichever servers come and go. Each piece is written together with the number that comes next, which is all that is
needed to go on.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from promograph.domain.jobs import Job, Progress
from promograph.services.jobs.runs import Run
from promograph.store import loading, pieces
from promograph.store.databases.database import Connection, Database
from promograph.store.loading import Load
from promograph.store.pieces import Codes, Filled

_CLEARED_AT_ONCE = 20_000


def claim_line(connection: Connection, job: Job, now: datetime) -> dict[str, int]:
    """Take the line's end for a job of a promotion that is just being made: its first state. BadInput (BUSY)."""
    assert job.promotion_id is not None, "the job is of a promotion"
    load = loading.claim(connection, job.promotion_id, loading.loader_of_job(job.id), now)
    return {"first": load.first, "next": load.first}


class JobLoad:
    """What a job has put into its promotion's line; `state` beside `first` and `next` is the job's own."""

    def __init__(self, database: Database, run: Run) -> None:
        assert run.job.promotion_id is not None, "the job is of a promotion"
        self._database = database
        self._run = run
        self.load = Load(
            promotion_id=run.job.promotion_id,
            loader=loading.loader_of_job(run.job.id),
            first=run.progress.state["first"],
        )

    @property
    def last(self) -> int:
        """The number of the last code that it has put there."""
        return int(self._run.progress.state["next"]) - 1

    @property
    def added(self) -> int:
        return self.last - self.load.first + 1

    async def put(self, texts: Sequence[str], keys: Sequence[str]) -> dict[str, int]:
        """Add codes in this order; of the keys, those that were codes already, with the promotion that has them."""
        codes = Codes(texts=texts, keys=keys)
        taken: dict[str, int] = {}
        start = 0
        while start < len(keys):
            filled = await self._fill(codes, start)
            taken |= filled.taken
            start = filled.stop
        return taken

    async def _fill(self, codes: Codes, start: int) -> Filled:
        """One transaction's worth of them from `start` on."""
        filled: Filled | None = None

        def work(connection: Connection) -> Progress:
            nonlocal filled
            loading.check_held(connection, self.load)
            filled = pieces.fill(connection, self._database, self.load.promotion_id, self.last + 1, codes, start)
            return self._progress(filled.next)

        await self._run.step(work)
        assert filled is not None, "the step was done"
        return filled

    async def clear(self) -> None:
        """Take back all that it has put there, in pieces, and give the line's end back."""
        while self.added:
            keep = max(self.load.first, self.last + 1 - _CLEARED_AT_ONCE)

            def work(connection: Connection, keep: int = keep) -> Progress:
                loading.clear(connection, self.load, keep)
                return self._progress(keep)

            await self._run.step(work)

        def release(connection: Connection) -> Progress:
            loading.release(connection, self.load)
            return self._run.progress

        await self._run.step(release)

    def _progress(self, next_: int, **more: Any) -> Progress:
        progress = self._run.progress
        state = {**progress.state, **more, "next": next_}
        return Progress(state=state, done=next_ - self.load.first, total=progress.total, failed=progress.failed)
