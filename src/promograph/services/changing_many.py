"""Jobs that stop or let go any number of codes: those of a file, or those that are of a kind.

A piece is changed by a transaction that writes down how far the job is; what is changed stays so when it is cancelled.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import aclosing
from dataclasses import asdict
from datetime import timedelta
from tempfile import TemporaryFile
from typing import IO, Any

from promograph.domain.clock import Clock
from promograph.domain.jobs import Job, JobKind, Progress, Result
from promograph.domain.sheets import Reading
from promograph.domain.stock.changes import CodeChange, Tally
from promograph.domain.stock.lists import read_codes
from promograph.domain.stock.rows import BadRow, Batch
from promograph.domain.stock.selections import CodeSelection
from promograph.services import selections
from promograph.services.ahead import ahead
from promograph.services.importing.sheet_files import open_sheet
from promograph.services.jobs import Asking, Jobs
from promograph.services.jobs.files import JobFiles
from promograph.services.jobs.runs import Run
from promograph.store.codes import selecting as code_selecting
from promograph.store.codes import stopping
from promograph.store.codes.selecting import LEAST, Range
from promograph.store.databases.database import Connection, Database
from promograph.store.jobs import NewJob
from promograph.store.jobs import files as job_files

_CHUNK = 1 << 20
_KEPT = timedelta(days=7)
_UNKNOWN = "There is no such code."


class ChangingMany:
    """The kind CODES_CHANGE, and how to begin one. Its report is a `Tally`."""

    def __init__(self, database: Database, clock: Clock, jobs: Jobs, files: JobFiles) -> None:
        self._database = database
        self._clock = clock
        self._jobs = jobs
        self._files = files

    async def begin(self, selection: CodeSelection, change: CodeChange) -> Job:
        """A job that changes the codes that the selection means now."""
        input_ = {"change": change, "selection": selections.dumped(selection)}
        new = NewJob(kind=JobKind.CODES_CHANGE, input=input_, promotion_id=selection.promotion.id)
        return await self._jobs.submit(new, _ASKING)

    async def begin_in_file(self, content: Iterable[bytes], change: CodeChange, reading: Reading | None = None) -> Job:
        """A job that changes the codes of a list in a file. Rows without a code that there is hold up nobody."""
        file = await self._files.keep(content, "codes")
        input_ = {"change": change, "file": file.id, "reading": asdict(reading or Reading())}
        now = self._clock()

        def begin(connection: Connection, job: Job) -> None:
            job_files.give(connection, file.id, job.id, now + _KEPT)

        return await self._jobs.submit(NewJob(kind=JobKind.CODES_CHANGE, input=input_), _ASKING, begin)

    async def run(self, run: Run) -> None:
        """A `Kind`'s."""
        if "file" in run.input:
            await self._change_listed(run)
        else:
            await self._change_selected(run)
        state = run.progress.state or _BEGUN
        report = {name: state[name] for name in _REPORT}
        done = state["changed"] + state["already"] + state["unknown"]
        await run.finish(lambda _: Result(report=report, done=done, total=done, failed=state["unknown"]))

    async def undo(self, run: Run) -> None:
        """Nothing: what is changed was wanted so."""

    async def _change_selected(self, run: Run) -> None:
        selection, change = await selections.loaded(self._database, run.input["selection"]), _change(run)
        id_, as_of = selection.promotion.id, run.job.created_at
        async for part in self._parts(run, selection):
            now = self._clock()

            def work(connection: Connection, part: Range = part, now: Any = now) -> Progress:
                # Looked up under the lock: nobody's hand is on them until they have changed.
                stopping.lock(connection, id_)
                seqs = code_selecting.codes_in(connection, selection, part, as_of)
                changed = stopping.change_places(connection, [(id_, seq) for seq in seqs], change, now)
                return _after(run, changed=changed, already=len(seqs) - changed, next=part[1] + 1)

            await run.step(work)

    async def _parts(self, run: Run, selection: CodeSelection) -> AsyncIterator[Range]:
        """Windows of numbers in which there are codes that are meant; looked for without a lock."""
        ranges = await self._database.read(lambda connection: code_selecting.extent(connection, selection))
        done = (run.progress.state or _BEGUN)["next"]
        left = [(max(low, done), high) for low, high in ranges if high >= done]
        for part in code_selecting.windows(left, lambda: self._database.piece):
            run.check_wanted()

            def look(connection: Connection, part: Range = part) -> list[int]:
                return code_selecting.codes_in(connection, selection, part, run.job.created_at)

            with run.pace.working():
                is_any = bool(await self._database.read(look, heavy=True))
            if is_any:
                yield part
            else:
                await run.pace.rest()

    async def _change_listed(self, run: Run) -> None:
        with TemporaryFile() as copy:
            async for part in self._files.parts(run.input["file"]):
                await asyncio.to_thread(copy.write, part)
            copy.seek(0)
            number = 0
            async with aclosing(ahead(_batches(copy, Reading(**run.input["reading"])), run.pace)) as batches:
                async for batch in batches:
                    if number == (run.progress.state or _BEGUN)["batch"]:
                        await self._change_batch(run, batch)
                    number += 1

    async def _change_batch(self, run: Run, batch: Batch) -> None:
        at = (run.progress.state or _BEGUN)["batch"]
        while (run.progress.state or _BEGUN)["batch"] == at:
            offset, now = (run.progress.state or _BEGUN)["offset"], self._clock()
            piece = slice(offset, offset + self._database.piece)

            def work(connection: Connection, piece: slice = piece, now: Any = now) -> Progress:
                keys = batch.keys[piece]
                changed, unknown = stopping.change_keys(connection, keys, _change(run), now)
                rows = zip(batch.rows[piece], batch.texts[piece], keys, strict=True)
                bad = [BadRow(row, text, _UNKNOWN) for row, text, key in rows if key in unknown]
                already = len(keys) - len(bad) - changed
                if piece.stop < len(batch.keys):
                    return _after(run, bad, changed=changed, already=already, offset=piece.stop)
                return _after(run, [*bad, *batch.bad], changed=changed, already=already, offset=0, batch=at + 1)

            await run.step(work)


def tally_of(report: dict[str, Any]) -> Tally:
    """From the report of a job that is done."""
    return Tally(**report | {"rows": [BadRow(*row) for row in report["rows"]]})


_ASKING = Asking(operation=JobKind.CODES_CHANGE, key=None)
_REPORT = ("changed", "already", "unknown", "rows")
_BEGUN: dict[str, Any] = {
    "next": LEAST,
    "batch": 0,
    "offset": 0,
    "changed": 0,
    "already": 0,
    "unknown": 0,
    "rows": [],
}
"""`next` is the number of a code; of the file's batches `batch` are done, and `offset` codes of the next one."""


def _change(run: Run) -> CodeChange:
    return CodeChange(run.input["change"])


def _after(run: Run, bad: Iterable[BadRow] = (), *, changed: int, already: int, **at: int) -> Progress:
    """How far it is with so many codes more, and these rows of the file without one."""
    state = {**(run.progress.state or _BEGUN), **at}
    tally = tally_of({name: state[name] for name in _REPORT})
    tally.changed += changed
    tally.already += already
    for row in bad:
        tally.miss(row)
    state |= asdict(tally) | {"rows": [[row.row, row.shown, row.why] for row in tally.rows]}
    done = tally.changed + tally.already + tally.unknown
    return Progress(state=state, done=done, total=None, failed=tally.unknown)


def _batches(file: IO[bytes], reading: Reading) -> Iterator[Batch]:
    sheet = open_sheet(iter(lambda: file.read(_CHUNK), b""), reading)
    yield from read_codes(sheet, header=reading.header)
