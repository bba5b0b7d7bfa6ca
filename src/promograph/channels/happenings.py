"""What plugins may hear of: things that have happened, told after they are durable."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class HappeningKind(StrEnum):
    """What happened."""

    CODE_ISSUED = "CODE_ISSUED"
    CODE_REDEEMED = "CODE_REDEEMED"
    CODE_RETURNED = "CODE_RETURNED"
    POOL_LOW = "POOL_LOW"
    POOL_EMPTY = "POOL_EMPTY"
    POOL_REFILLED = "POOL_REFILLED"
    FALLBACK_ON = "FALLBACK_ON"
    PROMOTION_ENDED = "PROMOTION_ENDED"
    MESSAGE_DELIVERED = "MESSAGE_DELIVERED"
    MESSAGE_BOUNCED = "MESSAGE_BOUNCED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One thing that happened. `promotion` is a handle, `number` that of the issuance or redemption in the promotion.

    `message` is the key of a message. Fields that say nothing about such a thing are None.
    """

    kind: HappeningKind
    happened_at: datetime
    promotion: str | None = None
    number: int | None = None
    customer: str | None = None
    code: str | None = None
    channel: str | None = None
    message: str | None = None
