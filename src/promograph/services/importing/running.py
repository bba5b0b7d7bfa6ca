"""One import in the hands of one process: a file's codes put into a promotion, part by part.

Codes for nobody in particular go to the end of the line, where nobody sees them until their part is whole. Codes for
people are added and issued after that, a chunk at a time, when all of the file is known to be readable.
"""

from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from itertools import chain

from promograph.domain.clock import Clock
from promograph.domain.jobs import Progress
from promograph.domain.stock.import_orders import ImportOrder, ImportState, Part
from promograph.domain.stock.import_reports import Line, RowOutcome, as_csv, line, lines_of
from promograph.domain.stock.rows import Batch
from promograph.errors import BadInput, InputProblem
from promograph.services.importing.reading import ImportFile
from promograph.services.jobs.runs import Run
from promograph.store import assigning, loading, pieces
from promograph.store.assigning import Assignment
from promograph.store.databases.database import Connection, Database
from promograph.store.jobs import files as job_files
from promograph.store.loading import Load
from promograph.store.pieces import Codes

_SEEN_EVERY = timedelta(seconds=3)
_MOST_CHANNELS = 100
_SOURCE = "IMPORTED"

Mine = tuple[Batch, Batch]
"""A batch of the file, and the codes of it that belong to the part at hand."""


class ImportRun:
    """Goes on with an import from where its job is."""

    def __init__(self, database: Database, clock: Clock, run: Run, order: ImportOrder, file: ImportFile) -> None:
        self._database = database
        self._clock = clock
        self._run = run
        self._order = order
        self._file = file
        self._seen_at = clock()
        self._met: set[str] = set()  # customers of a dry run
        self.state = ImportState.of(run.progress.state)

    async def to_the_end(self) -> None:
        """Until every part is in the store."""
        if self.state.parts is None:
            await self._plan()
        while self.state.at_hand is not None:
            await self._part(self.state.at_hand)

    async def read_through(self) -> None:
        """Read the file once more, for a report whose reader did not live."""
        async with aclosing(self._file.portions(self._run.pace)) as portions:
            async for _ in portions:
                self._run.check_wanted()

    async def _plan(self) -> None:
        """Find out which parts there are; all of the file is read where it has columns that say so."""
        counts: dict[tuple[bool, str | None], int] = {}
        if self._order.is_parted and not self._order.dry_run:
            async with aclosing(self._file.portions(self._run.pace)) as portions:
                async for portion in portions:
                    for about in chain.from_iterable(batch.about for batch in portion):
                        key = (about.customer is not None, about.channel or self._order.channel)
                        counts[key] = counts.get(key, 0) + 1
                    self._run.check_wanted()
        if len(counts) > _MOST_CHANNELS:
            sentence = f"The file names more than {_MOST_CHANNELS} channels: is this the right column?"
            raise BadInput(InputProblem.TOO_MANY, sentence, field=("columns", "channel"))
        counts = counts or {(False, self._order.channel): 0}
        # Those for nobody first: they cannot be half done.
        parts = tuple(
            Part(channel=channel, assigned=assigned, count=count)
            for (assigned, channel), count in sorted(counts.items(), key=lambda item: item[0][0])
        )

        def work(connection: Connection) -> ImportState:
            state = replace(self.state, parts=parts)
            if parts[0].assigned:
                loading.release(connection, self._load())
                return self._begun(connection, replace(state, load=None))
            return state

        await self._step(work)

    async def _part(self, part: Part) -> None:
        number = 0
        async with aclosing(self._file.portions(self._run.pace)) as portions:
            async for portion in portions:
                left = portion[max(0, self.state.batch - number) :]
                number += len(portion)
                await self._portion(part, [(batch, part.of(batch, self._order)) for batch in left])
        await self._step(self._ended)

    async def _portion(self, part: Part, left: list[Mine]) -> None:
        """Put this part's codes of batches into the store, a transaction's worth at a time."""
        put = self._look if self._order.dry_run else self._assign if part.assigned else self._put

        def work(connection: Connection) -> ImportState:
            return self._reported(connection, *put(connection, part, left))

        while left:
            before = self.state.batch
            await self._step(work)
            left = left[self.state.batch - before :]
            await self._be_seen()

    def _went_on(self, state: ImportState, mine: Mine, stop: int) -> tuple[ImportState, list[Line]]:
        """The state when of a batch the codes before the place `stop` are done; what is to be reported of all of it."""
        batch, codes = mine
        if stop < len(codes.texts):
            return replace(state, offset=stop), []
        state = replace(state, batch=state.batch + 1, offset=0)
        if state.part:
            return state, []
        rows = state.rows + len(batch.texts) + len(batch.bad) + len(batch.repeated)
        return replace(state, rows=rows), lines_of(batch)

    def _put(self, connection: Connection, part: Part, left: list[Mine]) -> tuple[ImportState, list[Line]]:
        """Codes to the end of the line, of as many batches as there is time for."""
        load, start = self._load(), self.state.offset
        loading.check_held(connection, load)
        codes = Codes(
            texts=list(chain.from_iterable(mine.texts for _, mine in left)),
            keys=list(chain.from_iterable(mine.keys for _, mine in left)),
            expires=[about.expires_at for _, mine in left for about in mine.about],
        )
        filled = pieces.fill(connection, self._database, load.promotion_id, self.state.next, codes, start)
        state = replace(self._counted(filled.taken, filled.next - self.state.next), next=filled.next)
        lines: list[Line] = []
        stop = filled.stop
        for batch, mine in left:
            end = min(stop, len(mine.texts))
            lines += self._taken_lines(mine, slice(start, end), filled.taken)
            state, more = self._went_on(state, (batch, mine), end)
            lines += more
            if end < len(mine.texts):
                break
            start, stop = 0, stop - end
        return state, lines

    def _assign(self, connection: Connection, part: Part, left: list[Mine]) -> tuple[ImportState, list[Line]]:
        """Codes to the people they are for."""
        state, mine = self.state, left[0][1]
        piece = slice(state.offset, min(state.offset + self._database.piece, len(mine.texts)))
        rows = [Assignment(*each) for each in zip(mine.keys[piece], mine.texts[piece], mine.about[piece], strict=True)]
        batch = (state.batches[-1], state.next)
        done = assigning.assign(connection, self._order.promotion_id, rows, batch, part.channel, self._clock())
        lines = self._taken_lines(mine, piece, done.taken)
        lines += self._unassigned_lines(mine, piece, done.left)
        state = replace(self._counted(done.taken, done.count), unassigned=state.unassigned + len(done.left))
        state, more = self._went_on(replace(state, next=state.next - done.count), left[0], piece.stop)
        return state, lines + more

    def _look(self, connection: Connection, part: Part, left: list[Mine]) -> tuple[ImportState, list[Line]]:
        """What would become of codes, as things are."""
        id_, mine = self._order.promotion_id, left[0][1]
        taken = pieces.existing(connection, mine.keys)
        lines = self._taken_lines(mine, slice(None), taken)
        rows = [
            Assignment(key, text, about)
            for key, text, about in zip(mine.keys, mine.texts, mine.about, strict=False)
            if about.customer is not None and key not in taken
        ]
        unassigned = assigning.would_be_left(connection, id_, rows, self._met)
        lines += self._unassigned_lines(mine, slice(None), unassigned)
        state = self._counted(taken, len(mine.texts) - len(taken) - len(unassigned))
        state = replace(state, unassigned=state.unassigned + len(unassigned))
        state, more = self._went_on(state, left[0], len(mine.texts))
        return state, lines + more

    def _ended(self, connection: Connection) -> ImportState:
        """The part at hand is whole: show it, and begin the next one."""
        state, now = self.state, self._clock()
        if self._order.dry_run:
            return state.with_part_done()
        part = state.at_hand
        assert part is not None
        if part.assigned:
            if assigning.drop_empty(connection, state.batches[-1]):
                state = replace(state, batches=state.batches[:-1])
            return self._begun(connection, state.with_part_done())
        load = self._load()
        id_ = loading.publish(
            connection, load, state.next - 1, source=_SOURCE, channel=part.channel, report={}, now=now
        )
        batches = state.batches if id_ is None else (*state.batches, id_)
        return self._begun(connection, replace(state, load=None, batches=batches).with_part_done())

    def _begun(self, connection: Connection, state: ImportState) -> ImportState:
        """Have room for the codes of the next part."""
        part, id_, now = state.at_hand, self._order.promotion_id, self._clock()
        if part is None:
            return state
        if part.assigned:
            batch, first = assigning.reserve(connection, id_, part.count, part.channel, now)
            return replace(state, batches=(*state.batches, batch), next=first)
        load = loading.claim(connection, id_, loading.loader_of_job(self._run.job.id), now)
        return replace(state, load=load.first, next=load.first)

    def _counted(self, taken: dict[str, int], added: int) -> ImportState:
        here = sum(owner == self._order.promotion_id for owner in taken.values())
        state = self.state
        return replace(
            state,
            added=state.added + added,
            here=state.here + here,
            elsewhere=state.elsewhere + len(taken) - here,
        )

    def _taken_lines(self, batch: Batch, piece: slice, taken: dict[str, int]) -> list[Line]:
        if not taken:
            return []
        rows = zip(batch.rows[piece], batch.texts[piece], batch.keys[piece], strict=True)
        own = self._order.promotion_id
        return [
            line(row, text, RowOutcome.ALREADY_HERE if taken[key] == own else RowOutcome.ALREADY_ELSEWHERE)
            for row, text, key in rows
            if key in taken
        ]

    def _unassigned_lines(self, batch: Batch, piece: slice, left: dict[str, str]) -> list[Line]:
        rows = zip(batch.rows[piece], batch.texts[piece], batch.keys[piece], strict=True)
        return [line(row, text, RowOutcome.UNASSIGNED, left[key]) for row, text, key in rows if key in left]

    def _reported(self, connection: Connection, state: ImportState, lines: Sequence[Line]) -> ImportState:
        if not lines:
            return state
        job_files.add(connection, state.report, state.lines, as_csv(lines))
        return replace(state, lines=state.lines + 1)

    async def _step(self, work: Callable[[Connection], ImportState]) -> None:
        def chunk(connection: Connection) -> Progress:
            state = work(connection)
            return Progress(state=state.dump(), done=state.rows, total=None)

        await self._run.step(chunk)
        self.state = ImportState.of(self._run.progress.state)

    async def _be_seen(self) -> None:
        # By itself: in the transaction of a piece, the mark would keep whoever issues waiting for all of it.
        now = self._clock()
        if self.state.load is not None and now - self._seen_at >= _SEEN_EVERY:
            self._seen_at = now
            load = self._load()
            await self._database.write(lambda connection: loading.seen(connection, load, now), heavy=True)

    def _load(self) -> Load:
        assert self.state.load is not None, "a part for the line has claimed its end"
        return Load(
            promotion_id=self._order.promotion_id, loader=loading.loader_of_job(self._run.job.id), first=self.state.load
        )
