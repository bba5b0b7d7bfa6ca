"""Importing files of codes: a job that survives whatever happens to the server, and its report."""

import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from promograph.domain.clock import Clock
from promograph.domain.jobs import Job, JobKind, Progress, Result
from promograph.domain.keys import checked_optional
from promograph.domain.promotions import Promotion
from promograph.domain.stock.batches import AddReport
from promograph.domain.stock.import_orders import ImportOrder, ImportState, check_assignable
from promograph.domain.stock.import_reports import HEAD
from promograph.domain.stock.rows import BadRow, RepeatedRow
from promograph.domain.stock.taking import checked_taker
from promograph.services.importing.reading import ImportFile
from promograph.services.importing.running import ImportRun
from promograph.services.jobs import Asking, Jobs
from promograph.services.jobs.files import JobFiles
from promograph.services.jobs.runs import Run
from promograph.store import assigning, loading, promotions, replays
from promograph.store.databases.database import Connection, Database
from promograph.store.jobs import NewJob
from promograph.store.jobs import files as job_files
from promograph.store.jobs.files import JobFile
from promograph.store.loading import Load

REPORT = "report"
"""The role of a job's file with the whole report."""

_OPERATION = "codesImport"
_KEPT = timedelta(days=7)
_NOTHING_THERE = "The file holds no row of codes."
_NOTHING_NEW = "Nothing was added: no row of the file holds a code that is new."


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that somebody sends: its bytes, cut anywhere, and its name."""

    content: Iterable[bytes]
    name: str = "codes.csv"


class CodeImports:
    """Imports are begun here, and this is what carries them out."""

    def __init__(self, database: Database, clock: Clock, jobs: Jobs, files: JobFiles) -> None:
        self._database = database
        self._clock = clock
        self._jobs = jobs
        self._files = files

    async def submit(self, order: ImportOrder, upload: Upload, *, key: str | None = None) -> Job:
        """The job of an import, begun; BadInput where the promotion takes no codes, or others are just being added."""
        checked_optional(order.channel, "channel", longest=64)
        checked_optional(key, "idempotencyKey")
        await self._database.read(lambda connection: self._look(connection, order, key))
        file = await self._files.keep(upload.content, upload.name)
        kept = asdict(order)
        new = NewJob(kind=JobKind.CODES_IMPORT, input={**kept, "file": file.id}, promotion_id=order.promotion_id)
        asking = Asking(operation=_OPERATION, key=key, asked=[kept, file.digest])
        job = await self._jobs.submit(new, asking, lambda connection, made: self._begin(connection, made, order, file))
        await self._files.drop(file.id)  # where the key had its job already, nobody wants it
        return job

    def _begin(self, connection: Connection, job: Job, order: ImportOrder, file: JobFile) -> Any:
        """In the transaction that makes the job: the upload becomes its own, and so does the end of the line."""
        now = self._clock()
        self._check(connection, order)
        job_files.give(connection, file.id, job.id, now + _KEPT)
        report = job_files.make(
            connection, REPORT, f"import-{job.id}-report.csv", job_id=job.id, now=now, expires_at=now + _KEPT
        )
        job_files.add(connection, report.id, 0, HEAD)
        if order.dry_run:
            return ImportState(report=report.id).dump()
        load = loading.claim(connection, order.promotion_id, loading.loader_of_job(job.id), now)
        return ImportState(report=report.id, load=load.first, next=load.first).dump()

    def _look(self, connection: Connection, order: ImportOrder, key: str | None) -> None:
        """Spare the upload where it would be for nothing."""
        if key is None or not replays.is_known(connection, _OPERATION, key):
            self._check(connection, order)

    def _check(self, connection: Connection, order: ImportOrder) -> Promotion:
        found = promotions.by_id(connection, [order.promotion_id])
        promotion = checked_taker(found.get(order.promotion_id), self._clock())
        if order.columns.customer is not None:
            check_assignable(promotion)
        return promotion

    async def run(self, run: Run) -> None:
        """A `Kind`'s."""
        order, file_id = _asked(run)
        found = await self._database.read(lambda connection: promotions.by_id(connection, [order.promotion_id]))
        zone = found[order.promotion_id].terms.window.time_zone
        async with ImportFile(self._files, file_id, order, zone) as file:
            work = ImportRun(self._database, self._clock, run, order, file)
            begun = work.state.at_hand is not None or work.state.parts is None
            await work.to_the_end()
            if not begun:
                await work.read_through()
            report = asdict(_report(work.state, file, order))
        state = work.state
        report |= {"file": state.report, "token": secrets.token_urlsafe(32)}  # what `Exporting` opens
        result = Result(
            report=report,
            done=report["read"],
            total=report["read"],
            failed=report["read"] - report["added"],
            batch_id=state.batches[0] if state.batches else None,
        )
        await run.finish(lambda connection: self._closed(connection, state, result))

    def _closed(self, connection: Connection, state: ImportState, result: Result) -> Result:
        job_files.close(connection, state.report, "")
        if state.batches:
            counts = {name: value for name, value in result.report.items() if isinstance(value, int) and name != "file"}
            loading.report_on(connection, state.batches, counts)
        return result

    async def undo(self, run: Run) -> None:
        """A `Kind`'s: what nobody has seen goes; what people were given stays theirs."""
        order, _ = _asked(run)
        state = ImportState.of(run.progress.state)
        first = state.load

        def work(connection: Connection) -> Progress:
            if first is not None:
                load = Load(promotion_id=order.promotion_id, loader=loading.loader_of_job(run.job.id), first=first)
                loading.abandon(connection, load)
            elif state.batches:
                assigning.drop_empty(connection, state.batches[-1])
            return run.progress

        await run.step(work)  # and only while the job is this process's


def report_of(kept: dict[str, Any]) -> AddReport:
    """The report of a job that is done."""
    kept = {name: value for name, value in kept.items() if name not in ("file", "token")}
    return AddReport(
        **kept
        | {
            "repeated_rows": tuple(RepeatedRow(**row) for row in kept["repeated_rows"]),
            "bad_rows": tuple(BadRow(**row) for row in kept["bad_rows"]),
            "notes": tuple(kept["notes"]),
        }
    )


def _report(state: ImportState, file: ImportFile, order: ImportOrder) -> AddReport:
    seen = file.tally.report()
    notes = seen.notes
    if not seen.read:
        notes += (_NOTHING_THERE,)
    if seen.good and not state.added and not order.dry_run:
        notes += (_NOTHING_NEW,)
    return AddReport(
        read=seen.read,
        added=state.added,
        repeated=seen.repeated,
        repeated_rows=seen.repeated_rows,
        already_here=state.here,
        already_elsewhere=state.elsewhere,
        unassigned=state.unassigned,
        bad=seen.bad,
        bad_rows=seen.bad_rows,
        header_skipped=seen.header_skipped,
        notes=notes,
    )


def _asked(run: Run) -> tuple[ImportOrder, int]:
    kept = dict(run.input)
    file = kept.pop("file")
    return ImportOrder.of(kept), file
