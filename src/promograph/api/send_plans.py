"""Plans of sends: how many codes one needs, and how many there are for it."""

from datetime import datetime
from typing import Annotated

import strawberry

from promograph.api.context import Asked
from promograph.api.nodes import read_number
from promograph.api.rights import PLANS
from promograph.domain.promotions import OnEmpty
from promograph.domain.sending import plans as send_plans
from promograph.domain.sending.plans import JOINING_DAYS, USUAL_BUFFER
from promograph.domain.sending.standings import Standing
from promograph.services.sending.plans import PlanRequest


@strawberry.input(description="Which send to plan: to whom, with codes of which promotion.")
class SendPlanInput:
    audience: strawberry.ID = strawberry.field(description="The audience's id.")
    promotion: str = strawberry.field(description="The promotion's handle.")
    send: str | None = strawberry.field(
        default=None,
        description="The send's key: what it has booked is there for it, and PER_SEND it tells who has its code.",
    )
    channel: str | None = strawberry.field(
        default=None, description="`email` or `sms`: count only whom it reaches; left out: everybody."
    )
    buffer_percent: int = strawberry.field(
        default=USUAL_BUFFER, description="How much to have on top of what is needed, in percent."
    )


@strawberry.type(description="How those in an audience stand to a send through a channel.", directives=PLANS)
class FinalAudience:
    channel: str = strawberry.field(description="The channel: `email` or `sms`.")
    reached: int = strawberry.field(description="Who can be written to and has a code: the final audience.")
    fallback: int = strawberry.field(description="Who can be written to and has the fallback code.")
    code_spent: int = strawberry.field(
        description="Who can be written to, and whose code was used, blocked or made void."
    )
    no_code: int = strawberry.field(description="Who can be written to and has no code (yet).")
    no_consent: int = strawberry.field(description="Who has an address and has not agreed.")
    no_address: int = strawberry.field(description="Who has no address for it.")
    unknown_customer: int = strawberry.field(description="Whom nobody has told of.")


@strawberry.type(description="What a send needs of a promotion's codes, at this moment.", directives=PLANS)
class SendPlan:
    asked: strawberry.Private[PlanRequest]

    audience: int = strawberry.field(description="How many customers it goes to.")
    holding: int = strawberry.field(
        description="How many of them hold a code of the promotion that they can still use."
    )
    served: int = strawberry.field(
        description="How many of them have the code of this occasion already: they are given it again and need none. "
        "Under PER_CUSTOMER that is who was ever given one, under PER_SEND who was given one with this send's key."
    )
    needed: int = strawberry.field(
        description="How many codes it takes: audience less served. A SINGLE code needs none."
    )
    buffer: int = strawberry.field(description="What to have on top.")
    available: int = strawberry.field(
        description="How many codes it can take: those that are free, and its own booking."
    )
    booked: int = strawberry.field(description="How many of these are its own booking.")
    shortfall: int = strawberry.field(description="How many codes to add: needed + buffer less available, or 0.")
    on_empty: OnEmpty = strawberry.field(description="What those get for whom there is no code.")
    joiners_per_day: float | None = strawberry.field(
        description=f"How many customers a day came into a dynamic audience over the last {JOINING_DAYS} days, as far "
        "as today's customers tell: those told of since then, and those whom a day that moves has brought in. None for "
        "a static one."
    )
    runs_dry_at: datetime | None = strawberry.field(
        description="When joiners at that pace will have used up what the send leaves of the codes; none where nobody "
        "joins, or not within a hundred years."
    )

    @strawberry.field(
        description="By channel, who of the audience will be written to if codes stay as they are, and why others will "
        "not; counted when asked for. `Audience.standings` lists them.",
        directives=PLANS,
    )
    async def final_audience(self, info: Asked) -> list[FinalAudience]:
        found = await info.context.services.send_plans.final_audience(self.asked)
        return [
            FinalAudience(channel=one.channel, **{standing.lower(): one.count(standing) for standing in Standing})
            for one in found
        ]


@strawberry.type
class SendPlanQueries:
    @strawberry.field(
        description="How many codes a send needs, how many there are for it, and how long they last.", directives=PLANS
    )
    async def send_plan(
        self, info: Asked, input: Annotated[SendPlanInput, strawberry.argument(description="Which send.")]
    ) -> SendPlan:
        asked = PlanRequest(
            audience=read_number(input.audience, "Audience", "audience"),
            promotion=input.promotion,
            send=input.send,
            channel=input.channel,
            buffer_percent=input.buffer_percent,
        )
        return _shown(asked, await info.context.services.send_plans.plan(asked))


def _shown(asked: PlanRequest, plan: send_plans.SendPlan) -> SendPlan:
    return SendPlan(
        asked=asked,
        audience=plan.audience,
        holding=plan.holding,
        served=plan.served,
        needed=plan.needed,
        buffer=plan.buffer,
        available=plan.available,
        booked=plan.booked,
        shortfall=plan.shortfall,
        on_empty=plan.on_empty,
        joiners_per_day=plan.joiners_a_day,
        runs_dry_at=plan.runs_dry_at,
    )
