"""What can happen to a code."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from promograph.domain.carts import Money


class CodeEventKind(StrEnum):
    ADDED = "ADDED"
    ISSUED = "ISSUED"
    REPEATED = "REPEATED"
    HELD = "HELD"
    RELEASED = "RELEASED"
    LAPSED = "LAPSED"
    REDEEMED = "REDEEMED"
    ROLLED_BACK = "ROLLED_BACK"
    BLOCKED = "BLOCKED"
    UNBLOCKED = "UNBLOCKED"
    VOIDED = "VOIDED"
    REPLACES = "REPLACES"
    REPLACED = "REPLACED"
    RETURNED = "RETURNED"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeEvent:
    """`amount`: of the discount that was held, given or taken back. `code`: that it replaces, or that replaces it."""

    kind: CodeEventKind
    at: datetime
    customer: str | None = None
    order: str | None = None
    amount: Money | None = None
    channel: str | None = None
    reason: str | None = None
    code: str | None = None
