"""Where a code is in its life."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class CodeState(StrEnum):
    """EXPIRED is derived from the clock, never stored."""

    AVAILABLE = "AVAILABLE"
    ISSUED = "ISSUED"
    REDEEMED = "REDEEMED"
    EXPIRED = "EXPIRED"
    BLOCKED = "BLOCKED"
    VOID = "VOID"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeStanding:
    """How a code stands; `expires_at` is when it stops working, its promotion's say included."""

    promotion_id: int
    seq: int
    text: str
    blocked: bool
    void: bool
    uses: int
    is_issued: bool
    expires_at: datetime | None

    def state(self, now: datetime) -> CodeState:
        return state_of(
            blocked=self.blocked,
            void=self.void,
            uses=self.uses,
            is_issued=self.is_issued,
            is_over=self.expires_at is not None and now >= self.expires_at,
        )


def state_of(*, blocked: bool, void: bool, uses: int, is_issued: bool, is_over: bool) -> CodeState:
    """The weightiest of what is so: what stopped it, then its use, then its time."""
    if void:
        return CodeState.VOID
    if blocked:
        return CodeState.BLOCKED
    if uses:
        return CodeState.REDEEMED
    if is_over:
        return CodeState.EXPIRED
    return CodeState.ISSUED if is_issued else CodeState.AVAILABLE
