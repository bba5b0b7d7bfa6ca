"""Sales that are reported late: decided as of their time, limited as of now, found by their key."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from promograph.domain.events import EventKind
from promograph.domain.promotions import CodeKind, Period, PeriodCap, Promotion
from promograph.domain.redeeming import RedeemOutcome, RedeemRequest
from promograph.domain.windows import Window
from promograph.store.events import EventQuery
from promograph.store.listing import Slice

from .till import QUARTER, change, eur, held, hold, money, redeem, redeem_together, redeemed, why
from .world import World

pytestmark = pytest.mark.anyio


async def sale(world: World, sold_at: datetime, key: str = "order-1", **request: Any) -> RedeemOutcome:
    return await redeem(world, redeemed_at=sold_at, idempotency_key=key, **request)


async def told(world: World) -> list[Any]:
    page = await world.services.happenings.page(EventQuery(kinds=frozenset({EventKind.SALE_REFUSED})), Slice(count=9))
    return [event for _, event in page.rows]


async def print_run(world: World, *codes: str, **terms: Any) -> Promotion:
    return await world.promotion(code_kind=CodeKind.MULTIPLE, codes=codes, **terms)


async def clean(world: World) -> bool:
    return await world.verify() == []


async def test_a_clock_decides_as_of_the_sale_and_a_report_says_that_it_was_late(world: World) -> None:
    sold_at = world.clock.now
    await print_run(world, "A", "B", "C", window=Window(ends_at=sold_at + timedelta(hours=1)))
    world.clock.move(hours=2)
    assert why(await redeem(world, code="A")) == ["EXPIRED"]
    done = redeemed(await sale(world, sold_at, code="A", discount=eur(100)))
    assert (done.redeemed_at, done.reported_at) == (sold_at, world.clock.now)
    again = await sale(world, sold_at, code="A", discount=eur(100))
    assert again.replayed and again.redemption == done
    assert why(await sale(world, world.clock.now, "order-2", code="B")) == ["EXPIRED"]
    (one,) = await redeem_together(world, RedeemRequest(code="C", redeemed_at=sold_at), key="order-3")
    assert redeemed(one).reported_at == world.clock.now
    assert await clean(world)


async def test_what_came_through_without_an_answer_is_the_same_sale(world: World) -> None:
    await print_run(world, "A")
    first = redeemed(await redeem(world, code="A", idempotency_key="order-1"))
    world.clock.move(minutes=1)
    late = await sale(world, world.clock.now, code="A")
    assert late.replayed and late.redemption == first and first.reported_at is None
    assert why(await sale(world, world.clock.now, code="B")) == ["idempotencyKey: KEY_REUSED"]


async def test_limits_are_as_they_are_now_and_what_is_refused_is_told_once(world: World) -> None:
    promotion = await print_run(world, "A", "B", budget=eur(1_000))
    sold_at = world.clock.now
    redeemed(await redeem(world, code="A", discount=eur(600)))
    for _ in range(2):
        refused = await sale(world, sold_at, code="B", discount=eur(500), order="A-7", customer="ann")
        assert why(refused) == ["BUDGET_EXHAUSTED"]
    (event,) = await told(world)
    assert event.promotion_id == promotion.id
    assert event.data == {
        "key": "order-1",
        "soldAt": sold_at.isoformat(),
        "refusals": ["BUDGET_EXHAUSTED"],
        "sales": [{"code": "B", "order": "A-7", "discount": {"amount": "5.00", "currency": "EUR"}}],
    }
    assert await money(world, promotion) == (600, 0)
    assert why(await sale(world, sold_at, "order-2", code="NONE")) == ["NOT_FOUND"]
    assert len(await told(world)) == 1, "guesses make no events"


async def test_a_refusal_that_never_reached_the_shop_is_told_when_the_sale_is_reported(world: World) -> None:
    await print_run(world, "A")
    await redeem(world, code="A")
    assert why(await redeem(world, code="A", idempotency_key="order-1")) == ["ALREADY_REDEEMED"]
    assert await told(world) == []
    late = await sale(world, world.clock.now, code="A")
    assert late.replayed and why(late) == ["ALREADY_REDEEMED"]
    assert len(await told(world)) == 1


async def test_what_was_stopped_since_stays_stopped(world: World) -> None:
    promotion = await print_run(world, "A", "B")
    sold_at = world.clock.now
    world.clock.move(minutes=1)
    await world.block("A")
    assert why(await sale(world, sold_at, code="A")) == ["CODE_BLOCKED"]
    await world.services.promoting.pause(promotion.id)
    assert why(await sale(world, sold_at, "order-2", code="B")) == ["PROMOTION_INACTIVE"]


async def test_a_hold_that_lapsed_since_keeps_its_promise_as_far_as_there_is_room(world: World) -> None:
    promotion = await print_run(world, "A", "B", budget=eur(1_000), window=Window(ends_at=world.clock.now + QUARTER))
    first = held(await hold(world, "A", ttl=QUARTER, discount=eur(400)))
    second = held(await hold(world, "B", ttl=QUARTER, discount=eur(400)))
    world.clock.move(minutes=5)
    sold_at = world.clock.now
    world.clock.move(minutes=20)
    assert why(await redeem(world, hold=first.token)) == ["HOLD_OVER"]
    assert why(await sale(world, world.clock.now, "late", hold=first.token)) == ["HOLD_OVER"], "the sale was late too"
    done = redeemed(await sale(world, sold_at, "1", hold=first.token))
    assert (done.text, done.discount, done.redeemed_at) == ("A", eur(400), sold_at)
    assert await money(world, promotion) == (400, 0)
    assert why(await sale(world, sold_at, "2", hold=first.token)) == ["ALREADY_REDEEMED"]
    redeemed(await sale(world, sold_at, "3", code="B", discount=eur(500)))
    assert why(await sale(world, sold_at, "4", hold=second.token)) == ["ALREADY_REDEEMED"]
    assert await clean(world)


async def test_a_promise_that_lapsed_counts_for_nothing_beside_what_others_have_taken_since(world: World) -> None:
    promotion = await print_run(world, "A", "B", "C", budget=eur(1_000), redemption_cap=3)
    late = {code: held(await hold(world, code, ttl=QUARTER, discount=eur(400))) for code in ("A", "B")}
    sold_at = world.clock.now
    world.clock.move(minutes=20)
    redeemed(await redeem(world, code="C", discount=eur(700)))
    assert why(await sale(world, sold_at, "1", hold=late["A"].token)) == ["BUDGET_EXHAUSTED"]
    token = held(await hold(world, "A", discount=eur(100))).token
    assert why(await sale(world, sold_at, "2", hold=late["A"].token)) == ["HELD_BY_OTHER"]
    assert why(await sale(world, sold_at, "3", hold=late["B"].token)) == ["BUDGET_EXHAUSTED"]
    assert redeemed(await redeem(world, hold=token)).discount == eur(100)
    await change(world, promotion, redemption_cap=2, budget=eur(5_000))
    assert why(await sale(world, sold_at, "4", hold=late["B"].token)) == ["USE_CAP_REACHED"]
    assert await money(world, promotion) == (800, 0)
    assert await clean(world)


async def test_a_hold_that_is_open_still_is_redeemed_late_like_any(world: World) -> None:
    promotion = await print_run(world, "A", budget=eur(400))
    token = held(await hold(world, "A", ttl=QUARTER, discount=eur(400))).token
    sold_at = world.clock.now
    world.clock.move(minutes=5)
    assert redeemed(await sale(world, sold_at, hold=token)).discount == eur(400)
    assert await money(world, promotion) == (400, 0)
    assert await clean(world)


async def test_a_period_is_that_of_the_sale(world: World) -> None:
    cap = PeriodCap(uses=1, period=Period.DAY)
    await print_run(world, "A", "B", "C", "D", uses_per_period=cap)
    yesterday = world.clock.now
    world.clock.move(days=1)
    redeemed(await redeem(world, code="A", customer="ann"))
    redeemed(await sale(world, yesterday, "1", code="B", customer="ann"))
    assert why(await sale(world, yesterday, "2", code="C", customer="ann")) == ["CUSTOMER_CAP_REACHED"]
    world.clock.move(days=1)
    redeemed(await redeem(world, code="D", customer="ann"))


async def test_of_many_late_sales_of_one_code_one_goes_through(world: World) -> None:
    promotion = await print_run(world, "A", budget=eur(100))
    sold_at, servers = world.clock.now, [world.services, world.reopen()]
    world.clock.move(hours=1)
    asked = [
        RedeemRequest(code="A", discount=eur(100), idempotency_key=f"order-{n % 10}", redeemed_at=sold_at)
        for n in range(20)
    ]
    asked += [RedeemRequest(code="A", discount=eur(100), idempotency_key=f"now-{n}") for n in range(5)]
    done = await asyncio.gather(*(servers[n % 2 - 1].redeeming.redeem(one) for n, one in enumerate(asked)))
    assert len({one.redemption.number for one in done if one.redemption is not None}) == 1
    assert await money(world, promotion) == (100, 0)
    assert await clean(world)


@pytest.mark.parametrize(
    ("moved", "key", "problem"),
    [
        (timedelta(0), None, "idempotencyKey: REQUIRED"),
        (timedelta(days=-32), "k", "redeemedAt: OUT_OF_RANGE"),
        (timedelta(minutes=6), "k", "redeemedAt: OUT_OF_RANGE"),
    ],
)
async def test_what_cannot_have_been_a_sale(world: World, moved: timedelta, key: str | None, problem: str) -> None:
    await print_run(world, "A")
    asked = RedeemRequest(code="A", redeemed_at=world.clock.now + moved, idempotency_key=key)
    assert why(await world.services.redeeming.redeem(asked)) == [problem]


async def test_a_clock_that_goes_fast_sells_now(world: World) -> None:
    await print_run(world, "A")
    done = redeemed(await sale(world, world.clock.now + timedelta(minutes=4), code="A", discount=eur(1)))
    assert done.redeemed_at == world.clock.now
