"""What may be done to codes by hand."""

from dataclasses import dataclass, field
from enum import StrEnum

from promograph.domain.stock.rows import BadRow

MOST_ROWS = 1_000


class CodeChange(StrEnum):
    """BLOCK stops a code for a while, VOID for good."""

    BLOCK = "BLOCK"
    UNBLOCK = "UNBLOCK"
    VOID = "VOID"

    def changes(self, *, blocked: bool, void: bool) -> bool:
        """Whether a code that stands so has something left to change; what is void stays so."""
        if void:
            return False
        return blocked if self is CodeChange.UNBLOCK else not (blocked and self is CodeChange.BLOCK)


@dataclass(slots=True)
class Tally:
    """Of the codes that were asked for: how many changed, were so already (or void), and are not there.

    `rows` are those of a file without a code that there is, at most the first 1,000; `unknown` is exact.
    """

    changed: int = 0
    already: int = 0
    unknown: int = 0
    rows: list[BadRow] = field(default_factory=list)

    def miss(self, row: BadRow) -> None:
        self.unknown += 1
        if len(self.rows) < MOST_ROWS:
            self.rows.append(row)
