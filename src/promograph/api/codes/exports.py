"""Codes as a file to download."""

import strawberry

from promograph.api.answering import Given, answered
from promograph.api.codes.filters import CodeFilterInput, selection_of
from promograph.api.context import Asked
from promograph.api.enums import described
from promograph.api.jobs import Job, job_node
from promograph.api.rights import JOBS, WRITE
from promograph.api.user_errors import UserError
from promograph.domain import jobs
from promograph.domain.stock.exports import ExportFormat

described(
    ExportFormat,
    "ExportFormat",
    "What kind of file it is to be.",
    {
        "CSV": "Text in UTF-8 with commas. A text that a spreadsheet would take for a formula (it begins with = + - @ "
        "or a control character) has an apostrophe before it.",
        "XLSX": "A workbook in which every cell is a text, so that nothing is taken for a formula.",
    },
)


@strawberry.input(description="Which codes to write into a file.")
class CodesExportInput:
    promotion: strawberry.ID = strawberry.field(description="The promotion whose codes they are.")
    filter: CodeFilterInput | None = strawberry.field(default=None, description="Which of its codes; all if left out.")
    format: ExportFormat = strawberry.field(default=ExportFormat.CSV, description="What kind of file it is to be.")
    idempotency_key: str | None = strawberry.field(
        default=None, description="Repeat the call with the same key and you get the same job: at most 128 characters."
    )


@strawberry.type(description="The job that writes the file.", directives=JOBS)
class CodesExportPayload:
    job: Job | None = strawberry.field(description="When it is done, its `download` is the file.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then there is no job.")


@strawberry.type
class CodeExportMutations:
    @strawberry.mutation(
        description="Write codes, with their state and what happened to them, into a file.", directives=WRITE
    )
    async def codes_export(self, info: Asked, input: Given[CodesExportInput]) -> CodesExportPayload:
        job, errors = await answered(_export(info, input))
        return CodesExportPayload(job=None if job is None else job_node(job), user_errors=errors)


async def _export(info: Asked, input: CodesExportInput) -> jobs.Job:
    selection = await selection_of(info, input.promotion, input.filter)
    return await info.context.services.exporting.begin(selection, input.format, input.idempotency_key)
