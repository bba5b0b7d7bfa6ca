"""Plans of sends: how many codes are needed, how many there are, and how long they last."""

from datetime import date, timedelta
from typing import Any

import pytest

from promograph.domain.people.audiences import Audience, AudienceKind
from promograph.domain.promotions import CodeKind, IssuePolicy, OnEmpty, Promotion
from promograph.domain.sending.plans import SendPlan
from promograph.errors import BadInput
from promograph.services.audiences import NewAudience
from promograph.services.bookings import NewBooking
from promograph.services.sending.plans import PlanRequest

from .test_audiences import is_, made, members, segment, told
from .world import SetClock, World, issued

pytestmark = pytest.mark.anyio

DYNAMIC = AudienceKind.DYNAMIC


async def planned(world: World, audience: Audience, promotion: Promotion, **more: Any) -> SendPlan:
    request = PlanRequest(audience=audience.id, promotion=promotion.terms.handle, **more)
    return await world.services.send_plans.plan(request)


async def test_needed_is_who_has_none_and_a_buffer_on_top(world: World) -> None:
    promotion = await world.promotion(codes=100, on_empty=OnEmpty.REFUSE)
    audience = await made(world, customers=[f"c{n}" for n in range(100)])
    for n in range(20):
        code = await world.code(promotion, f"c{n}")
        if n < 5:
            await world.redeem(code, f"c{n}")
    await world.code(promotion, "somebody else")
    plan = await planned(world, audience, promotion)
    # Those who have used theirs would be given it again: under PER_CUSTOMER that is all there is.
    assert (plan.audience, plan.holding, plan.served, plan.needed) == (100, 15, 20, 80)
    assert (plan.buffer, plan.available, plan.shortfall, plan.booked) == (12, 79, 13, 0)
    assert (plan.joiners_a_day, plan.runs_dry_at) == (None, None)
    assert (await planned(world, audience, promotion, buffer_percent=0)).shortfall == 1
    assert (await planned(world, audience, promotion, buffer_percent=1)).buffer == 1
    with pytest.raises(BadInput, match="bufferPercent"):
        await planned(world, audience, promotion, buffer_percent=-1)


async def test_a_send_that_issues_anew_needs_a_code_for_everybody_it_has_not_served(world: World) -> None:
    promotion = await world.promotion(codes=30, on_empty=OnEmpty.REFUSE, issue_policy=IssuePolicy.PER_SEND)
    audience = await made(world, customers=["a", "b", "c", "d"])
    await world.issue_all(promotion, ["a", "b"], send="spring")
    assert (await planned(world, audience, promotion, send="spring")).needed == 2
    autumn = await planned(world, audience, promotion, send="autumn")
    assert (autumn.holding, autumn.served, autumn.needed) == (2, 0, 4)
    assert (await planned(world, audience, promotion)).needed == 4


async def test_a_booking_is_there_for_its_own_send_alone(world: World) -> None:
    promotion = await world.promotion(codes=10, on_empty=OnEmpty.REFUSE)
    audience = await made(world, customers=["a", "b", "c"])
    await world.services.bookings.create(NewBooking(promotion=promotion.terms.handle, send="mine", codes=8))
    mine = await planned(world, audience, promotion, send="mine")
    other = await planned(world, audience, promotion, send="other")
    assert (mine.available, mine.booked, mine.shortfall) == (10, 8, 0)
    assert (other.available, other.booked, other.shortfall) == (2, 0, 2)


async def test_a_shared_code_needs_no_pool(world: World) -> None:
    promotion = await world.promotion(shared="SAVE", code_kind=CodeKind.SINGLE)
    audience = await made(world, customers=["a", "b", "c"])
    plan = await planned(world, audience, promotion)
    assert (plan.audience, plan.needed, plan.buffer, plan.shortfall) == (3, 0, 0, 0)


async def test_whom_a_channel_does_not_reach_needs_no_code(world: World) -> None:
    promotion = await world.promotion(codes=10)
    agreed = {"email": "x@example.com", "consent": {"email": True}}
    await told(world, {"id": "a", **agreed}, {"id": "b", "email": "x@example.com"}, {"id": "c", **agreed})
    await world.code(promotion, "c")
    audience = await made(world, customers=["a", "b", "c", "d"])
    plan = await planned(world, audience, promotion, channel="email")
    assert (plan.audience, plan.served, plan.needed) == (2, 1, 1)
    assert (await planned(world, audience, promotion, channel="sms")).audience == 0
    with pytest.raises(BadInput, match="email, sms"):
        await planned(world, audience, promotion, channel="pigeons")


async def test_joiners_are_those_told_of_lately(world: World, clock: SetClock) -> None:
    promotion = await world.promotion(codes=100, on_empty=OnEmpty.REFUSE)
    await segment(world, "Gold", is_("tier", "gold"))
    audience = await made(world, kind=DYNAMIC, segment="gold")
    for day in range(10):
        clock.move(days=1)
        gold = ({"id": f"g{day}-{n}", "attributes": {"tier": "gold"}} for n in range(3))
        await told(world, *gold, {"id": f"p{day}", "attributes": {"tier": "plain"}})
    plan = await planned(world, audience, promotion)
    assert (plan.audience, plan.needed, plan.joiners_a_day) == (30, 30, 3.0)
    assert plan.runs_dry_at == clock.now + timedelta(days=70) / 3


async def test_it_runs_dry_at_once_where_there_is_too_little_now(world: World, clock: SetClock) -> None:
    promotion = await world.promotion(codes=2, on_empty=OnEmpty.REFUSE)
    await segment(world, "Gold", is_("tier", "gold"))
    audience = await made(world, kind=DYNAMIC, segment="gold")
    assert (await planned(world, audience, promotion)).runs_dry_at is None
    await told(world, *({"id": f"g{n}", "attributes": {"tier": "gold"}} for n in range(7)))
    plan = await planned(world, audience, promotion)
    assert (plan.joiners_a_day, plan.runs_dry_at, plan.shortfall) == (1.0, clock.now, 7)


async def test_the_season_pass_of_last_year(world: World) -> None:
    """Static: a plan, codes for all, and in the final audience those who have one."""
    promotion = await world.promotion(codes=6, on_empty=OnEmpty.REFUSE, handle="season-pass")
    buyers = [f"pass-{n}" for n in range(8)]
    audience = await made(world, "Season pass 2026", customers=buyers)
    await world.code(promotion, "pass-0")
    plan = await planned(world, audience, promotion, send="november")
    assert (plan.audience, plan.holding, plan.needed, plan.buffer) == (8, 1, 7, 2)
    assert (plan.available, plan.shortfall) == (5, 4)
    await world.services.stocking.paste(promotion.id, "MORE-1\nMORE-2\nMORE-3\nMORE-4", channel=None)
    assert (await planned(world, audience, promotion, send="november")).shortfall == 0
    booking = await world.services.bookings.create(
        NewBooking(promotion="season-pass", send="november", codes=plan.needed + plan.buffer)
    )
    outcomes = await world.issue_all(promotion, await members(world, audience), send="november", channel="email")
    codes = {issued(one).customer: issued(one).text for one in outcomes}
    assert sorted(codes) == buyers
    assert len(set(codes.values())) == 8
    assert (await world.services.bookings.release(booking.id)).remaining == 2
    assert (await planned(world, audience, promotion, send="november")).served == 8


async def test_whoever_departed_yesterday(world: World, clock: SetClock) -> None:
    """Dynamic: another audience each day, by a day that moves in the resort's own time zone."""
    promotion = await world.promotion(codes=20, on_empty=OnEmpty.REFUSE, handle="come-back")
    today = date(2027, 3, 1)
    guests = [
        {"id": f"guest-{day}-{n}", "attributes": {"departed": {"date": (today + timedelta(days=day)).isoformat()}}}
        for day in range(-6, 4)
        for n in range(2)
    ]
    clock.move(days=-20)
    await told(world, *guests)
    clock.move(days=20)
    moving = {"day": {"days": -1, "timeZone": "America/Montreal"}}
    await segment(world, "Departed yesterday", is_("departed", moving))
    audience = await made(world, kind=DYNAMIC, segment="departed-yesterday")
    assert await members(world, audience) == ["guest--1-0", "guest--1-1"]
    plan = await planned(world, audience, promotion)
    # Two came in on each of the last seven days, but for the first: of those nobody is known any more.
    assert (plan.audience, plan.needed, plan.joiners_a_day) == (2, 2, 12 / 7)
    assert plan.runs_dry_at is not None
    await world.issue_all(promotion, await members(world, audience))
    clock.move(days=1)
    assert await members(world, audience) == ["guest-0-0", "guest-0-1"]
    assert (await planned(world, audience, promotion)).needed == 2
    # At two in the morning in UTC it is still yesterday's evening there.
    clock.move(hours=14)
    assert await members(world, audience) == ["guest-0-0", "guest-0-1"]
    clock.move(hours=4)
    assert await members(world, audience) == ["guest-1-0", "guest-1-1"]
    with pytest.raises(BadInput, match="No audience"):
        await planned(world, await world.services.audiences.delete(audience.id), promotion)
    frozen = NewAudience(name="Departed on 2 March", kind=AudienceKind.STATIC, segment="departed-yesterday")
    assert (await world.services.audiences.create(frozen)).size == 2
