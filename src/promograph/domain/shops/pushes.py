"""What a shop has been told of a promotion."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ToldState(StrEnum):
    """Of one code in a shop. SENDING and STOPPING are written down before the shop is asked: whoever finds them did not
    hear its answer.
    """

    SENDING = "SENDING"
    THERE = "THERE"
    REFUSED = "REFUSED"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"


class PushState(StrEnum):
    """How a promotion stands in a shop. BEHIND: something has changed here since the shop was told."""

    RUNNING = "RUNNING"
    IN_STEP = "IN_STEP"
    BEHIND = "BEHIND"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """A promotion in a shop. `remote` is the shop's own id of the offer. `told` is the offer as the shop has it, in the
    shop's words; `revision` counts how often that changed. `stamp`: how things stood when the shop was told last.
    `pushed` codes are there and work, `refused` ones the shop would not take. `job` is the latest.
    """

    id: int
    promotion_id: int
    shop: str
    remote: str | None
    told: str | None
    revision: int
    stamp: str | None
    pushed: int
    refused: int
    error: str | None
    job_id: int | None
    tried_at: datetime | None

    def state(self, *, is_running: bool, stamp: str) -> PushState:
        if is_running:
            return PushState.RUNNING
        if self.error is not None:
            return PushState.FAILED
        return PushState.IN_STEP if self.stamp == stamp else PushState.BEHIND
