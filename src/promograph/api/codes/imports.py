"""Importing codes from files."""

from typing import Any

import strawberry
from strawberry.file_uploads import Upload

from promograph.api.adding_reports import AddingReport, shown_report
from promograph.api.answering import Given, answered
from promograph.api.code import Batch, batch_node
from promograph.api.context import Asked
from promograph.api.jobs import Job, job_node
from promograph.api.nodes import read_number
from promograph.api.rights import WRITE
from promograph.api.uploads import chunks_of
from promograph.api.user_errors import UserError
from promograph.api.waiting import imported
from promograph.domain import jobs
from promograph.domain.sheets import Reading
from promograph.domain.stock.import_orders import ImportOrder
from promograph.domain.stock.lists import CodeColumns
from promograph.services.importing.codes import Upload as FileUpload
from promograph.services.importing.codes import report_of


@strawberry.input(description="Which columns of a file are read: each by its header, or by its number from 1.")
class CodeColumnsInput:
    code: str | None = strawberry.field(
        default=None, description="The codes; if left out, the column whose header says so, or the only one there is."
    )
    customer: str | None = strawberry.field(
        default=None,
        description="Whose each code is: it is issued to that customer at once, and is the one that they get later on.",
    )
    expires_at: str | None = strawberry.field(
        default=None,
        description="When each code expires: a day, meant in the promotion's time zone and included, or an instant.",
    )
    channel: str | None = strawberry.field(
        default=None, description="The channel that each code is meant for; each becomes a batch of its own."
    )


@strawberry.input(description="A file of codes to read: CSV, text, XLSX or XLS.")
class CodesImportInput:
    promotion: strawberry.ID = strawberry.field(description="The promotion that gets them.")
    file: Upload = strawberry.field(description="The file, by the GraphQL multipart request specification.")
    encoding: str | None = strawberry.field(
        default=None, description="A text file's encoding where it is neither UTF-8 nor begins with a byte-order mark."
    )
    separator: str | None = strawberry.field(
        default=None,
        description="What parts the columns of a text file, a character or `tab`; found from the content if left out.",
    )
    sheet: str | None = strawberry.field(
        default=None, description="A workbook's sheet, by its name or number from 1; the first shown one if left out."
    )
    header: bool | None = strawberry.field(
        default=None, description="Whether a row names the columns; found from the content if left out."
    )
    columns: CodeColumnsInput | None = strawberry.field(default=None, description="Which columns are read.")
    channel: str | None = strawberry.field(default=None, description="A label: the channel that they are meant for.")
    dry_run: bool = strawberry.field(
        default=False, description="Only say what would become of each row; nothing is added."
    )
    idempotency_key: str | None = strawberry.field(
        default=None, description="Repeat the call with the same key and it is one job: at most 128 characters."
    )


@strawberry.type(description="The job that reads the file, and what became of each row in the end.", directives=WRITE)
class CodesImportPayload:
    job: Job | None = strawberry.field(description="The job: follow it where it is not done yet.")
    batch: Batch | None = strawberry.field(description="The codes that were added; none when there were none.")
    report: AddingReport | None = strawberry.field(description="What became of each row; none until the job is done.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was added.")


@strawberry.type
class CodeImportMutations:
    @strawberry.mutation(
        description="Read codes from a file into a promotion. It is a job, for whose end the call waits half a minute.",
        directives=WRITE,
    )
    async def codes_import(self, info: Asked, input: Given[CodesImportInput]) -> CodesImportPayload:
        job, errors = await answered(_import(info, input))
        if job is None:
            return CodesImportPayload(job=None, batch=None, report=None, user_errors=errors)
        row = None if job.batch_id is None else await info.context.services.lookup.batch(job.batch_id)
        return CodesImportPayload(
            job=job_node(job),
            batch=None if row is None else batch_node(row),
            report=None if job.report is None else shown_report(report_of(job.report)),
            user_errors=errors,
        )


async def _import(info: Asked, input: CodesImportInput) -> jobs.Job:
    services = info.context.services
    columns = input.columns or CodeColumnsInput()
    order = ImportOrder(
        promotion_id=read_number(input.promotion, "Promotion", "promotion"),
        channel=input.channel,
        reading=Reading(encoding=input.encoding, separator=input.separator, sheet=input.sheet, header=input.header),
        columns=CodeColumns(
            code=columns.code, customer=columns.customer, expires_at=columns.expires_at, channel=columns.channel
        ),
        dry_run=input.dry_run,
    )
    file: Any = input.file
    upload = FileUpload(chunks_of(file), file.filename or "codes")
    begun = await services.code_imports.submit(order, upload, key=input.idempotency_key)
    return await imported(services.jobs, begun)
