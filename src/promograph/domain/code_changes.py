"""What may be done to codes by hand."""

from dataclasses import dataclass
from enum import StrEnum


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """Of the codes that were asked for: how many changed, were so already (or void), and are not there.

    `unknown` are places in the list that was given, at most the first 1,000; `unknown_count` is exact.
    """

    changed: int = 0
    already: int = 0
    unknown_count: int = 0
    unknown: tuple[int, ...] = ()
