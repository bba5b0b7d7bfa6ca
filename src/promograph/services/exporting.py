"""Exports of codes: a job that writes a file into the store, and a link that opens it for as long as it is kept."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from promograph.domain.clock import Clock
from promograph.domain.jobs import Job, JobKind, Progress, Result
from promograph.domain.stock.exports import ExportFormat, ExportPage, Shower
from promograph.domain.stock.selections import CodeSelection
from promograph.services import selections
from promograph.services.export_files import CSV_BEGINNING, CSV_HEAD, Workbook, code_lines
from promograph.services.jobs import Asking, Jobs
from promograph.services.jobs.runs import Run
from promograph.store.codes import exporting as code_exporting
from promograph.store.codes import selecting as code_selecting
from promograph.store.codes.selecting import LEAST, Range
from promograph.store.databases.database import Connection, Database
from promograph.store.jobs import NewJob
from promograph.store.jobs import files as job_files
from promograph.store.jobs.files import PART_BYTES, JobFile

OUTPUT = "output"
"""The role of the file that an export leaves."""

KEPT = timedelta(hours=24)
_ROWS = 10_000
"""Codes a page: as many as come to about one part of a file."""


@dataclass(frozen=True, slots=True)
class Download:
    """What a link opens. `token` is all that is asked of whoever opens it."""

    token: str
    file: JobFile


@dataclass(frozen=True, slots=True)
class Gone:
    """There was a file under this link, and it is kept no longer."""


class Exporting:
    def __init__(self, database: Database, clock: Clock, jobs: Jobs) -> None:
        self._database = database
        self._clock = clock
        self._jobs = jobs

    async def begin(self, selection: CodeSelection, format_: ExportFormat, key: str | None = None) -> Job:
        """A job that writes the codes meant, or the one that the key has."""
        asked = {"format": format_, **selections.dumped(selection)}
        new = NewJob(kind=JobKind.CODES_EXPORT, input=asked, promotion_id=selection.promotion.id)
        return await self._jobs.submit(new, Asking(operation="codesExport", key=key, asked=asked))

    async def download(self, job: Job) -> Download | None:
        """The link to what a job has written, an export or the report of an import, while it works."""
        if not _has_file(job):
            return None
        file = await self._file(job)
        return None if file is None else Download(f"{job.id}-{job.report['token']}", file)

    async def open(self, token: str) -> Download | Gone | None:
        """What a link with this token opens; None where there never was one."""
        number, _, secret = token.partition("-")
        if not (number.isascii() and number.isdecimal() and len(number) < 19):
            return None
        job = await self._jobs.get(int(number))
        if job is None or not _has_file(job):
            return None
        if not secrets.compare_digest(secret.encode(), str(job.report["token"]).encode()):
            return None
        file = await self._file(job)
        return Gone() if file is None else Download(token, file)

    async def _file(self, job: Job) -> JobFile | None:
        file = await self._database.read(lambda connection: job_files.read(connection, job.report["file"]))
        return None if file is None or file.expires_at <= self._clock() else file


def _has_file(job: Job) -> bool:
    return isinstance(job.report, dict) and "token" in job.report


class CodesExport:
    """The kind of job. A CSV goes on where it was; an XLSX, which is one whole to its end, is begun anew."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def run(self, run: Run) -> None:
        selection = await selections.loaded(self._database, run.input)
        if run.input["format"] == ExportFormat.CSV:
            await self._write_csv(run, selection)
        else:
            await self._write_workbook(run, selection)

    async def undo(self, run: Run) -> None:
        await run.step(lambda connection: self._dropped(connection, run))

    def _dropped(self, connection: Connection, run: Run) -> Progress:
        job_files.expire(connection, run.job.id, OUTPUT, self._clock())
        return Progress(state=None, done=0, total=run.progress.total)

    async def _write_csv(self, run: Run, selection: CodeSelection) -> None:
        shower = Shower(selection.promotion, run.job.created_at, is_safe=False)
        ranges = await self._extent(selection)
        total = sum(high - low + 1 for low, high in ranges)
        if run.progress.state is None:
            head = (CSV_BEGINNING + CSV_HEAD).encode()
            await run.step(lambda connection: self._begun(connection, run, head, total))
        async for part, page in self._pages(run, selection, ranges):
            with run.pace.working():
                content = await asyncio.to_thread(_written, shower, page)
            await run.step(_adding(run, content, rows=len(page.codes), part=part, total=total))
        await run.finish(lambda connection: self._result(connection, run))

    async def _write_workbook(self, run: Run, selection: CodeSelection) -> None:
        shower = Shower(selection.promotion, run.job.created_at, is_safe=True)
        await run.step(lambda connection: self._dropped(connection, run))
        ranges = await self._extent(selection)
        total = sum(high - low + 1 for low, high in ranges)
        book, written = Workbook(), 0
        try:
            async for part, page in self._pages(run, selection, ranges):
                with run.pace.working():
                    written += await asyncio.to_thread(_put_in, book, shower, page)
                done = run.progress.done + part[1] - part[0] + 1
                await run.step(_telling(Progress(state=None, done=done, total=total)), heavy=False)
            await run.step(lambda connection: self._begun(connection, run, b"", total, rows=written))
            content = book.finished(PART_BYTES)
            while piece := await asyncio.to_thread(next, content, b""):
                await run.step(_adding(run, piece, rows=0, part=None, total=total))
        finally:
            book.close()
        await run.finish(lambda connection: self._result(connection, run))

    async def _pages(
        self, run: Run, selection: CodeSelection, ranges: list[Range]
    ) -> AsyncIterator[tuple[Range, ExportPage]]:
        """What is yet to be written, in stretches of numbers."""
        done = LEAST if run.progress.state is None else run.progress.state["next"]
        left = [(max(low, done), high) for low, high in ranges if high >= done]
        now = run.job.created_at
        for part in code_selecting.windows(left, lambda: min(_ROWS, self._database.piece)):
            read = partial(code_exporting.page, selection=selection, part=part, now=now)
            with run.pace.working():
                page = await self._database.read(read, heavy=True)
            yield part, page

    def _begun(self, connection: Connection, run: Run, head: bytes, total: int, rows: int = 0) -> Progress:
        now = self._clock()
        name = f"codes-{run.job.promotion_id}-{run.job.id}.{run.input['format'].lower()}"
        file = job_files.make(connection, OUTPUT, name, job_id=run.job.id, now=now, expires_at=now + KEPT)
        if head:
            job_files.add(connection, file.id, 0, head)
        state = {"file": file.id, "part": 1 if head else 0, "next": LEAST, "rows": rows}
        return Progress(state=state, done=run.progress.done, total=total)

    def _result(self, connection: Connection, run: Run) -> Result:
        state = run.progress.state
        report = {"file": state["file"], "rows": state["rows"], "token": secrets.token_urlsafe(32)}
        return Result(report=report, done=run.progress.total)

    async def _extent(self, selection: CodeSelection) -> list[Range]:
        return await self._database.read(lambda connection: code_selecting.extent(connection, selection))


def _put_in(book: Workbook, shower: Shower, page: ExportPage) -> int:
    for stretch in shower.stretches(page):
        book.add(stretch)
    return len(page.codes)


def _written(shower: Shower, page: ExportPage) -> bytes:
    return code_lines(list(shower.stretches(page)))


def _adding(run: Run, content: bytes, *, rows: int, part: Range | None, total: int) -> Callable[[Connection], Progress]:
    """A chunk that adds a part to the file; `part` are the numbers that it tells of."""

    def work(connection: Connection) -> Progress:
        state = dict(run.progress.state)
        done = run.progress.done
        if content:
            job_files.add(connection, state["file"], state["part"], content)
            state["part"] += 1
        state["rows"] += rows
        if part is not None:
            state["next"] = part[1] + 1
            done += part[1] - part[0] + 1
        return Progress(state=state, done=done, total=total)

    return work


def _telling(progress: Progress) -> Callable[[Connection], Progress]:
    """A chunk that only says how far it is."""
    return lambda _: progress
