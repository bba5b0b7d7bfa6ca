"""Adding codes to promotions."""

from typing import Any

import strawberry

from promograph.api.adding_reports import AddingReport, shown_report
from promograph.api.answering import Given, Places, answered, placed
from promograph.api.code import Batch, shown_batch, shown_odds
from promograph.api.context import Asked
from promograph.api.jobs import Job, job_node
from promograph.api.nodes import read_number
from promograph.api.promotions.inputs import CodeFormatInput
from promograph.api.promotions.reading import FORMAT_FIELDS, format_of
from promograph.api.rights import WRITE
from promograph.api.user_errors import UserError, user_error
from promograph.api.waiting import WAIT, checked_wait
from promograph.domain import jobs
from promograph.domain.codes.formats import CodeFormat
from promograph.domain.stock.batches import Added

_IDEMPOTENT = "Repeat the call with the same key and it is done once: at most 128 characters."

# What is wrong with the look of codes lies in the input's format, or else the promotion's has no room for so many.
_IN_FORMAT: Places = {field: ("format", field) for field in FORMAT_FIELDS}
_IN_COUNT: Places = dict.fromkeys(FORMAT_FIELDS, ("count",))


@strawberry.input(description="Which codes to make.")
class CodesGenerateInput:
    promotion: strawberry.ID = strawberry.field(description="The promotion that gets them.")
    count: int = strawberry.field(description="How many, at most 10,000,000.")
    format: CodeFormatInput | None = strawberry.field(
        default=None, description="Their look; the promotion's if left out."
    )
    channel: str | None = strawberry.field(default=None, description="A label: the channel that they are meant for.")
    dry_run: bool = strawberry.field(default=False, description="Only say how hard to guess they would be: `odds`.")
    wait_seconds: int = strawberry.field(default=30, description=WAIT)
    idempotency_key: str | None = strawberry.field(default=None, description=_IDEMPOTENT)


@strawberry.input(description="Codes to add as they are.")
class CodesAddInput:
    promotion: strawberry.ID = strawberry.field(description="The promotion that gets them.")
    codes: str = strawberry.field(description="The codes, one a line.")
    channel: str | None = strawberry.field(default=None, description="A label: the channel that they are meant for.")
    idempotency_key: str | None = strawberry.field(default=None, description=_IDEMPOTENT)


@strawberry.type(description="The codes that were made.", directives=WRITE)
class CodesGeneratePayload:
    batch: Batch | None = strawberry.field(
        description="The codes as a batch; none when something was wrong, and while the job goes on."
    )
    job: Job | None = strawberry.field(description="The job that makes them, or has made them; none on a dry run.")
    odds: str | None = strawberry.field(
        description="On a dry run: with these codes made, one guess of their look hits a code of the promotion in so "
        "many, such as `1 in 81962862`."
    )
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was added.")


@strawberry.type(description="What became of the codes.", directives=WRITE)
class CodesAddPayload:
    batch: Batch | None = strawberry.field(description="The codes that were added; none when there were none.")
    report: AddingReport | None = strawberry.field(description="What became of each line.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was added.")


@strawberry.type
class CodeMutations:
    @strawberry.mutation(description="Make codes that nobody can guess, and put them into the pool.", directives=WRITE)
    async def codes_generate(self, info: Asked, input: Given[CodesGenerateInput]) -> CodesGeneratePayload:
        places = _IN_COUNT if input.format is None else _IN_FORMAT
        if input.dry_run:
            odds, errors = await answered(_odds(info, input), places)
            return CodesGeneratePayload(batch=None, job=None, odds=odds, user_errors=errors)
        job, errors = await answered(_generate(info, input), places)
        if job is None:
            return CodesGeneratePayload(batch=None, job=None, odds=None, user_errors=errors)
        if job.error is not None:
            errors = [user_error(placed(job.error, places))]
        shown = job_node(job)
        return CodesGeneratePayload(batch=await shown.batch(info), job=shown, odds=None, user_errors=errors)

    @strawberry.mutation(description="Put codes into the pool as they are.", directives=WRITE)
    async def codes_add(self, info: Asked, input: Given[CodesAddInput]) -> CodesAddPayload:
        added, errors = await answered(_add(info, input))
        return CodesAddPayload(**_shown(added), user_errors=errors)


async def _generate(info: Asked, input: CodesGenerateInput) -> jobs.Job:
    seconds = checked_wait(input.wait_seconds)
    format_ = _format(input)
    job = await info.context.services.stocking.begin_generating(
        _promotion(input.promotion), input.count, format_, channel=input.channel, key=input.idempotency_key
    )
    return await info.context.services.jobs.wait(job.id, seconds)


async def _odds(info: Asked, input: CodesGenerateInput) -> str:
    plan = await info.context.services.stocking.plan_generating(
        _promotion(input.promotion), input.count, _format(input)
    )
    return shown_odds(plan.odds)


def _format(input: CodesGenerateInput) -> CodeFormat | None:
    return None if input.format is None else format_of(input.format)


async def _add(info: Asked, input: CodesAddInput) -> Added:
    return await info.context.services.stocking.paste(
        _promotion(input.promotion), input.codes, channel=input.channel, key=input.idempotency_key
    )


def _promotion(id_: str) -> int:
    return read_number(id_, "Promotion", "promotion")


def _shown(added: Added | None) -> dict[str, Any]:
    if added is None:
        return {"batch": None, "report": None}
    return {"batch": shown_batch(added.batch), "report": shown_report(added.report)}
