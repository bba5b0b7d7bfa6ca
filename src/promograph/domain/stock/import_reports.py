"""The whole report on an imported list, as a CSV file: a line for each row that was not added, and why."""

import csv
import io
from collections.abc import Iterable
from enum import StrEnum

from promograph.domain.stock.exports import harmless
from promograph.domain.stock.rows import Batch


class RowOutcome(StrEnum):
    """What became of a row that was not added."""

    BAD = "BAD"
    REPEATED = "REPEATED"
    ALREADY_HERE = "ALREADY_HERE"
    ALREADY_ELSEWHERE = "ALREADY_ELSEWHERE"
    UNASSIGNED = "UNASSIGNED"


Line = tuple[int, str, RowOutcome, str]
"""The row's number, what it says, what became of it, why."""

HEAD = b"\xef\xbb\xbfrow,code,outcome,why\r\n"
"""How the file begins; the mark tells spreadsheets that it is UTF-8."""

_REASONS = {
    RowOutcome.REPEATED: "This code came before in the list.",
    RowOutcome.ALREADY_HERE: "This promotion has this code already.",
    RowOutcome.ALREADY_ELSEWHERE: "Another promotion has this code.",
}


def line(row: int, text: str, outcome: RowOutcome, why: str = "") -> Line:
    return row, text, outcome, why or _REASONS[outcome]


def lines_of(batch: Batch) -> list[Line]:
    """For what the list itself says: bad and repeated rows."""
    return [
        *(line(bad.row, bad.shown, RowOutcome.BAD, bad.why) for bad in batch.bad),
        *(line(again.row, again.text, RowOutcome.REPEATED) for again in batch.repeated),
    ]


def as_csv(lines: Iterable[Line]) -> bytes:
    """The lines by their rows. A text that a spreadsheet would calculate has an apostrophe before it."""
    written = io.StringIO(newline="")
    rows = csv.writer(written, quoting=csv.QUOTE_MINIMAL)
    for row, text, outcome, why in sorted(lines):
        rows.writerow((row, harmless(text), outcome, why))
    return written.getvalue().encode()
