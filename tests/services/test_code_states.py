"""Codes that are void, and codes with an expiry of their own: issued, held, redeemed, counted, listed."""

from datetime import timedelta

import pytest

from promograph.domain.codes.states import CodeState
from promograph.domain.issuing import IssueRequest
from promograph.domain.promotions import CodeKind, OnEmpty, Promotion
from promograph.domain.redeeming import HoldRequest, RedeemRequest
from promograph.domain.stock.changes import CodeChange
from promograph.domain.stock.selections import CodeSelection
from promograph.domain.windows import Window
from promograph.store.listing import Slice

from .world import World, issued, why

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


async def numbers(world: World, promotion: Promotion) -> tuple[int, int, int, int]:
    """Available, issued, blocked, void; `total` is their sum."""
    found = await world.inventory(promotion)
    assert found.total == found.available + found.issued + found.blocked + found.void
    return found.available, found.issued, found.blocked, found.void


async def in_state(world: World, promotion: Promotion, state: CodeState, *, backward: bool = False) -> list[str]:
    """Page by page, so that each page begins where the one before ended."""
    texts: list[str] = []
    part = Slice(count=2, backward=backward)
    while True:
        selection = CodeSelection(promotion=await world.get(promotion), states=frozenset({state}))
        page = await world.services.stocking.codes(selection, part)
        found = [code.text for _, code in page.rows]
        assert all(code.state(world.clock.now) is state for _, code in page.rows)
        texts = found + texts if backward else texts + found
        if not (page.has_previous if backward else page.has_next):
            return texts
        part = Slice(count=2, start=page.rows[0 if backward else -1][0], backward=backward)


async def test_a_void_code_is_passed_over_and_never_works(world: World) -> None:
    promotion = await world.promotion(codes=["A", "B", "C"])
    assert await world.void("A") == 1
    assert await world.void("A") == 0
    assert await world.code(promotion, "ann") == "B"
    assert await world.void("B") == 1
    assert why(await world.redeem("B", "ann")) == ["CODE_VOID"]
    assert why(await world.validate("B", "ann")) == ["CODE_VOID"]
    assert why(await world.reissue(promotion, "ann")) == ["CODE_VOID"]
    assert await world.unblock("A") == 0
    assert await world.block("A") == 0
    assert await numbers(world, promotion) == (1, 0, 0, 2)
    assert await world.code(promotion, "cy") == "C"
    assert why(await world.issue(promotion, "dee")) == ["POOL_EMPTY"]


async def test_a_blocked_code_may_become_void_and_a_used_one_too(world: World) -> None:
    promotion = await world.promotion(codes=["A", "B"], code_kind=CodeKind.MULTIPLE)
    await world.redeem("B")
    await world.block("A")
    assert await world.void("A", "B") == 2
    assert await numbers(world, promotion) == (0, 0, 0, 2)
    assert (await world.inventory(promotion)).redeemed == 1


async def test_a_void_single_code_is_refused_and_so_is_a_void_fallback(world: World) -> None:
    single = await world.promotion(shared="SAVE", code_kind=CodeKind.SINGLE, uses_per_code=None)
    falling = await world.promotion(codes=0, shared="FALL", on_empty=OnEmpty.FALLBACK)
    await world.void("SAVE", "FALL")
    assert why(await world.issue(single, "ann")) == ["CODE_VOID"]
    assert why(await world.issue(falling, "ann")) == ["POOL_EMPTY"]
    assert await numbers(world, single) == (0, 0, 0, 1)
    assert await numbers(world, falling) == (0, 0, 0, 0)


async def test_making_a_held_code_void_ends_what_the_hold_promised(world: World) -> None:
    await world.promotion(codes=["A"], code_kind=CodeKind.MULTIPLE)
    held = await world.services.redeeming.hold(HoldRequest(code="A", ttl=HOUR))
    assert held.hold is not None
    await world.void("A")
    outcome = await world.services.redeeming.redeem(RedeemRequest(hold=held.hold.token))
    assert why(outcome) == ["CODE_VOID"]


async def test_the_earliest_expiry_counts(world: World) -> None:
    now = world.clock.now
    window = Window(ends_at=now + 4 * HOUR)
    promotion = await world.promotion(codes=["A", "B", "C"], valid_for=3 * HOUR, window=window)
    await world.set_expiry("A", at=now + 2 * HOUR)
    await world.set_expiry("B", at=now + 9 * HOUR)
    assert issued(await world.issue(promotion, "ann")).expires_at == now + 2 * HOUR
    assert issued(await world.issue(promotion, "bob")).expires_at == now + 3 * HOUR
    world.clock.move(hours=2)
    assert why(await world.redeem("A", "ann")) == ["EXPIRED"]
    assert why(await world.validate("A", "ann")) == ["EXPIRED"]
    assert issued(await world.issue(promotion, "ann")).expires_at == now + 2 * HOUR  # the same occasion again
    assert why(await world.reissue(promotion, "ann")) == ["EXPIRED"]
    assert issued(await world.issue(promotion, "cy")).expires_at == now + 4 * HOUR
    assert why(await world.redeem("B", "bob")) == []


async def test_codes_that_expired_in_the_pool_are_passed_over_and_counted(world: World) -> None:
    promotion = await world.promotion(codes=[f"C{n}" for n in range(1, 9)], on_empty=OnEmpty.FALLBACK, shared="FALL")
    await world.set_expiry("C1", "C3", "C4", "C5", "C8", at=world.clock.now + HOUR)
    assert await world.block("C4") == 1
    world.clock.move(hours=1)
    assert await numbers(world, promotion) == (7, 0, 1, 0)
    assert await world.code(promotion, "ann") == "C2"
    assert await numbers(world, promotion) == (5, 1, 1, 1)
    requests = [IssueRequest(promotion=promotion.terms.handle, customer=name) for name in ("bob", "cy", "dee")]
    outcomes = await world.services.issuing.issue_many(requests)
    assert [issued(outcome).text for outcome in outcomes] == ["C6", "C7", "FALL"]
    assert await numbers(world, promotion) == (0, 3, 1, 4)
    assert (await world.inventory(promotion)).fallback_active
    # What was blocked meanwhile waits again once it is let go, and the line finds that it has expired.
    await world.unblock("C4")
    assert await numbers(world, promotion) == (1, 3, 0, 4)
    assert issued(await world.issue(promotion, "eve")).text == "FALL"
    assert await numbers(world, promotion) == (0, 3, 0, 5)
    # One that the line has found expired can be stopped like any other.
    assert await world.block("C1") == 1
    assert await world.void("C3", "C1") == 2
    assert await numbers(world, promotion) == (0, 3, 0, 5)


async def test_thousands_that_expired_are_passed_in_one_go(world: World) -> None:
    texts = [f"C{n}" for n in range(1, 1_502)]
    promotion = await world.promotion(codes=texts)
    await world.set_expiry(*texts[:-1], at=world.clock.now)
    assert await world.code(promotion, "ann") == "C1501"
    assert await numbers(world, promotion) == (0, 1, 0, 1_500)


async def test_a_promised_use_of_a_code_that_expired_in_line_is_counted_right(world: World) -> None:
    """Held while it was good; the line finds it expired; the hold is redeemed all the same, and rolled back."""
    promotion = await world.promotion(codes=["A", "B"], code_kind=CodeKind.MULTIPLE)
    await world.set_expiry("A", at=world.clock.now + HOUR)
    held = await world.services.redeeming.hold(HoldRequest(code="A", ttl=2 * HOUR))
    assert held.hold is not None
    world.clock.move(hours=1)
    assert await world.code(promotion, "ann") == "B"
    assert await numbers(world, promotion) == (0, 1, 0, 1)
    outcome = await world.services.redeeming.redeem(RedeemRequest(hold=held.hold.token))
    assert why(outcome) == []
    assert await numbers(world, promotion) == (0, 2, 0, 0)


async def test_each_state_has_its_codes_forward_and_backward(world: World) -> None:
    texts = [f"C{n:02}" for n in range(1, 21)]
    promotion = await world.promotion(codes=texts, valid_for=5 * HOUR)
    await world.issue_all(promotion, ["ann", "bob", "cy"])
    await world.set_expiry("C17", "C18", "C19", at=world.clock.now + HOUR)
    world.clock.move(hours=4)
    await world.issue_all(promotion, ["dee", "eve", "flo", "gus", "hal"])
    await world.redeem("C04", "dee")
    await world.redeem("C05", "eve")
    await world.void("C06", "C09", "C10")
    await world.block("C11", "C12", "C02", "C13")
    await world.issue(promotion, "ida")
    await world.unblock("C11")
    world.clock.move(hours=1)
    expected = {
        CodeState.VOID: ["C06", "C09", "C10"],
        CodeState.BLOCKED: ["C02", "C12", "C13"],
        CodeState.REDEEMED: ["C04", "C05"],
        CodeState.EXPIRED: ["C01", "C03", "C17", "C18", "C19"],
        CodeState.ISSUED: ["C07", "C08", "C14"],
        CodeState.AVAILABLE: ["C11", "C15", "C16", "C20"],
    }
    for state, found in expected.items():
        assert await in_state(world, promotion, state) == found, state
        assert await in_state(world, promotion, state, backward=True) == found, state


async def test_an_ended_window_makes_every_code_that_nobody_used_expired(world: World) -> None:
    promotion = await world.promotion(codes=["A", "B"], window=Window(ends_at=world.clock.now + HOUR))
    await world.code(promotion, "ann")
    world.clock.move(hours=1)
    assert await in_state(world, promotion, CodeState.EXPIRED) == ["A", "B"]
    assert await in_state(world, promotion, CodeState.ISSUED) == []
    assert await in_state(world, promotion, CodeState.AVAILABLE) == []


async def test_the_history_of_a_code_tells_who_stopped_it(world: World) -> None:
    promotion = await world.promotion(codes=["A"])
    await world.block("A")
    world.clock.move(hours=1)
    await world.void("A")
    code = await world.services.lookup.code("a")
    assert code is not None
    assert code.state(world.clock.now) is CodeState.VOID
    events = await world.services.lookup.history(promotion.id, code.seq)
    assert [event.kind for event in events] == ["VOIDED", "BLOCKED", "ADDED"]


def test_a_change_that_changes_nothing_is_known_as_such() -> None:
    for change in CodeChange:
        assert not change.changes(blocked=False, void=True)
    assert CodeChange.BLOCK.changes(blocked=False, void=False)
    assert not CodeChange.BLOCK.changes(blocked=True, void=False)
    assert CodeChange.UNBLOCK.changes(blocked=True, void=False)
    assert not CodeChange.UNBLOCK.changes(blocked=False, void=False)
    assert CodeChange.VOID.changes(blocked=True, void=False)
