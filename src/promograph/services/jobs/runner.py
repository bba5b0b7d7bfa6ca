"""The jobs of one process: taken up, carried out, given back when the process ends.

Any number of processes may share a store's jobs. A job that waits is taken by whoever looks first; one whose owner is
dead by whoever finds that out. Until then it lies still, and nothing of it is lost.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

from promograph.domain.clock import Clock
from promograph.domain.jobs import JobKind, broken_down, fault
from promograph.errors import BadInput, StoreError
from promograph.services.jobs.owners import is_gone, new_owner
from promograph.services.jobs.runs import JobCancelled, Kind, Run
from promograph.services.pacing import Pace
from promograph.services.quietly import quietly
from promograph.store.databases.database import Database
from promograph.store.jobs import files as job_files
from promograph.store.jobs import running as job_running
from promograph.store.jobs.running import InHand, Open, Overtaken

logger = logging.getLogger("promograph.jobs")

_SLOTS = 4
_LOOK_SECONDS = 1.0
_BEAT_SECONDS = 3.0
_DEAD_SECONDS = 15.0
"""A beat that has stood still for so long is a dead owner's."""

_SWEEP_SECONDS = 60.0
_MOST_TAKES = 5
_LONGEST_PAUSE = 15.0


@dataclass(frozen=True, slots=True)
class _Heard:
    """A beat, and when this process saw it first."""

    beat: int
    at: float


class Runner:
    """Carries out jobs of the given kinds. `serve` looks for those that others left; without it, only its own."""

    def __init__(self, database: Database, clock: Clock, kinds: Mapping[JobKind, Kind]) -> None:
        self._database = database
        self._clock = clock
        self._kinds = kinds
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._heard: dict[int, _Heard] = {}
        self._looking: set[asyncio.Task[None]] = set()
        self._is_closing = False
        self.owner = new_owner()

    @property
    def has_room(self) -> bool:
        return len(self._tasks) < _SLOTS and not self._is_closing

    def start(self, taken: InHand) -> None:
        """Begin to carry out a job that is this runner's already."""
        id_ = taken.job.id
        # Between the commit that made it and this call, `look` may have found it and begun.
        if id_ not in self._tasks and not self._is_closing:
            self._tasks[id_] = asyncio.create_task(self._work(taken))
            self._tasks[id_].add_done_callback(lambda _: self._make_room(id_))

    def _make_room(self, id_: int) -> None:
        """A job is out of hand: there is room for one that waits."""
        del self._tasks[id_]
        if not self._is_closing:
            looking = asyncio.ensure_future(self._look_quietly())
            self._looking.add(looking)
            looking.add_done_callback(self._looking.discard)

    async def _look_quietly(self) -> None:
        await quietly(self.look(), logger, "looking for jobs")

    async def serve(self) -> None:
        """Take up whatever waits or was left by the dead, until cancelled."""
        swept = monotonic()
        while True:
            await self._look_quietly()
            if monotonic() - swept > _SWEEP_SECONDS:
                swept = monotonic()
                await quietly(self._sweep(), logger, "deleting old files")
            await asyncio.sleep(_LOOK_SECONDS)

    async def look(self) -> None:
        """Take up what may be taken up now, as far as there is room."""
        found = await self._database.read(lambda connection: job_running.unfinished(connection, self._kinds))
        for seen in found:
            has_room = self.has_room or (seen.cancel_asked and not self._is_closing)
            if has_room and seen.id not in self._tasks and self._is_free(seen):
                await self._take(seen)
        still_there = {seen.id for seen in found}
        self._heard = {id_: heard for id_, heard in self._heard.items() if id_ in still_there}

    async def _take(self, seen: Open) -> None:
        """Take it up, unless somebody else was quicker."""
        now = self._clock()
        taken = await self._database.write(lambda connection: job_running.take(connection, seen, self.owner, now))
        if taken is not None:
            self.start(taken)

    async def settled(self, id_: int, seconds: float) -> None:
        """Wait until this runner is done with a job; where it is not its own, or takes longer, for so long."""
        task = self._tasks.get(id_)
        if task is None:
            await asyncio.sleep(seconds)
        else:
            await asyncio.wait([task], timeout=seconds)

    async def close(self) -> None:
        """Stop, and give every job back to whoever looks next."""
        self._is_closing = True
        tasks = dict(self._tasks)
        for task in (*tasks.values(), *self._looking):
            task.cancel()
        await asyncio.gather(*tasks.values(), *self._looking, return_exceptions=True)
        for id_ in tasks:
            with suppress(StoreError):
                await self._give_back(id_)

    async def _give_back(self, id_: int) -> None:
        await self._database.write(lambda connection: job_running.give_back(connection, id_, self.owner))

    def _is_free(self, seen: Open) -> bool:
        if seen.owner is None or seen.owner == self.owner or is_gone(seen.owner):
            return True
        heard = self._heard.get(seen.id)
        if heard is None or heard.beat != seen.beat:
            self._heard[seen.id] = heard = _Heard(seen.beat, monotonic())
        return monotonic() - heard.at > _DEAD_SECONDS

    async def _work(self, first: InHand) -> None:
        try:
            await self._to_the_end(first)
        except Overtaken:
            logger.info("job %s is no longer this process's", first.job.id)
        except Exception:
            logger.exception("job %s failed", first.job.id)

    async def _to_the_end(self, taken: InHand) -> None:
        """Go on however often the store is away in between."""
        pause, known = 0.1, True
        while True:
            try:
                if not known:
                    taken = await self._again(taken.job.id)
                    known = True
                await self._with_beat(Run(self._database, self._clock, self.owner, taken), taken.takes)
                return
            except StoreError as failure:
                logger.warning("job %s waits for the store: %s", taken.job.id, failure)
            # What was being written may be there or not: nothing is done before the store says how far the job is.
            known = False
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _again(self, id_: int) -> InHand:
        """The job as the store has it: what was being written when that went away may be there or not."""
        mine = await self._database.read(lambda connection: job_running.look(connection, id_))
        if mine is None or mine.owner != self.owner:
            raise Overtaken
        now = self._clock()
        taken = await self._database.write(lambda connection: job_running.take(connection, mine, self.owner, now))
        if taken is None:
            raise Overtaken
        return taken

    async def _with_beat(self, run: Run, takes: int) -> None:
        work = asyncio.ensure_future(self._carry_out(run, takes))
        beating = asyncio.ensure_future(_beat(run))
        try:
            await asyncio.wait([work, beating], return_when=asyncio.FIRST_COMPLETED)
        finally:
            # Whichever is left: one that is cancelled is waited for, as it may be in the middle of a transaction.
            for task in (work, beating):
                task.cancel()
            done = await asyncio.gather(work, beating, return_exceptions=True)
        for outcome in done:
            if isinstance(outcome, Exception):
                raise outcome

    async def _carry_out(self, run: Run, takes: int) -> None:
        kind = self._kinds[run.job.kind]
        error: BadInput | None = None
        try:
            if takes > _MOST_TAKES:
                raise broken_down(_MOST_TAKES)
            run.check_wanted()
            await kind.run(run)
            assert run.is_over, "a kind ends its jobs with `finish`"
            return
        except JobCancelled:
            pass
        except BadInput as problem:
            error = problem
        except (StoreError, Overtaken):
            raise
        except Exception:
            logger.exception("job %s failed", run.job.id)
            error = fault()
        run.is_undoing = True
        if takes <= 2 * _MOST_TAKES:
            await self._undo(kind, run)
        await run.give_up(error)

    async def _undo(self, kind: Kind, run: Run) -> None:
        try:
            await kind.undo(run)
        except (StoreError, Overtaken):
            raise
        except Exception:
            logger.exception("undoing job %s failed", run.job.id)

    async def _sweep(self) -> None:
        """Delete the files that have expired."""
        now, pace = self._clock(), Pace(self._database)
        while await pace.write(lambda connection: job_files.sweep(connection, now)):
            pass


async def _beat(run: Run) -> None:
    """Until the job is another's, or this is cancelled."""
    while True:
        await asyncio.sleep(_BEAT_SECONDS)
        with suppress(StoreError):
            await run.beat()
