"""What channels are told: kept once, worked on whatever crashes, handed to whom it concerns."""

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from sqlalchemy import Connection
from sqlalchemy.util import await_

from promograph import (
    BadSignature,
    Capability,
    DeliveryEventKind,
    Desk,
    Happening,
    HappeningKind,
    IssueRequest,
    ProviderEvent,
    ProviderRequest,
    RedeemRequest,
    RollbackRequest,
)
from promograph.domain.promotions import CodeKind
from promograph.domain.sending.deliveries import DeliveryState
from promograph.services.app import Services
from promograph.store import inbound
from promograph.store.statements import driver_of
from promograph.testing.fake_channel import FakeChannel, FakeProvider

from .world import World

pytestmark = pytest.mark.anyio


@dataclass
class Shop:
    """An order channel: each event's raw says which code was used in which order."""

    name: str = "shop"
    title: str = "Shop"
    description: str = "Orders, for tests."
    can: frozenset[Capability] = frozenset({Capability.RECEIVE_ORDERS})
    handled: list[list[str]] = field(default_factory=list)
    poison: set[str] = field(default_factory=set)
    called: asyncio.Event = field(default_factory=asyncio.Event)
    crash_after: bool = False

    def receive(self, request: ProviderRequest) -> Sequence[ProviderEvent]:
        raise BadSignature

    async def handle(self, events: Sequence[ProviderEvent], desk: Desk) -> None:
        self.handled.append([event.id for event in events])
        self.called.set()
        if self.poison & {event.id for event in events}:
            raise ValueError("poison")
        outcomes = await desk.report_redemptions(
            [
                RedeemRequest(code=event.raw["code"], order=event.id, idempotency_key=f"shop:{event.id}")
                for event in events
            ]
        )
        assert all(outcome.redemption for outcome in outcomes)
        if self.crash_after:
            raise RuntimeError("crashed after the work and before its end was noted")


def order(id_: str, code: str) -> ProviderEvent:
    return ProviderEvent(id=id_, kind=DeliveryEventKind.ORDER, raw={"code": code})


def said(id_: str, kind: DeliveryEventKind, key: str | None = "send-1.1") -> ProviderEvent:
    return ProviderEvent(id=id_, kind=kind, key=key, raw={"word": kind.value})


async def test_what_is_said_again_is_kept_once(services: Services) -> None:
    fake = FakeChannel()
    services.inbound.connect({"fake": fake})
    request = FakeProvider().says("send-1.1", "DELIVERED")
    assert [await services.inbound.receive(fake, request) for _ in range(3)] == [1, 0, 0]
    both = [said("a", DeliveryEventKind.SENT), said("a", DeliveryEventKind.SENT), said("b", DeliveryEventKind.SENT)]
    assert await services.inbound.keep("fake", both) == 2
    assert await services.inbound.keep("other", both) == 2
    assert await services.inbound.work() == 5
    assert await services.inbound.work() == 0


async def test_many_at_once_say_the_same(world: World) -> None:
    another = world.reopen()
    events = [said(f"id-{n}", DeliveryEventKind.DELIVERED, f"send-1.{n}") for n in range(50)]
    backwards = list(reversed(events))
    counts = await asyncio.gather(
        *(each.inbound.keep("fake", said) for each in (world.services, another) for said in (events, backwards) * 5)
    )
    assert sum(counts) == 50


async def test_the_state_of_a_message_is_that_of_all_that_was_said_in_any_order(services: Services) -> None:
    kinds = DeliveryEventKind
    await services.inbound.keep("fake", [said("1", kinds.DELIVERED, "a"), said("2", kinds.SENT, "a")])
    await services.inbound.keep("fake", [said("3", kinds.BOUNCED, "b"), said("4", kinds.SENT, "b")])
    await services.inbound.keep("fake", [said("5", kinds.BOUNCED, "c"), said("6", kinds.OPENED, "c")])
    await services.inbound.keep("fake", [said("7", kinds.DEFERRED, "d"), said("8", kinds.UNKNOWN, None)])
    states = await services.inbound.states("fake", ["a", "b", "c", "d", "nobody"])
    wanted = [DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.DELIVERED]
    assert list(states.values()) == [*wanted, DeliveryState.PENDING, DeliveryState.PENDING]
    assert set((await services.inbound.states("other", ["a"])).values()) == {DeliveryState.PENDING}


async def test_what_was_kept_before_a_crash_is_worked_on_after_it(world: World) -> None:
    promotion = await world.promotion(codes=["ONE", "TWO"], code_kind=CodeKind.MULTIPLE)
    await world.services.inbound.keep("shop", [order("A-1", "ONE"), order("A-2", "TWO")])
    after = world.reopen()
    shop = Shop()
    after.inbound.connect({"shop": shop})
    assert await after.inbound.work() == 2
    assert (await world.inventory(promotion)).redeemed == 2
    assert shop.handled == [["A-1", "A-2"]]


async def test_work_that_was_done_and_not_noted_comes_again_and_counts_once(world: World) -> None:
    promotion = await world.promotion(codes=["ONE"], code_kind=CodeKind.MULTIPLE)
    shop = Shop(crash_after=True)
    world.services.inbound.connect({"shop": shop})
    await world.services.inbound.keep("shop", [order("A-1", "ONE")])
    await world.services.inbound.work()
    shop.crash_after = False
    assert await world.services.inbound.work() == 0
    world.clock.move(seconds=3)
    assert await world.services.inbound.work() == 1
    assert (await world.inventory(promotion)).redeemed == 1


async def test_one_that_is_poisoned_hurts_itself_alone_and_comes_less_and_less_often(world: World) -> None:
    promotion = await world.promotion(codes=["ONE", "TWO", "THREE"], code_kind=CodeKind.MULTIPLE)
    shop = Shop(poison={"A-2"})
    inbound = world.services.inbound
    inbound.connect({"shop": shop})
    await inbound.keep("shop", [order("A-1", "ONE"), order("A-2", "TWO"), order("A-3", "THREE")])
    await inbound.work()
    assert (await world.inventory(promotion)).redeemed == 2
    pauses = []
    for _ in range(5):
        waited = 0
        while not await inbound.work():
            world.clock.move(seconds=1)
            waited += 1
        pauses.append(waited)
    assert pauses == [2, 4, 8, 16, 32]
    shop.poison.clear()
    world.clock.move(hours=1)
    await inbound.work()
    assert (await world.inventory(promotion)).redeemed == 3


async def test_a_channel_that_is_not_there_keeps_its_events(world: World) -> None:
    await world.promotion(codes=["ONE"], code_kind=CodeKind.MULTIPLE)
    await world.services.inbound.keep("shop", [order("A-1", "ONE")])
    await world.services.inbound.work()
    shop = Shop()
    world.services.inbound.connect({"shop": shop})
    world.clock.move(hours=1)
    assert await world.services.inbound.work() == 1
    assert shop.handled == [["A-1"]]


async def test_two_processes_share_the_work(world: World) -> None:
    another = world.reopen()
    shops = [Shop(), Shop()]
    await world.promotion(codes=[f"CODE-{n}" for n in range(700)], code_kind=CodeKind.MULTIPLE)
    await world.services.inbound.keep("shop", [order(f"A-{n}", f"CODE-{n}") for n in range(700)])
    for each, shop in zip((world.services, another), shops, strict=True):
        each.inbound.connect({"shop": shop})
    await asyncio.gather(world.services.inbound.work(), another.inbound.work())
    handled = [id_ for shop in shops for batch in shop.handled for id_ in batch]
    assert len(handled) == len(set(handled)) == 700


async def test_who_sends_is_told_what_became_of_its_messages(world: World) -> None:
    settled: list[Mapping[str, DeliveryState]] = []
    is_away = True

    async def settle(channel: str, states: Mapping[str, DeliveryState]) -> None:
        if is_away:
            raise RuntimeError("not now")
        settled.append(states)

    inbound = world.services.inbound
    inbound.settle_with(settle)
    heard: list[Happening] = []
    world.services.telling.listen(heard.extend)
    await inbound.keep("fake", [said("1", DeliveryEventKind.BOUNCED), said("2", DeliveryEventKind.SENT, "send-1.2")])
    await inbound.work()
    assert not settled
    is_away = False
    world.clock.move(seconds=2)
    await inbound.work()
    await world.services.telling.told()
    together = {key: state for states in settled for key, state in states.items()}
    assert together == {"send-1.1": DeliveryState.FAILED, "send-1.2": DeliveryState.PENDING}
    assert [(each.kind, each.message) for each in heard] == [(HappeningKind.MESSAGE_BOUNCED, "send-1.1")]


async def test_other_peoples_text_is_kept_whatever_it_is(services: Services) -> None:
    event = ProviderEvent(
        id="x" * 500 + "\0",
        kind=DeliveryEventKind.UNKNOWN,
        key="\ud800k",
        recipient="\0" + "r" * 500,
        why="w" * 5000,
        raw={"\0": "\ud800", "n": 10**30, "t": (1, 2)},
    )
    assert await services.inbound.keep("fake", [event]) == 1
    assert await services.inbound.keep("fake", [event]) == 0
    assert await services.inbound.work() == 1


async def test_a_desk_gives_repeats_redeems_and_reports_under_the_channels_name(world: World) -> None:
    promotion = await world.promotion(codes=3)
    desk = world.services.desk("shop")
    handle = promotion.terms.handle
    requests = [IssueRequest(promotion=handle, customer=f"c{n}") for n in range(2)]
    first = [outcome.issuance for outcome in await desk.request_codes(requests)]
    again = [outcome.issuance for outcome in await desk.repeat_codes(requests)]
    assert first[0] is not None and again[0] is not None
    assert [one.text for one in first if one] == [one.text for one in again if one]
    assert first[0].channel == "shop"
    redeemed = await desk.report_redemptions([RedeemRequest(code=first[0].text, customer="c0")])
    assert redeemed[0].redemption is not None
    assert redeemed[0].redemption.channel == "shop"
    use = redeemed[0].redemption
    undo = RollbackRequest(promotion_id=use.promotion_id, number=use.number, idempotency_key="shop:refund-1")
    gone = RollbackRequest(promotion_id=use.promotion_id, number=99)
    for _ in range(2):
        undone, again, missing = await desk.report_rollbacks([undo, undo, gone])
        assert undone.rollback is not None and undone.rollback.is_whole
        assert (again.rollback, missing.problem is not None) == (undone.rollback, True)
    assert (await world.inventory(promotion)).redemptions == 0
    await desk.report_delivery([said("1", DeliveryEventKind.DELIVERED)])
    assert await world.services.inbound.states("shop", ["send-1.1"]) == {"send-1.1": DeliveryState.DELIVERED}


async def test_what_was_told_long_ago_is_dropped(world: World) -> None:
    inbound = world.services.inbound
    assert await inbound.prune() == 0  # nobody said for how long it is kept
    inbound.keep_for(timedelta(days=30))
    await inbound.keep("fake", [said(f"old-{n}", DeliveryEventKind.SENT) for n in range(1_200)])
    await inbound.keep("shop", [order("A-1", "ONE")])  # which nobody has worked on
    await inbound.work()
    world.clock.move(days=20)
    await inbound.keep("fake", [said("new", DeliveryEventKind.DELIVERED)])
    await inbound.work()
    assert await inbound.prune() == 0
    world.clock.move(days=10, seconds=1)
    assert [await inbound.prune() for _ in range(3)] == [1_000, 200, 0]
    assert await inbound.states("fake", ["send-1.1"]) == {"send-1.1": DeliveryState.DELIVERED}
    assert await inbound.keep("fake", [said("new", DeliveryEventKind.DELIVERED)]) == 0
    assert await inbound.keep("shop", [order("A-1", "ONE")]) == 0


async def test_who_took_too_long_leaves_alone_what_another_has_done(world: World) -> None:
    await world.promotion(codes=["ONE"], code_kind=CodeKind.MULTIPLE)
    other = world.reopen()
    other.inbound.connect({"shop": Shop()})
    slow = Shop()
    handle = slow.handle

    async def too_late(events: Sequence[ProviderEvent], desk: Desk) -> None:
        world.clock.move(minutes=3)
        assert await other.inbound.work() == 1
        await handle(events, desk)
        raise RuntimeError("and then it failed")

    slow.handle = too_late  # type: ignore[method-assign]
    world.services.inbound.connect({"shop": slow})
    await world.services.inbound.keep("shop", [order("A-1", "ONE")])
    assert await world.services.inbound.work() == 1
    world.clock.move(days=1)
    assert await other.inbound.work() == 0


async def test_serving_goes_on_through_trouble(world: World) -> None:
    shop = Shop(poison={"A-1"})
    world.services.inbound.connect({"shop": shop})
    await world.promotion(codes=["ONE", "TWO"], code_kind=CodeKind.MULTIPLE)
    serving = asyncio.create_task(world.services.inbound.serve())
    await world.services.inbound.keep("shop", [order("A-1", "ONE")])
    await asyncio.wait_for(shop.called.wait(), 300)
    shop.called.clear()
    await world.services.inbound.keep("shop", [order("A-2", "TWO")])
    await asyncio.wait_for(shop.called.wait(), 300)
    serving.cancel()
    assert shop.handled == [["A-1"], ["A-2"]]
    await asyncio.wait([serving])


async def test_events_are_looked_up_by_their_ids_however_many_their_channel_has(world: World) -> None:
    """On PostgreSQL, whose planner has no statistics yet, and other indexes to choose from."""
    await world.services.inbound.keep("shop", [order(f"o-{n:04}", "X") for n in range(3_000)])

    def plans(connection: Connection) -> list[str]:
        driver = driver_of(connection)
        if isinstance(driver, sqlite3.Connection):
            return []
        texts = [
            statement._postgres.text_and_arguments([("shop", "o-0001", 0), ("shop", "o-0002", 0)], {"until": 1})
            for statement in (inbound._PUT_OFF, inbound._DONE)
        ]
        return [str(await_(driver.fetch(f"EXPLAIN {text}", *values))) for text, *values in texts]

    for plan in await world.services._database.write(plans):
        assert "inbound_event_pkey" in plan
