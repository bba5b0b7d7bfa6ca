"""What happened that somebody outside may want to know: kinds, and the event itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class EventKind(StrEnum):
    """The STOCK kinds and FALLBACK_ON are about an active promotion's pool; their data has `available`, `threshold`.

    SALE_REFUSED has the `refusals` of a sale that was reported late, its `key`, `soldAt`, and what was sold in `sales`.
    PROMOTION_ENDED has its `reason`; a window that is over is seen by the clock, and told of by no event.
    """

    STOCK_LOW = "STOCK_LOW"
    STOCK_EMPTY = "STOCK_EMPTY"
    FALLBACK_ON = "FALLBACK_ON"
    STOCK_REFILLED = "STOCK_REFILLED"
    PROMOTION_ENDED = "PROMOTION_ENDED"
    SALE_REFUSED = "SALE_REFUSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`data` is what JSON can say."""

    id: int
    kind: EventKind
    promotion_id: int | None
    data: Mapping[str, Any]
    happened_at: datetime
