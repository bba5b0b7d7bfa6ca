"""What a send will need of a promotion's pool, before it is made."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from promograph.domain.promotions import CodeKind, OnEmpty, Promotion
from promograph.errors import BadInput, InputProblem

USUAL_BUFFER = 15
MOST_BUFFER = 1_000

JOINING_DAYS = 7
"""Over how many days back joiners are counted."""

_FARTHEST = timedelta(days=36_500)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Heads counted: those of the audience, those of them who hold a code of the promotion that they can still use,
    and those whose occasion has its code already, so that issuing gives them that.

    `joined`: of a dynamic audience, how many came in over the last JOINING_DAYS days; None for a static one.
    """

    audience: int
    holding: int
    served: int
    joined: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPlan:
    """`needed` and `buffer` are codes to have, `available` those that the send may take, `booked` of them its own.

    `runs_dry_at`: when a dynamic audience will have used up what the send leaves; None where nobody joins.
    """

    promotion: Promotion
    audience: int
    holding: int
    served: int
    needed: int
    buffer: int
    available: int
    booked: int
    shortfall: int
    joiners_a_day: float | None
    runs_dry_at: datetime | None

    @property
    def on_empty(self) -> OnEmpty:
        """What those get for whom there is no code."""
        return self.promotion.terms.on_empty


def checked_buffer(percent: int) -> int:
    if not 0 <= percent <= MOST_BUFFER:
        sentence = f"bufferPercent must be 0 to {MOST_BUFFER:,}."
        raise BadInput(InputProblem.OUT_OF_RANGE, sentence, field=("bufferPercent",))
    return percent


def plan(
    promotion: Promotion, heads: Head, *, available: int, booked: int, buffer_percent: int, now: datetime
) -> SendPlan:
    """One code a head that is not served already, and a buffer on top. A SINGLE code is shared, and needs no pool."""
    is_single = promotion.terms.code_kind is CodeKind.SINGLE
    needed = 0 if is_single else heads.audience - heads.served
    buffer = ceil(needed * buffer_percent / 100)
    joiners = None if heads.joined is None else heads.joined / JOINING_DAYS
    dry = None
    if joiners and not is_single:
        lasts = timedelta(days=1) * min(max(available - needed, 0) / joiners, _FARTHEST.days)
        dry = now + lasts if lasts < _FARTHEST else None
    return SendPlan(
        promotion=promotion,
        audience=heads.audience,
        holding=heads.holding,
        served=heads.served,
        needed=needed,
        buffer=buffer,
        available=available,
        booked=booked,
        shortfall=max(needed + buffer - available, 0),
        joiners_a_day=joiners,
        runs_dry_at=dry,
    )
