"""`promograph codes`."""

import asyncio
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from promograph.cli.common import StoreOption, err, out, run
from promograph.domain.jobs import Job, JobStatus
from promograph.errors import BadInput, InputProblem
from promograph.services.app import Services

app = typer.Typer(
    no_args_is_help=True,
    help="Generate codes, and take batches back. Ctrl-C leaves the job where it is: a server on the same store goes on "
    "with it, and so does the next such command.",
)


@app.command("generate")
def generate(
    promotion: Annotated[str, typer.Argument(help="The promotion's handle.")],
    count: Annotated[int, typer.Argument(help="How many, at most 10,000,000.")],
    channel: Annotated[str | None, typer.Option(help="A label: the channel that they are meant for.")] = None,
    store: StoreOption = None,
) -> None:
    """Make codes in the promotion's format. The number of the batch goes to the standard output."""

    async def make(services: Services) -> Job:
        found = await services.promoting.get(handle=promotion)
        if found is None:
            raise BadInput(InputProblem.NOT_FOUND, f"No promotion has the handle {promotion!r}.")
        job = await services.stocking.begin_generating(found.id, count, None, channel=channel)
        return await _followed(services, job, "generating")

    job = run(store, make, creates=False)
    err.print(f"{job.done:,} codes made.")
    out.print(job.batch_id)


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
