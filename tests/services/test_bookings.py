"""Codes set aside for a send: nobody else gets them, the send does, the rest goes back; exactly, under any race."""

import asyncio
from typing import Any

import pytest

from promograph.domain.issuing import IssueRequest
from promograph.domain.promotions import CodeKind, IssuePolicy, OnEmpty, Promotion
from promograph.domain.sending.bookings import Booking
from promograph.errors import BadInput, InputProblem
from promograph.services.bookings import NewBooking

from .world import World, issued, why

pytestmark = pytest.mark.anyio


async def book(world: World, promotion: Promotion, send: str, codes: int, **more: Any) -> Booking:
    new = NewBooking(promotion=promotion.terms.handle, send=send, codes=codes)
    return await world.services.bookings.create(new, **more)


async def numbers(world: World, promotion: Promotion) -> tuple[int, int, int]:
    found = await world.inventory(promotion)
    assert found.total == found.available + found.booked + found.issued + found.blocked
    return found.available, found.booked, found.issued


async def test_booked_codes_are_for_their_send(world: World) -> None:
    promotion = await world.promotion(codes=5, on_empty=OnEmpty.REFUSE)
    booking = await book(world, promotion, "autumn", 3)
    assert await numbers(world, promotion) == (2, 3, 0)
    others = await world.issue_all(promotion, ["a", "b", "c"])
    assert [why(one) for one in others] == [[], [], ["POOL_EMPTY"]]
    assert why(await world.issue(promotion, "d", send="spring")) == ["POOL_EMPTY"]
    texts = {issued(await world.issue(promotion, who, send="autumn")).text for who in ("e", "f")}
    assert len(texts) == 2
    assert await numbers(world, promotion) == (0, 1, 4)
    again = await world.issue(promotion, "e", send="autumn")
    assert again.replayed
    released = await world.services.bookings.release(booking.id)
    assert (released.codes, released.remaining, released.released_at) == (3, 1, world.clock.now)
    assert await world.services.bookings.release(booking.id) == released
    assert await numbers(world, promotion) == (1, 0, 4)
    assert why(await world.issue(promotion, "g")) == []


async def test_one_batch_gives_each_what_is_theirs_in_their_order(world: World) -> None:
    promotion = await world.promotion(codes=4, on_empty=OnEmpty.REFUSE, issue_policy=IssuePolicy.PER_SEND)
    await book(world, promotion, "mine", 2)
    asked = [("a", "x"), ("b", "mine"), ("c", "x"), ("d", "x"), ("e", "mine"), ("f", "mine")]
    requests = [IssueRequest(promotion=promotion.terms.handle, customer=who, send=send) for who, send in asked]
    outcomes = await world.services.issuing.issue_many(requests)
    # Two for the booking, two that are free to the first who ask.
    assert [why(one) for one in outcomes] == [[], [], [], ["POOL_EMPTY"], [], ["POOL_EMPTY"]]
    assert await numbers(world, promotion) == (0, 0, 4)


async def test_a_send_that_needs_more_than_it_booked_takes_what_is_free(world: World) -> None:
    promotion = await world.promotion(codes=5, on_empty=OnEmpty.REFUSE)
    await book(world, promotion, "big", 2)
    await book(world, promotion, "small", 1)
    outcomes = await world.issue_all(promotion, [f"c{n}" for n in range(6)], send="big")
    assert [why(one) for one in outcomes] == [[], [], [], [], ["POOL_EMPTY"], ["POOL_EMPTY"]]
    assert await numbers(world, promotion) == (0, 1, 4)


@pytest.mark.parametrize("on_empty", [OnEmpty.GENERATE, OnEmpty.FALLBACK])
async def test_others_get_what_the_promotion_gives_when_its_pool_is_empty(world: World, on_empty: OnEmpty) -> None:
    shared = "FALL" if on_empty is OnEmpty.FALLBACK else None
    promotion = await world.promotion(codes=["OWN-1", "OWN-2"], shared=shared, on_empty=on_empty)
    await book(world, promotion, "s", 2)
    assert (await world.inventory(promotion)).fallback_active is (shared is not None)
    assert not (await world.code(promotion, "other")).startswith("OWN")
    assert {await world.code(promotion, who, send="s") for who in ("a", "b")} == {"OWN-1", "OWN-2"}


async def test_large_calls_draw_too(world: World) -> None:
    promotion = await world.promotion(codes=700, on_empty=OnEmpty.REFUSE)
    await book(world, promotion, "big", 600)
    assert sum(not why(one) for one in await world.issue_all(promotion, [f"o{n}" for n in range(600)])) == 100
    outcomes = await world.issue_all(promotion, [f"c{n}" for n in range(600)], send="big")
    assert not any(why(one) for one in outcomes)
    assert await numbers(world, promotion) == (0, 0, 700)


async def test_blocking_does_not_ask_bookings(world: World) -> None:
    promotion = await world.promotion(codes=["B-1", "B-2", "B-3"], on_empty=OnEmpty.REFUSE)
    booking = await book(world, promotion, "s", 3)
    await world.block("B-1", "B-2")
    assert await numbers(world, promotion) == (0, 1, 0)
    assert why(await world.issue(promotion, "other")) == ["POOL_EMPTY"]
    outcomes = await world.issue_all(promotion, ["a", "b"], send="s")
    assert [why(one) for one in outcomes] == [[], ["POOL_EMPTY"]]
    await world.unblock("B-1")
    assert await numbers(world, promotion) == (0, 1, 1)
    assert (await world.services.bookings.release(booking.id)).remaining == 2
    assert await numbers(world, promotion) == (1, 0, 1)


async def test_more_than_is_free_cannot_be_booked(world: World) -> None:
    promotion = await world.promotion(codes=5, on_empty=OnEmpty.REFUSE)
    await book(world, promotion, "one", 3)
    with pytest.raises(BadInput, match="2 codes of this promotion are free, 1 too few") as refused:
        await book(world, promotion, "two", 3)
    assert (refused.value.problem, refused.value.field) == (InputProblem.OUT_OF_RANGE, ("codes",))
    with pytest.raises(BadInput, match="3 codes of this promotion booked already"):
        await book(world, promotion, "one", 1)
    for bad, field in (({"codes": 0}, "codes"), ({"send": " "}, "send"), ({"promotion": "nowhere"}, "promotion")):
        values: dict[str, Any] = {"promotion": promotion.terms.handle, "send": "x", "codes": 1, **bad}
        with pytest.raises(BadInput) as refused:
            await world.services.bookings.create(NewBooking(**values))
        assert refused.value.field == (field,)
    single = await world.promotion(shared="SAVE", code_kind=CodeKind.SINGLE)
    with pytest.raises(BadInput, match="one code for everybody"):
        await book(world, single, "s", 1)
    await world.services.promoting.end(promotion.id, stop_redeeming=False)
    with pytest.raises(BadInput, match="ENDED"):
        await book(world, promotion, "late", 1)
    assert [one.send for one in await world.services.bookings.every_open(promotion.terms.handle)] == ["one"]


async def test_the_same_call_again_books_once(world: World) -> None:
    promotion = await world.promotion(codes=5, on_empty=OnEmpty.REFUSE)
    answers = await asyncio.gather(*(book(world, promotion, "s", 2, key="k") for _ in range(4)))
    assert len({one.id for one in answers}) == 1
    assert await numbers(world, promotion) == (3, 2, 0)
    with pytest.raises(BadInput):
        await book(world, promotion, "s", 3, key="k")


async def test_bookings_issues_and_releases_at_once_from_two_processes(world: World) -> None:
    """Whatever the order: nobody gets a code of another's booking, and none is given twice."""
    promotion = await world.promotion(codes=120, on_empty=OnEmpty.REFUSE)
    servers = [world.services, world.reopen()]
    handle = promotion.terms.handle

    async def send(n: int) -> int:
        server = servers[n % 2]
        got = [await world_issue(server, f"c{n}-{k}", f"s{n}") for k in range(20)]
        # What it booked it got, whoever else asked meanwhile.
        assert all(got[:15])
        await server.bookings.release(made[n].id)
        return sum(got)

    async def world_issue(server: Any, customer: str, key: str | None) -> bool:
        return not why(await server.issuing.issue(IssueRequest(promotion=handle, customer=customer, send=key)))

    async def passers_by(n: int) -> int:
        return sum([await world_issue(servers[n % 2], f"p{n}-{k}", None) for k in range(15)])

    asked = (NewBooking(promotion=handle, send=f"s{n}", codes=15) for n in range(6))
    made = await asyncio.gather(*(servers[n % 2].bookings.create(new) for n, new in enumerate(asked)))
    given = await asyncio.gather(*(send(n) for n in range(6)), *(passers_by(n) for n in range(4)))
    assert sum(given) <= 120
    assert await numbers(world, promotion) == (120 - sum(given), 0, sum(given))
