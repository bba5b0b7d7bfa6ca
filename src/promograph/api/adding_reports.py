"""What became of a list of codes, as the API shows it."""

import strawberry

from promograph.api.rights import WRITE
from promograph.domain.stock.batches import AddReport
from promograph.domain.stock.rows import BadRow


@strawberry.type(description="A row of a list that was not added.", directives=WRITE)
class ListRow:
    row: int = strawberry.field(description="Its number, from 1, blank rows and a header included.")
    shown: str = strawberry.field(description="What it says, shortened.")
    why: str = strawberry.field(description="Why it was not added.")


@strawberry.type(description="What became of the rows of a list, or would become of them.", directives=WRITE)
class AddingReport:
    read: int = strawberry.field(description="Rows with something on them, a header aside.")
    added: int = strawberry.field(description="Codes added.")
    repeated: int = strawberry.field(description="Rows whose code was in the list already.")
    already_here: int = strawberry.field(description="Rows whose code this promotion had already.")
    already_elsewhere: int = strawberry.field(description="Rows whose code another promotion has.")
    unassigned: int = strawberry.field(
        description="Codes not added as their customer has one already, or as the audience cap is reached."
    )
    bad: int = strawberry.field(description="Rows that hold no code, or something else that cannot be.")
    bad_rows: list[ListRow] = strawberry.field(description="The first 1,000 bad rows.")
    repeated_rows: list[ListRow] = strawberry.field(description="The first 1,000 repeated rows.")
    header_skipped: str | None = strawberry.field(description="The header of the column with the codes, if it has one.")
    notes: list[str] = strawberry.field(description="What else you should know about the file, in sentences.")


def shown_report(report: AddReport) -> AddingReport:
    repeats = [BadRow(row.row, row.text, "This code came before in the list.") for row in report.repeated_rows]
    return AddingReport(
        read=report.read,
        added=report.added,
        repeated=report.repeated,
        already_here=report.already_here,
        already_elsewhere=report.already_elsewhere,
        unassigned=report.unassigned,
        bad=report.bad,
        bad_rows=[ListRow(row=bad.row, shown=bad.shown, why=bad.why) for bad in report.bad_rows],
        repeated_rows=[ListRow(row=bad.row, shown=bad.shown, why=bad.why) for bad in repeats],
        header_skipped=report.header_skipped or None,
        notes=list(report.notes),
    )
