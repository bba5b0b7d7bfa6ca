"""Orders of shops: whatever is said of them twice, late or out of order, codes end where they belong."""

import asyncio
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from promograph import OrderCode, OrderCodeState, OrderLine, OrderNews, OrderRefund, OrderStanding, OrderState
from promograph.domain.orders.reports import OrderReport
from promograph.domain.promotions import CodeKind
from promograph.domain.windows import Window
from promograph.services.app import Services
from promograph.store.listing import Slice
from promograph.store.orders.finding import OrderQuery
from promograph.store.statements import Statement

from .till import eur, money, redeem, redeemed, roll_back, rolled_back
from .world import World

pytestmark = pytest.mark.anyio

SOLD, WAITING, CANCELLED = OrderState.SOLD, OrderState.WAITING, OrderState.CANCELLED
LATE = 12
_KEPT = Statement("SELECT o.* FROM shop_order o")


def news(
    world: World, order: str = "1001", state: OrderState | None = SOLD, *, at: int = 0, refunds: Any = (), **more: Any
) -> OrderNews:
    """Of an order of 100.00 with ONE, which took 10.00 off; `at` so many seconds from now."""
    standing: dict[str, Any] = {
        "codes": (OrderCode(code="one", discount=1000),),
        "currency": "EUR",
        "total": 10000,
        "name": f"#{order}",
    }
    return OrderNews(
        shop="shop",
        order=order,
        said_at=world.clock.now + timedelta(seconds=at),
        standing=None if state is None else OrderStanding(state=state, **(standing | more)),
        refunds=tuple(OrderRefund(id=id_, amount=amount) for id_, amount in refunds),
    )


async def report(world: World, *said: OrderNews) -> list[OrderReport | None]:
    return await world.services.desk("ecommerce").report_orders(said)


async def state(world: World, *said: OrderNews) -> list[str]:
    """Of the codes of the order that the last of the news is about."""
    *_, last = await report(world, *said)
    assert last is not None
    return [code.state.value for code in last.codes]


async def one(world: World, **terms: Any) -> Any:
    """A promotion with the code ONE, and a budget of 1000.00."""
    return await world.promotion(**({"codes": ["ONE"], "code_kind": CodeKind.MULTIPLE, "budget": eur(100_000)} | terms))


async def standing(world: World, promotion: Any) -> tuple[int, int]:
    """How many uses stand, and what they take of the budget."""
    return (await world.inventory(promotion)).redemptions, (await money(world, promotion))[0]


async def test_an_order_redeems_its_codes(world: World) -> None:
    promotion = await one(world)
    both = (OrderCode(code="one", discount=1000), OrderCode(code="SOMEBODY-ELSES", discount=500))
    (found,) = await report(world, news(world, codes=both, customer="ann"))
    assert found is not None
    assert (found.shop, found.order, found.name, found.customer) == ("shop", "1001", "#1001", "ann")
    (code,) = found.codes
    assert (code.key, code.state, code.redemption) == ("ONE", OrderCodeState.REDEEMED, 1)
    (use,) = await world.services.lookup.redemptions_of(promotion.id, code.seq)
    assert (use.order, use.customer, use.channel) == ("1001", "ann", "ecommerce")
    assert (use.order_amount, use.discount) == (eur(10000), eur(1000))


async def test_what_is_said_again_counts_once(world: World) -> None:
    promotion = await one(world, uses_per_code=9)
    said = [news(world), news(world), news(world, at=5)]
    for _ in range(3):
        assert await state(world, *said) == ["REDEEMED"]
    assert await standing(world, promotion) == (1, 1000)


async def test_of_orders_without_our_codes_no_more_is_kept_than_how_they_stand(world: World) -> None:
    await one(world)
    theirs = news(world, codes=(OrderCode(code="THEIRS"),), customer="ann")
    assert await report(world, theirs, news(world, "1002", codes=())) == [None, None]
    assert (await world.services.orders.page(OrderQuery(), Slice(count=9))).rows == []
    kept = await world.write(lambda connection: [str(tuple(row)) for row in _KEPT.fetch(connection)])
    assert len(kept) == 2
    assert not [row for row in kept if "ann" in row or "THEIRS" in row or "#1001" in row or '"total":10000' in row]
    world.services.orders.keep_for(timedelta(days=90))
    world.clock.move(days=80)
    await report(world, news(world, "1002", codes=()))
    await report(world, news(world, "1003"))
    world.clock.move(days=20)
    assert [await world.services.orders.prune() for _ in range(2)] == [1, 0]
    world.clock.move(days=99)
    assert await world.services.orders.prune() == 1
    ((_, left),) = (await world.services.orders.page(OrderQuery(), Slice(count=9))).rows
    assert left.order == "1003"


@pytest.mark.parametrize("turned", [False, True])
async def test_a_code_that_comes_to_an_order_late_is_redeemed(world: World, turned: bool) -> None:
    promotion = await one(world)
    said = [news(world, codes=()), news(world, state=None, refunds=[("r1", 3000)]), news(world, at=5)]
    for each in reversed(said) if turned else said:
        await report(world, each)
    assert await standing(world, promotion) == (1, 700)


@pytest.mark.parametrize("codes", [(), (OrderCode(code="THEIRS"),)])
@pytest.mark.parametrize("state", [SOLD, CANCELLED])
async def test_an_order_whose_last_word_names_no_code_of_ours_uses_none_though_it_is_heard_first(
    world: World, codes: Any, state: OrderState
) -> None:
    promotion = await one(world)
    assert await report(world, news(world, state=state, codes=codes, at=9)) == [None]
    await report(world, news(world))
    assert await standing(world, promotion) == (0, 0)


async def test_a_code_that_becomes_ours_later_counts_when_it_is_said_again(world: World) -> None:
    assert await report(world, news(world)) == [None]
    await one(world)
    assert await state(world, news(world)) == ["REDEEMED"]


@pytest.mark.parametrize("turned", [False, True])
async def test_a_cancelled_order_gives_all_back(world: World, turned: bool) -> None:
    promotion = await one(world)
    said = [news(world), news(world, state=CANCELLED, at=9)]
    for each in reversed(said) if turned else said:
        states = await state(world, each)
    assert states == ["UNUSED" if turned else "ROLLED_BACK"]
    assert await standing(world, promotion) == (0, 0)
    assert await state(world, news(world, "1002")) == ["REDEEMED"], "its code is free again"


async def test_an_unpaid_order_counts_when_it_is_paid(world: World) -> None:
    promotion = await one(world)
    assert await state(world, news(world, state=WAITING)) == ["WAITING"]
    assert await standing(world, promotion) == (0, 0)
    assert await state(world, news(world, at=1)) == ["REDEEMED"]
    assert await state(world, news(world, state=WAITING)) == ["REDEEMED"], "an older word than what we know"


async def test_a_cancelled_order_may_come_back(world: World) -> None:
    promotion = await one(world)
    for at, now in enumerate((SOLD, CANCELLED, SOLD, CANCELLED, SOLD)):
        await report(world, news(world, state=now, at=at))
    assert await standing(world, promotion) == (1, 1000)
    assert [use.number for use in await world.services.lookup.redemptions_of(promotion.id, 1)] == [3, 2, 1]


async def test_a_code_that_was_taken_off_the_order_is_free(world: World) -> None:
    promotion = await one(world)
    await report(world, news(world))
    assert await state(world, news(world, codes=(), at=1)) == ["ROLLED_BACK"]
    assert await standing(world, promotion) == (0, 0)


@pytest.mark.parametrize("turned", [False, True])
async def test_refunds_give_parts_back_up_to_the_whole(world: World, turned: bool) -> None:
    """333.33 of 10000 is 33.333 of 1000: sums are rounded, and not parts, whichever comes first."""
    promotion = await one(world)
    parts = [news(world, state=None, refunds=[(id_, 333)]) for id_ in ("r1", "r2", "r3")]
    said = [news(world), *parts]
    for each in [*reversed(said), *said] if turned else [*said, *said]:
        await report(world, each)
    assert await standing(world, promotion) == (1, 900)
    last = news(world, state=None, refunds=[("r4", 10000 - 999)])
    assert await state(world, last) == ["ROLLED_BACK"]
    assert await standing(world, promotion) == (0, 0)


async def test_a_refund_of_lines_gives_back_what_those_took_off(world: World) -> None:
    promotion = await one(world)
    lines = (
        OrderLine(id="a", sku="A", quantity=3, amount=3000, discounts={"one": 700}),
        OrderLine(id="b", sku="B", quantity=1, amount=7000, discounts={"one": 300}),
    )
    whole = news(world, lines=lines)
    await report(world, whole)
    for id_, back, left in (("r1", {"a": 1}, 767), ("r2", {"a": 1}, 533), ("r3", {"a": 1, "b": 1}, 0)):
        refund = OrderRefund(id=id_, amount=12, lines=back)
        await report(world, OrderNews(shop="shop", order="1001", said_at=whole.said_at, refunds=[refund]))
        assert (await money(world, promotion))[0] == left
    assert (await world.inventory(promotion)).redemptions == 0


async def test_what_staff_undid_is_not_undone_again(world: World) -> None:
    promotion = await one(world)
    await report(world, news(world))
    (use,) = await world.services.lookup.redemptions_of(promotion.id, 1)
    rolled_back(await roll_back(world, use, 250))
    await report(world, news(world, state=None, refunds=[("r1", 3000)]))
    assert await standing(world, promotion) == (1, 700)
    rolled_back(await roll_back(world, use))
    assert await state(world, news(world, at=5)) == ["REDEEMED"], "they will have had their reasons"
    assert await state(world, news(world, state=CANCELLED, at=6)) == ["ROLLED_BACK"]
    assert await standing(world, promotion) == (0, 0)


async def test_a_refusal_is_kept_and_mended_when_the_use_comes_free(world: World) -> None:
    """In whatever order we hear of it, the code was used in the order that was not cancelled."""
    promotion = await one(world)
    second = news(world, "1002", at=60)
    await report(world, news(world))
    (refused,) = await report(world, second)
    assert refused is not None
    assert [(code.state.value, code.objections[0].code) for code in refused.codes] == [("REFUSED", "ALREADY_REDEEMED")]
    (shown,) = (await world.services.orders.page(OrderQuery(code_state=OrderCodeState.REFUSED), Slice(count=9))).rows
    assert shown[1] == await world.services.orders.get(refused.id)
    await report(world, news(world, state=CANCELLED, at=30))
    mended = await world.services.orders.get(refused.id)
    assert mended is not None and mended.codes[0].state is OrderCodeState.REDEEMED
    assert await standing(world, promotion) == (1, 1000)


async def test_a_refusal_is_tried_again_by_itself_and_on_request(world: World) -> None:
    promotion = await one(world)
    await world.block("ONE")
    (refused,) = await report(world, news(world))
    assert refused is not None
    orders = world.services.orders
    assert await orders.retry_due() == 0
    world.clock.move(minutes=1)
    assert await orders.retry_due() == 1
    (again,) = await orders.retry([refused.id, 10**12])
    assert again.codes[0].objections[0].code == "CODE_BLOCKED"
    await world.unblock("ONE")
    world.clock.move(days=1)
    assert await orders.retry_due() == 1
    assert await standing(world, promotion) == (1, 1000)
    assert await orders.retry_due() == 0


async def test_a_refusal_waits_with_an_order_that_no_longer_counts(world: World) -> None:
    await one(world)
    await world.block("ONE")
    assert await state(world, news(world)) == ["REFUSED"]
    assert await state(world, news(world, state=WAITING, at=1)) == ["WAITING"]
    world.clock.move(days=1)
    assert await world.services.orders.retry_due() == 0
    await world.unblock("ONE")
    assert await state(world, news(world, at=2)) == ["REDEEMED"]


async def test_what_the_checkout_redeemed_already_is_that_use(world: World) -> None:
    promotion = await one(world)
    use = redeemed(await redeem(world, code="ONE", order="1001", discount=eur(1000)))
    (found,) = await report(world, news(world))
    assert found is not None and found.codes[0].redemption == use.number
    assert await state(world, news(world, state=CANCELLED, at=1)) == ["ROLLED_BACK"]
    assert await standing(world, promotion) == (0, 0)


async def test_what_a_clock_decides_is_decided_as_of_the_sale(world: World) -> None:
    promotion = await one(world, codes=["ONE", "TWO"], window=Window(ends_at=world.clock.now + timedelta(hours=1)))
    sold = world.clock.now
    world.clock.move(hours=2)
    (found,) = await report(world, news(world, sold_at=sold))
    assert found is not None and found.codes[0].state is OrderCodeState.REDEEMED
    (use,) = await world.services.lookup.redemptions_of(promotion.id, 1)
    assert (use.redeemed_at, use.reported_at) == (sold, world.clock.now)
    two = (OrderCode(code="TWO"),)
    assert await state(world, news(world, "1002", codes=two, sold_at=world.clock.now)) == ["REFUSED"]


async def test_what_is_odd_about_an_order_does_not_lose_it(world: World) -> None:
    promotion = await one(world, budget=None)
    odd: dict[str, Any] = {
        "customer": "\0" * 300,
        "name": "x" * 999,
        "currency": "XYZ",
        "lines": (OrderLine(id="", quantity=0, amount=-1, sku=""),),
    }
    assert await state(world, news(world, **odd)) == ["REDEEMED"]
    assert await report(world, news(world, order="")) == [None]
    assert (await world.inventory(promotion)).redemptions == 1


async def test_erasing_takes_the_customer_out_of_orders(world: World) -> None:
    await one(world)
    (found,) = await report(world, news(world, customer="ann"))
    assert found is not None
    await world.services.erasing.erase("ann")
    erased = await world.services.orders.get(found.id)
    assert erased is not None and erased.customer not in (None, "ann")


def story(random: Random, world: World, number: int) -> list[OrderNews]:
    """What happens to one order, in its order: mostly sold, some unpaid, refunded, cancelled."""
    code = f"C-{number // 2:04}"
    told: dict[str, Any] = {"codes": (OrderCode(code=code, discount=1000),)}
    # Of two orders with one code the first is cancelled before the second begins.
    start = 100 * (number % 2)
    events = [news(world, str(number), WAITING, at=start, **told), news(world, str(number), at=start + 1, **told)]
    if not number % 2:
        return [*events, news(world, str(number), CANCELLED, at=start + 2, **told)]
    for n in range(random.randrange(4)):
        events.append(news(world, str(number), None, refunds=[(f"r{n}", random.choice([100, 333, 2500, 9000]))]))
    return events


def late_story(world: World, number: int) -> list[OrderNews]:
    """An order that names a code of ours now and not then: it comes late, is taken off, is not told when cancelled."""
    order, codes = f"late-{number}", (OrderCode(code=f"L-{number:04}", discount=1000),)
    refund = news(world, order, None, refunds=[("r1", 2500)])
    if number % 3 == 0:
        return [news(world, order, codes=()), refund, news(world, order, at=5, codes=codes)]
    others = (OrderCode(code="THEIRS", discount=1000),) if number % 2 else ()
    last = SOLD if number % 3 == 1 else CANCELLED
    return [news(world, order, codes=codes), refund, news(world, order, last, at=5, codes=others)]


async def told(services: Services, said: list[OrderNews]) -> None:
    while said:
        taken, said = said[:7], said[7:]
        await services.desk("ecommerce").report_orders(taken)


async def test_shuffled_and_repeated_it_ends_as_in_order_and_once(world: World) -> None:
    random = Random(7)
    orders = 60
    codes = [*(f"C-{n:04}" for n in range(orders // 2)), *(f"L-{n:04}" for n in range(LATE))]
    promotions = [
        await world.promotion(
            codes=[f"{prefix}{code}" for code in codes], code_kind=CodeKind.MULTIPLE, budget=eur(10**7)
        )
        for prefix in ("", "X")
    ]
    stories = [event for number in range(orders) for event in story(random, world, number)]
    stories += [event for number in range(LATE) for event in late_story(world, number)]
    straight = [replaced(event, "X") for event in stories]
    await told(world.services, straight)
    mixed = stories + random.sample(stories, len(stories) // 5)
    random.shuffle(mixed)
    another = world.reopen()
    await asyncio.gather(told(world.services, mixed[::2]), told(another, mixed[1::2]))
    world.clock.move(minutes=1)
    await world.services.orders.retry_due()
    ends = [await standing(world, promotion) for promotion in promotions]
    assert ends[0] == ends[1]
    assert 0 < ends[0][0] < len(codes)
    assert await left(world, promotions[0]) == await left(world, promotions[1])


def replaced(event: OrderNews, prefix: str) -> OrderNews:
    """The same of another shop, with codes of its own."""
    standing = event.standing
    if standing is not None:
        codes = tuple(OrderCode(code=f"{prefix}{code.code}", discount=code.discount) for code in standing.codes)
        standing = OrderStanding(state=standing.state, codes=codes, currency=standing.currency, total=standing.total)
    return OrderNews(shop="other", order=event.order, said_at=event.said_at, standing=standing, refunds=event.refunds)


async def left(world: World, promotion: Any) -> dict[str, tuple[int, int]]:
    """By order: how many uses of its codes stand, and how much of their discounts."""
    found: dict[str, tuple[int, int]] = {}
    for seq in range(1, 31 + LATE):
        for use in await world.services.lookup.redemptions_of(promotion.id, seq):
            rollbacks = await world.services.lookup.rollbacks_of(promotion.id, use.number)
            undone = sum(one.amount.minor for one in rollbacks if one.amount)
            if not any(one.is_whole for one in rollbacks):
                assert use.order and use.discount
                uses, minor = found.get(use.order, (0, 0))
                found[use.order] = uses + 1, minor + use.discount.minor - undone
    return found
