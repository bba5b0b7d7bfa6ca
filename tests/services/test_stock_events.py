"""Pools that run low, run dry and are filled again: told once each, in the transaction in which it comes about."""

import asyncio
from typing import Any

import pytest

from promograph.domain.events import EventKind
from promograph.domain.issuing import IssueRequest
from promograph.domain.promotions import CodeKind, OnEmpty, Promotion
from promograph.errors import BadInput
from promograph.services.promoting import Draft
from promograph.store.events import EventQuery
from promograph.store.listing import Slice

from .till import roll_back
from .world import World, why

pytestmark = pytest.mark.anyio

LOW, EMPTY, FALLBACK, REFILLED, *_ = EventKind


async def told(world: World, promotion: Promotion, **query: Any) -> list[tuple[EventKind, int]]:
    """Kind and codes left, the first first."""
    page = await world.services.happenings.page(EventQuery(promotion_id=promotion.id, **query), Slice(count=100))
    assert all(event.promotion_id == promotion.id for _, event in page.rows)
    return [(event.kind, event.data["available"]) for _, event in reversed(page.rows)]


async def change(world: World, promotion: Promotion, **terms: Any) -> Promotion:
    def changed(old: Any) -> tuple[Draft, bool]:
        return Draft(terms=type(old)(**{name: getattr(old, name) for name in old.__slots__} | terms)), True

    return await world.services.promoting.update(promotion.id, changed)


async def test_each_level_is_told_once(world: World) -> None:
    promotion = await world.promotion(codes=5, low_stock_threshold=2)
    await world.issue_all(promotion, ["a", "b"])
    assert await told(world, promotion) == []
    assert not (await world.inventory(promotion)).low_stock
    await world.code(promotion, "c")
    assert await told(world, promotion) == [(LOW, 2)]
    assert (await world.inventory(promotion)).low_stock
    await world.code(promotion, "d")
    await world.code(promotion, "e")
    assert why(await world.issue(promotion, "f")) == ["POOL_EMPTY"]
    assert why(await world.issue(promotion, "g")) == ["POOL_EMPTY"]
    assert await told(world, promotion) == [(LOW, 2), (EMPTY, 0)]
    await world.services.stocking.paste(promotion.id, "X-1\nX-2", channel=None)
    assert await told(world, promotion) == [(LOW, 2), (EMPTY, 0)], "two are not enough"
    await world.issue_all(promotion, ["f", "g"])
    await world.services.stocking.paste(promotion.id, "X-3\nX-4\nX-5", channel=None)
    assert await told(world, promotion) == [(LOW, 2), (EMPTY, 0), (REFILLED, 3)]
    await world.issue_all(promotion, ["h", "i", "j"])
    assert (await told(world, promotion))[3:] == [(LOW, 0), (EMPTY, 0)]
    assert await told(world, promotion, kinds=frozenset({LOW})) == [(LOW, 2), (LOW, 0)]
    assert await told(world, promotion, since=world.clock.now.replace(year=2030)) == []


async def test_without_a_threshold_only_emptiness_is_told_and_with_it_the_fallback(world: World) -> None:
    promotion = await world.promotion(codes=2, shared="ALL", on_empty=OnEmpty.FALLBACK)
    await world.issue_all(promotion, ["a", "b", "c", "d"])
    assert await told(world, promotion) == [(EMPTY, 0), (FALLBACK, 0)]
    assert (await world.inventory(promotion)).fallback_active
    await world.services.stocking.generate(promotion.id, 10, None, channel=None)
    assert (await told(world, promotion))[2:] == [(REFILLED, 10)]


@pytest.mark.parametrize("terms", [{"code_kind": CodeKind.SINGLE, "shared": "ONE"}, {"on_empty": OnEmpty.GENERATE}])
async def test_what_never_runs_out_is_silent(world: World, terms: dict[str, Any]) -> None:
    promotion = await world.promotion(low_stock_threshold=5, **terms)
    await world.issue_all(promotion, ["a", "b"])
    await change(world, promotion, name="Other")
    assert await told(world, promotion) == []
    numbers = await world.inventory(promotion)
    assert (numbers.low_stock, numbers.runs_out_at) == (False, None)


async def test_other_ways_in_and_out_of_a_pool_are_told_too(world: World) -> None:
    promotion = await world.promotion(codes=["P-1", "P-2"], code_kind=CodeKind.MULTIPLE)
    await world.block("P-1")
    redeemed = await world.redeem("P-2", order="o")
    assert await told(world, promotion) == [(EMPTY, 0)]
    await world.unblock("P-1")
    await world.block("P-1")
    assert (await told(world, promotion))[1:] == [(REFILLED, 1), (EMPTY, 0)]
    assert redeemed.redemption is not None
    await roll_back(world, redeemed.redemption)
    assert (await told(world, promotion))[3:] == [(REFILLED, 1)]


async def test_a_draft_is_told_of_when_it_is_activated_and_a_threshold_when_it_is_set(world: World) -> None:
    promotion = await world.promotion(codes=3, low_stock_threshold=5, active=False)
    await world.services.stocking.paste(promotion.id, "Y-1", channel=None)
    assert await told(world, promotion) == []
    await world.services.promoting.activate(promotion.id)
    assert await told(world, promotion) == [(LOW, 4)]
    await change(world, promotion, low_stock_threshold=3)
    await change(world, promotion, low_stock_threshold=4)
    assert (await told(world, promotion))[1:] == [(REFILLED, 4), (LOW, 4)]
    await change(world, promotion, low_stock_threshold=None)
    with pytest.raises(BadInput):
        await change(world, promotion, low_stock_threshold=0)


async def test_whoever_comes_at_once_each_crossing_is_told_once(world: World) -> None:
    promotion = await world.promotion(codes=60, low_stock_threshold=20)
    servers = [world.services, world.reopen(), world.reopen()]

    async def take(server: int) -> None:
        for n in range(25):
            request = IssueRequest(promotion=promotion.terms.handle, customer=f"c{server}-{n}")
            await servers[server].issuing.issue(request)

    await asyncio.gather(*(take(server) for server in range(3)))
    assert [kind for kind, _ in await told(world, promotion)] == [LOW, EMPTY]


async def test_what_is_undone_was_not_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    promotion = await world.promotion(codes=1)

    def fail(*_: object) -> None:
        raise RuntimeError("late")

    with monkeypatch.context() as patch:
        patch.setattr("promograph.store.stock.save", fail)
        with pytest.raises(RuntimeError):
            await world.issue(promotion, "ann")
    assert await told(world, promotion) == []
    await world.code(promotion, "ann")
    assert await told(world, promotion) == [(EMPTY, 0)]
