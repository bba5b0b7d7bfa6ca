"""Promotions told to shops: everything once, whatever dies or fails in between, and kept in step afterwards."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from promograph.domain.jobs import Job, JobStatus
from promograph.domain.promotions import CodeKind, Promotion
from promograph.domain.rewards import Effect, External, Percentage, RewardType, Single
from promograph.domain.shops.pushes import PushState
from promograph.domain.stock.changes import CodeChange
from promograph.errors import BadInput, InputProblem
from promograph.services.app import Services
from promograph.services.jobs import runner as job_runner
from promograph.services.shops import Standing, asking, push_runs
from promograph.testing.fake_shop import FakeShop, FakeShopChannel

from .test_job_kills import Mortal
from .world import SetClock, World

pytestmark = pytest.mark.anyio

TENTH = Single(type="off", value=Percentage(basis_points=1_000))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever another process has is taken for dead at once, and a shop is asked again soon."""
    monkeypatch.setattr(job_runner, "_DEAD_SECONDS", -1.0)
    monkeypatch.setattr(asking, "_FIRST_PAUSE", timedelta(milliseconds=1))


@pytest.fixture
def shop() -> FakeShop:
    return FakeShop()


@pytest.fixture
async def selling(world: World, shop: FakeShop) -> AsyncIterator[World]:
    """A world with a shop in it."""
    connect(world.services, shop)
    await world.services.reward_types.create(RewardType(handle="off", name="Off", effect=Effect.PERCENTAGE))
    yield world


def connect(services: Services, *shops: FakeShop) -> None:
    services.connect({"fake-shops": FakeShopChannel({shop.name: shop for shop in shops})})


async def told(services: Services, promotion: Promotion, shop: FakeShop, **more: Any) -> Job:
    job = await services.shops.push(promotion.id, shop.name, **more)
    return await services.jobs.wait(job.id, 300)


async def standing(world: World, promotion: Promotion) -> Standing:
    (one,) = (await world.services.shops.standings([promotion.id]))[promotion.id]
    return one


async def followed(world: World) -> int:
    """Have the shops told of what has changed; how many jobs that took."""
    begun = await world.services.shop_following.look()
    await asyncio.gather(*world.services.runner._tasks.values())
    return begun


async def test_a_promotion_is_told_with_all_its_codes_once(selling: World, shop: FakeShop) -> None:
    promotion = await selling.promotion(codes=120, reward=TENTH)
    job = await told(selling.services, promotion, shop)
    assert (job.status, job.failed, job.report["put"]) == (JobStatus.DONE, 0, 120)
    assert job.done == job.total
    (offer,) = shop.offers.values()
    assert (offer.handle, offer.reward, offer.uses_per_code) == (promotion.terms.handle, TENTH, 1)
    assert sorted(shop.taken) == sorted(shop.codes) == [f"P1-{n:05}" for n in range(1, 121)]
    again = await told(selling.services, promotion, shop)
    assert (again.status, again.report["put"]) == (JobStatus.DONE, 0)
    assert len(shop.taken) == 120
    now = await standing(selling, promotion)
    assert (now.state, now.push.pushed, now.push.refused) == (PushState.IN_STEP, 120, 0)


async def test_what_changes_is_told_by_itself_and_nothing_else(selling: World, shop: FakeShop) -> None:
    services = selling.services
    promotion = await selling.promotion(codes=60, reward=TENTH)
    await told(services, promotion, shop)
    assert await followed(selling) == 0
    await services.changing.listed(["P1-00001", "P1-00002"], CodeChange.BLOCK)
    await services.changing.listed(["P1-00003"], CodeChange.VOID)
    await services.stocking.paste(promotion.id, "MORE-1\nMORE-2", channel=None)
    assert (await standing(selling, promotion)).state is PushState.BEHIND
    assert await followed(selling) == 1
    assert shop.codes.keys() == {*(f"P1-{n:05}" for n in range(4, 61)), "MORE-1", "MORE-2"}
    await services.changing.listed(["P1-00001"], CodeChange.UNBLOCK)
    await services.promoting.pause(promotion.id)
    assert await followed(selling) == 1
    assert "P1-00001" in shop.codes
    assert [offer.is_open for offer in shop.offers.values()] == [False]
    await services.promoting.activate(promotion.id)
    assert await followed(selling) == 1
    assert [offer.is_open for offer in shop.offers.values()] == [True]
    await services.promoting.end(promotion.id, stop_redeeming=True)
    assert await followed(selling) == 1
    assert [offer.is_open for offer in shop.offers.values()] == [False]
    assert len(shop.taken) == 60 + 2 + 1
    assert await followed(selling) == 0


async def test_a_batch_that_is_taken_back_leaves_the_shop_too(selling: World, shop: FakeShop) -> None:
    services = selling.services
    promotion = await selling.promotion(codes=5, reward=TENTH)
    added = await services.stocking.paste(promotion.id, "WRONG-1\nWRONG-2", channel=None)
    await told(services, promotion, shop)
    assert "WRONG-1" in shop.codes
    assert added.batch is not None
    job = await services.reverting.begin(services.jobs, added.batch.id)
    await services.jobs.wait(job.id, 300)
    assert await followed(selling) == 1
    assert sorted(shop.codes) == [f"P1-{n:05}" for n in range(1, 6)]


@pytest.mark.parametrize("offer_on_codes", [False, True])
async def test_a_changed_expiry_is_told_at_once(
    selling: World, shop: FakeShop, clock: SetClock, offer_on_codes: bool
) -> None:
    """A shop that keeps the offer with each code is told when that ends; another one, once it has ended."""
    shop.offer_on_codes = offer_on_codes
    services, soon = selling.services, clock.now + timedelta(days=1)
    promotion = await selling.promotion(codes=5, reward=TENTH)
    added = await services.stocking.paste(promotion.id, "LATER-1\nLATER-2", channel=None)
    assert added.batch is not None
    await told(services, promotion, shop)
    puts: list[str] = []
    shop.before = puts.append
    assert await services.changing.expire(added.batch.id, soon) == 2
    assert await followed(selling) == 1
    assert puts == ["put"] * offer_on_codes
    assert len(shop.codes) == 7
    assert [shop.expiries["LATER-1"], shop.expiries["P1-00001"]] == [soon if offer_on_codes else None, None]
    assert await followed(selling) == 0
    clock.move(days=2)
    assert await followed(selling) == 1, "its day has come"
    assert sorted(shop.codes) == [f"P1-{n:05}" for n in range(1, 6)]
    assert await services.changing.expire(added.batch.id, None) == 2
    assert await followed(selling) == 1
    assert "LATER-1" in shop.codes and shop.expiries["LATER-1"] is None
    assert await followed(selling) == 0


async def test_the_offer_on_each_code_is_told_with_every_code(selling: World, shop: FakeShop) -> None:
    shop.offer_on_codes = True
    promotion = await selling.promotion(codes=70, reward=TENTH)
    await told(selling.services, promotion, shop)
    await selling.services.promoting.pause(promotion.id)
    await selling.services.stocking.paste(promotion.id, "LATER-1", channel=None)
    puts: list[str] = []
    shop.before = puts.append
    assert await followed(selling) == 1
    assert puts == ["change", "put", "put"]
    assert "LATER-1" not in shop.codes, "nothing new comes to a shop while the promotion rests"
    await selling.services.promoting.activate(promotion.id)
    assert await followed(selling) == 1
    assert "LATER-1" in shop.codes
    assert len(shop.taken) == 71


async def test_faults_are_waited_out_and_lost_answers_looked_up(selling: World, shop: FakeShop) -> None:
    shop.faults = ["lost", "busy", "lost", "broken", "busy", "lost", "lost"]
    promotion = await selling.promotion(codes=180, reward=TENTH)
    job = await told(selling.services, promotion, shop)
    assert (job.status, job.report["put"]) == (JobStatus.DONE, 180)
    assert len(shop.taken) == len(shop.codes) == 180
    await selling.services.changing.listed(["P1-00001", "P1-00099"], CodeChange.BLOCK)
    shop.faults = ["lost", "busy"]
    assert await followed(selling) == 1
    assert len(shop.codes) == 178


async def test_what_the_shop_will_not_take_is_reported_row_by_row(selling: World, shop: FakeShop) -> None:
    services = selling.services
    shop.refused = {"P1-00001", "P1-00007"}
    promotion = await selling.promotion(codes=10, reward=TENTH)
    job = await told(services, promotion, shop)
    assert (job.status, job.failed, job.report["put"]) == (JobStatus.DONE, 2, 8)
    download = await services.exporting.download(job)
    assert download is not None
    content = b"".join([part async for part in services.job_files.parts(download.file.id)]).decode("utf-8-sig")
    head, *lines = content.split("\r\n")
    assert head == "code,what,why"
    assert lines == [f"{code},NOT_TAKEN,It does not like this code." for code in sorted(shop.refused)] + [""]
    assert (await standing(selling, promotion)).push.refused == 2
    shop.refused = {"P1-00007"}
    assert await followed(selling) == 0
    assert (await told(services, promotion, shop)).failed == 1
    assert (await standing(selling, promotion)).push.refused == 1


async def test_a_shop_that_turns_us_down_fails_the_job_and_says_why(
    selling: World, shop: FakeShop, clock: SetClock
) -> None:
    shop.refusal = "Its currency is another one."
    promotion = await selling.promotion(codes=3, reward=TENTH)
    job = await told(selling.services, promotion, shop)
    assert (job.status, str(job.error)) == (JobStatus.FAILED, "The fake shop: Its currency is another one.")
    now = await standing(selling, promotion)
    assert (now.state, now.push.error) == (PushState.FAILED, "The fake shop: Its currency is another one.")
    assert await followed(selling) == 0
    shop.refusal = None
    clock.move(hours=2)
    assert await followed(selling) == 1
    assert (await standing(selling, promotion)).state is PushState.IN_STEP
    assert len(shop.codes) == 3


async def test_an_offer_that_was_deleted_there_is_made_again(selling: World, shop: FakeShop) -> None:
    promotion = await selling.promotion(codes=8, reward=TENTH)
    await told(selling.services, promotion, shop)
    shop.offers.clear()
    shop.codes.clear()
    await selling.services.stocking.paste(promotion.id, "NEW-1", channel=None)
    assert await followed(selling) == 1
    assert len(shop.codes) == 9
    assert (await standing(selling, promotion)).push.pushed == 9


async def test_what_a_shop_cannot_keep_is_told_to_none(selling: World, shop: FakeShop) -> None:
    services = selling.services
    external = await selling.promotion(codes=1, reward=External())
    draft = await selling.promotion(codes=1, reward=TENTH, active=False)
    held = await selling.promotion(codes=1, reward=TENTH, holder_only=True)
    unspeakable = await selling.promotion(codes=1, reward=TENTH, name="Unspeakable")
    for promotion, part in ((external, "reward"), (draft, "draft"), (held, "holderOnly"), (unspeakable, "no words")):
        with pytest.raises(BadInput, match=part) as refused:
            await services.shops.push(promotion.id, shop.name)
        assert refused.value.problem is InputProblem.STATE
    with pytest.raises(BadInput, match="there are: fake-shop"):
        await services.shops.push(external.id, "another")
    assert shop.taken == []


async def test_a_shared_code_works_as_often_as_its_promotion(selling: World, shop: FakeShop) -> None:
    promotion = await selling.promotion(
        shared="SAVE10", code_kind=CodeKind.SINGLE, uses_per_code=None, redemption_cap=500, reward=TENTH
    )
    job = await told(selling.services, promotion, shop)
    assert job.report["put"] == 1
    (offer,) = shop.offers.values()
    assert offer.uses_per_code == 500
    assert list(shop.codes) == ["SAVE10"]


async def test_one_job_at_a_time_tells_a_shop_of_a_promotion(selling: World, shop: FakeShop) -> None:
    promotion = await selling.promotion(codes=3, reward=TENTH)
    other = selling.reopen()
    connect(other, shop)
    answers = await asyncio.gather(
        *(each.shops.push(promotion.id, shop.name) for each in (selling.services, other)), return_exceptions=True
    )
    jobs = [answer for answer in answers if isinstance(answer, Job)]
    if len(jobs) == 1:
        (busy,) = [answer for answer in answers if isinstance(answer, BadInput)]
        assert busy.problem is InputProblem.BUSY
    for job in jobs:
        assert (await selling.services.jobs.wait(job.id, 300)).status is JobStatus.DONE
    assert len(shop.taken) == 3


async def test_a_push_survives_a_kill_at_any_instant(
    selling: World, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server dies at each of its writes, now before and now after it; another one goes on with the same shop."""
    monkeypatch.setattr(push_runs, "_LOOKED_AT", 20)
    for dies_at in range(2, 40):
        shop = FakeShop(codes_at_once=10, offer_on_codes=dies_at // 2 % 2 == 1)
        promotion = await selling.promotion(codes=25, reward=TENTH)
        database = Mortal(selling.store, dies_at, after=dies_at % 2 == 1)
        services = database.services = Services(database, clock)
        connect(services, shop)
        job = await services.shops.push(promotion.id, shop.name)
        await asyncio.gather(*services.runner._tasks.values(), return_exceptions=True)
        other = selling.reopen()
        connect(other, shop)
        await other.runner.look()
        done = await other.jobs.wait(job.id, 300)
        assert (done.status, done.failed) == (JobStatus.DONE, 0)
        assert len(shop.taken) == len(shop.codes) == 25
        await services.close()
        if database.writes < dies_at:
            assert dies_at > 8, "there were too few transactions to say anything"
            return
