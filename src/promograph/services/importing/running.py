"""One import in the hands of one process: a file's codes put into a promotion, part by part.

Codes for nobody in particular go to the end of the line, where nobody sees them until their part is whole. Codes for
people are added and issued after that, a chunk at a time, when all of the file is known to be readable.
"""

from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta

from promograph.domain.clock import Clock
from promograph.domain.jobs import Progress
from promograph.domain.stock.import_orders import ImportOrder, ImportState, Part
from promograph.domain.stock.import_reports import Line, RowOutcome, as_csv, line, lines_of
from promograph.domain.stock.rows import Batch
from promograph.errors import BadInput, InputProblem
from promograph.services.importing.reading import ImportFile
from promograph.services.jobs.runs import Run
from promograph.store import assigning, loading
from promograph.store.assigning import Assignment
from promograph.store.databases.database import Connection, Database
from promograph.store.jobs import files as job_files
from promograph.store.loading import Load

_SEEN_EVERY = timedelta(seconds=3)
_MOST_CHANNELS = 100
_SOURCE = "IMPORTED"


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
        async with aclosing(self._file.batches(self._run.pace)) as batches:
            async for _ in batches:
                self._run.check_wanted()

    async def _plan(self) -> None:
        """Find out which parts there are; all of the file is read where it has columns that say so."""
        counts: dict[tuple[bool, str | None], int] = {}
        if self._order.is_parted and not self._order.dry_run:
            async with aclosing(self._file.batches(self._run.pace)) as batches:
                async for batch in batches:
                    for about in batch.about:
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
        async with aclosing(self._file.batches(self._run.pace)) as batches:
            async for batch in batches:
                if number == self.state.batch:
                    await self._batch(part, batch)
                number += 1
        await self._step(self._ended)

    async def _batch(self, part: Part, batch: Batch) -> None:
        """Put this part's codes of a batch into the store, a transaction's worth at a time."""
        mine, at = part.of(batch, self._order), self.state.batch
        put = self._look if self._order.dry_run else self._assign if part.assigned else self._put
        while self.state.batch == at:
            await self._step(lambda connection: self._whole(put(connection, part, mine), batch, mine, connection))
            await self._be_seen()

    def _whole(
        self, done: tuple[ImportState, list[Line]], batch: Batch, mine: Batch, connection: Connection
    ) -> ImportState:
        """The state after a transaction, and what it has to report written down."""
        state, lines = done
        if state.offset == len(mine.texts):
            state = replace(state, batch=state.batch + 1, offset=0)
            if state.part == 0:
                lines += lines_of(batch)
                state = replace(state, rows=state.rows + len(batch.texts) + len(batch.bad) + len(batch.repeated))
        return self._reported(connection, state, lines)

    def _put(self, connection: Connection, part: Part, mine: Batch) -> tuple[ImportState, list[Line]]:
        """Codes to the end of the line."""
        load = self._load()
        loading.check_held(connection, load)
        start = stop = self.state.offset
        taken: dict[str, int] = {}
        number = self.state.next
        while stop < len(mine.texts):
            piece = slice(stop, min(stop + self._database.piece, len(mine.texts)))
            expiries = [about.expires_at for about in mine.about[piece]]
            found = loading.put(connection, load, number, mine.texts[piece], mine.keys[piece], expiries)
            number += piece.stop - stop - len(found)
            stop = piece.stop
            taken |= found
            if self._database.is_wanted:
                break
        state = self._counted(taken, number - self.state.next)
        return replace(state, next=number, offset=stop), self._taken_lines(mine, slice(start, stop), taken)

    def _assign(self, connection: Connection, part: Part, mine: Batch) -> tuple[ImportState, list[Line]]:
        """Codes to the people they are for."""
        state = self.state
        piece = slice(state.offset, min(state.offset + self._database.piece, len(mine.texts)))
        rows = [Assignment(*each) for each in zip(mine.keys[piece], mine.texts[piece], mine.about[piece], strict=True)]
        batch = (state.batches[-1], state.next)
        done = assigning.assign(connection, self._order.promotion_id, rows, batch, part.channel, self._clock())
        lines = self._taken_lines(mine, piece, done.taken)
        lines += self._unassigned_lines(mine, piece, done.left)
        state = replace(self._counted(done.taken, done.count), unassigned=state.unassigned + len(done.left))
        return replace(state, next=state.next - done.count, offset=piece.stop), lines

    def _look(self, connection: Connection, part: Part, mine: Batch) -> tuple[ImportState, list[Line]]:
        """What would become of codes, as things are."""
        id_ = self._order.promotion_id
        taken = loading.existing(connection, mine.keys)
        lines = self._taken_lines(mine, slice(None), taken)
        rows = [
            Assignment(key, text, about)
            for key, text, about in zip(mine.keys, mine.texts, mine.about, strict=False)
            if about.customer is not None and key not in taken
        ]
        left = assigning.would_be_left(connection, id_, rows, self._met)
        lines += self._unassigned_lines(mine, slice(None), left)
        state = self._counted(taken, len(mine.texts) - len(taken) - len(left))
        return replace(state, unassigned=state.unassigned + len(left), offset=len(mine.texts)), lines

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
            await self._database.write(lambda connection: loading.seen(connection, load, now))

    def _load(self) -> Load:
        assert self.state.load is not None, "a part for the line has claimed its end"
        return Load(
            promotion_id=self._order.promotion_id, loader=loading.loader_of_job(self._run.job.id), first=self.state.load
        )
