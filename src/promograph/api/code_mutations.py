"""Adding codes to promotions."""

from collections.abc import Iterator
from typing import Any

import strawberry
from strawberry.file_uploads import Upload

from promograph.api.answering import Given, Places, answered
from promograph.api.code import Batch, shown_batch
from promograph.api.context import Asked
from promograph.api.nodes import read_number
from promograph.api.promotion_inputs import CodeFormatInput
from promograph.api.promotion_reading import FORMAT_FIELDS, format_of
from promograph.api.rights import WRITE
from promograph.api.user_errors import UserError
from promograph.domain.batches import Added, AddReport
from promograph.domain.code_lists import CodeColumns
from promograph.domain.code_rows import BadRow
from promograph.domain.sheets import Reading

_CHUNK = 1 << 20
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
    idempotency_key: str | None = strawberry.field(default=None, description=_IDEMPOTENT)


@strawberry.input(description="Which columns of a file are read: each by its header, or by its number from 1.")
class CodeColumnsInput:
    code: str | None = strawberry.field(
        default=None, description="The codes; if left out, the column whose header says so, or the only one there is."
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
    idempotency_key: str | None = strawberry.field(default=None, description=_IDEMPOTENT)


@strawberry.input(description="Codes to add as they are.")
class CodesAddInput:
    promotion: strawberry.ID = strawberry.field(description="The promotion that gets them.")
    codes: str = strawberry.field(description="The codes, one a line.")
    channel: str | None = strawberry.field(default=None, description="A label: the channel that they are meant for.")
    idempotency_key: str | None = strawberry.field(default=None, description=_IDEMPOTENT)


@strawberry.type(description="A row of a list that was not added.", directives=WRITE)
class ListRow:
    row: int = strawberry.field(description="Its number, from 1, blank rows and a header included.")
    shown: str = strawberry.field(description="What it says, shortened.")
    why: str = strawberry.field(description="Why it was not added.")


@strawberry.type(description="What became of the rows of a list.", directives=WRITE)
class AddingReport:
    read: int = strawberry.field(description="Rows with something on them, a header aside.")
    added: int = strawberry.field(description="Codes added.")
    repeated: int = strawberry.field(description="Rows whose code was in the list already.")
    already_here: int = strawberry.field(description="Rows whose code this promotion had already.")
    already_elsewhere: int = strawberry.field(description="Rows whose code another promotion has.")
    bad: int = strawberry.field(description="Rows that hold no code.")
    bad_rows: list[ListRow] = strawberry.field(description="The first 1,000 bad rows.")
    repeated_rows: list[ListRow] = strawberry.field(description="The first 1,000 repeated rows.")
    header_skipped: str | None = strawberry.field(description="The header of the column with the codes, if it has one.")
    notes: list[str] = strawberry.field(description="What else you should know about the file, in sentences.")


@strawberry.type(description="The codes that were made.", directives=WRITE)
class CodesGeneratePayload:
    batch: Batch | None = strawberry.field(description="The codes as a batch; none when something was wrong.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was added.")


@strawberry.type(description="What became of the file's rows.", directives=WRITE)
class CodesImportPayload:
    batch: Batch | None = strawberry.field(description="The codes that were added; none when there were none.")
    report: AddingReport | None = strawberry.field(description="What became of each row.")
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
        added, errors = await answered(_generate(info, input), _IN_COUNT if input.format is None else _IN_FORMAT)
        return CodesGeneratePayload(batch=None if added is None else shown_batch(added.batch), user_errors=errors)

    @strawberry.mutation(description="Read codes from a file and put the new ones into the pool.", directives=WRITE)
    async def codes_import(self, info: Asked, input: Given[CodesImportInput]) -> CodesImportPayload:
        added, errors = await answered(_import(info, input))
        return CodesImportPayload(**_shown(added), user_errors=errors)

    @strawberry.mutation(description="Put codes into the pool as they are.", directives=WRITE)
    async def codes_add(self, info: Asked, input: Given[CodesAddInput]) -> CodesAddPayload:
        added, errors = await answered(_add(info, input))
        return CodesAddPayload(**_shown(added), user_errors=errors)


async def _generate(info: Asked, input: CodesGenerateInput) -> Added:
    format_ = None if input.format is None else format_of(input.format)
    return await info.context.services.stocking.generate(
        _promotion(input.promotion), input.count, format_, channel=input.channel, key=input.idempotency_key
    )


async def _import(info: Asked, input: CodesImportInput) -> Added:
    return await info.context.services.stocking.import_list(
        _promotion(input.promotion),
        chunks_of(input.file),
        channel=input.channel,
        reading=Reading(encoding=input.encoding, separator=input.separator, sheet=input.sheet, header=input.header),
        columns=CodeColumns() if input.columns is None else CodeColumns(code=input.columns.code),
        key=input.idempotency_key,
    )


async def _add(info: Asked, input: CodesAddInput) -> Added:
    return await info.context.services.stocking.paste(
        _promotion(input.promotion), input.codes, channel=input.channel, key=input.idempotency_key
    )


def _promotion(id_: str) -> int:
    return read_number(id_, "Promotion", "promotion")


def chunks_of(file: Any) -> Iterator[bytes]:
    """An upload's bytes; it lies in memory or in a temporary file, so that reading never waits for the client."""
    while chunk := file.file.read(_CHUNK):
        yield chunk


def _shown(added: Added | None) -> dict[str, Any]:
    if added is None:
        return {"batch": None, "report": None}
    return {"batch": shown_batch(added.batch), "report": _report(added.report)}


def _report(report: AddReport) -> AddingReport:
    repeats = [BadRow(row.row, row.text, "This code came before in the list.") for row in report.repeated_rows]
    return AddingReport(
        read=report.read,
        added=report.added,
        repeated=report.repeated,
        already_here=report.already_here,
        already_elsewhere=report.already_elsewhere,
        bad=report.bad,
        bad_rows=[ListRow(row=bad.row, shown=bad.shown, why=bad.why) for bad in report.bad_rows],
        repeated_rows=[ListRow(row=bad.row, shown=bad.shown, why=bad.why) for bad in repeats],
        header_skipped=report.header_skipped or None,
        notes=list(report.notes),
    )
