"""Which of a promotion's codes are meant."""

from dataclasses import dataclass
from datetime import datetime

from promograph.domain.codes.states import CodeState
from promograph.domain.promotions import Promotion


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSelection:
    """All of the conditions hold; what is left out asks for nothing.

    `channel`: the label of the batch that they came with. `customer` holds them. Of a stretch of time, `from` is the
    first instant and `until` the first one after it.
    """

    promotion: Promotion
    states: frozenset[CodeState] = frozenset()
    batch_id: int | None = None
    channel: str | None = None
    customer: str | None = None
    added_from: datetime | None = None
    added_until: datetime | None = None
    issued_from: datetime | None = None
    issued_until: datetime | None = None
