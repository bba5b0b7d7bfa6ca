"""Budgets and caps, reached exactly, ended by themselves, changed while they run; several promotions in one cart."""

import asyncio
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest

from promograph.domain import conditions
from promograph.domain.carts import Cart, Line, LineFilter, Money
from promograph.domain.periods import Period
from promograph.domain.promotions import CodeKind, EndReason, OnEmpty, PeriodCap, Promotion, PromotionStatus
from promograph.domain.redeeming import RedeemOutcome, RedeemRequest, Redemption, ValidateRequest
from promograph.domain.refusals import RefusalCode, refuse
from promograph.domain.rewards import AmountOff, External, FixedPrice, FreeShipping, Points, Single
from promograph.domain.stock.changes import CodeChange
from promograph.domain.windows import Window, end_of_day
from promograph.errors import BadInput, InputProblem

from .till import (
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
    rolled_back,
    set_up_types,
    validate,
    why,
)
from .world import World

pytestmark = pytest.mark.anyio

SHOPPING = cart(5000, 3000, shipping=499)
"""80.00, and 4.99 for bringing it."""


async def ended(world: World, promotion: Promotion) -> EndReason | None:
    """Why it ended; None while it has not."""
    found = await world.get(promotion)
    assert (found.stored_status is PromotionStatus.ENDED) is (found.stored_end_reason is not None)
    return found.stored_end_reason


def exhausted(left: str, asked: str, currency: str = "EUR") -> tuple[Any, ...]:
    return (refuse(RefusalCode.BUDGET_EXHAUSTED, left=left, currency=currency, asked=asked),)


async def test_a_budget_is_spent_to_the_last_cent_and_ends_the_promotion(world: World) -> None:
    promotion = await world.promotion(codes=5, budget=eur(1000))
    texts = [await world.code(promotion, f"c{n}") for n in range(4)]
    redeemed(await redeem(world, code=texts[0], discount=eur(999)))
    assert await ended(world, promotion) is None
    assert (await redeem(world, code=texts[1], discount=eur(2))).refusals == exhausted("0.01", "0.02")
    redeemed(await redeem(world, code=texts[1], discount=eur(1)))
    assert await ended(world, promotion) is EndReason.BUDGET_SPENT
    assert await money(world, promotion) == (1000, 0)
    assert (await redeem(world, code=texts[2], discount=eur(1))).refusals == exhausted("0.00", "0.01")
    assert (await validate(world, code=texts[2])).refusals == exhausted("0.00", "0.01")
    stopped = await world.issue(promotion, "late")
    assert stopped.problem is not None, "what has ended issues no more"
    redeemed(await redeem(world, code=texts[3], discount=eur(0)))


async def test_what_is_held_does_not_end_a_promotion_and_what_becomes_of_it_does(world: World) -> None:
    promotion = await world.promotion(codes=2, budget=eur(1000))
    open_ = held(await hold(world, await world.code(promotion, "ann"), discount=eur(1000)))
    assert await ended(world, promotion) is None
    assert await world.code(promotion, "bob") is not None
    redeemed(await redeem(world, hold=open_.token))
    assert await ended(world, promotion) is EndReason.BUDGET_SPENT


async def test_a_cap_of_uses_ends_the_promotion(world: World) -> None:
    promotion = await world.promotion(codes=9, redemption_cap=3, code_kind=CodeKind.MULTIPLE)
    redeemed(await redeem(world, code="P1-00001"))
    open_ = held(await hold(world, "P1-00002"))
    redeemed(await redeem(world, code="P1-00003"))
    assert await ended(world, promotion) is None
    assert why(await redeem(world, code="P1-00004")) == ["USE_CAP_REACHED"]
    redeemed(await redeem(world, hold=open_.token))
    assert await ended(world, promotion) is EndReason.USE_CAP
    found = await world.inventory(promotion)
    assert (found.redemptions, found.held, found.available) == (3, 0, 6)
    assert why(await redeem(world, code="P1-00004")) == ["USE_CAP_REACHED"]


async def test_of_two_limits_that_are_reached_together_the_money_is_the_reason(world: World) -> None:
    promotion = await world.promotion(codes=1, redemption_cap=1, budget=eur(100))
    redeemed(await redeem(world, code=await world.code(promotion, "ann"), discount=eur(100)))
    assert await ended(world, promotion) is EndReason.BUDGET_SPENT


async def test_a_pause_does_not_keep_a_promotion_from_ending(world: World) -> None:
    """A call that was under way when it was paused; here, a window that is over while a hold is open."""
    promotion = await world.promotion(codes=1, budget=eur(100), window=Window(ends_at=_in(world, minutes=1)))
    open_ = held(await hold(world, await world.code(promotion, "ann"), discount=eur(100)))
    await world.services.promoting.pause(promotion.id)
    world.clock.move(minutes=1)
    redeemed(await redeem(world, hold=open_.token))
    assert (await world.get(promotion)).status(world.clock.now) is PromotionStatus.ENDED
    assert await money(world, promotion) == (100, 0)


async def test_one_batch_takes_what_fits_in_the_order_of_its_requests(world: World) -> None:
    promotion = await world.promotion(codes=8, code_kind=CodeKind.MULTIPLE, budget=eur(1000))
    wanted = [400, 700, 300, 301, 299, 2, 1, 1]
    outcomes = await asyncio.gather(
        *(redeem(world, code=f"P1-{n:05}", discount=eur(minor)) for n, minor in enumerate(wanted, start=1))
    )
    # 400; 700 is too much of 600; 300; 301 of 300 too much; 299; 2 of 1 too much; 1; nothing is left
    assert [not why(outcome) for outcome in outcomes] == [True, False, True, False, True, False, True, False]
    assert outcomes[1].refusals == exhausted("6.00", "7.00")
    assert await money(world, promotion) == (1000, 0)
    assert await ended(world, promotion) is EndReason.BUDGET_SPENT


@pytest.mark.parametrize(
    ("budget", "each", "times", "left"),
    [
        (eur(100_000), eur(777), 128, 544),
        (eur(1), eur(1), 1, 0),
        (Money(minor=1000, currency="JPY"), Money(minor=333, currency="JPY"), 3, 1),
        (Money(minor=1000, currency="KWD"), Money(minor=7, currency="KWD"), 142, 6),
    ],
)
async def test_the_largest_multiple_that_fits(world: World, budget: Money, each: Money, times: int, left: int) -> None:
    promotion = await world.promotion(shared="ALL", code_kind=CodeKind.SINGLE, uses_per_code=None, budget=budget)
    outcomes = await asyncio.gather(*(redeem(world, code="ALL", discount=each) for _ in range(times + 20)))
    assert [why(outcome) for outcome in outcomes] == [[]] * times + [["BUDGET_EXHAUSTED"]] * 20
    assert await money(world, promotion) == (times * each.minor, 0)
    assert budget.minor - times * each.minor == left
    assert (await ended(world, promotion) is None) is (left > 0)


async def test_a_budget_that_comes_later_counts_what_was_given(world: World) -> None:
    promotion = await world.promotion(codes=5, code_kind=CodeKind.MULTIPLE)
    whole = redeemed(await redeem(world, code="P1-00001", discount=eur(500)))
    part = redeemed(await redeem(world, code="P1-00002", discount=eur(300)))
    open_ = held(await hold(world, "P1-00003", discount=eur(200)))
    lapsing = held(await hold(world, "P1-00004", discount=eur(9999), ttl=timedelta(seconds=1)))
    redeemed(await redeem(world, code="P1-00005"))
    rolled_back(await roll_back(world, whole))
    rolled_back(await roll_back(world, part, 100))
    world.clock.move(seconds=1)
    changed = await change(world, promotion, budget=eur(1000))
    assert changed.terms.budget == eur(1000)
    assert await money(world, promotion) == (200, 200)
    assert (await redeem(world, code="P1-00001", discount=eur(601))).refusals == exhausted("6.00", "6.01")
    assert why(await redeem(world, hold=lapsing.token)) == ["HOLD_OVER"]
    redeemed(await redeem(world, hold=open_.token))
    rolled_back(await roll_back(world, part))
    assert await money(world, promotion) == (200, 0)
    # Taken away again, nothing is counted; and put back, all of it is.
    await change(world, promotion, budget=None)
    redeemed(await redeem(world, code="P1-00001", discount=eur(5000)))
    with pytest.raises(BadInput) as raised:
        await change(world, promotion, budget=eur(5199))
    assert (raised.value.problem, raised.value.field) == (InputProblem.OUT_OF_RANGE, ("budget",))
    assert (await world.get(promotion)).terms.budget is None
    await change(world, promotion, budget=eur(5201))
    assert await money(world, promotion) == (5200, 0)


async def test_a_budget_in_another_currency_than_what_was_given(world: World) -> None:
    promotion = await world.promotion(codes=3, code_kind=CodeKind.MULTIPLE)
    done = redeemed(await redeem(world, code="P1-00001", discount=Money(minor=5, currency="JPY")))
    open_ = held(await hold(world, "P1-00002", discount=Money(minor=5, currency="JPY")))
    for undo in (roll_back(world, done), release(world, open_.token)):
        with pytest.raises(BadInput) as raised:
            await change(world, promotion, budget=eur(1000))
        assert (raised.value.problem, raised.value.field) == (InputProblem.STATE, ("budget",))
        assert why(await undo) == []
    await change(world, promotion, budget=eur(1000))
    assert await money(world, promotion) == (0, 0)
    with pytest.raises(BadInput) as raised:
        await change(world, promotion, budget=Money(minor=1000, currency="JPY"))
    assert raised.value.field == ("budget",)


async def test_a_budget_is_never_below_what_was_given_and_held(world: World) -> None:
    promotion = await world.promotion(codes=3, code_kind=CodeKind.MULTIPLE, budget=eur(1000))
    redeemed(await redeem(world, code="P1-00001", discount=eur(300)))
    held(await hold(world, "P1-00002", discount=eur(200), ttl=timedelta(seconds=9)))
    with pytest.raises(BadInput) as raised:
        await change(world, promotion, budget=eur(499))
    assert (raised.value.problem, raised.value.field) == (InputProblem.OUT_OF_RANGE, ("budget",))
    assert "5.00 EUR" in str(raised.value)
    assert (await world.get(promotion)).terms.budget == eur(1000)
    await change(world, promotion, budget=eur(500))
    assert (await redeem(world, code="P1-00003", discount=eur(1))).refusals == exhausted("0.00", "0.01")
    world.clock.move(seconds=9)
    await change(world, promotion, budget=eur(301))
    assert await money(world, promotion) == (300, 0)
    await change(world, promotion, budget=eur(2000))
    redeemed(await redeem(world, code="P1-00003", discount=eur(1700)))
    assert await ended(world, promotion) is EndReason.BUDGET_SPENT


@pytest.mark.parametrize(
    ("limit", "least"),
    [("redemption_cap", 3), ("uses_per_customer", 2), ("uses_per_code", 2)],
)
async def test_a_cap_is_never_below_what_was_used_and_held(world: World, limit: str, least: int) -> None:
    """Ann has used one code once and holds it once, Bob another once."""
    promotion = await world.promotion(codes=3, code_kind=CodeKind.MULTIPLE, uses_per_code=9)
    redeemed(await redeem(world, code="P1-00001", customer="ann"))
    open_ = held(await hold(world, "P1-00001", "ann"))
    bobs = redeemed(await redeem(world, code="P1-00002", customer="bob"))
    with pytest.raises(BadInput) as raised:
        await change(world, promotion, **{limit: least - 1})
    assert raised.value.problem is InputProblem.OUT_OF_RANGE
    await change(world, promotion, **{limit: least})
    assert why(await redeem(world, code="P1-00001", customer="ann")) != []
    await release(world, open_.token)
    rolled_back(await roll_back(world, bobs))
    await change(world, promotion, **{limit: 1})
    assert why(await redeem(world, code="P1-00001", customer="ann")) != []


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ({"budget": eur(500)}, EndReason.BUDGET_SPENT),
        ({"redemption_cap": 1}, EndReason.USE_CAP),
        ({"audience_cap": 1}, EndReason.AUDIENCE_CAP),
    ],
    ids=["budget", "uses", "audience"],
)
async def test_a_limit_that_is_set_to_what_has_been_reached_ends_the_promotion(
    world: World, limit: dict[str, Any], reason: EndReason
) -> None:
    """Whatever had to be given has been given: nothing that happens later would say so."""
    promotion = await world.promotion(codes=3)
    redeemed(await redeem(world, code=await world.code(promotion, "ann"), discount=eur(500)))
    changed = await change(world, promotion, **limit)
    assert changed.stored_status is PromotionStatus.ENDED
    assert await ended(world, promotion) is reason


async def test_a_budget_in_the_end_of_a_draft(world: World) -> None:
    """A draft may change everything, its currency too."""
    promotion = await world.promotion(codes=1, budget=eur(1000), active=False)
    await change(world, promotion, budget=Money(minor=500, currency="JPY"))
    assert await money(world, promotion) == (0, 0)


async def test_till_the_end_of_15_december_in_montreal(world: World) -> None:
    """20 % off, spend more than 50.00, once a customer, at most 100,000.00 in all."""
    await set_up_types(world.services)
    promotion = await world.promotion(
        shared="SAVE20",
        code_kind=CodeKind.SINGLE,
        uses_per_code=None,
        uses_per_customer=1,
        reward=percent(20),
        budget=eur(10_000_000),
        condition=conditions.parse({"subtotal": {"op": "GT", "value": {"amount": "50.00", "currency": "EUR"}}}),
        window=Window(
            time_zone="America/Toronto",
            starts_at=datetime(2026, 11, 1, 4, tzinfo=UTC),
            ends_at=end_of_day(date(2026, 12, 15), "America/Toronto"),
        ),
    )

    async def use(customer: str, *, now: str, amount: int = 5001) -> RedeemOutcome:
        world.clock.now = datetime.fromisoformat(f"{now}+00:00")
        looked = await validate(world, code="save20", customer=customer, cart=cart(amount))
        outcome = await redeem(world, code="save20", customer=customer, cart=cart(amount))
        assert looked.refusals == outcome.refusals
        assert looked.discount == (outcome.redemption and outcome.redemption.taken)
        return outcome

    early = await use("ann", now="2026-11-01T03:59:59")
    assert early.refusals == (refuse(RefusalCode.NOT_STARTED, starts_at="2026-11-01T04:00:00+00:00"),)
    assert redeemed(await use("ann", now="2026-11-01T04:00:00")).discount == eur(1000)
    assert why(await use("ann", now="2026-11-02T04:59:59")) == ["CUSTOMER_CAP_REACHED"]
    short = await use("bob", now="2026-12-16T04:59:59", amount=4200)
    assert (why(short), short.refusals[0].data["missing"]) == (["MINIMUM_NOT_MET"], "8.01")
    assert redeemed(await use("bob", now="2026-12-16T04:59:59")).discount == eur(1000)
    late = await use("cid", now="2026-12-16T05:00:00")
    assert late.refusals == (refuse(RefusalCode.EXPIRED, expired_at="2026-12-16T05:00:00+00:00"),)
    assert await money(world, promotion) == (2000, 0)


@pytest.mark.parametrize(
    ("period", "first", "last", "after"),
    [
        # 1 November 2026 has 25 hours in Toronto, and is the last day of its week.
        (Period.DAY, "2026-11-01T04:00:00", "2026-11-02T04:59:59", "2026-11-02T05:00:00"),
        (Period.WEEK, "2026-10-26T04:00:00", "2026-11-02T04:59:59", "2026-11-02T05:00:00"),
        (Period.MONTH, "2026-11-01T04:00:00", "2026-12-01T04:59:59", "2026-12-01T05:00:00"),
        (Period.DAY, "2026-12-15T05:00:00", "2026-12-16T04:59:59", "2026-12-16T05:00:00"),
        # 8 March 2026 has 23.
        (Period.DAY, "2026-03-08T05:00:00", "2026-03-09T03:59:59", "2026-03-09T04:00:00"),
    ],
)
async def test_a_customers_uses_in_a_period(world: World, period: Period, first: str, last: str, after: str) -> None:
    await world.promotion(
        codes=9,
        code_kind=CodeKind.MULTIPLE,
        uses_per_period=PeriodCap(uses=2, period=period),
        window=Window(time_zone="America/Toronto"),
    )
    begin, end, next_ = (datetime.fromisoformat(f"{each}+00:00") for each in (first, last, after))

    async def use(number: int, now: datetime, customer: str = "ann") -> list[str]:
        world.clock.now = now
        return why(await redeem(world, code=f"P1-0000{number}", customer=customer))

    assert await use(1, begin - timedelta(seconds=1)) == []  # of the period before
    assert await use(2, begin) == []
    assert await use(3, end) == []
    world.clock.now = end
    stopped = await redeem(world, code="P1-00004", customer="ann")
    assert stopped.refusals == (
        refuse(RefusalCode.CUSTOMER_CAP_REACHED, uses=2, limit=2, period=period, free_at=f"{after}+00:00"),
    )
    assert await use(4, end, "bob") == []
    assert [await use(number, next_) for number in (5, 6, 7)] == [[], [], ["CUSTOMER_CAP_REACHED"]]


async def test_promotions_without_codes(world: World) -> None:
    await set_up_types(world.services)
    free: dict[str, Any] = {"code_required": False, "combinable": True}
    cheap = await world.promotion(reward=percent(10), **free)
    best = await world.promotion(reward=percent(20), priority=5, budget=eur(1600), **free)
    large = await world.promotion(
        reward=percent(50),
        condition=conditions.parse({"subtotal": {"op": "GTE", "value": {"amount": "80.01", "currency": "EUR"}}}),
        **free,
    )
    await world.promotion(reward=percent(30), code_required=True, shared="CODED", code_kind=CodeKind.SINGLE)
    await world.promotion(reward=percent(40), active=False, **free)
    future = await world.promotion(reward=percent(60), window=Window(starts_at=_in(world, hours=1)), **free)
    dollars = Single(type="amount", value=AmountOff(money=Money(minor=100, currency="USD")))
    await world.promotion(reward=dollars, **free)
    shop = await world.promotion(**free)

    async def eligible(basket: Cart, customer: str | None = None) -> list[tuple[str, int | None]]:
        found = await world.services.redeeming.promotions_for_cart(basket, customer)
        return [
            (each.promotion.terms.handle, None if each.discount is None else each.discount.total)
            for each in found
            if each.promotion is not None
        ]

    handles = [promotion.terms.handle for promotion in (best, cheap, shop, large, future)]
    assert await eligible(SHOPPING) == [(handles[0], 1600), (handles[1], 800), (handles[2], None)]
    assert await eligible(cart(8003)) == [(handles[1], 800), (handles[3], 4002), (handles[2], None)], "16.01 of 16.00"
    done = redeemed(await redeem(world, promotion=handles[0], cart=SHOPPING, customer="ann"))
    assert (done.seq, done.text, done.discount) == (None, None, eur(1600))
    assert await ended(world, best) is EndReason.BUDGET_SPENT
    assert await eligible(SHOPPING) == [(handles[1], 800), (handles[2], None)]
    assert why(await redeem(world, promotion=handles[0], cart=SHOPPING)) == ["PROMOTION_INACTIVE"]
    world.clock.move(hours=1)
    assert await eligible(SHOPPING) == [(handles[1], 800), (handles[4], 4800), (handles[2], None)]


async def test_a_promotion_is_asked_for_by_its_handle_only_without_codes(world: World) -> None:
    coded = await world.promotion(codes=1, shared=None)
    assert why(await redeem(world, promotion=coded.terms.handle)) == ["CODE_REQUIRED"]
    assert why(await redeem(world, promotion="nowhere")) == ["promotion: NOT_FOUND"]
    with pytest.raises(BadInput) as raised:
        await validate(world, promotion="nowhere")
    assert raised.value.field == ("promotion",)
    both = await world.promotion(codes=1, code_kind=CodeKind.MULTIPLE, code_required=False, uses_per_customer=2)
    redeemed(await redeem(world, promotion=both.terms.handle, customer="ann"))
    redeemed(await redeem(world, code="P2-00001", customer="ann"))
    assert why(await redeem(world, promotion=both.terms.handle, customer="ann")) == ["CUSTOMER_CAP_REACHED"]
    found = await world.inventory(both)
    assert (found.redemptions, found.redeemed) == (2, 1)


async def test_a_promotion_without_codes_is_counted_like_any(world: World) -> None:
    promotion = await world.promotion(
        code_required=False,
        budget=eur(1000),
        redemption_cap=3,
        uses_per_period=PeriodCap(uses=1, period=Period.DAY),
    )
    asked: dict[str, Any] = {"promotion": promotion.terms.handle, "discount": eur(300)}
    assert why(await redeem(world, **asked)) == ["CUSTOMER_REQUIRED"]
    redeemed(await redeem(world, customer="ann", **asked))
    assert why(await redeem(world, customer="ann", **asked)) == ["CUSTOMER_CAP_REACHED"]
    world.clock.move(days=1)
    redeemed(await redeem(world, customer="ann", **asked))
    redeemed(await redeem(world, customer="bob", **asked))
    assert await ended(world, promotion) is EndReason.USE_CAP
    assert why(await redeem(world, customer="cid", **asked)) == ["PROMOTION_INACTIVE", "USE_CAP_REACHED"]
    assert await money(world, promotion) == (900, 0)


async def stacked(world: World, *wholes: int, **more: Any) -> list[Promotion]:
    """Promotions of so many percent, with the code P<n>-00001 each, of falling priority."""
    return [
        await world.promotion(
            codes=3,
            code_kind=CodeKind.MULTIPLE,
            reward=percent(whole),
            combinable=True,
            priority=-place,
            budget=eur(10_000),
            **more,
        )
        for place, whole in enumerate(wholes)
    ]


def asks(*codes: str, basket: Cart = SHOPPING, customer: str | None = "ann") -> list[RedeemRequest]:
    return [RedeemRequest(code=code, cart=basket, customer=customer) for code in codes]


async def test_several_codes_of_one_cart(world: World) -> None:
    """20 % of 80.00, and 10 % of the 64.00 that are left, whichever was entered first."""
    await set_up_types(world.services)
    both = await stacked(world, 20, 10)
    outcomes = await redeem_together(world, *asks("P2-00001", "P1-00001"))
    assert [redeemed(outcome).discount for outcome in outcomes] == [eur(640), eur(1600)]
    assert [await money(world, promotion) for promotion in both] == [(1600, 0), (640, 0)]
    looked = await world.services.redeeming.validate_together(
        [ValidateRequest(code=code, cart=SHOPPING, customer="ann") for code in ("P2-00002", "P1-00002")]
    )
    assert [each.discount and each.discount.total for each in looked] == [640, 1600]
    assert [each.is_valid for each in looked] == [True, True]


@pytest.mark.parametrize(
    ("codes", "told"),
    [
        (("P1-00001", "P2-00001", "P3-00009"), [[], [], ["NOT_FOUND"]]),
        (("P1-00001", "P2-00001", "P2-00003"), [[], [], ["ALREADY_REDEEMED"]]),
        (("P3-00001", "P2-00001", "P1-00001"), [["BUDGET_EXHAUSTED"], [], []]),
        (("P1-00001", "P2-00001", "P4-00001"), [["NOT_COMBINABLE"]] * 3),
        (("P1-00001", "P1-00001"), [[], ["ALREADY_REDEEMED"]]),
        (("P1-00001", "P1-00002", "P1-00003"), [[], [], ["CUSTOMER_CAP_REACHED"]]),
        (("P1-00001", "TEST-1"), [[], ["TEST_CODE"]]),
    ],
)
async def test_all_of_a_cart_are_redeemed_or_none(world: World, codes: tuple[str, ...], told: list[list[str]]) -> None:
    await set_up_types(world.services)
    promotions = await stacked(world, 20, 10, uses_per_customer=2)
    promotions.append(
        await world.promotion(
            codes=1, code_kind=CodeKind.MULTIPLE, reward=percent(50), combinable=True, budget=eur(10), priority=9
        )
    )
    promotions.append(await world.promotion(codes=1, code_kind=CodeKind.MULTIPLE, reward=percent(50)))
    redeemed(await redeem(world, code="P2-00003", customer="bob", cart=SHOPPING))
    before = [await world.inventory(promotion) for promotion in promotions]
    outcomes = await redeem_together(world, *asks(*codes))
    assert [why(outcome) for outcome in outcomes] == told
    assert not [outcome for outcome in outcomes if outcome.redemption is not None]
    assert [await world.inventory(promotion) for promotion in promotions] == before
    assert [await money(world, promotion) for promotion in promotions[:3]] == [(0, 0), (800, 0), (0, 0)]
    looked = await world.services.redeeming.validate_together(
        [ValidateRequest(code=code, cart=SHOPPING, customer="ann") for code in codes]
    )
    assert [why(each) for each in looked] == told
    assert not any(each.is_valid for each in looked)
    assert why((await redeem_together(world, *asks("P1-00001", "P2-00001")))[0]) == [], "nothing was left behind"


async def test_carts_of_one_batch_are_apart(world: World) -> None:
    """What one cart fails to take is there for the next, in the same transaction."""
    await set_up_types(world.services)
    both = await stacked(world, 50, 50)
    carts = [
        asks("P1-00001", "P2-00009", basket=cart(20_000)),
        asks("P1-00001", "P2-00001", basket=cart(20_000)),
        asks("P1-00002", "P2-00002", basket=cart(2)),
        asks("P2-00002", basket=cart(2)),
    ]
    answers = await asyncio.gather(*(redeem_together(world, *each) for each in carts))
    assert [[why(outcome) for outcome in answer] for answer in answers] == [
        [[], ["NOT_FOUND"]],
        [[], []],
        [["BUDGET_EXHAUSTED"], []],
        [[]],
    ]
    # 100.00 of 200.00 and 50.00 of the rest; the first budget is spent, and 0.01 of 0.02 from the second
    assert [await money(world, promotion) for promotion in both] == [(10_000, 0), (5001, 0)]
    assert [await ended(world, promotion) for promotion in both] == [EndReason.BUDGET_SPENT, None]


async def test_a_cart_is_never_worth_less_than_nothing(world: World) -> None:
    await set_up_types(world.services)
    both = await stacked(world, 100, 100)
    outcomes = await redeem_together(world, *asks("P1-00001", "P2-00001"))
    assert [why(outcome) for outcome in outcomes] == [[], ["NOTHING_ELIGIBLE"]]
    assert [await money(world, promotion) for promotion in both] == [(0, 0), (0, 0)]
    outcomes = await redeem_together(world, *asks("P1-00001"))
    assert redeemed(outcomes[0]).discount == eur(8000)


async def test_with_and_without_codes_in_one_cart(world: World) -> None:
    await set_up_types(world.services)
    coded = (await stacked(world, 20))[0]
    free = await world.promotion(code_required=False, reward=percent(10), combinable=True, priority=9)
    shipping = await world.promotion(
        code_required=False, reward=Single(type="free-shipping", value=FreeShipping()), combinable=True
    )
    requests = [
        RedeemRequest(code="P1-00001", cart=SHOPPING),
        RedeemRequest(promotion=free.terms.handle, cart=SHOPPING),
        RedeemRequest(promotion=shipping.terms.handle, cart=SHOPPING),
    ]
    outcomes = await redeem_together(world, *requests)
    # 8.00 of 80.00; 14.40 of the 72.00 that are left; and the shipping
    assert [redeemed(outcome).discount for outcome in outcomes] == [eur(1440), eur(800), eur(499)]
    assert await money(world, coded) == (1440, 0)


async def test_held_promises_in_one_cart_do_not_take_more_than_it_costs(world: World) -> None:
    """Each was promised of the whole cart: together they would take 160 % of it."""
    await set_up_types(world.services)
    both = await stacked(world, 80, 80)
    promises = [held(await hold(world, f"P{n}-00001", "ann", cart=SHOPPING)) for n in (1, 2)]
    outcomes = await redeem_together(world, *(RedeemRequest(hold=promise.token, cart=SHOPPING) for promise in promises))
    # 64.00 of 80.00, and 12.80 of the 16.00 that are left
    assert [redeemed(outcome).discount for outcome in outcomes] == [eur(6400), eur(1280)]
    assert [await money(world, promotion) for promotion in both] == [(6400, 0), (1280, 0)]


async def test_held_promises_do_not_share_a_cart_that_nobody_tells(world: World) -> None:
    await set_up_types(world.services)
    both = await stacked(world, 80, 80)
    promises = [held(await hold(world, f"P{n}-00001", "ann", cart=SHOPPING)) for n in (1, 2)]
    requests = [RedeemRequest(hold=promise.token) for promise in promises]
    assert [why(outcome) for outcome in await redeem_together(world, *requests)] == [["CART_REQUIRED"]] * 2
    assert [await money(world, promotion) for promotion in both] == [(0, 6400), (0, 6400)]
    alone = await redeem_together(world, requests[0])
    assert redeemed(alone[0]).discount == eur(6400)


async def test_what_the_shop_promised_itself_may_share_one(world: World) -> None:
    both = [await world.promotion(codes=1, combinable=True, budget=eur(1000)) for _ in range(2)]
    texts = [await world.code(promotion, "ann") for promotion in both]
    promises = [held(await hold(world, text, discount=eur(900))) for text in texts]
    outcomes = await redeem_together(world, *(RedeemRequest(hold=promise.token) for promise in promises))
    assert [redeemed(outcome).discount for outcome in outcomes] == [eur(900), eur(900)]
    assert [await money(world, promotion) for promotion in both] == [(900, 0), (900, 0)]


@pytest.mark.parametrize("basket", [None, SHOPPING], ids=["by promise", "by cart"])
async def test_a_hold_is_one_use_however_often_a_cart_names_it(world: World, basket: Cart | None) -> None:
    await set_up_types(world.services)
    reward: Any = External() if basket is None else percent(20)
    promotion = await world.promotion(
        codes=1, code_kind=CodeKind.MULTIPLE, combinable=True, budget=eur(9000), reward=reward
    )
    open_ = held(await hold(world, "P1-00001", cart=basket, discount=eur(1600)))
    twice = [RedeemRequest(hold=open_.token, cart=basket)] * 2
    assert [why(outcome) for outcome in await redeem_together(world, *twice)] == [[], ["HOLD_OVER"]]
    both = [RedeemRequest(code="P1-00001", cart=basket, discount=eur(1600)), twice[0]]
    assert [why(outcome) for outcome in await redeem_together(world, *both)] == [["HELD_BY_OTHER"], []]
    assert await money(world, promotion) == (0, 1600)
    assert (await world.inventory(promotion)).held == 1
    assert [why(outcome) for outcome in await redeem_together(world, twice[0])] == [[]]
    assert await money(world, promotion) == (1600, 0)


async def test_a_key_of_a_cart_is_answered_alike(world: World) -> None:
    await set_up_types(world.services)
    both = await stacked(world, 20, 10)
    first = await redeem_together(world, *asks("P1-00001", "P2-00001"), key="k-1")
    for _ in range(2):
        again = await redeem_together(world, *asks("P1-00001", "P2-00001"), key="k-1")
        assert [outcome.redemption for outcome in again] == [outcome.redemption for outcome in first]
        assert all(outcome.replayed for outcome in again)
    other = await redeem_together(world, *asks("P1-00002", "P2-00001"), key="k-1")
    assert why(other[0]) == ["idempotencyKey: KEY_REUSED"]
    refused = await redeem_together(world, *asks("P1-00001", "P2-00002"), key="k-2")
    assert [why(outcome) for outcome in refused] == [["ALREADY_REDEEMED"], []]
    rolled_back(await roll_back(world, redeemed(first[0])))
    again = await redeem_together(world, *asks("P1-00001", "P2-00002"), key="k-2")
    assert [why(outcome) for outcome in again] == [["ALREADY_REDEEMED"], []]
    assert [await money(world, promotion) for promotion in both] == [(0, 0), (640, 0)]


@pytest.mark.parametrize("count", [0, 21])
async def test_a_cart_has_one_to_twenty_codes(world: World, count: int) -> None:
    await world.promotion(shared="ALL", code_kind=CodeKind.SINGLE, uses_per_code=None, combinable=True)
    with pytest.raises(BadInput) as raised:
        await redeem_together(world, *asks(*["ALL"] * count))
    assert raised.value.field == ("codes",)
    outcomes = await redeem_together(world, *asks(*["ALL"] * 20))
    assert [redeemed(outcome).number for outcome in outcomes] == list(range(1, 21))


async def test_what_is_validated_is_what_is_redeemed(world: World) -> None:
    """A long random run: whatever has come before, both say the same as long as nothing changed between."""
    await set_up_types(world.services)
    random = Random(77)
    promotions = [await world.promotion(**terms) for terms in SEVERAL]
    shoes: tuple[tuple[str, ...], ...] = ((), ("shoes",))
    for turn in range(150):
        world.clock.move(minutes=random.randrange(60))
        lines = tuple(
            Line(
                id=str(n),
                sku="s",
                quantity=random.randint(1, 3),
                amount=random.choice((0, 99, 4999, 12_345)),
                categories=random.choice(shoes),
            )
            for n in range(random.choice((0, 1, 2, 3, 3)))
        )
        basket = Cart(currency=random.choice(("EUR", "EUR", "EUR", "USD")), lines=lines, shipping=499)
        chosen = random.sample(range(1, len(promotions) + 1), random.choice((1, 1, 2, 3)))
        asked: list[dict[str, Any]] = [
            {
                "code": f"P{n}-{random.randint(1, 40):05}",
                "cart": random.choice((basket, basket, basket, None)) if len(chosen) == 1 else basket,
                "customer": random.choice((None, "ann", "bob", "cid")),
                "discount": random.choice((None, eur(77))) if n == 5 else None,
            }
            for n in chosen
        ]
        if random.random() < 0.3:
            await hold(world, **asked[0], ttl=timedelta(minutes=random.randint(1, 90)))
        looked = await world.services.redeeming.validate_together([ValidateRequest(**one) for one in asked])
        done = await redeem_together(
            world, *(RedeemRequest(**one) for one in asked), key=random.choice((None, f"k{turn}"))
        )
        told = [why(outcome) for outcome in done]
        if any("DISCOUNT_REQUIRED" in reasons for reasons in told):
            continue  # to look at a code it is not
        assert [why(each) for each in looked] == told
        assert [each.discount for each in looked] == [
            outcome.redemption and outcome.redemption.taken for outcome in done
        ] or not all(each.is_valid for each in looked)
        assert all(each.is_valid for each in looked) is all(outcome.redemption for outcome in done)
        for outcome in done:
            if outcome.redemption is not None and random.random() < 0.3:
                await roll_back(world, outcome.redemption)
        for promotion in promotions:
            if promotion.terms.budget is not None:
                await money(world, promotion)
    used = [(await world.inventory(promotion)).redemptions for promotion in promotions]
    assert min(used) > 1, "every promotion is used in this run"


def _several() -> list[dict[str, Any]]:
    base: dict[str, Any] = {"codes": 40, "code_kind": CodeKind.MULTIPLE, "combinable": True}
    return [
        {**base, "reward": percent(20), "budget": eur(20_000), "priority": 2},
        {
            **base,
            "reward": percent(50, maximum=eur(700), lines=LineFilter(categories=("shoes",))),
            "uses_per_customer": 6,
        },
        {
            **base,
            "reward": Single(type="amount", value=AmountOff(money=eur(500))),
            "condition": conditions.parse({"subtotal": {"op": "GT", "value": {"amount": "50", "currency": "EUR"}}}),
            "uses_per_period": PeriodCap(uses=1, period=Period.DAY),
            "window": Window(time_zone="America/Toronto"),
        },
        {**base, "reward": Single(type="fixed-price", value=FixedPrice(money=eur(3000))), "redemption_cap": 12},
        {**base, "budget": eur(1500), "uses_per_code": 2},
        {**base, "reward": Single(type="free-shipping", value=FreeShipping()), "combinable": False},
        {**base, "reward": Single(type="points", value=Points(number=5)), "uses_per_customer": 9, "priority": -1},
    ]


SEVERAL = _several()


class Checkouts:
    """Random requests about the promotions of OFFERS: mostly to the point, and often about what is over already."""

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._random = Random(seed)
        self._codes = [f"P{n}-{code:05}" for n in (1, 2, 3, 5) for code in range(1, 13)] + ["ALL", "FALL"]
        self._tokens = [""]
        self.done: list[Redemption] = []
        self.promotions: list[Promotion] = []

    async def set_up(self) -> None:
        await set_up_types(self._world.services)
        self.promotions = [await self._world.promotion(**terms) for terms in OFFERS]

    async def turn(self) -> None:
        """Some time passes, and then several things happen at the same moment."""
        self._world.clock.move(seconds=self._random.choice((0, 0, 30, 120, 3600)))
        acts = [self._redeem, self._redeem, self._hold, self._hold, self._together, self._release, self._roll_back]
        acts = [*acts, self._roll_back, self._block, self._issue, self._change]
        await asyncio.gather(*(self._random.choice(acts)() for _ in range(self._random.choice((1, 1, 4, 12)))))

    def _about(self) -> dict[str, Any]:
        return {
            "customer": self._random.choice((None, "ann", "bob")),
            "cart": self._random.choice((None, cart(5000, 100), cart(777))),
            "discount": self._random.choice((None, eur(77), eur(300))),
        }

    def _subject(self) -> dict[str, str]:
        if self._random.random() < 0.1:
            return {"promotion": self.promotions[5].terms.handle}
        return {"code": self._random.choice(self._codes)}

    def _token(self) -> str:
        return self._random.choice(self._tokens[-6:])

    def _key(self) -> dict[str, Any]:
        return {"idempotency_key": f"k{self._random.randrange(60)}"} if self._random.random() < 0.2 else {}

    def _request(self, **more: Any) -> RedeemRequest:
        subject = {"hold": self._token()} if self._random.random() < 0.4 else self._subject()
        return RedeemRequest(**{**subject, **self._about(), **more})

    async def _redeem(self) -> None:
        request = self._request(**self._key())
        self._remember(await self._world.services.redeeming.redeem(request))

    async def _together(self) -> None:
        basket = self._random.choice((cart(5000, 100), None))
        requests = [self._request(cart=basket) for _ in range(self._random.randint(1, 3))]
        for outcome in await redeem_together(self._world, *requests, key=self._key().get("idempotency_key")):
            self._remember(outcome)

    def _remember(self, outcome: RedeemOutcome) -> None:
        if outcome.redemption is not None:
            self.done.append(outcome.redemption)

    async def _hold(self) -> None:
        replaces = {"replaces": self._token()} if self._random.random() < 0.3 else {}
        ttl = timedelta(minutes=self._random.choice((1, 5, 60)))
        outcome = await hold(self._world, **self._subject(), **self._about(), **self._key(), **replaces, ttl=ttl)
        if outcome.hold is not None:
            self._tokens.append(outcome.hold.token)

    async def _release(self) -> None:
        await release(self._world, self._token())

    async def _roll_back(self) -> None:
        if self.done:
            of = self._random.choice(self.done[-8:])
            amount = self._random.choice((None, eur(1), eur(77), of.discount))
            await roll_back(self._world, of, amount=amount, **self._key())

    async def _block(self) -> None:
        codes = [self._random.choice(self._codes)]
        await self._world.services.changing.listed(
            codes, CodeChange.BLOCK if self._random.random() < 0.5 else CodeChange.UNBLOCK
        )

    async def _issue(self) -> None:
        await self._world.issue(self._random.choice(self.promotions[:5]), f"c{self._random.randrange(20)}")

    async def _change(self) -> None:
        name, values = self._random.choice(
            (
                ("budget", (None, eur(2000), eur(9000), eur(60_000))),
                ("redemption_cap", (None, 30, 90)),
                ("uses_per_customer", (None, 1, 3)),
                ("uses_per_code", (None, 1, 2, 5)),
            )
        )
        with suppress(BadInput):  # such as a limit below what has been reached
            await change(self._world, self._random.choice(self.promotions), **{name: self._random.choice(values)})


PRINTED: dict[str, Any] = {"code_kind": CodeKind.MULTIPLE, "combinable": True, "codes": 12}
OFFERS: list[dict[str, Any]] = [
    {**PRINTED, "reward": percent(20), "budget": eur(40_000), "uses_per_code": 2},
    {**PRINTED, "budget": eur(9000), "uses_per_customer": 3},
    {**PRINTED, "redemption_cap": 60, "uses_per_code": None, "uses_per_period": PeriodCap(uses=2, period=Period.DAY)},
    {"code_kind": CodeKind.SINGLE, "shared": "ALL", "uses_per_code": 40, "combinable": True, "budget": eur(20_000)},
    {
        "codes": 12,
        "on_empty": OnEmpty.FALLBACK,
        "shared": "FALL",
        "uses_per_code": 2,
        "combinable": True,
        "budget": eur(20_000),
    },
    {"code_required": False, "reward": percent(10), "budget": eur(30_000), "combinable": True},
]


@pytest.mark.parametrize("seed", [6, 7, 8])
async def test_whatever_comes_in_whatever_order_adds_up(world: World, seed: int) -> None:
    """After every turn, every counter is what its rows say and no limit is passed."""
    checkouts = Checkouts(world, seed)
    await checkouts.set_up()
    for _ in range(80):
        await checkouts.turn()
        assert await world.verify() == []
    assert len(checkouts.done) > 10
    world.clock.move(days=2)
    for promotion in checkouts.promotions:
        assert (await world.inventory(promotion)).held == 0
        if (await world.get(promotion)).terms.budget is not None:
            assert (await money(world, promotion))[1] == 0


def _in(world: World, **length: float) -> datetime:
    return world.clock.now + timedelta(**length)
