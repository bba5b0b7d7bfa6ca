"""`promograph codes`."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from promograph.cli.common import StoreOption, err, out, run
from promograph.domain.jobs import Job, JobStatus
from promograph.domain.promotions import Promotion
from promograph.domain.sheets import Reading
from promograph.domain.stock.batches import AddReport
from promograph.domain.stock.exports import ExportFormat
from promograph.domain.stock.import_orders import ImportOrder
from promograph.domain.stock.lists import CodeColumns
from promograph.domain.stock.selections import CodeSelection
from promograph.errors import BadInput, ConfigError, InputProblem
from promograph.services.app import Services
from promograph.services.importing.codes import Upload, report_of

_CHUNK = 1 << 20
_SHOWN_ROWS = 20

app = typer.Typer(
    no_args_is_help=True,
    help="Generate, import and export codes, and take batches back. Ctrl-C leaves the job where it is: a server on the "
    "same store goes on with it, and so does the next such command.",
)


@app.command("generate")
def generate(
    promotion: Annotated[str, typer.Argument(help="The promotion's handle.")],
    count: Annotated[int, typer.Argument(help="How many, at most 10,000,000.")],
    channel: Annotated[str | None, typer.Option(help="A label: the channel that they are meant for.")] = None,
    store: StoreOption = None,
) -> None:
    """Make codes in the promotion's format. The number of the batch goes to the standard output."""

    async def make(services: Services) -> tuple[Job, int]:
        found = await _promotion(services, promotion)
        plan = await services.stocking.plan_generating(found.id, count, None)
        job = await services.stocking.begin_generating(found.id, count, None, channel=channel)
        return await _followed(services, job, "generating"), plan.odds

    job, odds = run(store, make, creates=False)
    err.print(f"{job.done:,} codes made; one guess in {odds:,} hits a code.")
    out.print(job.batch_id)


@app.command("import")
def import_(
    promotion: Annotated[str, typer.Argument(help="The promotion's handle.")],
    file: Annotated[Path, typer.Argument(help="CSV, text, XLSX or XLS.", exists=True, dir_okay=False, readable=True)],
    channel: Annotated[str | None, typer.Option(help="A label: the channel that they are meant for.")] = None,
    column: Annotated[str | None, typer.Option(help="The codes' column: its name, or its number from 1.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Of a text file that is not Unicode: windows-1252, say.")] = None,
    sheet: Annotated[str | None, typer.Option(help="Of a workbook: its name, or its number from 1.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would become of each row.")] = False,
    store: StoreOption = None,
) -> None:
    """Add the codes of a file. The number of the batch goes to the standard output."""

    async def add(services: Services) -> Job:
        order = ImportOrder(
            promotion_id=(await _promotion(services, promotion)).id,
            channel=channel,
            reading=Reading(encoding=encoding, sheet=sheet),
            columns=CodeColumns(code=column),
            dry_run=dry_run,
        )
        job = await services.code_imports.submit(order, Upload(_pieces(file), file.name))
        return await _followed(services, job, "importing")

    job = run(store, add, creates=False)
    assert job.report is not None, "an import that is done has one"
    _tell(report_of(job.report), is_rehearsal=dry_run)
    if job.batch_id is not None:
        out.print(job.batch_id)


@app.command("export")
def export(
    promotion: Annotated[str, typer.Argument(help="The promotion's handle.")],
    file: Annotated[Path, typer.Argument(help="Where to; its name ends with .csv or .xlsx.")],
    store: StoreOption = None,
) -> None:
    """Write all codes of a promotion, with their states, to a file that is not there yet."""
    kinds = {".csv": ExportFormat.CSV, ".xlsx": ExportFormat.XLSX}

    async def write(services: Services) -> int:
        kind = kinds.get(file.suffix.lower())
        if kind is None:
            raise ConfigError(f"The name of {file} must end with .csv or .xlsx.")
        if file.exists():
            raise ConfigError(f"{file} is there already; choose another name, or move it away.")
        selection = CodeSelection(promotion=await _promotion(services, promotion))
        job = await _followed(services, await services.exporting.begin(selection, kind), "exporting")
        made = await services.exporting.download(job)
        assert made is not None, "it was made a moment ago"
        await _write(services, made.file.id, file)
        return job.done

    done = run(store, write, creates=False)
    err.print(f"{done:,} codes written to {file}.")


@app.command("revert")
def revert(
    batch: Annotated[int, typer.Argument(help="The batch's number, as `codes generate` gave it.")],
    store: StoreOption = None,
) -> None:
    """Take back what is unissued of a batch."""

    async def take_back(services: Services) -> Job:
        job = await services.reverting.begin(services.jobs, batch)
        return await _followed(services, job, "taking back")

    report = run(store, take_back, creates=False).report
    stayed = f"{report['issued']:,} issued, {report['used']:,} used or held, {report['void']:,} void"
    err.print(f"{report['gone']:,} codes taken back; stayed: {stayed}.")


async def _promotion(services: Services, handle: str) -> Promotion:
    found = await services.lobby.get(handle=handle)
    if found is None:
        raise BadInput(InputProblem.NOT_FOUND, f"No promotion has the handle {handle!r}.")
    return found


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(_CHUNK):
            yield piece


async def _write(services: Services, file_id: int, file: Path) -> None:
    """A file that is whole, or none: its name is given to it at the end."""
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("wb") as opened:
            async for piece in services.job_files.parts(file_id):
                await asyncio.to_thread(opened.write, piece)
        part.rename(file)
    except OSError as failure:
        part.unlink(missing_ok=True)
        raise ConfigError(f"{file} cannot be written: {failure.strerror or failure}.") from failure


def _tell(report: AddReport, *, is_rehearsal: bool) -> None:
    left_out = {
        "repeated in the file": report.repeated,
        "in this promotion already": report.already_here,
        "in another promotion": report.already_elsewhere,
        "not assigned": report.unassigned,
        "bad": report.bad,
    }
    verb = "would be added" if is_rehearsal else "added"
    others = ", ".join(f"{count:,} {what}" for what, count in left_out.items() if count) or "none left out"
    err.print(f"{report.added:,} codes {verb} of {report.read:,} rows; {others}.")
    for row in report.bad_rows[:_SHOWN_ROWS]:
        err.print(f"  row {row.row:,}: {row.shown!r}: {row.why}", markup=False)
    for note in report.notes:
        err.print(note, markup=False)


async def _followed(services: Services, job: Job, doing: str) -> Job:
    """The job once it has ended, with a bar until then, whichever process is at it."""
    serving = asyncio.create_task(services.runner.serve())
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=err, transient=True) as bars:
            bar = bars.add_task(doing, total=job.total)
            async for seen in services.jobs.watch(job.id):
                job = seen
                bars.update(bar, completed=job.done, total=job.total)
    except asyncio.CancelledError:
        err.print(f"Job {job.id} stands at {job.done:,}; a server, or the next such command, goes on with it.")
        raise
    finally:
        serving.cancel()
    if job.status is not JobStatus.DONE:
        raise job.error or BadInput(InputProblem.STATE, "The job was cancelled.")
    return job
