"""Taking a batch back: what nobody has of it goes, the rest stays and is counted by why."""

from promograph.domain.clock import Clock
from promograph.domain.jobs import Job, JobKind, Progress, Result
from promograph.errors import BadInput, InputProblem
from promograph.services.jobs import Asking, Jobs
from promograph.services.jobs.runs import Run
from promograph.store.codes import reverting
from promograph.store.codes.reverting import Span
from promograph.store.databases.database import Connection, Database
from promograph.store.jobs import NewJob

_NOTHING = {"gone": 0, "issued": 0, "used": 0, "void": 0}
_AT_ONCE = 2_000
"""Whoever is issued a code of this promotion waits for so many to go at the most."""

_PIECES = 50


class Reverting:
    """The kind BATCH_REVERT, and how to begin one. What is gone stays gone when it is cancelled."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def begin(self, jobs: Jobs, batch_id: int) -> Job:
        """A job that takes back what is unissued of a batch; BadInput where there is no such batch."""
        span = await self._database.read(lambda connection: reverting.span_of(connection, batch_id))
        if span is None:
            raise BadInput(InputProblem.NOT_FOUND, "No batch has this id.", field=("batch",))
        new = NewJob(
            kind=JobKind.BATCH_REVERT,
            input={"first": span.first, "last": span.last},
            total=span.last - span.first + 1,
            promotion_id=span.promotion_id,
            batch_id=batch_id,
        )
        return await jobs.submit(new, Asking(operation=JobKind.BATCH_REVERT, key=None), quick=new.total == 0)

    async def run(self, run: Run) -> None:
        """A `Kind`'s."""
        promotion_id, batch_id = run.job.promotion_id, run.job.batch_id
        assert promotion_id is not None, "a batch is of a promotion"
        assert batch_id is not None, "the job is of a batch"
        span = Span(promotion_id, run.input["first"], run.input["last"])
        state = run.progress.state or {"next": span.first, **_NOTHING}
        while state["next"] <= span.last:
            await self._step(run, batch_id, span, state)
            state = run.progress.state
        report = {name: state[name] for name in _NOTHING}
        await run.finish(lambda _: Result(report=report, failed=sum(report.values()) - report["gone"]))

    async def undo(self, run: Run) -> None:
        """Nothing: what is gone was wanted gone."""

    async def _step(self, run: Run, batch_id: int, span: Span, state: dict[str, int]) -> None:
        now = self._clock()

        def work(connection: Connection) -> Progress:
            after = state
            # Each commit writes anew every page of the unique index that the keys were in: where nobody waits for a
            # writer, one for many pieces is several times as fast. Where others wait, they wait for a smaller piece.
            for _ in range(_PIECES):
                count = min(_AT_ONCE, self._database.piece)
                done = reverting.revert(connection, batch_id, span, after["next"], count, now)
                after = {"next": done.next} | {name: after[name] + getattr(done, name) for name in _NOTHING}
                if after["next"] > span.last or self._database.is_wanted:
                    break
            return Progress(
                state=after,
                done=after["next"] - span.first,
                total=span.last - span.first + 1,
                failed=after["issued"] + after["used"] + after["void"],
            )

        await run.step(work)
