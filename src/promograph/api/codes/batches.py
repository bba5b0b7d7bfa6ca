"""Taking batches back."""

import strawberry

from promograph.api.answering import Given, answered
from promograph.api.code import Batch
from promograph.api.context import Asked
from promograph.api.jobs import Job, job_node
from promograph.api.nodes import read_number
from promograph.api.rights import WRITE
from promograph.api.user_errors import UserError
from promograph.api.waiting import WAIT, checked_wait
from promograph.domain import jobs


@strawberry.input(description="Which batch to take back.")
class BatchRevertInput:
    batch: strawberry.ID = strawberry.field(description="The batch.")
    wait_seconds: int = strawberry.field(default=30, description=WAIT)


@strawberry.type(description="What became of a batch's codes.", directives=WRITE)
class BatchRevertReport:
    gone: int = strawberry.field(description="Codes taken back, as if they had never been added.")
    issued: int = strawberry.field(description="Codes that stayed because somebody has them, or has used them.")
    used: int = strawberry.field(description="Codes that stayed because a checkout had them, for a hold or a use.")
    void: int = strawberry.field(description="Codes that stayed because they were made void.")


@strawberry.type(description="What became of the batch.", directives=WRITE)
class BatchRevertPayload:
    job: Job | None = strawberry.field(description="The job that takes it back, or has taken it back.")
    batch: Batch | None = strawberry.field(description="The batch, as far as it has come.")
    report: BatchRevertReport | None = strawberry.field(
        description="What became of its codes; none while the job goes on."
    )
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was taken back.")


@strawberry.type
class BatchMutations:
    @strawberry.mutation(
        description="Take back what is unissued of a batch: those codes are no codes any more.", directives=WRITE
    )
    async def batch_revert(self, info: Asked, input: Given[BatchRevertInput]) -> BatchRevertPayload:
        job, errors = await answered(_revert(info, input))
        if job is None:
            return BatchRevertPayload(job=None, batch=None, report=None, user_errors=errors)
        shown = job_node(job)
        report = None if job.report is None else BatchRevertReport(**job.report)
        return BatchRevertPayload(job=shown, batch=await shown.batch(info), report=report, user_errors=errors)


async def _revert(info: Asked, input: BatchRevertInput) -> jobs.Job:
    seconds = checked_wait(input.wait_seconds)
    services = info.context.services
    job = await services.reverting.begin(services.jobs, read_number(input.batch, "Batch", "batch"))
    return await services.jobs.wait(job.id, seconds)
