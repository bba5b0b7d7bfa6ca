"""Who is in the final audience of a send, and why others are not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Standing(StrEnum):
    """How somebody in an audience stands to a send through one channel: the first of these reasons that applies.

    REACHED and FALLBACK have a code and can be written to; the final audience is the former, with the latter where the
    shared code is good enough.
    """

    UNKNOWN_CUSTOMER = "UNKNOWN_CUSTOMER"
    NO_ADDRESS = "NO_ADDRESS"
    NO_CONSENT = "NO_CONSENT"
    NO_CODE = "NO_CODE"
    CODE_SPENT = "CODE_SPENT"
    FALLBACK = "FALLBACK"
    REACHED = "REACHED"


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalAudience:
    """How many stand how, through a channel; a standing that nobody has is missing."""

    channel: str
    counts: Mapping[Standing, int] = field(default_factory=dict)

    def count(self, standing: Standing) -> int:
        return self.counts.get(standing, 0)
