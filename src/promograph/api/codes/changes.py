"""Stopping codes, for a while or for good, and lifting the former again: by list, by file, by what they are."""

from datetime import datetime
from typing import Any

import strawberry
from strawberry.file_uploads import Upload

from promograph.api.adding_reports import ListRow
from promograph.api.answering import Given, answered
from promograph.api.code import Batch, batch_node
from promograph.api.codes.filters import CodeFilterInput, selection_of
from promograph.api.context import Asked
from promograph.api.jobs import Job, job_node
from promograph.api.nodes import read_number
from promograph.api.promotions.reading import in_utc
from promograph.api.rights import WRITE
from promograph.api.uploads import chunks_of
from promograph.api.user_errors import UserError, user_error
from promograph.api.waiting import WAIT, checked_wait
from promograph.domain import jobs
from promograph.domain.sheets import Reading
from promograph.domain.stock.changes import CodeChange, Tally
from promograph.errors import BadInput, InputProblem
from promograph.services.changing_many import tally_of

_WHICH = "Give codes, a file, or a promotion with a filter"


@strawberry.input
class _Which:
    codes: list[str] | None = strawberry.field(
        default=None, description="These codes, at most 10,000; all must exist, or nothing is changed."
    )
    file: Upload | None = strawberry.field(
        default=None, description="Those of a list in a file; codes that there are none of are told in the answer."
    )
    encoding: str | None = strawberry.field(
        default=None, description="A text file's encoding where it is neither UTF-8 nor begins with a byte-order mark."
    )
    promotion: strawberry.ID | None = strawberry.field(
        default=None, description="Those of this promotion for which the filter holds."
    )
    filter: CodeFilterInput | None = strawberry.field(
        default=None, description="Which codes of the promotion; it must ask for something."
    )
    wait_seconds: int = strawberry.field(default=30, description=WAIT)


@strawberry.input(description=f"Which codes to block. {_WHICH}.")
class CodesBlockInput(_Which):
    pass


@strawberry.input(description=f"Which codes to unblock. {_WHICH}.")
class CodesUnblockInput(_Which):
    pass


@strawberry.input(description=f"Which codes to stop for good. {_WHICH}.")
class CodesVoidInput(_Which):
    pass


@strawberry.input(description="What to change of a batch.")
class BatchUpdateInput:
    id: strawberry.ID = strawberry.field(description="The batch.")
    expires_at: datetime | None = strawberry.field(
        default=None, description="When its codes stop working, whatever else ends them; none: nothing of their own."
    )


@strawberry.type
class _Changed:
    job: Job | None = strawberry.field(
        description="The job that changes the codes of a file or a filter; the counts are there when it is done."
    )
    changed: int = strawberry.field(description="How many codes changed.")
    already_so: int = strawberry.field(description="How many had nothing to change; what is void stays void.")
    unknown: int = strawberry.field(description="How many rows of the file hold no code that there is.")
    unknown_rows: list[ListRow] = strawberry.field(description="The first 1,000 of these rows.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was changed.")


@strawberry.type(description="How many codes were blocked.", directives=WRITE)
class CodesBlockPayload(_Changed):
    pass


@strawberry.type(description="How many codes were unblocked.", directives=WRITE)
class CodesUnblockPayload(_Changed):
    pass


@strawberry.type(description="How many codes were made void.", directives=WRITE)
class CodesVoidPayload(_Changed):
    pass


@strawberry.type(description="The batch, and how many codes of it were changed.", directives=WRITE)
class BatchUpdatePayload:
    batch: Batch | None = strawberry.field(description="The batch; none when something was wrong.")
    changed: int = strawberry.field(description="How many codes had another expiry.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was changed.")


@strawberry.type
class CodeChangeMutations:
    @strawberry.mutation(description="Stop codes: they are neither issued nor redeemed.", directives=WRITE)
    async def codes_block(self, info: Asked, input: Given[CodesBlockInput]) -> CodesBlockPayload:
        return CodesBlockPayload(**await _change(info, input, CodeChange.BLOCK))

    @strawberry.mutation(description="Let blocked codes work again.", directives=WRITE)
    async def codes_unblock(self, info: Asked, input: Given[CodesUnblockInput]) -> CodesUnblockPayload:
        return CodesUnblockPayload(**await _change(info, input, CodeChange.UNBLOCK))

    @strawberry.mutation(
        description="Stop codes for good: they are neither issued nor redeemed, and nothing brings them back.",
        directives=WRITE,
    )
    async def codes_void(self, info: Asked, input: Given[CodesVoidInput]) -> CodesVoidPayload:
        return CodesVoidPayload(**await _change(info, input, CodeChange.VOID))

    @strawberry.mutation(description="Change when the codes of a batch stop working.", directives=WRITE)
    async def batch_update(self, info: Asked, input: Given[BatchUpdateInput]) -> BatchUpdatePayload:
        changed, errors = await answered(_expire(info, input))
        if changed is None:
            return BatchUpdatePayload(batch=None, changed=0, user_errors=errors)
        row = await info.context.services.lookup.batch(read_number(input.id, "Batch", "id"))
        return BatchUpdatePayload(batch=batch_node(row), changed=changed, user_errors=errors)


async def _expire(info: Asked, input: BatchUpdateInput) -> int:
    expires_at = in_utc(input.expires_at, ("expiresAt",))
    return await info.context.services.changing.expire(read_number(input.id, "Batch", "id"), expires_at)


async def _change(info: Asked, input: _Which, change: CodeChange) -> dict[str, Any]:
    missing: list[int] = []
    job: jobs.Job | None = None
    if input.codes is not None and input.file is None and input.promotion is None:
        tally, missing, errors = await _listed(info, input.codes, change)
    else:
        job, errors = await answered(_many(info, input, change))
        if job is not None and job.error is not None:
            errors = [user_error(job.error)]
        tally = Tally() if job is None or job.report is None else tally_of(job.report)
    unknown = BadInput(InputProblem.NOT_FOUND, "There is no such code.")
    return {
        "job": None if job is None else job_node(job),
        "changed": tally.changed,
        "already_so": tally.already,
        "unknown": tally.unknown,
        "unknown_rows": [ListRow(row=row.row, shown=row.shown, why=row.why) for row in tally.rows],
        "user_errors": errors + [user_error(unknown, "codes", str(place)) for place in missing],
    }


async def _listed(info: Asked, codes: list[str], change: CodeChange) -> tuple[Tally, list[int], list[UserError]]:
    # No code holds a NUL, and not every store could look for one.
    missing = [place for place, text in enumerate(codes) if "\0" in text]
    if missing:
        return Tally(), missing, []
    result, errors = await answered(info.context.services.changing.listed(codes, change))
    if result is None:
        return Tally(), [], errors
    changed, missing = result
    return Tally(changed=changed, already=0 if missing else len(codes) - changed), missing, []


async def _many(info: Asked, input: _Which, change: CodeChange) -> jobs.Job:
    if sum(part is not None for part in (input.codes, input.file, input.promotion)) != 1:
        raise BadInput(InputProblem.INVALID, f"{_WHICH}; one of these.", field=("codes",))
    seconds, services = checked_wait(input.wait_seconds), info.context.services
    if input.file is not None:
        reading = Reading(encoding=input.encoding)
        job = await services.changing_many.begin_in_file(chunks_of(input.file), change, reading)
        return await services.jobs.wait(job.id, seconds)
    if input.filter is None or not any(vars(input.filter).values()):
        sentence = "Say which codes of the promotion: a filter that asks for nothing means all of them."
        raise BadInput(InputProblem.REQUIRED, sentence, field=("filter",))
    assert input.promotion is not None, "it is neither of the others"
    selection = await selection_of(info, input.promotion, input.filter)
    job = await services.changing_many.begin(selection, change)
    return await services.jobs.wait(job.id, seconds)
