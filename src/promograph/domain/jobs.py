"""Long work that outlives the process that does it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from promograph.errors import BadInput, InputProblem


class JobKind(StrEnum):
    """What a job does."""

    CODES_GENERATE = "CODES_GENERATE"
    CODES_IMPORT = "CODES_IMPORT"
    CODES_EXPORT = "CODES_EXPORT"
    BATCH_REVERT = "BATCH_REVERT"
    CODES_CHANGE = "CODES_CHANGE"
    CUSTOMERS_IMPORT = "CUSTOMERS_IMPORT"
    PROMOTION_PUSH = "PROMOTION_PUSH"
    SHOP_RECONCILE = "SHOP_RECONCILE"


class JobStatus(StrEnum):
    """Where a job is in its life: WAITING ⇄ RUNNING → one of the others, which are for good."""

    WAITING = "WAITING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """`done` of `total` (None: not known yet) are finished; `failed` of the done ones came to nothing.

    `report` is what its kind says of it at the end, as JSON can say it. `error` says why a FAILED one failed.
    """

    id: int
    kind: JobKind
    status: JobStatus
    done: int
    total: int | None
    failed: int
    report: Any
    error: BadInput | None
    promotion_id: int | None
    batch_id: int | None
    cancel_asked: bool
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def is_over(self) -> bool:
        return self.finished_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a job is: `state` is all that its kind needs to go on from here, as JSON can say it."""

    state: Any
    done: int
    total: int | None
    failed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a job ended well. None leaves what was said of it before."""

    report: Any = None
    done: int | None = None
    total: int | None = None
    failed: int | None = None
    batch_id: int | None = None


def broken_down(times: int) -> BadInput:
    """The error of a job that took a process down with it, or seemed to, again and again."""
    return BadInput(InputProblem.STATE, f"It broke off {times} times at the same place and is not tried again.")


def fault() -> BadInput:
    """The error of a job that met a mistake of ours; what it was is in the server's log."""
    return BadInput(InputProblem.STATE, "Something went wrong inside; the server's log says what.")
