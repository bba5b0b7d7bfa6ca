"""Jobs: long work, looked at and cancelled."""

from datetime import datetime
from typing import Annotated

import strawberry

from promograph.api.answering import Given, answered
from promograph.api.code import Batch, batch_node
from promograph.api.connections import After, Before, Connection, First, Last, connection_of, slice_of
from promograph.api.context import Asked, Context
from promograph.api.enums import described
from promograph.api.nodes import Node, global_id, read_number
from promograph.api.promotions.promotion import Promotion, promotion_node
from promograph.api.rights import JOBS, READ, WRITE
from promograph.api.user_errors import UserError
from promograph.domain import jobs
from promograph.domain.access import Scope
from promograph.domain.jobs import JobKind, JobStatus
from promograph.errors import BadInput, InputProblem
from promograph.services import exporting
from promograph.store.jobs import JobQuery

described(
    JobKind,
    "JobKind",
    "What a job does.",
    {
        "CODES_GENERATE": "Makes codes for a promotion.",
        "CODES_IMPORT": "Reads codes from a file into a promotion.",
        "CODES_EXPORT": "Writes codes into a file.",
        "CODES_CHANGE": "Blocks, unblocks or voids codes.",
        "BATCH_REVERT": "Takes back what is unissued of a batch.",
        "CUSTOMERS_IMPORT": "Reads customers from a file.",
        "PROMOTION_PUSH": "Tells a shop of a promotion and its codes.",
        "SHOP_RECONCILE": "Holds what a shop says was used against what was redeemed.",
    },
)
described(
    JobStatus,
    "JobStatus",
    "Where a job is in its life.",
    {
        "WAITING": "Waits for a server that has room for it, or goes on with it.",
        "RUNNING": "A server is at it.",
        "DONE": "It has done what was asked.",
        "FAILED": "It could not; `error` says why.",
        "CANCELLED": "Somebody cancelled it.",
    },
)

_SCOPES = {
    JobKind.CODES_GENERATE: Scope.PROMOTIONS_WRITE,
    JobKind.CODES_IMPORT: Scope.PROMOTIONS_WRITE,
    JobKind.CODES_EXPORT: Scope.PROMOTIONS_WRITE,
    JobKind.CODES_CHANGE: Scope.PROMOTIONS_WRITE,
    JobKind.BATCH_REVERT: Scope.PROMOTIONS_WRITE,
    JobKind.CUSTOMERS_IMPORT: Scope.CUSTOMERS_WRITE,
    JobKind.PROMOTION_PUSH: Scope.PROMOTIONS_WRITE,
    JobKind.SHOP_RECONCILE: Scope.PROMOTIONS_WRITE,
}
"""Whose jobs these are: others do not learn that they exist."""


@strawberry.type(description="A file to download.", directives=WRITE)
class Download:
    url: str = strawberry.field(
        description="Its path on this server. Whoever has it gets the file, without a token: treat it as a secret."
    )
    name: str = strawberry.field(description="The file's name.")
    size: float = strawberry.field(description="Its size in bytes.")
    expires_at: datetime = strawberry.field(description="Until when it is kept.")


@strawberry.type(
    description="Long work. It survives a restart of the server: it goes on where it was.", directives=JOBS
)
class Job(Node):
    facts: strawberry.Private[jobs.Job]

    kind: JobKind = strawberry.field(description="What it does.")
    status: JobStatus = strawberry.field(description="Where it is in its life.")
    done: int = strawberry.field(description="How much of it is done: codes, or rows.")
    total: int | None = strawberry.field(description="How much there is to do; none while that is not known.")
    failed: int = strawberry.field(description="How much of what is done came to nothing.")
    error: str | None = strawberry.field(description="Why it failed.")
    cancelling: bool = strawberry.field(description="Whether it is being cancelled, and has not ended yet.")
    created_at: datetime = strawberry.field(description="When it was asked for.")
    started_at: datetime | None = strawberry.field(description="When a server first took it up.")
    finished_at: datetime | None = strawberry.field(description="When it ended.")

    @strawberry.field(description="The promotion that it is about.", directives=READ)
    async def promotion(self, info: Asked) -> Promotion | None:
        if self.facts.promotion_id is None:
            return None
        found = await info.context.promotion(self.facts.promotion_id)
        return None if found is None else promotion_node(found, info.context.now)

    @strawberry.field(description="The batch that it has made, or is about.", directives=WRITE)
    async def batch(self, info: Asked) -> Batch | None:
        if self.facts.batch_id is None:
            return None
        row = await info.context.services.lookup.batch(self.facts.batch_id)
        return None if row is None else batch_node(row)

    @strawberry.field(description="The file that it has made, while it is kept.", directives=WRITE)
    async def download(self, info: Asked) -> Download | None:
        found = await info.context.services.exporting.download(self.facts)
        return None if found is None else _download(found)


@strawberry.input(description="Which job to cancel.")
class JobCancelInput:
    id: strawberry.ID = strawberry.field(description="The job; it must not have ended.")


@strawberry.type(description="The job that is being cancelled.", directives=JOBS)
class JobCancelPayload:
    job: Job | None = strawberry.field(
        description="The job. Half of a load is taken back first, which may take a moment: then it is `cancelling`."
    )
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was changed.")


@strawberry.type
class JobQueries:
    @strawberry.field(description="Jobs, the latest first.", directives=JOBS)
    async def jobs(
        self,
        info: Asked,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        status: Annotated[
            list[JobStatus] | None, strawberry.argument(description="Only jobs in one of these states.")
        ] = None,
        kind: Annotated[list[JobKind] | None, strawberry.argument(description="Only jobs of these kinds.")] = None,
        promotion: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only jobs about this promotion.")
        ] = None,
    ) -> Connection[Job]:
        part = slice_of(first, after, last, before, list_name="jobs")
        visible = visible_kinds(info.context)
        query = JobQuery(
            kinds=visible if kind is None else visible & set(kind),
            statuses=frozenset(status or ()),
            promotion_id=None if promotion is None else read_number(promotion, "Promotion", "promotion"),
        )
        page = await info.context.services.jobs.page(query, part)
        return connection_of(page, "jobs", job_node)


@strawberry.type
class JobMutations:
    @strawberry.mutation(description="Stop a job and take back what nobody was to see of it.", directives=JOBS)
    async def job_cancel(self, info: Asked, input: Given[JobCancelInput]) -> JobCancelPayload:
        job, errors = await answered(_cancel(info, input))
        return JobCancelPayload(job=None if job is None else job_node(job), user_errors=errors)


async def visible_job(info: Asked, id_: int) -> jobs.Job | None:
    """The job, where there is one that concerns the caller."""
    found = await info.context.services.jobs.get(id_)
    return found if found is not None and found.kind in visible_kinds(info.context) else None


def visible_kinds(context: Context) -> frozenset[JobKind]:
    """The kinds of jobs that concern the caller."""
    return frozenset(kind for kind, scope in _SCOPES.items() if context.caller.may(scope))


def job_node(job: jobs.Job) -> Job:
    return Job(
        id=global_id("Job", job.id),
        facts=job,
        kind=job.kind,
        status=job.status,
        done=job.done,
        total=job.total,
        failed=job.failed,
        error=None if job.error is None else str(job.error),
        cancelling=job.cancel_asked and not job.is_over,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
    )


def _download(found: exporting.Download) -> Download:
    return Download(
        url=f"/downloads/{found.token}",
        name=found.file.name,
        size=float(found.file.size),
        expires_at=found.file.expires_at,
    )


async def _cancel(info: Asked, input: JobCancelInput) -> jobs.Job:
    id_ = read_number(input.id, "Job")
    if await visible_job(info, id_) is None:
        raise BadInput(InputProblem.NOT_FOUND, "No job has this id.", field=("id",))
    return await info.context.services.jobs.cancel(id_)
