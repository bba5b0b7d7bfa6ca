"""Numbers told as they move: the first at once, the newest to those who are slow, nothing while nobody looks."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

import pytest

from promograph.domain.sending.sends import SendStatus
from promograph.errors import BadInput, InputProblem, StoreUnavailable
from promograph.services.polling import Poller

from .sendings import Post, counted
from .world import World

pytestmark = pytest.mark.anyio

T = TypeVar("T")


async def soon(stream: AsyncGenerator[T, None]) -> T:
    return await asyncio.wait_for(anext(stream), 300)


async def test_numbers_come_as_they_move_whoever_moves_them(world: World) -> None:
    promotion = await world.promotion(codes=5)
    elsewhere = world.reopen()
    async with (
        aclosing(world.services.watching.inventory(promotion.id)) as here,
        aclosing(elsewhere.watching.inventory(promotion.id)) as there,
    ):
        assert [(await soon(stream)).available for stream in (here, there)] == [5, 5]
        await world.code(promotion, "ann")
        assert [(await soon(stream)).available for stream in (here, there)] == [4, 4]


async def test_a_send_is_watched_to_its_end(world: World) -> None:
    post = Post(world)
    await world.promotion(handle="spring", codes=5)
    send = await post.send(await post.people(3), "spring")
    async with aclosing(world.services.watching.send(send.id)) as states:
        assert (await soon(states)).send.status is SendStatus.DRAFT
        await post.sent(send)
        seen = [state async for state in states]
    assert (seen[-1].send.status, counted(seen[-1])) == (SendStatus.DONE, {"ACCEPTED": 3})
    with pytest.raises(BadInput):
        await soon(world.services.watching.send(4711))


async def test_a_promotion_that_is_not_there(world: World) -> None:
    with pytest.raises(BadInput) as refused:
        await soon(world.services.watching.inventory(4711))
    assert (refused.value.problem, refused.value.field) == (InputProblem.NOT_FOUND, ("promotion",))


class Counter:
    """Something that moves by itself, and counts who looks."""

    def __init__(self) -> None:
        self.value = 0
        self.looks: list[list[str]] = []
        self.failure: Exception | None = None
        self.looked = asyncio.Condition()

    async def read(self, keys: list[str]) -> dict[str, int]:
        self.looks.append(keys)
        async with self.looked:
            self.looked.notify_all()
        if self.failure is not None:
            raise self.failure
        return dict.fromkeys(keys, self.value) if self.value >= 0 else {}


async def until(look: Counter, looks: int) -> None:
    """Let the poller look so often."""
    goal = len(look.looks) + looks
    async with look.looked:
        await look.looked.wait_for(lambda: len(look.looks) >= goal)


async def test_who_is_slow_gets_the_newest_and_nothing_twice() -> None:
    counter = Counter()
    poller = Poller(counter.read, every=0.001)
    async with aclosing(poller.watch("a")) as stream:
        assert await soon(stream) == 0
        for value in (1, 2, 3):
            counter.value = value
            await until(counter, 2)
        assert await soon(stream) == 3
        coming = asyncio.ensure_future(anext(stream))
        await until(counter, 3)
        assert not coming.done(), "nothing has moved"
        counter.value = 4
        assert await asyncio.wait_for(coming, 300) == 4


async def test_all_who_watch_share_one_look_and_without_them_there_is_none() -> None:
    counter = Counter()
    poller = Poller(counter.read, every=0.001)
    async with aclosing(poller.watch("a")) as one, aclosing(poller.watch("a")) as two, aclosing(poller.watch("b")) as b:
        for stream in (one, two, b):
            await soon(stream)
        await until(counter, 2)
        assert sorted(counter.looks[-1]) == ["a", "b"]
    looks = len(counter.looks)
    await asyncio.sleep(0.05)
    assert len(counter.looks) == looks


async def test_a_store_that_is_away_is_waited_for_and_a_fault_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("promograph.services.polling._AFTER_FAILURE", 0.001)
    counter = Counter()
    poller = Poller(counter.read, every=0.001)
    async with aclosing(poller.watch("a")) as stream:
        await soon(stream)
        counter.failure = StoreUnavailable("The store is away.")
        await until(counter, 2)
        counter.failure, counter.value = None, 1
        assert await soon(stream) == 1
        counter.failure = ZeroDivisionError("ours")
        with pytest.raises(ZeroDivisionError):
            await soon(stream)


async def test_what_is_gone_ends_the_stream() -> None:
    counter = Counter()
    async with aclosing(Poller(counter.read, every=0.001).watch("a")) as stream:
        assert await soon(stream) == 0
        counter.value = -1
        with pytest.raises(StopAsyncIteration):
            await soon(stream)


async def test_a_poller_that_is_closed_looks_no_more() -> None:
    counter = Counter()
    poller = Poller(counter.read, every=0.001)
    async with aclosing(poller.watch("a")) as stream:
        await soon(stream)
        await poller.close()
        looks = len(counter.looks)
        await asyncio.sleep(0.02)
        assert len(counter.looks) == looks
