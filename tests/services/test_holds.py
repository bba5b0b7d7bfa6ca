"""Uses set aside while a checkout runs: whoever holds one counts as if it had been used, until it is over."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from promograph.domain.carts import Line, Money
from promograph.domain.periods import Period
from promograph.domain.promotions import CodeKind, PeriodCap
from promograph.domain.redeeming import HoldRequest, HoldState, RedeemRequest
from promograph.domain.refusals import RefusalCode, refuse
from promograph.domain.windows import Window

from .till import (
    QUARTER,
    cart,
    change,
    eur,
    held,
    hold,
    money,
    percent,
    redeem,
    redeem_together,
    redeemed,
    release,
    roll_back,
    set_up_types,
    validate,
    why,
)
from .world import World
from .world import why as why_not_issued

pytestmark = pytest.mark.anyio

SHOPPING = cart(5000, 3000, shipping=499)
"""80.00, and 4.99 for bringing it."""


def held_until(until: datetime) -> tuple[Any, ...]:
    return (refuse(RefusalCode.HELD_BY_OTHER, until=until.isoformat()),)


def over(state: HoldState) -> tuple[Any, ...]:
    return (refuse(RefusalCode.HOLD_OVER, state=state),)


async def test_a_hold_says_all_about_itself(world: World) -> None:
    await set_up_types(world.services)
    promotion = await world.promotion(codes=["Abc-1"], reward=percent(20), budget=eur(100_000))
    await world.code(promotion, "ann")
    outcome = await hold(world, " abc-1 ", "ann", cart=SHOPPING, order="order-7", channel="shop")
    made = held(outcome)
    assert (made.promotion_id, made.handle, made.number, made.seq, made.text) == (
        promotion.id,
        promotion.terms.handle,
        1,
        1,
        "Abc-1",
    )
    assert (made.customer, made.order, made.channel) == ("ann", "order-7", "shop")
    assert (made.held_at, made.expires_at) == (world.clock.now, world.clock.now + QUARTER)
    assert made.discount == eur(1600)
    assert made.taken is not None
    assert made.taken.lines == {"a": 1000, "b": 600}
    assert made.state(world.clock.now) is HoldState.OPEN
    assert len(made.token) >= 32
    assert (outcome.holder_named, outcome.replayed) == (True, False)
    assert await money(world, promotion) == (0, 1600)
    found = await world.inventory(promotion)
    assert (found.held, found.redeemed, found.redemptions, found.issued) == (1, 0, 0, 1)


async def test_a_held_code_is_not_free_until_it_is_released(world: World) -> None:
    promotion = await world.promotion(codes=1)
    text = await world.code(promotion, "ann")
    first = held(await hold(world, text, "ann"))
    world.clock.move(minutes=5)
    stopped = held_until(first.expires_at)
    assert (await hold(world, text, "bob")).refusals == stopped
    assert (await hold(world, text, "ann")).refusals == stopped, "another checkout, whoever it is"
    assert (await redeem(world, code=text, customer="ann")).refusals == stopped
    looked = await validate(world, code=text, customer="ann")
    assert (looked.is_valid, looked.refusals, looked.uses_left) == (False, stopped, 0)
    assert (await release(world, first.token)).refusals == ()
    assert (await world.inventory(promotion)).held == 0
    assert (await validate(world, code=text)).uses_left == 1
    second = held(await hold(world, text, "bob"))
    assert (second.number, second.token == first.token) == (2, False)


async def test_several_uses_may_be_held_at_a_time(world: World) -> None:
    promotion = await world.promotion(codes=1, code_kind=CodeKind.MULTIPLE, uses_per_code=3)
    text = "P1-00001"
    redeemed(await redeem(world, code=text))
    long = held(await hold(world, text, ttl=timedelta(hours=2)))
    short = held(await hold(world, text, ttl=timedelta(hours=1)))
    refused = await hold(world, text)
    assert refused.refusals == held_until(long.expires_at), "at the latest: whoever waits so long is sure"
    await release(world, short.token)
    assert (await validate(world, code=text)).uses_left == 1
    redeemed(await redeem(world, code=text))
    assert (await redeem(world, code=text)).refusals == held_until(long.expires_at)
    redeemed(await redeem(world, hold=long.token))
    assert why(await redeem(world, code=text)) == ["ALREADY_REDEEMED"]
    found = await world.inventory(promotion)
    assert (found.held, found.redemptions, found.redeemed) == (0, 3, 1)


async def test_who_comes_at_the_same_moment_is_told_until_when_to_wait(world: World) -> None:
    promotion = await world.promotion(codes=1)
    text = await world.code(promotion, "ann")
    outcomes = await asyncio.gather(*(hold(world, text, "ann") for _ in range(5)))
    first = held(outcomes[0])
    assert [outcome.refusals for outcome in outcomes[1:]] == [held_until(first.expires_at)] * 4


async def test_a_hold_lapses_by_itself(world: World) -> None:
    """No sweeper runs here: the clock alone gives use and money back."""
    promotion = await world.promotion(codes=1, budget=eur(1000))
    text = await world.code(promotion, "ann")
    lapsing = held(await hold(world, text, discount=eur(1000), ttl=timedelta(seconds=60)))
    world.clock.move(seconds=59)
    assert (await validate(world, code=text)).refusals[0] == held_until(lapsing.expires_at)[0]
    assert await money(world, promotion) == (0, 1000)
    world.clock.move(seconds=1)
    assert await money(world, promotion) == (0, 0)
    assert (await world.inventory(promotion)).held == 0
    looked = await validate(world, code=text)
    assert (looked.refusals, looked.uses_left) == ((), 1)
    assert await world.verify() == []
    assert (await redeem(world, hold=lapsing.token)).refusals == over(HoldState.LAPSED)
    redeemed(await redeem(world, code=text, discount=eur(1000)))
    assert await money(world, promotion) == (1000, 0)


async def test_a_lapsed_hold_is_over_for_good_whoever_noticed(world: World) -> None:
    promotion = await world.promotion(codes=2, uses_per_code=2, budget=eur(1000))
    texts = [await world.code(promotion, customer) for customer in ("ann", "bob")]
    first = held(await hold(world, texts[0], discount=eur(400), ttl=timedelta(seconds=1)))
    second = held(await hold(world, texts[1], discount=eur(600), ttl=timedelta(seconds=3)))
    world.clock.move(seconds=1)
    third = held(await hold(world, texts[0], discount=eur(400)))
    assert await money(world, promotion) == (0, 1000)
    released = await release(world, first.token)
    assert (released.refusals, released.hold and released.hold.state(world.clock.now)) == ((), HoldState.LAPSED)
    assert await money(world, promotion) == (0, 1000), "what has lapsed is not given back a second time"
    assert (await redeem(world, hold=first.token)).refusals == over(HoldState.LAPSED)
    world.clock.move(seconds=2)
    assert await money(world, promotion) == (0, 400)
    redeemed(await redeem(world, hold=third.token))
    assert (await redeem(world, hold=second.token)).refusals == over(HoldState.LAPSED)
    assert await money(world, promotion) == (400, 0)
    assert (await world.inventory(promotion)).held == 0


async def test_a_hold_that_another_server_has_seen_lapse_is_over_for_one_whose_clock_is_behind(world: World) -> None:
    promotion = await world.promotion(codes=1, uses_per_code=2, budget=eur(1000))
    text = await world.code(promotion, "ann")
    first = held(await hold(world, text, discount=eur(600), ttl=timedelta(seconds=1)))
    world.clock.move(seconds=1)
    held(await hold(world, text, discount=eur(600)))
    world.clock.move(seconds=-0.5)
    assert (await redeem(world, hold=first.token)).refusals == over(HoldState.LAPSED)
    assert await money(world, promotion) == (0, 600)


async def test_redeeming_a_hold_keeps_what_it_promised(world: World) -> None:
    """Without the cart being told again, and whatever has run out since."""
    await set_up_types(world.services)
    promotion = await world.promotion(
        codes=2, reward=percent(20), budget=eur(2000), redemption_cap=2, window=Window(ends_at=_in(world, hours=1))
    )
    texts = [await world.code(promotion, customer) for customer in ("ann", "bob")]
    promise = held(await hold(world, texts[0], "ann", cart=SHOPPING, order="o-1", channel="web", ttl=8 * QUARTER))
    other = redeemed(await redeem(world, code=texts[1], customer="bob", cart=cart(2000)))
    assert other.discount == eur(400), "all that the hold has left"
    world.clock.move(hours=1)
    stopped = await redeem(world, code=texts[0], customer="ann", cart=SHOPPING)
    assert why(stopped) == ["EXPIRED", "HELD_BY_OTHER", "USE_CAP_REACHED"]
    done = redeemed(await redeem(world, hold=promise.token))
    assert (done.discount, done.taken) == (eur(1600), promise.taken)
    assert (done.customer, done.order, done.channel, done.text) == ("ann", "o-1", "web", texts[0])
    assert await money(world, promotion) == (2000, 0)


async def test_a_cart_told_again_is_worked_out_again(world: World) -> None:
    await set_up_types(world.services)
    promotion = await world.promotion(codes=1, reward=percent(20), budget=eur(1800))
    text = await world.code(promotion, "ann")
    promise = held(await hold(world, text, cart=SHOPPING))
    too_dear = await redeem(world, hold=promise.token, cart=cart(9100))
    assert too_dear.refusals == (refuse(RefusalCode.BUDGET_EXHAUSTED, left="18.00", currency="EUR", asked="18.20"),), (
        "its own money counts as there"
    )
    assert await money(world, promotion) == (0, 1600), "a refusal leaves the hold as it is"
    done = redeemed(await redeem(world, hold=promise.token, cart=cart(9000), order="o-2"))
    assert (done.discount, done.order) == (eur(1800), "o-2")
    assert await money(world, promotion) == (1800, 0)


async def test_the_shop_may_take_off_something_else_in_the_end(world: World) -> None:
    promotion = await world.promotion(codes=2, budget=eur(1000))
    texts = [await world.code(promotion, customer) for customer in ("ann", "bob")]
    assert why(await hold(world, texts[0])) == ["DISCOUNT_REQUIRED"]
    promise = held(await hold(world, texts[0], discount=eur(600)))
    assert why(await redeem(world, code=texts[1], discount=eur(401))) == ["BUDGET_EXHAUSTED"]
    assert why(await redeem(world, hold=promise.token, discount=eur(1001))) == ["BUDGET_EXHAUSTED"]
    dollars = Money(minor=1, currency="USD")
    assert why(await redeem(world, hold=promise.token, discount=dollars)) == ["CURRENCY_MISMATCH"]
    assert await money(world, promotion) == (0, 600)
    assert redeemed(await redeem(world, hold=promise.token, discount=eur(1))).discount == eur(1)
    assert await money(world, promotion) == (1, 0)
    assert redeemed(await redeem(world, code=texts[1], discount=eur(999))).discount == eur(999)


async def test_without_a_budget_the_shop_need_not_say(world: World) -> None:
    promotion = await world.promotion(codes=2)
    texts = [await world.code(promotion, customer) for customer in ("ann", "bob")]
    silent = held(await hold(world, texts[0]))
    said = held(await hold(world, texts[1], discount=eur(300)))
    assert (silent.discount, silent.taken, said.discount) == (None, None, eur(300))
    assert redeemed(await redeem(world, hold=silent.token)).discount is None
    assert redeemed(await redeem(world, hold=said.token)).discount == eur(300)


async def test_tokens_that_are_over_and_one_that_is_none(world: World) -> None:
    promotion = await world.promotion(codes=4, budget=eur(1000))
    texts = [await world.code(promotion, f"c{n}") for n in range(4)]
    taken, released, lapsed, open_ = [
        held(await hold(world, text, discount=eur(100), ttl=ttl))
        for text, ttl in zip(texts, (QUARTER, QUARTER, timedelta(seconds=1), QUARTER), strict=True)
    ]
    redeemed(await redeem(world, hold=taken.token))
    await release(world, released.token)
    world.clock.move(seconds=1)
    before = await money(world, promotion), await world.inventory(promotion)
    for token, refusals in [
        (taken.token, over(HoldState.REDEEMED)),
        (released.token, over(HoldState.RELEASED)),
        (lapsed.token, over(HoldState.LAPSED)),
        ("no such token", (refuse(RefusalCode.HOLD_NOT_FOUND),)),
        (open_.token.swapcase(), (refuse(RefusalCode.HOLD_NOT_FOUND),)),
        ("", (refuse(RefusalCode.HOLD_NOT_FOUND),)),
    ]:
        assert (await redeem(world, hold=token)).refusals == refusals
        assert (await hold(world, texts[3], discount=eur(100), replaces=token)).refusals == refusals
    assert (await money(world, promotion), await world.inventory(promotion)) == before == ((100, 100), before[1])


async def test_releasing(world: World) -> None:
    promotion = await world.promotion(codes=3, budget=eur(1000))
    texts = [await world.code(promotion, f"c{n}") for n in range(3)]
    first, second, third = [held(await hold(world, text, discount=eur(300))) for text in texts]
    assert (await release(world, "none")).refusals == (refuse(RefusalCode.HOLD_NOT_FOUND),)
    done = await release(world, first.token)
    world.clock.move(minutes=1)
    again = await release(world, first.token)
    assert done == again, "to say it twice is to say it once"
    assert done.hold is not None
    assert (done.hold.state(world.clock.now), done.hold.ended_at) == (
        HoldState.RELEASED,
        world.clock.now - timedelta(minutes=1),
    )
    assert await money(world, promotion) == (0, 600)
    redeemed(await redeem(world, hold=second.token))
    refused = await release(world, second.token)
    assert refused.refusals == over(HoldState.REDEEMED)
    assert refused.hold is not None
    assert await money(world, promotion) == (300, 300)
    world.clock.move(days=1)
    lapsed = await release(world, third.token)
    assert (why(lapsed), lapsed.hold and lapsed.hold.ended_at) == ([], third.expires_at)
    assert await money(world, promotion) == (300, 0)


async def test_who_asks_about_one_hold_ends_the_others_whose_time_is_over(world: World) -> None:
    """And counts them as ended, whatever becomes of the one that was asked about."""
    promotion = await world.promotion(codes=4, budget=eur(1000))
    texts = [await world.code(promotion, f"c{n}") for n in range(4)]
    paid = held(await hold(world, texts[0], discount=eur(100)))
    redeemed(await redeem(world, hold=paid.token))
    for act in ("release", "redeem", "hold", "redeem together"):
        held(await hold(world, texts[1], discount=eur(300), ttl=timedelta(seconds=1)))
        world.clock.move(seconds=1)
        match act:
            case "release":
                refused = why(await release(world, paid.token))
            case "redeem":
                refused = why(await redeem(world, hold=paid.token))
            case "hold":
                refused = why(await hold(world, texts[0], discount=eur(1), replaces=paid.token))
            case _:
                refused = why((await redeem_together(world, RedeemRequest(hold=paid.token)))[0])
        assert refused == ["HOLD_OVER"]
        assert await world.verify() == []
        assert await money(world, promotion) == (100, 0)


async def test_a_hold_in_the_place_of_another(world: World) -> None:
    """A cart that changed while it was held: the old one gives way in the same moment, or stays."""
    await set_up_types(world.services)
    promotion = await world.promotion(
        codes=1, reward=percent(20), budget=eur(2000), redemption_cap=1, uses_per_customer=1
    )
    text = await world.code(promotion, "ann")
    old = held(await hold(world, text, "ann", cart=SHOPPING))
    assert why(await hold(world, text, "ann", cart=SHOPPING)) == [
        "HELD_BY_OTHER",
        "CUSTOMER_CAP_REACHED",
        "USE_CAP_REACHED",
    ]
    dear = await hold(world, text, "ann", cart=cart(10_010), replaces=old.token)
    assert dear.refusals == (refuse(RefusalCode.BUDGET_EXHAUSTED, left="20.00", currency="EUR", asked="20.02"),)
    assert await money(world, promotion) == (0, 1600)
    world.clock.move(minutes=10)
    new = held(await hold(world, text, cart=cart(10_000), replaces=old.token))
    assert (new.customer, new.discount, new.expires_at) == ("ann", eur(2000), world.clock.now + QUARTER)
    assert await money(world, promotion) == (0, 2000)
    assert (await world.inventory(promotion)).held == 1
    assert (await redeem(world, hold=old.token)).refusals == over(HoldState.RELEASED)
    assert (await hold(world, text, cart=SHOPPING, replaces=old.token)).refusals == over(HoldState.RELEASED)
    redeemed(await redeem(world, hold=new.token))
    assert await money(world, promotion) == (2000, 0)


async def test_a_hold_of_something_else_gives_no_way(world: World) -> None:
    one, other = await world.promotion(codes=2), await world.promotion(codes=1)
    texts = [await world.code(one, "ann"), await world.code(one, "bob", message="m"), await world.code(other, "ann")]
    mine = held(await hold(world, texts[0]))
    for text in texts[1:]:
        assert why(await hold(world, text, replaces=mine.token)) == ["replaces: INVALID"]
    assert why(await hold(world, "NO-CODE", replaces=mine.token)) == ["NOT_FOUND"]
    assert [(await world.inventory(promotion)).held for promotion in (one, other)] == [1, 0]


async def test_a_hold_is_for_the_customer_it_was_made_for(world: World) -> None:
    promotion = await world.promotion(codes=1)
    text = await world.code(promotion, "ann")
    mine = held(await hold(world, text, "ann"))
    assert why(await redeem(world, hold=mine.token, customer="bob")) == ["customer: INVALID"]
    assert why(await hold(world, text, "bob", replaces=mine.token)) == ["customer: INVALID"]
    assert (await world.inventory(promotion)).held == 1
    assert redeemed(await redeem(world, hold=mine.token, customer="ann")).customer == "ann"


async def test_nobody_in_particular_may_hold_and_somebody_redeem(world: World) -> None:
    promotion = await world.promotion(codes=1)
    text = await world.code(promotion, "ann")
    anonymous = held(await hold(world, text))
    assert anonymous.customer is None
    done = await redeem(world, hold=anonymous.token, customer="ann")
    assert (redeemed(done).customer, done.holder_named) == ("ann", True)


async def test_a_limit_that_came_later_binds_who_redeems_what_nobody_in_particular_held(world: World) -> None:
    """A hold made when nobody was counted does not become a use too many of somebody who is counted."""
    promotion = await world.promotion(codes=2, code_kind=CodeKind.MULTIPLE)
    anonymous = held(await hold(world, "P1-00001"))
    redeemed(await redeem(world, code="P1-00002", customer="ann"))
    await change(world, promotion, uses_per_customer=1)
    refused = await redeem(world, hold=anonymous.token, customer="ann")
    assert refused.refusals == (refuse(RefusalCode.CUSTOMER_CAP_REACHED, uses=1, limit=1),)
    assert redeemed(await redeem(world, hold=anonymous.token, customer="bob")).customer == "bob"


async def test_a_key_is_answered_alike(world: World) -> None:
    promotion = await world.promotion(codes=2, budget=eur(1000))
    texts = [await world.code(promotion, f"c{n}") for n in range(2)]
    first = await hold(world, texts[0], "ann", discount=eur(400), idempotency_key="k-1")
    world.clock.move(minutes=5)
    for _ in range(2):
        again = await hold(world, texts[0], "ann", discount=eur(400), idempotency_key="k-1")
        assert (again.hold, again.replayed, again.holder_named) == (held(first), True, first.holder_named)
    assert await money(world, promotion) == (0, 400)
    others: list[dict[str, Any]] = [
        {"code": texts[1], "customer": "ann", "discount": eur(400)},
        {"code": texts[0], "customer": "ann", "discount": eur(401)},
        {"code": texts[0], "customer": "ann", "discount": eur(400), "ttl": 2 * QUARTER},
        {"code": texts[0], "customer": "ann", "discount": eur(400), "replaces": held(first).token},
    ]
    for other in others:
        assert why(await hold(world, **other, idempotency_key="k-1")) == ["idempotencyKey: KEY_REUSED"]
    assert await money(world, promotion) == (0, 400)
    await release(world, held(first).token)
    late = await hold(world, texts[0], "ann", discount=eur(400), idempotency_key="k-1")
    assert held(late).token == held(first).token, "the first call's answer, whatever came after it"
    assert await money(world, promotion) == (0, 0)


async def test_a_key_that_was_refused_stays_refused(world: World) -> None:
    promotion = await world.promotion(codes=1)
    text = await world.code(promotion, "ann")
    open_ = held(await hold(world, text))
    refused = await hold(world, text, idempotency_key="k-1")
    await release(world, open_.token)
    again = await hold(world, text, idempotency_key="k-1")
    assert (again.refusals, again.replayed) == (refused.refusals, True)
    assert refused.refusals == held_until(open_.expires_at)
    held(await hold(world, text, idempotency_key="k-2"))


async def test_a_key_at_the_same_moment_holds_once(world: World) -> None:
    promotion = await world.promotion(codes=1, uses_per_code=9)
    text = await world.code(promotion, "ann")
    outcomes = await asyncio.gather(*(hold(world, text, "ann", idempotency_key="k-1") for _ in range(6)))
    assert len({held(outcome).token for outcome in outcomes}) == 1
    assert (await world.inventory(promotion)).held == 1


LIMITS: list[tuple[dict[str, Any], str]] = [
    ({"redemption_cap": 2}, "USE_CAP_REACHED"),
    ({"uses_per_customer": 2}, "CUSTOMER_CAP_REACHED"),
    ({"uses_per_period": PeriodCap(uses=2, period=Period.MONTH)}, "CUSTOMER_CAP_REACHED"),
    ({"budget": eur(1000)}, "BUDGET_EXHAUSTED"),
]


@pytest.mark.parametrize(("terms", "refusal"), LIMITS, ids=["uses", "a customer", "a month", "money"])
async def test_what_is_held_counts(world: World, terms: dict[str, Any], refusal: str) -> None:
    """One used and one held are two; a third waits until the second is over, in each of the ways it can be."""
    await world.promotion(codes=5, code_kind=CodeKind.MULTIPLE, **terms)
    ask: dict[str, Any] = {"customer": "ann", "discount": eur(500)}
    redeemed(await redeem(world, code="P1-00001", **ask))
    open_ = held(await hold(world, "P1-00002", **ask, ttl=timedelta(seconds=10)))

    async def third() -> list[str]:
        """Held, redeemed or looked at, it is refused alike."""
        told = [
            why(await hold(world, "P1-00003", **ask)),
            why(await redeem(world, code="P1-00003", **ask)),
            why(await validate(world, code="P1-00003", **ask)),
        ]
        assert told[0] == told[1] == told[2]
        return told[0]

    assert await third() == [refusal]
    world.clock.move(seconds=9)
    assert await third() == [refusal]
    world.clock.move(seconds=1)
    lasting = held(await hold(world, "P1-00003", **ask))
    assert why(await redeem(world, code="P1-00004", **ask)) == [refusal]
    await release(world, lasting.token)
    last = held(await hold(world, "P1-00004", **ask))
    assert why(await redeem(world, hold=open_.token)) == ["HOLD_OVER"]
    done = redeemed(await redeem(world, hold=last.token))
    # What was taken at last has ended a promotion whose own limit it was; its codes go on being refused for that.
    assert why(await redeem(world, code="P1-00005", **ask)) == [refusal]
    await roll_back(world, done)
    redeemed(await redeem(world, code="P1-00005", **ask))


@pytest.mark.parametrize(("terms", "refusal"), LIMITS[1:3], ids=["a customer", "a month"])
async def test_what_others_hold_does_not_count_for_a_customer(
    world: World, terms: dict[str, Any], refusal: str
) -> None:
    await world.promotion(codes=5, code_kind=CodeKind.MULTIPLE, **terms)
    for number in (1, 2):
        held(await hold(world, f"P1-0000{number}", "bob"))
    assert why(await hold(world, "P1-00003", "bob")) == [refusal]
    assert why(await hold(world, "P1-00003")) == ["CUSTOMER_REQUIRED"]
    held(await hold(world, "P1-00003", "ann"))


async def test_a_hold_over_midnight_is_a_use_of_both_days(world: World) -> None:
    """On 1 November, which has 25 hours in Toronto. What is open counts now; what it becomes, when it becomes it."""
    world.clock.now = datetime(2026, 11, 2, 4, 55, tzinfo=UTC)  # 23:55 there
    await world.promotion(
        codes=9,
        code_kind=CodeKind.MULTIPLE,
        uses_per_period=PeriodCap(uses=1, period=Period.DAY),
        window=Window(time_zone="America/Toronto"),
    )
    open_ = held(await hold(world, "P1-00001", "ann", ttl=timedelta(minutes=15)))
    stopped = await redeem(world, code="P1-00002", customer="ann")
    assert stopped.refusals[0].data["free_at"] == "2026-11-02T05:00:00+00:00"
    world.clock.move(minutes=5)
    assert why(await redeem(world, code="P1-00002", customer="ann")) == ["CUSTOMER_CAP_REACHED"]
    redeemed(await redeem(world, hold=open_.token))
    world.clock.now = datetime(2026, 11, 3, 4, 59, 59, tzinfo=UTC)
    assert why(await redeem(world, code="P1-00002", customer="ann")) == ["CUSTOMER_CAP_REACHED"]
    world.clock.move(seconds=1)
    redeemed(await redeem(world, code="P1-00002", customer="ann"))


@pytest.mark.parametrize("act", ["pause", "stop", "block"])
async def test_what_was_stopped_is_not_redeemed_by_a_hold_either(world: World, act: str) -> None:
    promotion = await world.promotion(codes=1, budget=eur(500))
    text = await world.code(promotion, "ann")
    open_ = held(await hold(world, text, discount=eur(500)))
    if act == "pause":
        await world.services.promoting.pause(promotion.id)
    elif act == "stop":
        await world.services.promoting.end(promotion.id, stop_redeeming=True)
    else:
        await world.block(text)
    reason = "CODE_BLOCKED" if act == "block" else "PROMOTION_INACTIVE"
    assert why(await redeem(world, hold=open_.token)) == [reason]
    assert why(await hold(world, text, discount=eur(1), replaces=open_.token)) == [reason]
    assert await money(world, promotion) == (0, 500)
    if act == "pause":
        await world.services.promoting.activate(promotion.id)
    elif act == "block":
        await world.unblock(text)
    else:
        await release(world, open_.token)
        assert await money(world, promotion) == (0, 0)
        return
    redeemed(await redeem(world, hold=open_.token))


async def test_an_end_lets_what_is_held_be_redeemed(world: World) -> None:
    promotion = await world.promotion(codes=1, budget=eur(500))
    open_ = held(await hold(world, await world.code(promotion, "ann"), discount=eur(500)))
    await world.services.promoting.end(promotion.id, stop_redeeming=False)
    redeemed(await redeem(world, hold=open_.token))
    assert await money(world, promotion) == (500, 0)


async def test_holding_a_printed_code_leaves_it_where_it_was(world: World) -> None:
    promotion = await world.promotion(codes=2, code_kind=CodeKind.MULTIPLE)
    open_ = held(await hold(world, "P1-00002"))
    found = await world.inventory(promotion)
    assert (found.available, found.issued, found.redeemed, found.held) == (2, 0, 0, 1)
    redeemed(await redeem(world, hold=open_.token))
    found = await world.inventory(promotion)
    assert (found.available, found.issued, found.redeemed, found.held) == (1, 1, 1, 0)


async def test_holding_without_a_code(world: World) -> None:
    await set_up_types(world.services)
    promotion = await world.promotion(code_required=False, reward=percent(20), budget=eur(2000))
    handle = promotion.terms.handle
    open_ = held(await hold(world, promotion=handle, customer="ann", cart=SHOPPING))
    assert (open_.seq, open_.text, open_.discount) == (None, None, eur(1600))
    assert why(await redeem(world, promotion=handle, cart=SHOPPING)) == ["BUDGET_EXHAUSTED"]
    done = redeemed(await redeem(world, hold=open_.token))
    assert (done.seq, done.text, done.customer, done.discount) == (None, None, "ann", eur(1600))
    assert await money(world, promotion) == (1600, 0)


async def test_several_holds_in_one_batch_share_what_there_is(world: World) -> None:
    promotion = await world.promotion(codes=12, code_kind=CodeKind.MULTIPLE, budget=eur(1000), redemption_cap=9)
    outcomes = await asyncio.gather(
        *(hold(world, f"P1-{n:05}", discount=eur(150)) for n in range(1, 13)),
    )
    assert [why(outcome) for outcome in outcomes] == [[]] * 6 + [["BUDGET_EXHAUSTED"]] * 6
    assert await money(world, promotion) == (0, 900)
    done = await asyncio.gather(*(redeem(world, hold=outcome.hold.token) for outcome in outcomes if outcome.hold))
    assert [redeemed(outcome).number for outcome in done] == [1, 2, 3, 4, 5, 6]
    assert await money(world, promotion) == (900, 0)


async def test_a_token_is_redeemed_once_in_a_batch(world: World) -> None:
    promotion = await world.promotion(codes=1, uses_per_code=5, budget=eur(1000))
    open_ = held(await hold(world, await world.code(promotion, "ann"), discount=eur(300)))
    outcomes = await asyncio.gather(*(redeem(world, hold=open_.token) for _ in range(5)))
    assert [outcome.refusals for outcome in outcomes] == [(), *[over(HoldState.REDEEMED)] * 4]
    assert await money(world, promotion) == (300, 0)


@pytest.mark.parametrize(
    ("request_", "complaint"),
    [
        ({"ttl": timedelta(0)}, "validFor: OUT_OF_RANGE"),
        ({"ttl": timedelta(seconds=-1)}, "validFor: OUT_OF_RANGE"),
        ({"ttl": timedelta(days=1, seconds=1)}, "validFor: OUT_OF_RANGE"),
        ({"ttl": timedelta(days=365)}, "validFor: OUT_OF_RANGE"),
        ({"code": None}, "code: REQUIRED"),
        ({"promotion": "promotion-1"}, "code: REQUIRED"),
        ({"code": None, "promotion": "nowhere"}, "promotion: NOT_FOUND"),
        ({"code": " "}, "code: REQUIRED"),
        ({"customer": ""}, "customer: REQUIRED"),
        ({"order": "o" * 129}, "order: OUT_OF_RANGE"),
        ({"idempotency_key": ""}, "idempotencyKey: REQUIRED"),
        ({"discount": eur(-1)}, "discount: OUT_OF_RANGE"),
        ({"discount": eur(10**16)}, "discount: OUT_OF_RANGE"),
        ({"cart": cart(-1)}, "cart.lines.0.amount: OUT_OF_RANGE"),
        ({"cart": cart(1, currency="EURO")}, "cart.currency: INVALID"),
    ],
)
async def test_bad_input_names_its_field_and_holds_nothing(
    world: World, request_: dict[str, Any], complaint: str
) -> None:
    promotion = await world.promotion(codes=1)
    text = await world.code(promotion, "ann")
    asked: dict[str, Any] = {"code": text, "ttl": QUARTER, **request_}
    assert why(await world.services.redeeming.hold(HoldRequest(**asked))) == [complaint]
    assert (await world.inventory(promotion)).held == 0


@pytest.mark.parametrize("ttl", [timedelta(seconds=1), timedelta(days=1)])
async def test_the_shortest_hold_and_the_longest(world: World, ttl: timedelta) -> None:
    promotion = await world.promotion(codes=1)
    made = held(await hold(world, await world.code(promotion, "ann"), ttl=ttl))
    assert made.expires_at - made.held_at == ttl


async def test_a_promise_of_many_lines_comes_back_as_it_was_made(world: World) -> None:
    """From the store, in every unit and every name."""
    await set_up_types(world.services)
    promotion = await world.promotion(codes=1, reward=percent(33))
    lines = tuple(
        Line(id=f"夏-{n}", sku="s", quantity=1, amount=10**12 - n, categories=("a", "b"), attributes={"x": "y"})
        for n in range(200)
    )
    large = cart(currency="JPY")
    text = await world.code(promotion, "ann")
    promise = held(await hold(world, text, cart=type(large)(currency="JPY", lines=lines)))
    done = redeemed(await redeem(world, hold=promise.token))
    assert done.taken == promise.taken
    assert done.discount == promise.discount
    assert done.taken is not None
    assert sum(done.taken.lines.values()) == done.taken.total
    assert (await world.services.lookup.redemptions_of(promotion.id, 1))[0].taken == promise.taken


def _in(world: World, **length: float) -> datetime:
    return world.clock.now + timedelta(**length)


async def test_a_code_that_a_checkout_holds_is_issued_to_nobody(world: World) -> None:
    """Of a MULTIPLE promotion: one from a brochure, which nobody was ever issued."""
    promotion = await world.promotion(codes=["A", "B", "C"], code_kind=CodeKind.MULTIPLE)
    redeeming = world.services.redeeming
    first = await redeeming.hold(HoldRequest(code="A", ttl=timedelta(hours=1)))
    await redeeming.hold(HoldRequest(code="C", ttl=timedelta(hours=2)))
    assert first.hold is not None
    assert await world.code(promotion, "ann") == "B"
    assert why_not_issued(await world.issue(promotion, "bob")) == ["POOL_EMPTY"]
    assert (await world.inventory(promotion)).available == 2
    await redeeming.release(first.hold.token)
    assert await world.code(promotion, "bob") == "A"
    assert why_not_issued(await world.issue(promotion, "cy")) == ["POOL_EMPTY"]
    world.clock.move(hours=2)  # it lapses, and nobody has to end it
    assert await world.code(promotion, "cy") == "C"


async def test_a_code_that_was_held_and_used_is_in_line_no_more(world: World) -> None:
    promotion = await world.promotion(codes=["A", "B"], code_kind=CodeKind.MULTIPLE)
    held = await world.services.redeeming.hold(HoldRequest(code="A", ttl=timedelta(hours=1)))
    assert held.hold is not None
    assert await world.code(promotion, "ann") == "B"
    used = await world.services.redeeming.redeem(RedeemRequest(hold=held.hold.token))
    assert used.redemption is not None
    assert why_not_issued(await world.issue(promotion, "bob")) == ["POOL_EMPTY"]
