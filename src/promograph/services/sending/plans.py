"""Use cases of planning a send: how many codes it needs, and how many there are for it."""

from collections.abc import Collection
from dataclasses import dataclass

from promograph.domain.clock import Clock
from promograph.domain.keys import checked_key, checked_optional
from promograph.domain.people.audiences import ADDRESSES
from promograph.domain.sending.plans import USUAL_BUFFER, SendPlan, checked_buffer, plan
from promograph.domain.sending.standings import FinalAudience, Standing
from promograph.errors import BadInput, InputProblem
from promograph.store import bookings, promotions, send_plans, stock
from promograph.store.databases.database import Connection, Database
from promograph.store.databases.statistics import freshen
from promograph.store.issuing import unknown_promotion
from promograph.store.listing import Page, Slice
from promograph.store.people import audiences, standings
from promograph.store.people.standings import Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """`audience` is an id, `promotion` a handle, `send` the key with which codes will be issued."""

    audience: int
    promotion: str
    send: str | None = None
    channel: str | None = None
    buffer_percent: int = USUAL_BUFFER


class SendPlans:
    """Plans change nothing: they are true of the moment in which they are made."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def plan(self, asked: PlanRequest) -> SendPlan:
        """BadInput for an audience, a promotion or a channel that there is not."""
        _check(asked)
        await freshen(self._database)
        now = self._clock()

        def work(connection: Connection) -> SendPlan:
            wanted = _wanted(connection, asked)
            promotion = wanted.promotion
            counters = stock.read(connection, [promotion.id])[promotion.id]
            claims = {} if asked.send is None else bookings.of_sends(connection, promotion.id, [asked.send])
            booked = sum(claim.remaining for claim in claims.values())
            return plan(
                promotion,
                send_plans.heads(connection, wanted, now),
                available=min(counters.free + booked, counters.available),
                booked=booked,
                buffer_percent=asked.buffer_percent,
                now=now,
            )

        return await self._database.snapshot(work)

    async def final_audience(self, asked: PlanRequest) -> list[FinalAudience]:
        """By channel, how those in the audience stand to the send: who has a code and can be written to, and why others
        are left out. A channel that is asked for leaves out nobody here."""
        _check(asked)
        await freshen(self._database)
        now = self._clock()
        return await self._database.snapshot(
            lambda connection: standings.count(connection, _wanted(connection, asked), now)
        )

    async def standings(self, asked: PlanRequest, among: Collection[Standing], part: Slice) -> Page:
        """Rows (customer, standing), by the customers' ids, of those who stand in one of these ways to the channel."""
        _check(asked)
        channel = asked.channel
        if channel is None:
            raise BadInput(InputProblem.REQUIRED, "Name the channel, such as email.", field=("channel",))
        now = self._clock()
        return await self._database.snapshot(
            lambda connection: standings.page(connection, _wanted(connection, asked), channel, among, part, now)
        )


def _check(asked: PlanRequest) -> None:
    checked_key(asked.promotion, "promotion")
    checked_optional(asked.send, "send")
    checked_buffer(asked.buffer_percent)
    if asked.channel is not None and asked.channel not in ADDRESSES:
        sentence = f"Addresses are known for the channels {', '.join(ADDRESSES)}."
        raise BadInput(InputProblem.NOT_FOUND, sentence, field=("channel",))


def _wanted(connection: Connection, asked: PlanRequest) -> Wanted:
    audience = audiences.by_id(connection, [asked.audience]).get(asked.audience)
    if audience is None:
        raise BadInput(InputProblem.NOT_FOUND, "No audience has this id.", field=("audience",))
    promotion = promotions.by_handle(connection, [asked.promotion]).get(asked.promotion)
    if promotion is None:
        raise unknown_promotion(asked.promotion)
    return Wanted(audience, promotion, asked.send, asked.channel)
