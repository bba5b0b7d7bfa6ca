"""Adding codes: where they came from and what became of each."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from promograph.domain.stock.rows import BadRow, RepeatedRow


class BatchSource(StrEnum):
    """How a batch of codes came to be."""

    GENERATED = "GENERATED"
    IMPORTED = "IMPORTED"
    PASTED = "PASTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddReport:
    """Of `read` rows (blank ones and a header aside): how many were added, and why the others were not.

    `unassigned` are codes whose customer has one already, or for whom the audience cap has no place. `repeated_rows`
    and `bad_rows` name at most the first 1,000; the counts are exact. `notes` are sentences about the list as a whole.
    """

    read: int
    added: int
    repeated: int = 0
    repeated_rows: tuple[RepeatedRow, ...] = field(default=())
    already_here: int = 0
    already_elsewhere: int = 0
    unassigned: int = 0
    bad: int = 0
    bad_rows: tuple[BadRow, ...] = field(default=())
    header_skipped: str = ""
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeBatch:
    """One act of adding codes."""

    id: int
    promotion_id: int
    source: BatchSource
    channel: str | None
    size: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Added:
    """The batch, or None where nothing was new."""

    batch: CodeBatch | None
    report: AddReport
