"""What a shop says was used, held against what was redeemed here: every difference is listed, and mended on request."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from promograph.domain.carts import Money
from promograph.domain.jobs import Job, JobStatus
from promograph.domain.orders.news import OrderCode, OrderNews, OrderStanding, OrderState
from promograph.domain.promotions import CodeKind, Promotion
from promograph.domain.redeeming import RedeemRequest
from promograph.domain.rewards import External
from promograph.domain.shops.differences import Difference
from promograph.errors import BadInput
from promograph.services.app import Services
from promograph.services.jobs import runner as job_runner
from promograph.services.shops import asking
from promograph.store.listing import Slice
from promograph.store.statements import Statement
from promograph.testing.fake_shop import FakeShop, FakeShopChannel

from .test_job_kills import Mortal
from .world import SetClock, World

pytestmark = pytest.mark.anyio

CHANNEL = "fake-shops"

_PUSHED = Statement("INSERT INTO shop_push (promotion_id, shop) VALUES (:promotion_id, :shop)")


@pytest.fixture
def shop() -> FakeShop:
    return FakeShop(orders_at_once=2)


@pytest.fixture
async def selling(world: World, shop: FakeShop, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(asking, "_FIRST_PAUSE", timedelta(milliseconds=1))
    world.services.connect({CHANNEL: FakeShopChannel({shop.name: shop})})
    yield world


def order(world: World, ref: str, code: str, *, discount: int = 500, state: OrderState = OrderState.SOLD) -> OrderNews:
    standing = OrderStanding(
        state=state, codes=(OrderCode(code=code, discount=discount),), currency="EUR", total=4_000, shipping=0
    )
    return OrderNews(shop="fake-shop", order=ref, said_at=world.clock.now, standing=standing)


async def sold(world: World, shop: FakeShop) -> Promotion:
    """Seven orders in the shop, of which some were told of as they are, some differently, some not at all."""
    codes = [f"CODE-{n}" for n in range(1, 9)]
    promotion = await world.promotion(codes=codes, code_kind=CodeKind.MULTIPLE, reward=External())
    await world.write(lambda connection: _PUSHED.run(connection, promotion_id=promotion.id, shop=shop.name))
    heard = [order(world, f"100{n}", f"CODE-{n}") for n in (1, 2, 3, 4, 8)]
    await world.services.orders.report(CHANNEL, heard)
    world.clock.move(minutes=5)
    shop.sold = [
        order(world, "1001", "code-1"),
        order(world, "1002", "CODE-2", discount=700),
        order(world, "1003", "CODE-3", state=OrderState.CANCELLED),
        order(world, "1004", "CODE-4"),
        order(world, "1005", "CODE-5"),
        order(world, "1006", "SOMEBODY-ELSES"),
        order(world, "1007", "CODE-7", state=OrderState.WAITING),
    ]
    world.clock.move(minutes=5)
    return promotion


async def reconciled(world: World, shop: FakeShop, **more: Any) -> tuple[Job, list[Difference]]:
    services = world.services
    since = world.clock.now - timedelta(hours=1)
    begun = await services.reconciling.begin(shop.name, since, **{"mend": False, **more})
    job = await services.jobs.wait(begun.id, 300)
    assert job.status is JobStatus.DONE, job.error
    page = await services.reconciling.page(job.id, Slice(count=100))
    return job, [one for _, one in page.rows]


async def test_every_difference_is_listed_and_nothing_else(selling: World, shop: FakeShop) -> None:
    await sold(selling, shop)
    job, found = await reconciled(selling, shop)
    euros = Money(minor=500, currency="EUR")
    assert {(one.kind.value, one.order, one.code) for one in found} == {
        ("NOT_REDEEMED_HERE", "1005", "CODE-5"),
        ("CANCELLED_THERE", "1003", "CODE-3"),
        ("OTHER_AMOUNT", "1002", "CODE-2"),
        ("NOT_SOLD_THERE", "1008", "CODE-8"),
    }
    by_kind = {one.kind.value: one for one in found}
    assert (by_kind["OTHER_AMOUNT"].there, by_kind["OTHER_AMOUNT"].here) == (Money(minor=700, currency="EUR"), euros)
    assert (by_kind["NOT_SOLD_THERE"].here, by_kind["NOT_REDEEMED_HERE"].there) == (euros, euros)
    assert (job.done, job.failed, job.report["mended"]) == (7, 4, 0)
    download = await selling.services.exporting.download(job)
    assert download is not None
    content = b"".join([part async for part in selling.services.job_files.parts(download.file.id)])
    head, *lines = content.decode("utf-8-sig").splitlines()
    assert head == "what,order,code,there,here,currency,why,mended"
    assert "OTHER_AMOUNT,1002,CODE-2,7.00,5.00,EUR,,no" in lines
    assert len(lines) == 4


async def test_what_can_be_mended_is(selling: World, shop: FakeShop) -> None:
    promotion = await sold(selling, shop)
    assert (await selling.inventory(promotion)).redemptions == 5
    job, found = await reconciled(selling, shop, mend=True)
    assert {one.order for one in found if one.is_mended} == {"1003", "1005"}
    assert (job.failed, job.report["mended"]) == (2, 2)
    assert (await selling.inventory(promotion)).redemptions == 5  # one more, and one less
    again, left = await reconciled(selling, shop, mend=True)
    assert {one.order for one in left} == {"1002", "1008"}
    assert again.report["mended"] == 0
    # The shop tells of it at last: it is the same use.
    await selling.services.orders.report(CHANNEL, [order(selling, "1005", "CODE-5")])
    assert (await selling.inventory(promotion)).redemptions == 5


async def test_what_cannot_be_redeemed_is_listed_with_its_reason(selling: World, shop: FakeShop) -> None:
    promotion = await sold(selling, shop)
    await selling.services.promoting.end(promotion.id, stop_redeeming=True)
    shop.sold = [order(selling, "1005", "CODE-5")]
    _, found = await reconciled(selling, shop, mend=True)
    assert [one.order for one in found if one.kind.value == "NOT_REDEEMED_HERE"] == ["1005"]
    _, again = await reconciled(selling, shop)
    (one,) = [one for one in again if one.order == "1005"]
    assert not one.is_mended
    assert one.why


async def test_what_a_checkout_reported_itself_is_the_same_use(selling: World, shop: FakeShop) -> None:
    await sold(selling, shop)
    euros = Money(minor=500, currency="EUR")
    request = RedeemRequest(code="CODE-5", order="1005", channel=CHANNEL, discount=euros)
    assert (await selling.services.redeeming.redeem(request)).redemption is not None
    other = RedeemRequest(code="CODE-6", order="2006", channel=CHANNEL, discount=euros)
    assert (await selling.services.redeeming.redeem(other)).redemption is not None
    selling.clock.move(minutes=1)
    _, found = await reconciled(selling, shop)
    assert {one.order for one in found} == {"1002", "1003", "1008", "2006"}


async def test_a_shop_that_is_not_there_and_a_day_to_come_are_turned_down(
    selling: World, shop: FakeShop, clock: SetClock
) -> None:
    with pytest.raises(BadInput, match="there are: fake-shop"):
        await selling.services.reconciling.begin("another", clock.now, mend=False)
    with pytest.raises(BadInput, match="yet to come"):
        await selling.services.reconciling.begin(shop.name, clock.now + timedelta(days=1), mend=False)


async def test_an_order_that_is_read_twice_is_listed_as_it_was_last(selling: World, shop: FakeShop) -> None:
    await sold(selling, shop)
    changed = [order(selling, "1005", "CODE-5", state=OrderState.CANCELLED), order(selling, "1002", "CODE-2")]
    changed += [order(selling, "1004", "CODE-4", discount=900), order(selling, "1003", "CODE-3")]
    shop.sold += changed
    _, found = await reconciled(selling, shop)
    assert [(one.kind.value, one.order) for one in found] == [("OTHER_AMOUNT", "1004"), ("NOT_SOLD_THERE", "1008")]


async def test_mending_survives_a_kill_at_any_instant(
    selling: World, shop: FakeShop, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server dies at each of its writes, now before and now after it; another one lists and mends the same."""
    monkeypatch.setattr(job_runner, "_DEAD_SECONDS", -1.0)
    shop.orders_at_once = 4
    for dies_at in range(2, 40):
        codes = [f"{dies_at}-{n}" for n in range(8)]
        promotion = await selling.promotion(codes=codes, code_kind=CodeKind.MULTIPLE, reward=External())
        await selling.services.orders.report(CHANNEL, [order(selling, code, code) for code in codes[4:]])
        clock.move(minutes=1)
        gone = (OrderState.SOLD, OrderState.CANCELLED)
        shop.sold = [order(selling, code, code, state=gone[code in codes[4:6]]) for code in codes[:7]]
        database = Mortal(selling.store, dies_at, after=dies_at % 2 == 1)
        services = database.services = Services(database, clock)
        services.connect({CHANNEL: FakeShopChannel({shop.name: shop})})
        job = await services.reconciling.begin(shop.name, clock.now - timedelta(hours=1), mend=True)
        await asyncio.gather(*services.runner._tasks.values(), return_exceptions=True)
        other = selling.reopen()
        other.connect({CHANNEL: FakeShopChannel({shop.name: shop})})
        await other.runner.look()
        done = await other.jobs.wait(job.id, 300)
        rows = (await other.reconciling.page(job.id, Slice(count=100))).rows
        kinds = ["NOT_REDEEMED_HERE"] * 4 + ["CANCELLED_THERE"] * 2 + ["NOT_SOLD_THERE"]
        assert [(one.kind.value, one.order, one.is_mended) for _, one in rows] == [
            (kind, code, kind != "NOT_SOLD_THERE") for kind, code in zip(kinds, [*codes[:6], codes[7]], strict=True)
        ]
        assert (done.status, done.done, done.report["mended"], done.failed) == (JobStatus.DONE, 7, 6, 1)
        assert (await selling.inventory(promotion)).redemptions == 6
        await services.close()
        clock.move(days=3)
        if database.writes < dies_at:
            assert dies_at > 8, "there were too few transactions to say anything"
            return
