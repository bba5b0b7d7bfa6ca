"""Importing customers, and audiences, from files."""

from typing import Any

import strawberry
from strawberry.file_uploads import Upload

from promograph.api.answering import KEY, Given, answered
from promograph.api.context import Asked
from promograph.api.jobs import Job, job_node
from promograph.api.people.audiences import Audience, audience_node
from promograph.api.rights import PEOPLE
from promograph.api.uploads import chunks_of
from promograph.api.user_errors import UserError
from promograph.api.waiting import imported
from promograph.domain import jobs
from promograph.domain.conditions.values import ValueType
from promograph.domain.people.sheets import AttributeColumn, CustomerColumns
from promograph.domain.sheets import Reading
from promograph.services.importing.customers import CustomerOrder


@strawberry.input(description="The column of an attribute.")
class AttributeColumnInput:
    name: str = strawberry.field(description="The attribute's name.")
    column: str = strawberry.field(description="The column, by its header or its number from 1.")
    type: ValueType | None = strawberry.field(
        default=None,
        description="What its values are; as the attribute is known, or texts, if left out. The parts of a list are "
        "separated by `;`.",
    )


@strawberry.input(description="The column of consent to a channel.")
class ConsentColumnInput:
    channel: str = strawberry.field(description="The channel, such as `email`.")
    column: str = strawberry.field(description="The column, by its header or its number from 1: yes or no.")


@strawberry.input(
    description="Which columns of a file are read: each by its header, or by its number from 1. An empty cell changes "
    "nothing."
)
class CustomerColumnsInput:
    id: str | None = strawberry.field(
        default=None, description="Your own ids; if left out, the column whose header says so, or the only one."
    )
    email: str | None = strawberry.field(default=None, description="Addresses of e-mail.")
    phone: str | None = strawberry.field(default=None, description="Numbers of phones, in their international form.")
    locale: str | None = strawberry.field(default=None, description="Language tags.")
    consent: list[ConsentColumnInput] | None = strawberry.field(default=None, description="Consent, by channel.")
    attributes: list[AttributeColumnInput] | None = strawberry.field(default=None, description="Attributes.")


@strawberry.input(description="A file to read customers from: CSV, text, XLSX or XLS.")
class CustomerFileInput:
    file: Upload = strawberry.field(description="The file, by the GraphQL multipart request specification.")
    columns: CustomerColumnsInput | None = strawberry.field(default=None, description="Which columns are read.")
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
    dry_run: bool = strawberry.field(default=False, description="Only say what would become of the rows.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A file of customers to tell of.")
class CustomersImportInput(CustomerFileInput):
    pass


@strawberry.input(description="A file of customers who become a static audience.")
class AudienceImportInput(CustomerFileInput):
    name: str = strawberry.field(description="The audience's name for people, at most 200 characters.")
    handle: str | None = strawberry.field(
        default=None, description="Its unique name for programs, at most 64 characters; made from the name if left out."
    )


@strawberry.type(description="A row that was left out.", directives=PEOPLE)
class BadCustomerRow:
    row: int = strawberry.field(description="Its number, as an editor or a spreadsheet shows it.")
    field: str | None = strawberry.field(description="What is wrong of it; none: the row itself.")
    message: str = strawberry.field(description="Why.")


@strawberry.type(description="What became of the rows of a file of customers.", directives=PEOPLE)
class CustomersReport:
    read: int = strawberry.field(description="Rows with something in them.")
    created: int = strawberry.field(description="Customers who are new (or would be, in a dry run).")
    updated: int = strawberry.field(description="Customers who were there already, changed or not.")
    members: int = strawberry.field(description="Members of the new audience.")
    bad: int = strawberry.field(description="Rows that were left out.")
    bad_rows: list[BadCustomerRow] = strawberry.field(description="The first 100 of these.")


@strawberry.type(description="The job that reads the file.", directives=PEOPLE)
class CustomersImportPayload:
    job: Job | None = strawberry.field(description="The job: follow it where it is not done yet.")
    report: CustomersReport | None = strawberry.field(description="What became of the rows; none until it is done.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; rows before it may have been taken.")


@strawberry.type(description="The job that reads the file, and the audience that it makes.", directives=PEOPLE)
class AudienceImportPayload:
    job: Job | None = strawberry.field(description="The job: follow it where it is not done yet.")
    report: CustomersReport | None = strawberry.field(description="What became of the rows; none until it is done.")
    audience: Audience | None = strawberry.field(description="The audience; none until the job is done.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then there is no audience.")


@strawberry.type
class CustomerImportMutations:
    @strawberry.mutation(
        description="Tell of the customers in a file. It is a job, for whose end the call waits half a minute.",
        directives=PEOPLE,
    )
    async def customers_import(self, info: Asked, input: Given[CustomersImportInput]) -> CustomersImportPayload:
        job, errors = await answered(_import(info, input, _order(input)))
        return CustomersImportPayload(
            job=None if job is None else job_node(job), report=_shown_report(job), user_errors=errors
        )

    @strawberry.mutation(
        description="Make a static audience of the customers in a file, and tell of them where columns say more than "
        "their ids. It is a job, for whose end the call waits half a minute; nobody sees the audience before.",
        directives=PEOPLE,
    )
    async def audience_import(self, info: Asked, input: Given[AudienceImportInput]) -> AudienceImportPayload:
        job, errors = await answered(_import(info, input, _order(input, name=input.name, handle=input.handle)))
        id_ = None if job is None or job.report is None else job.report["audience"]
        found = None if id_ is None else await info.context.services.audiences.get(id_)
        return AudienceImportPayload(
            job=None if job is None else job_node(job),
            report=_shown_report(job),
            audience=None if found is None else audience_node(found),
            user_errors=errors,
        )


def _order(input: CustomerFileInput, *, name: str | None = None, handle: str | None = None) -> CustomerOrder:
    asked = input.columns or CustomerColumnsInput()
    columns = CustomerColumns(
        id=asked.id,
        email=asked.email,
        phone=asked.phone,
        locale=asked.locale,
        consent={one.channel: one.column for one in asked.consent or ()} or None,
        attributes=tuple(
            AttributeColumn(name=one.name, column=one.column, type=one.type) for one in asked.attributes or ()
        ),
    )
    reading = Reading(encoding=input.encoding, separator=input.separator, sheet=input.sheet, header=input.header)
    return CustomerOrder(columns=columns, reading=reading, dry_run=input.dry_run, audience=name, handle=handle)


async def _import(info: Asked, input: CustomerFileInput, order: CustomerOrder) -> jobs.Job:
    services = info.context.services
    file: Any = input.file
    content, name = chunks_of(file), file.filename or "customers"
    begun = await services.customer_imports.submit(order, content, name, key=input.idempotency_key)
    return await imported(services.jobs, begun)


def _shown_report(job: jobs.Job | None) -> CustomersReport | None:
    if job is None or job.report is None:
        return None
    kept = job.report
    rows = [BadCustomerRow(row=row, field=field, message=why) for row, field, why in kept["bad_rows"]]
    counts = {name: kept[name] for name in ("read", "created", "updated", "members", "bad")}
    return CustomersReport(**counts, bad_rows=rows)
