"""What becomes of a tentative code once it is known what became of the messages that carry it."""

from dataclasses import dataclass

from promograph.domain.issuing import IssuanceState
from promograph.domain.promotions import ReturnPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnedCode:
    """A code that went back to its pool, and from whom. `promotion` is a handle, `number` that of the issuance."""

    promotion: str
    number: int
    customer: str
    code: str
    channel: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """How many codes are DELIVERED now, how many FINAL since they cannot go back, and those that went back."""

    delivered: int = 0
    final: int = 0
    returned: tuple[ReturnedCode, ...] = ()

    def __add__(self, other: "Settled") -> "Settled":
        return Settled(
            delivered=self.delivered + other.delivered,
            final=self.final + other.final,
            returned=self.returned + other.returned,
        )


def when_lost(policy: ReturnPolicy, *, void: bool, was_touched: bool) -> IssuanceState:
    """What a code is of which all messages were lost. `was_touched`: a use of it was made, or set aside, ever."""
    if was_touched:
        return IssuanceState.DELIVERED  # somebody has seen it, whatever the provider says
    if void or policy is ReturnPolicy.NEVER:
        return IssuanceState.FINAL
    return IssuanceState.RETURNED
