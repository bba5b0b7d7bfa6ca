"""Undoing redemptions: the money of a part comes back at once, the use with the whole."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from promograph.domain.carts import Money
from promograph.domain.periods import Period
from promograph.domain.promotions import CodeKind, EndReason, OnEmpty, PeriodCap, PromotionStatus
from promograph.domain.redeeming import RedeemRequest, Rollback, RollbackRequest
from promograph.domain.refusals import RefusalCode, refuse
from promograph.domain.windows import Window
from promograph.store.inventories import Inventory

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
    roll_back,
    rolled_back,
    set_up_types,
    validate,
    why,
)
from .world import World, issued

pytestmark = pytest.mark.anyio

NOTHING_LEFT = (refuse(RefusalCode.NOTHING_LEFT),)


def places(found: Inventory) -> tuple[int, int, int, int, int]:
    """Where the codes are, and how many were used how often."""
    return found.available, found.issued, found.blocked, found.redeemed, found.redemptions


async def test_the_whole_of_a_redemption(world: World) -> None:
    promotion = await world.promotion(codes=1, budget=eur(1000))
    text = await world.code(promotion, "ann")
    done = redeemed(await redeem(world, code=text, customer="ann", discount=eur(1000), order="o-1"))
    ended = await world.get(promotion)
    assert (ended.stored_status, ended.stored_end_reason) == (PromotionStatus.ENDED, EndReason.BUDGET_SPENT)
    world.clock.move(days=400)
    outcome = await roll_back(world, done, reason="sent back")
    assert outcome.rollback == Rollback(
        promotion_id=promotion.id,
        number=1,
        part=1,
        is_whole=True,
        rolled_back_at=world.clock.now,
        amount=eur(1000),
        reason="sent back",
    )
    assert (outcome.redemption, outcome.replayed) == (done, False)
    assert await money(world, promotion) == (0, 0)
    assert places(await world.inventory(promotion)) == (0, 1, 0, 0, 0)
    looked = await validate(world, code=text, customer="ann")
    assert (looked.refusals, looked.uses_left) == ((), 1)
    again = redeemed(await redeem(world, code=text, customer="ann", discount=eur(999)))
    assert again.number == 2, "numbers are never given twice"
    assert await money(world, promotion) == (999, 0)


async def test_parts_up_to_the_whole(world: World) -> None:
    promotion = await world.promotion(codes=2, budget=eur(1000))
    texts = [await world.code(promotion, customer) for customer in ("ann", "bob")]
    done = redeemed(await redeem(world, code=texts[0], discount=eur(1000)))
    for minor, left in ((300, 700), (1, 699), (698, 1)):
        part = rolled_back(await roll_back(world, done, minor))
        assert (part.amount, part.is_whole) == (eur(minor), False)
        assert await money(world, promotion) == (left, 0)
        assert why(await redeem(world, code=texts[0], discount=eur(1))) == ["ALREADY_REDEEMED"]
        assert places(await world.inventory(promotion)) == (0, 2, 0, 1, 1)
    assert redeemed(await redeem(world, code=texts[1], discount=eur(999))).discount == eur(999)
    last = rolled_back(await roll_back(world, done, 1))
    assert (last.part, last.is_whole) == (4, True)
    assert await money(world, promotion) == (999, 0)
    assert redeemed(await redeem(world, code=texts[0], discount=eur(1))).number == 3
    assert await money(world, promotion) == (1000, 0)


async def test_what_is_left_after_a_part(world: World) -> None:
    """No amount means all that is left."""
    promotion = await world.promotion(codes=1, budget=eur(1000))
    done = redeemed(await redeem(world, code=await world.code(promotion, "ann"), discount=eur(777)))
    rolled_back(await roll_back(world, done, 77))
    last = rolled_back(await roll_back(world, done))
    assert (last.amount, last.is_whole, last.part) == (eur(700), True, 2)
    assert await money(world, promotion) == (0, 0)
    parts = await world.services.lookup.rollbacks_of(promotion.id, done.number)
    assert [(one.part, one.amount, one.is_whole) for one in parts] == [(1, eur(77), False), (2, eur(700), True)]


@pytest.mark.parametrize(
    ("amount", "complaint"),
    [
        (eur(701), "amount: OUT_OF_RANGE"),
        (eur(10**15), "amount: OUT_OF_RANGE"),
        (eur(0), "amount: OUT_OF_RANGE"),
        (eur(-1), "amount: OUT_OF_RANGE"),
        (Money(minor=700, currency="USD"), "amount: INVALID"),
        (Money(minor=700, currency="EURO"), "amount: INVALID"),
    ],
)
async def test_more_than_is_left_or_other_money_changes_nothing(world: World, amount: Money, complaint: str) -> None:
    promotion = await world.promotion(codes=1, budget=eur(1000))
    done = redeemed(await redeem(world, code=await world.code(promotion, "ann"), discount=eur(1000)))
    rolled_back(await roll_back(world, done, 300))
    before = await money(world, promotion), await world.inventory(promotion)
    assert why(await roll_back(world, done, amount=amount)) == [complaint]
    assert (await money(world, promotion), await world.inventory(promotion)) == before
    assert len(await world.services.lookup.rollbacks_of(promotion.id, 1)) == 1
    assert rolled_back(await roll_back(world, done, 700)).is_whole


async def test_after_the_whole_nothing_is_left(world: World) -> None:
    promotion = await world.promotion(codes=1, budget=eur(1000))
    text = await world.code(promotion, "ann")
    done = redeemed(await redeem(world, code=text, discount=eur(500)))
    rolled_back(await roll_back(world, done))
    redeemed(await redeem(world, code=text, discount=eur(400)))
    for minor in (None, 1, 500, 501):
        refused = await roll_back(world, done, minor)
        assert (refused.refusals, refused.redemption) == (NOTHING_LEFT, done)
    assert await money(world, promotion) == (400, 0), "the use after it is not touched"
    assert why(await redeem(world, code=text, discount=eur(1))) == ["ALREADY_REDEEMED"]


@pytest.mark.parametrize("discount", [None, eur(0)], ids=["none said", "zero"])
async def test_what_took_nothing_off_is_undone_as_a_whole(world: World, discount: Money | None) -> None:
    promotion = await world.promotion(codes=1)
    text = await world.code(promotion, "ann")
    done = redeemed(await redeem(world, code=text, discount=discount))
    complaint = "amount: INVALID" if discount is None else "amount: OUT_OF_RANGE"
    assert why(await roll_back(world, done, 1)) == [complaint]
    whole = rolled_back(await roll_back(world, done))
    assert (whole.amount, whole.is_whole) == (discount, True)
    assert (await roll_back(world, done)).refusals == NOTHING_LEFT
    redeemed(await redeem(world, code=text))


async def test_redemptions_that_are_none(world: World) -> None:
    promotion = await world.promotion(codes=1)
    done = redeemed(await redeem(world, code=await world.code(promotion, "ann")))
    for promotion_id, number in ((promotion.id, 2), (promotion.id, 0), (promotion.id + 1, 1), (0, 1)):
        outcome = await world.services.redeeming.roll_back(RollbackRequest(promotion_id=promotion_id, number=number))
        assert why(outcome) == ["id: NOT_FOUND"]
    rolled_back(await roll_back(world, done))


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({"reason": "x" * 501}, "reason: OUT_OF_RANGE"),
        ({"reason": "\0"}, "reason: INVALID"),
        ({"idempotency_key": ""}, "idempotencyKey: REQUIRED"),
        ({"idempotency_key": "k" * 129}, "idempotencyKey: OUT_OF_RANGE"),
    ],
)
async def test_bad_input_names_its_field(world: World, more: dict[str, Any], complaint: str) -> None:
    promotion = await world.promotion(codes=1)
    done = redeemed(await redeem(world, code=await world.code(promotion, "ann")))
    assert why(await roll_back(world, done, **more)) == [complaint]
    assert (await world.inventory(promotion)).redemptions == 1
    rolled_back(await roll_back(world, done, reason="夏" * 500))


async def test_a_printed_code_goes_back_to_the_line(world: World) -> None:
    """Codes that were used without having been issued wait again: those that the line has passed, at its end."""
    promotion = await world.promotion(codes=4, code_kind=CodeKind.MULTIPLE)
    first = redeemed(await redeem(world, code="P1-00001"))
    third = redeemed(await redeem(world, code="P1-00003"))
    assert await world.code(promotion, "ann") == "P1-00002"
    assert places(await world.inventory(promotion)) == (1, 3, 0, 2, 2)
    rolled_back(await roll_back(world, first))  # the line has passed it
    rolled_back(await roll_back(world, third))  # the line has yet to come to it
    assert places(await world.inventory(promotion)) == (3, 1, 0, 0, 0)
    assert await world.verify() == []
    given = [await world.code(promotion, customer) for customer in ("bob", "cid", "dan")]
    assert sorted(given) == ["P1-00001", "P1-00003", "P1-00004"]
    assert why(await redeem(world, code="P1-00001")) == []
    assert [issued(await world.issue(promotion, "bob")).text] == given[:1]


async def test_a_printed_code_comes_and_goes(world: World) -> None:
    """Used, undone, used, undone: it waits in line once."""
    promotion = await world.promotion(codes=2, code_kind=CodeKind.MULTIPLE)
    await world.code(promotion, "ann")
    await world.code(promotion, "bob")
    other = await world.promotion(codes=2, code_kind=CodeKind.MULTIPLE)
    redeemed(await redeem(world, code="P2-00001"))
    await world.code(other, "ann")
    for _ in range(3):
        rolled_back(await roll_back(world, (await world.services.lookup.redemptions_of(other.id, 1))[0]))
        assert (await world.inventory(other)).available == 1
        redeemed(await redeem(world, code="P2-00001"))
        assert (await world.inventory(other)).available == 0
    rolled_back(await roll_back(world, (await world.services.lookup.redemptions_of(other.id, 1))[0]))
    assert await world.code(other, "bob") == "P2-00001"
    assert (await world.issue(other, "cid")).issuance is None
    assert places(await world.inventory(promotion)) == (0, 2, 0, 0, 0)


async def test_an_issued_code_stays_with_its_holder(world: World) -> None:
    promotion = await world.promotion(codes=2)
    text = await world.code(promotion, "ann")
    done = redeemed(await redeem(world, code=text))
    rolled_back(await roll_back(world, done))
    assert places(await world.inventory(promotion)) == (1, 1, 0, 0, 0)
    assert await world.code(promotion, "bob") == "P1-00002"
    made = await world.promotion(on_empty=OnEmpty.GENERATE)
    own = await world.code(made, "ann")
    rolled_back(await roll_back(world, redeemed(await redeem(world, code=own))))
    assert places(await world.inventory(made)) == (0, 1, 0, 0, 0)
    redeemed(await redeem(world, code=own))


async def test_some_uses_of_several(world: World) -> None:
    promotion = await world.promotion(codes=1, code_kind=CodeKind.MULTIPLE, uses_per_code=3, budget=eur(900))
    uses = [redeemed(await redeem(world, code="P1-00001", discount=eur(n))) for n in (100, 200, 300)]
    assert why(await redeem(world, code="P1-00001", discount=eur(1))) == ["ALREADY_REDEEMED"]
    rolled_back(await roll_back(world, uses[1]))
    assert places(await world.inventory(promotion)) == (0, 1, 0, 1, 2)
    assert await money(world, promotion) == (400, 0)
    assert (await validate(world, code="P1-00001", discount=eur(1))).uses_left == 1
    fourth = redeemed(await redeem(world, code="P1-00001", discount=eur(500)))
    for use in (uses[0], uses[2], fourth):
        assert (await world.inventory(promotion)).redeemed == 1
        rolled_back(await roll_back(world, use))
    assert places(await world.inventory(promotion)) == (1, 0, 0, 0, 0)
    assert await money(world, promotion) == (0, 0)


@pytest.mark.parametrize("is_issued", [False, True])
async def test_the_code_that_all_share(world: World, is_issued: bool) -> None:
    promotion = await world.promotion(shared="ALL", code_kind=CodeKind.SINGLE, uses_per_code=2)
    if is_issued:
        await world.code(promotion, "ann")
    uses = [redeemed(await redeem(world, code="ALL")) for _ in range(2)]
    assert why(await redeem(world, code="ALL")) == ["ALREADY_REDEEMED"]
    rolled_back(await roll_back(world, uses[0]))
    assert places(await world.inventory(promotion)) == (0, 1, 0, 1, 1)
    rolled_back(await roll_back(world, uses[1]))
    assert places(await world.inventory(promotion)) == ((0, 1) if is_issued else (1, 0)) + (0, 0, 0)
    redeemed(await redeem(world, code="ALL"))
    assert places(await world.inventory(promotion)) == (0, 1, 0, 1, 1)


async def test_a_fallback_is_outside_the_counts(world: World) -> None:
    promotion = await world.promotion(shared="FALL", on_empty=OnEmpty.FALLBACK, uses_per_customer=1)
    await world.code(promotion, "ann")
    done = redeemed(await redeem(world, code="FALL", customer="ann"))
    rolled_back(await roll_back(world, done))
    assert places(await world.inventory(promotion)) == (0, 0, 0, 0, 0)
    redeemed(await redeem(world, code="FALL", customer="ann"))


@pytest.mark.parametrize("is_issued", [False, True])
async def test_a_blocked_code_stays_blocked(world: World, is_issued: bool) -> None:
    promotion = await world.promotion(codes=3, code_kind=CodeKind.MULTIPLE)
    if is_issued:
        assert await world.code(promotion, "ann") == "P1-00001"
    done = redeemed(await redeem(world, code="P1-00001"))
    assert await world.code(promotion, "bob") == "P1-00002"
    await world.block("P1-00001")
    assert places(await world.inventory(promotion)) == (1, 1, 1, 1, 1)
    rolled_back(await roll_back(world, done))
    assert places(await world.inventory(promotion)) == (1, 1, 1, 0, 0)
    assert why(await redeem(world, code="P1-00001")) == ["CODE_BLOCKED"]
    assert await world.verify() == []
    await world.unblock("P1-00001")
    assert places(await world.inventory(promotion)) == ((1, 2) if is_issued else (2, 1)) + (0, 0, 0)
    given = [(await world.issue(promotion, customer)).issuance for customer in ("cid", "dan")]
    texts = sorted(one.text for one in given if one is not None)
    assert texts == (["P1-00003"] if is_issued else ["P1-00001", "P1-00003"])


async def test_a_blocked_shared_code(world: World) -> None:
    promotion = await world.promotion(shared="ALL", code_kind=CodeKind.SINGLE)
    done = redeemed(await redeem(world, code="ALL"))
    await world.block("ALL")
    rolled_back(await roll_back(world, done))
    assert places(await world.inventory(promotion)) == (0, 0, 1, 0, 0)
    await world.unblock("ALL")
    assert places(await world.inventory(promotion)) == (1, 0, 0, 0, 0)


async def test_a_customer_is_free_again(world: World) -> None:
    await world.promotion(codes=9, code_kind=CodeKind.MULTIPLE, uses_per_customer=2)
    uses = [redeemed(await redeem(world, code=f"P1-0000{n}", customer="ann", discount=eur(10))) for n in (1, 2)]
    stopped = await redeem(world, code="P1-00003", customer="ann")
    assert stopped.refusals == (refuse(RefusalCode.CUSTOMER_CAP_REACHED, uses=2, limit=2),)
    rolled_back(await roll_back(world, uses[0], 9))
    assert why(await redeem(world, code="P1-00003", customer="ann")) == ["CUSTOMER_CAP_REACHED"]
    rolled_back(await roll_back(world, uses[0], 1))
    redeemed(await redeem(world, code="P1-00003", customer="ann"))
    assert why(await redeem(world, code="P1-00004", customer="ann")) == ["CUSTOMER_CAP_REACHED"]


async def test_a_day_is_free_again_on_that_day_only(world: World) -> None:
    """On 1 November 2026 in Toronto, which has 25 hours."""
    world.clock.now = datetime(2026, 11, 1, 4, tzinfo=UTC)
    await world.promotion(
        codes=9,
        code_kind=CodeKind.MULTIPLE,
        uses_per_period=PeriodCap(uses=1, period=Period.DAY),
        window=Window(time_zone="America/Toronto"),
    )
    first = redeemed(await redeem(world, code="P1-00001", customer="ann"))
    world.clock.now = datetime(2026, 11, 2, 4, 59, 59, tzinfo=UTC)
    stopped = await redeem(world, code="P1-00002", customer="ann")
    assert why(stopped) == ["CUSTOMER_CAP_REACHED"]
    assert stopped.refusals[0].data["free_at"] == "2026-11-02T05:00:00+00:00"
    rolled_back(await roll_back(world, first))
    second = redeemed(await redeem(world, code="P1-00002", customer="ann"))
    world.clock.move(seconds=1)
    redeemed(await redeem(world, code="P1-00003", customer="ann"))
    rolled_back(await roll_back(world, second))
    assert why(await redeem(world, code="P1-00004", customer="ann")) == ["CUSTOMER_CAP_REACHED"], "that was yesterday's"


async def test_a_cap_is_free_again_and_the_promotion_stays_ended(world: World) -> None:
    promotion = await world.promotion(codes=3, redemption_cap=1)
    texts = [await world.code(promotion, customer) for customer in ("ann", "bob")]
    done = redeemed(await redeem(world, code=texts[0]))
    assert (await world.get(promotion)).stored_end_reason is EndReason.USE_CAP
    assert why(await redeem(world, code=texts[1])) == ["USE_CAP_REACHED"]
    rolled_back(await roll_back(world, done))
    ended = await world.get(promotion)
    assert (ended.stored_status, ended.stored_end_reason) == (PromotionStatus.ENDED, EndReason.USE_CAP)
    assert why_not_issued(await world.issue(promotion, "cid")) == "PROMOTION_INACTIVE"
    redeemed(await redeem(world, code=texts[1]))
    assert why(await redeem(world, code=texts[0])) == ["USE_CAP_REACHED"]


@pytest.mark.parametrize("act", ["end", "stop", "archive"])
async def test_what_a_promotion_that_is_over_gave_can_be_undone(world: World, act: str) -> None:
    promotion = await world.promotion(codes=1, budget=eur(1000))
    text = await world.code(promotion, "ann")
    done = redeemed(await redeem(world, code=text, discount=eur(500)))
    await world.services.promoting.end(promotion.id, stop_redeeming=act == "stop")
    if act == "archive":
        await world.services.promoting.archive(promotion.id)
    rolled_back(await roll_back(world, done, 200))
    assert rolled_back(await roll_back(world, done)).is_whole
    assert await money(world, promotion) == (0, 0)
    outcome = await redeem(world, code=text, discount=eur(1))
    assert why(outcome) == ([] if act == "end" else ["PROMOTION_INACTIVE"])


async def test_a_use_that_was_held_before(world: World) -> None:
    promotion = await world.promotion(codes=1, budget=eur(1000))
    text = await world.code(promotion, "ann")
    first = held(await hold(world, text, discount=eur(600)))
    done = redeemed(await redeem(world, hold=first.token))
    rolled_back(await roll_back(world, done, 100))
    assert await money(world, promotion) == (500, 0)
    rolled_back(await roll_back(world, done))
    assert why(await redeem(world, hold=first.token)) == ["HOLD_OVER"], "the use is back, the hold is not"
    second = held(await hold(world, text, discount=eur(1000)))
    assert await money(world, promotion) == (0, 1000)
    assert (await roll_back(world, done)).refusals == NOTHING_LEFT
    assert redeemed(await redeem(world, hold=second.token)).discount == eur(1000)


async def test_a_hold_beside_it_stays(world: World) -> None:
    promotion = await world.promotion(codes=1, code_kind=CodeKind.MULTIPLE, uses_per_code=2, budget=eur(1000))
    done = redeemed(await redeem(world, code="P1-00001", discount=eur(400)))
    open_ = held(await hold(world, "P1-00001", discount=eur(600)))
    rolled_back(await roll_back(world, done))
    assert await money(world, promotion) == (0, 600)
    assert places(await world.inventory(promotion)) == (1, 0, 0, 0, 0)
    assert (await world.inventory(promotion)).held == 1
    assert redeemed(await redeem(world, hold=open_.token)).discount == eur(600)
    assert places(await world.inventory(promotion)) == (0, 1, 0, 1, 1)


async def test_without_a_code(world: World) -> None:
    await set_up_types(world.services)
    promotion = await world.promotion(
        code_required=False, reward=percent(20), budget=eur(2000), redemption_cap=2, uses_per_customer=1
    )
    asked: dict[str, Any] = {"promotion": promotion.terms.handle, "cart": cart(5000)}
    done = redeemed(await redeem(world, customer="ann", **asked))
    assert done.discount == eur(1000)
    rolled_back(await roll_back(world, done, 400))
    assert why(await redeem(world, customer="ann", **asked)) == ["CUSTOMER_CAP_REACHED"]
    assert await money(world, promotion) == (600, 0)
    rolled_back(await roll_back(world, done))
    redeemed(await redeem(world, customer="ann", **asked))
    assert await money(world, promotion) == (1000, 0)
    assert (await world.inventory(promotion)).redemptions == 1


async def test_without_a_budget_money_is_not_counted_but_remembered(world: World) -> None:
    """In whatever currency the shop reported; a budget that comes later counts what is left of it."""
    promotion = await world.promotion(codes=3)
    texts = [await world.code(promotion, f"c{n}") for n in range(3)]
    yen = redeemed(await redeem(world, code=texts[0], discount=Money(minor=500, currency="JPY")))
    euros = redeemed(await redeem(world, code=texts[1], discount=eur(500)))
    rolled_back(await roll_back(world, euros, 123))
    assert why(await roll_back(world, yen, 100)) == ["amount: INVALID"]
    rolled_back(await roll_back(world, yen))
    await change(world, promotion, budget=eur(1000))
    assert await money(world, promotion) == (377, 0)
    rolled_back(await roll_back(world, euros, 77))
    assert await money(world, promotion) == (300, 0)
    assert (await roll_back(world, yen)).refusals == NOTHING_LEFT
    rolled_back(await roll_back(world, euros))
    assert await money(world, promotion) == (0, 0)


async def test_one_of_several_that_shared_a_cart(world: World) -> None:
    """Redeemed together, undone one by one: the others keep what they took."""
    await set_up_types(world.services)
    both = [
        await world.promotion(codes=1, reward=percent(whole), combinable=True, priority=priority, budget=eur(5000))
        for whole, priority in ((20, 1), (10, 0))
    ]
    texts = [await world.code(promotion, "ann") for promotion in both]
    outcomes = await redeem_together(world, *(RedeemRequest(code=text, cart=cart(5000)) for text in texts))
    first, second = map(redeemed, outcomes)
    assert (first.discount, second.discount) == (eur(1000), eur(400))
    rolled_back(await roll_back(world, first))
    assert [await money(world, promotion) for promotion in both] == [(0, 0), (400, 0)]


async def test_a_key_is_answered_alike(world: World) -> None:
    promotion = await world.promotion(codes=1, budget=eur(1000))
    done = redeemed(await redeem(world, code=await world.code(promotion, "ann"), discount=eur(1000)))
    first = await roll_back(world, done, 300, reason="r", idempotency_key="k-1")
    world.clock.move(hours=1)
    rolled_back(await roll_back(world, done, 100, idempotency_key="k-2"))
    for _ in range(2):
        again = await roll_back(world, done, 300, reason="r", idempotency_key="k-1")
        assert (again.rollback, again.redemption, again.replayed) == (rolled_back(first), done, True)
    assert await money(world, promotion) == (600, 0)
    for other in ({"minor": 301, "reason": "r"}, {"minor": 300}, {"minor": None, "reason": "r"}):
        assert why(await roll_back(world, done, idempotency_key="k-1", **other)) == ["idempotencyKey: KEY_REUSED"]
    whole = rolled_back(await roll_back(world, done, idempotency_key="k-3"))
    assert (whole.part, whole.is_whole, whole.amount) == (3, True, eur(600))
    late = await roll_back(world, done, 300, reason="r", idempotency_key="k-1")
    assert (late.rollback, late.replayed) == (first.rollback, True)
    assert rolled_back(await roll_back(world, done, idempotency_key="k-3")) == whole


@pytest.mark.parametrize("minor", [None, 300], ids=["the whole", "a part"])
async def test_a_key_at_the_same_moment_undoes_once(world: World, minor: int | None) -> None:
    promotion = await world.promotion(codes=1, budget=eur(1000))
    done = redeemed(await redeem(world, code=await world.code(promotion, "ann"), discount=eur(1000)))
    outcomes = await asyncio.gather(*(roll_back(world, done, minor, idempotency_key="k-1") for _ in range(8)))
    assert {rolled_back(outcome) for outcome in outcomes} == {outcomes[0].rollback}
    assert [outcome.replayed for outcome in outcomes].count(False) == 1
    assert await money(world, promotion) == (0 if minor is None else 700, 0)


async def test_a_key_for_two_redemptions_at_the_same_moment(world: World) -> None:
    """Of two promotions, which no lock keeps apart: the first has the key, and the other is told so."""
    for turn in range(5):
        uses = []
        for _ in range(2):
            promotion = await world.promotion(codes=1)
            uses.append(redeemed(await redeem(world, code=await world.code(promotion, "ann"), discount=eur(500))))
        outcomes = await asyncio.gather(*(roll_back(world, uses[n % 2], idempotency_key=f"k-{turn}") for n in range(6)))
        undone = {one.redemption.promotion_id for one in outcomes if one.rollback and one.redemption}
        assert len(undone) == 1
        assert sorted(why(one) for one in outcomes) == [[]] * 3 + [["idempotencyKey: KEY_REUSED"]] * 3
        found = [(await world.services.lobby.inventories([use.promotion_id]))[use.promotion_id] for use in uses]
        assert sorted(each.redemptions for each in found) == [0, 1]


async def test_parts_at_the_same_moment_are_never_more_than_there_was(world: World) -> None:
    promotion = await world.promotion(codes=1, budget=eur(1000))
    done = redeemed(await redeem(world, code=await world.code(promotion, "ann"), discount=eur(1000)))
    outcomes = await asyncio.gather(*(roll_back(world, done, 300) for _ in range(8)))
    assert sorted(why(outcome) for outcome in outcomes) == [[]] * 3 + [["amount: OUT_OF_RANGE"]] * 5
    assert await money(world, promotion) == (100, 0)
    whole = await asyncio.gather(*(roll_back(world, done) for _ in range(8)))
    assert sorted(why(outcome) for outcome in whole) == [[]] + [["NOTHING_LEFT"]] * 7
    assert await money(world, promotion) == (0, 0)


async def test_a_part_of_what_lapsing_holds_stand_beside(world: World) -> None:
    """Undoing says nothing of holds, and leaves their money to them until their time is over."""
    promotion = await world.promotion(codes=2, budget=eur(1000))
    texts = [await world.code(promotion, f"c{n}") for n in range(2)]
    done = redeemed(await redeem(world, code=texts[0], discount=eur(500)))
    held(await hold(world, texts[1], discount=eur(500), ttl=timedelta(seconds=5)))
    rolled_back(await roll_back(world, done, 200))
    assert await money(world, promotion) == (300, 500)
    world.clock.move(seconds=5)
    rolled_back(await roll_back(world, done, 100))
    assert await money(world, promotion) == (200, 0)


def why_not_issued(outcome: Any) -> str:
    assert outcome.problem is not None
    return str(outcome.problem.code)
