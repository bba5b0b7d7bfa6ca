"""Another code in the place of one that somebody has, and unseen codes back to their pools; each races a redemption."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from promograph.channels import Happening
from promograph.domain.carts import Money
from promograph.domain.codes import normalise
from promograph.domain.issuing import IssueOutcome
from promograph.domain.promotions import CodeKind, IssuePolicy, OnEmpty
from promograph.domain.redeeming import HoldRequest, RollbackRequest
from promograph.domain.stock.replacing import ReplaceRequest
from promograph.errors import BadInput
from promograph.services.app import Services
from promograph.services.replacing import MOST_AT_ONCE

from .world import World, issued, why

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


async def replace(world: World, *codes: str, key: str | None = None) -> list[IssueOutcome]:
    requests = [ReplaceRequest(code=code) for code in codes]
    return await world.services.replacing.replace(requests, operation="codesReplace", key=key)


async def history(world: World, text: str) -> list[tuple[str, str | None, str | None]]:
    """Kind, customer and the other code of each event, the latest first."""
    code = await world.services.lookup.code(text)
    assert code is not None
    events = await world.services.lookup.history(code.promotion_id, code.seq)
    return [(event.kind.value, event.customer, event.code) for event in events]


async def test_a_code_is_replaced_on_the_same_occasion_with_the_same_expiry(world: World) -> None:
    now = world.clock.now
    promotion = await world.promotion(codes=["A", "B", "C"], valid_for=3 * HOUR)
    await world.set_expiry("B", at=now + 90 * HOUR)
    await world.code(promotion, "ann", channel="email", send="s1")
    world.clock.move(hours=1)
    (outcome,) = await replace(world, "a")
    new = issued(outcome)
    assert (new.text, new.customer, new.channel, new.send) == ("B", "ann", "email", "s1")
    assert new.expires_at == now + 3 * HOUR
    assert why(await world.redeem("A", "ann")) == ["CODE_VOID"]
    assert await world.code(promotion, "ann") == "B"  # the occasion has its new code
    assert issued(await world.reissue(promotion, "ann")).text == "B"
    found = await world.inventory(promotion)
    assert (found.available, found.issued, found.void, found.customers) == (1, 1, 1, 1)
    assert [event[:1] + event[2:] for event in await history(world, "A")] == [
        ("REPLACED", "B"),
        ("ISSUED", None),
        ("ADDED", None),
    ]
    assert ("REPLACES", None, "A") in await history(world, "B")
    world.clock.move(hours=2)
    assert why(await world.redeem("B", "ann")) == ["EXPIRED"]


async def test_a_replacement_without_an_expiry_takes_none_from_the_pool(world: World) -> None:
    promotion = await world.promotion(codes=["A", "B"])
    await world.code(promotion, "ann")
    await world.set_expiry("B", at=world.clock.now + HOUR)
    assert issued((await replace(world, "A"))[0]).expires_at is None
    world.clock.move(hours=2)
    assert why(await world.redeem("B", "ann")) == []


async def test_what_cannot_be_replaced_is_refused_one_by_one(world: World) -> None:
    promotion = await world.promotion(codes=[f"A{n}" for n in range(1, 9)])
    await world.promotion(shared="SAVE", code_kind=CodeKind.SINGLE)
    await world.issue_all(promotion, ["ann", "bob", "cy", "dee", "eve"])
    await world.redeem("A1", "ann")
    await world.void("A2")
    await world.services.redeeming.hold(HoldRequest(code="A3", customer="cy", ttl=HOUR))
    await world.block("A4")
    outcomes = await replace(world, "A1", "A2", "A3", "A4", "A5", "A5", "A8", "SAVE", "NOPE")
    assert [why(outcome) for outcome in outcomes] == [
        ["ALREADY_REDEEMED"],
        ["CODE_VOID"],
        ["HELD_BY_OTHER"],
        [],
        [],
        ["CODE_VOID"],
        ["NOT_ISSUED"],
        ["CODE_SHARED"],
        ["NOT_FOUND"],
    ]
    assert issued(outcomes[3]).customer == "dee"
    found = await world.inventory(promotion)
    assert (found.available, found.issued, found.blocked, found.void) == (1, 4, 0, 3)
    with pytest.raises(BadInput, match="at most"):
        await replace(world, *["A1"] * (MOST_AT_ONCE + 1))


async def test_an_empty_pool_refuses_or_makes_codes(world: World) -> None:
    dry = await world.promotion(codes=["A"])
    await world.code(dry, "ann")
    assert why((await replace(world, "A"))[0]) == ["POOL_EMPTY"]
    assert why(await world.redeem("A", "ann")) == []
    making = await world.promotion(on_empty=OnEmpty.GENERATE)
    text = await world.code(making, "ann")
    new = issued((await replace(world, text))[0])
    assert new.text != text
    assert (await world.inventory(making)).total == 2


async def test_many_are_replaced_in_one_call_and_a_repeat_has_the_same_answer(world: World) -> None:
    promotion = await world.promotion(codes=1_300)
    outcomes = await world.issue_all(promotion, [f"c{n}" for n in range(600)])
    texts = [issued(outcome).text for outcome in outcomes]
    first = await replace(world, *texts, key="k")
    assert [issued(outcome).customer for outcome in first] == [f"c{n}" for n in range(600)]
    assert len({issued(outcome).text for outcome in first} | set(texts)) == 1_200
    again = await replace(world, *texts, key="k")
    assert [issued(outcome).text for outcome in again] == [issued(outcome).text for outcome in first]
    assert all(outcome.replayed for outcome in again)
    with pytest.raises(BadInput, match="another request"):
        await replace(world, "P1-00001", key="k")


async def give_back(services: Services, text: str, **more: Any) -> str | None:
    refusal = await services.replacing.give_back(text, **more)
    return None if refusal is None else refusal.code.value


async def test_an_unseen_code_goes_back_and_the_next_one_gets_it(world: World) -> None:
    promotion = await world.promotion(codes=["A", "B"], audience_cap=9, issue_policy=IssuePolicy.PER_SEND)
    await world.code(promotion, "ann", send="s1")
    await world.code(promotion, "bob", send="s1")
    await world.reissue(promotion, "ann")
    heard: list[Happening] = []
    world.services.telling.listen(heard.extend)
    assert await give_back(world.services, normalise("a"), key="k") is None
    assert await give_back(world.services, "A", key="k") is None  # the first answer again
    assert await give_back(world.services, "A") == "NOT_ISSUED"
    await world.services.telling.told()
    assert [(one.kind.value, one.code, one.customer) for one in heard] == [("CODE_RETURNED", "A", "ann")]
    found = await world.inventory(promotion)
    assert (found.available, found.issued, found.customers) == (1, 1, 1)
    assert why(await world.redeem("A", "ann")) == ["NOT_ISSUED"]
    assert why(await world.reissue(promotion, "ann")) == ["NOTHING_HELD"]
    assert await world.code(promotion, "cy", send="s1") == "A"
    kinds = [event[:2] for event in await history(world, "A")]
    assert sorted(kinds[:4]) == [("ISSUED", "ann"), ("ISSUED", "cy"), ("REPEATED", "ann"), ("RETURNED", "ann")]
    profile = await world.services.people.issuances_of("ann")
    assert [one.kind.value for one in profile] == ["REPEAT", "RETURNED"]


async def test_what_was_used_held_shared_or_stopped_does_not_go_back(world: World) -> None:
    promotion = await world.promotion(codes=["A1", "A2", "A3", "A4"])
    await world.promotion(shared="SAVE", code_kind=CodeKind.SINGLE)
    await world.issue_all(promotion, ["ann", "bob", "cy", "dee"])
    used = await world.redeem("A1", "ann", discount=Money(minor=100, currency="EUR"))
    assert used.redemption is not None
    assert await give_back(world.services, "A1") == "ALREADY_REDEEMED"
    undo = RollbackRequest(promotion_id=promotion.id, number=used.redemption.number)
    await world.services.redeeming.roll_back(undo)
    assert await give_back(world.services, "A1") == "ALREADY_REDEEMED"
    await world.services.redeeming.hold(HoldRequest(code="A2", customer="bob", ttl=HOUR))
    assert await give_back(world.services, "A2") == "HELD_BY_OTHER"
    await world.void("A3")
    assert await give_back(world.services, "A3") == "CODE_VOID"
    assert await give_back(world.services, "SAVE") == "CODE_SHARED"
    assert await give_back(world.services, "NOPE") == "NOT_FOUND"
    await world.block("A4")
    assert await give_back(world.services, "A4") is None
    assert (await world.inventory(promotion)).blocked == 1
    await world.unblock("A4")
    assert await world.code(promotion, "eve") == "A4"


async def test_a_code_made_on_demand_goes_back_too(world: World) -> None:
    promotion = await world.promotion(on_empty=OnEmpty.GENERATE)
    text = await world.code(promotion, "ann")
    assert await give_back(world.services, text) is None
    assert (await world.inventory(promotion)).available == 1
    assert await world.code(promotion, "bob") == text
    found = await world.inventory(promotion)
    assert (found.total, found.available, found.issued) == (1, 0, 1)


@pytest.mark.parametrize("act", ["replace", "return"])
async def test_of_a_redemption_and_a_change_of_the_same_code_one_wins(world: World, act: str) -> None:
    """Through two sets of connections at once, many times over."""
    promotion = await world.promotion(codes=60)
    outcomes = await world.issue_all(promotion, [f"c{n}" for n in range(20)])
    other = world.reopen()
    redeemed = changed = 0
    for n, outcome in enumerate(outcomes):
        text = issued(outcome).text
        if act == "replace":
            change = other.replacing.replace([ReplaceRequest(code=text)], operation="codeReplace")
        else:
            change = other.replacing.give_back(text)
        use, done = await asyncio.gather(world.redeem(text, f"c{n}"), change)
        used = use.redemption is not None
        did = done[0].issuance is not None if isinstance(done, list) else done is None
        assert used is not did
        redeemed, changed = redeemed + used, changed + did
    found = await world.inventory(promotion)
    assert (found.redeemed, redeemed + changed) == (redeemed, 20)
    assert await other.verify() == []
