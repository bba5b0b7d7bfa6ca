"""A repeated call with the same key gives the first call's answer, for as long as the ledger lives."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from promograph.domain.codes.formats import CodeFormat
from promograph.domain.issuing import IssueRequest
from promograph.domain.promotions import IssuePolicy
from promograph.domain.redeeming import Money, RedeemRequest
from promograph.errors import BadInput, InputProblem
from promograph.services.app import Services

from .world import World, imported, issued, why

pytestmark = pytest.mark.anyio


async def test_an_issue_with_a_key(world: World) -> None:
    promotion = await world.promotion(codes=9, issue_policy=IssuePolicy.PER_SEND, valid_for=timedelta(hours=1))
    request = {"send": "s", "channel": "email", "idempotency_key": "k"}
    first = await world.issue(promotion, "ann", **request)
    world.clock.move(days=1)
    await world.services.promoting.end(promotion.id, stop_redeeming=True)
    for services in (world.services, world.reopen()):
        again = await services.issuing.issue(
            IssueRequest(promotion=promotion.terms.handle, customer="ann", **request)  # type: ignore[arg-type]
        )
        assert again.replayed
        assert again.issuance == first.issuance
    assert not first.replayed
    assert (await world.inventory(promotion)).issued == 1


@pytest.mark.parametrize("change", [{"customer": "bob"}, {"send": "t"}, {"channel": "sms"}, {"promotion": "other"}])
async def test_a_key_belongs_to_its_request(world: World, change: dict[str, Any]) -> None:
    await world.promotion(codes=9, handle="one", issue_policy=IssuePolicy.PER_SEND)
    await world.promotion(codes=9, handle="other", issue_policy=IssuePolicy.PER_SEND)
    request = IssueRequest(promotion="one", customer="ann", send="s", idempotency_key="k")
    await world.services.issuing.issue(request)
    outcome = await world.services.issuing.issue(replace(request, **change))
    assert why(outcome) == ["KEY_REUSED"]
    assert isinstance(outcome.problem, BadInput)
    assert outcome.problem.field == ("idempotencyKey",)
    assert (await world.services.issuing.issue(request)).replayed
    assert why(await world.services.issuing.issue(replace(request, idempotency_key="other", **change))) == []


async def test_a_refusal_is_kept_too(world: World) -> None:
    promotion = await world.promotion(codes=["A"])
    await world.code(promotion, "ann")
    first = await world.issue(promotion, "bob", idempotency_key="k")
    assert why(first) == ["POOL_EMPTY"]
    await world.services.stocking.paste(promotion.id, "B", channel=None)
    again = await world.issue(promotion, "bob", idempotency_key="k")
    assert (again.problem, again.replayed) == (first.problem, True)
    assert await world.code(promotion, "bob", idempotency_key="k2") == "B"


async def test_bad_input_is_not_kept_so_that_it_can_be_mended(world: World) -> None:
    request = IssueRequest(promotion="later", customer="ann", idempotency_key="k")
    assert why(await world.services.issuing.issue(request)) == ["NOT_FOUND"]
    await world.promotion(codes=1, handle="later")
    assert why(await world.services.issuing.issue(request)) == []


async def test_a_redemption_with_a_key_uses_the_code_once(world: World) -> None:
    promotion = await world.promotion(codes=1, uses_per_code=3)
    text = await world.code(promotion, "ann")
    request = {
        "customer": "ann",
        "order": "o1",
        "order_amount": Money(minor=100, currency="EUR"),
        "discount": Money(minor=7, currency="EUR"),
        "channel": "shop",
        "idempotency_key": "k",
    }
    first = await world.redeem(text, **request)
    world.clock.move(days=1)
    for services in (world.services, world.reopen()):
        again = await services.redeeming.redeem(RedeemRequest(code=text, **request))  # type: ignore[arg-type]
        assert (again.redemption, again.holder_named, again.replayed) == (first.redemption, True, True)
    assert (await world.inventory(promotion)).redemptions == 1
    for change in ({"order": "o2"}, {"customer": None}, {"discount": None}, {"channel": "web"}):
        assert why(await world.redeem(text, **{**request, **change})) == ["KEY_REUSED"]
    assert why(await world.redeem(text, **{**request, "idempotency_key": "k2"})) == []


async def test_a_refused_redemption_stays_refused_under_its_key(world: World) -> None:
    promotion = await world.promotion(codes=1, valid_for=timedelta(hours=1), holder_only=True)
    text = await world.code(promotion, "ann")
    await world.block(text)
    world.clock.move(hours=2)
    first = await world.redeem(text, "bob", idempotency_key="k")
    assert why(first) == ["CODE_BLOCKED", "EXPIRED", "NOT_HOLDER"]
    await world.unblock(text)
    again = await world.redeem(text, "bob", idempotency_key="k")
    assert (again.refusals, again.replayed) == (first.refusals, True)
    assert [refusal.message for refusal in again.refusals] == [refusal.message for refusal in first.refusals]


async def test_a_repeat_with_a_key_is_recorded_once(world: World) -> None:
    promotion = await world.promotion(codes=1, valid_for=timedelta(hours=2))
    await world.code(promotion, "ann")
    first = await world.reissue(promotion, "ann", idempotency_key="k")
    again = await world.reissue(promotion, "ann", idempotency_key="k")
    assert (again.issuance, again.replayed) == (first.issuance, True)
    assert why(await world.reissue(promotion, "bob", idempotency_key="k")) == ["KEY_REUSED"]
    assert len(await world.services.lookup.issuances_of(promotion.id, 1)) == 2


async def test_operations_do_not_share_their_keys(world: World) -> None:
    promotion = await world.promotion(codes=1)
    text = await world.code(promotion, "ann", idempotency_key="k")
    assert why(await world.reissue(promotion, "ann", idempotency_key="k")) == []
    assert why(await world.redeem(text, "ann", idempotency_key="k")) == []


async def test_keys_within_one_batch(world: World) -> None:
    promotion = await world.promotion(codes=9, issue_policy=IssuePolicy.PER_MESSAGE)
    same = IssueRequest(promotion=promotion.terms.handle, customer="ann", message="m", idempotency_key="k")
    other = replace(same, message="n")
    requests = [same, other, same, replace(other, idempotency_key="k2"), replace(same, idempotency_key="k3")]
    issue = world.services.issuing.issue
    for outcomes in (
        await world.services.issuing.issue_many(requests),
        await asyncio.gather(*(issue(request) for request in requests)),
    ):
        answers = [o.issuance.text if o.issuance else why(o)[0] for o in outcomes]
        assert answers == ["P1-00001", "KEY_REUSED", "P1-00001", "P1-00002", "P1-00001"]
    assert (await world.inventory(promotion)).issued == 2


@pytest.mark.parametrize("codes", [["A"], []], ids=["a code", "a refusal"])
async def test_the_later_of_two_issues_with_one_key_is_a_repeat(world: World, codes: list[str]) -> None:
    promotion = await world.promotion(codes=codes)
    request = IssueRequest(promotion=promotion.terms.handle, customer="ann", idempotency_key="k")
    first, *later = await asyncio.gather(*(world.services.issuing.issue(request) for _ in range(3)))
    assert [outcome.replayed for outcome in (first, *later)] == [False, True, True]
    assert [(outcome.issuance, outcome.problem) for outcome in later] == [(first.issuance, first.problem)] * 2


async def test_bad_input_repeated_in_one_batch_is_no_repeat_of_an_answer(world: World) -> None:
    request = IssueRequest(promotion="nowhere", customer="ann", idempotency_key="k")
    outcomes = await asyncio.gather(*(world.services.issuing.issue(request) for _ in range(2)))
    assert [(why(outcome), outcome.replayed) for outcome in outcomes] == [(["NOT_FOUND"], False)] * 2


async def test_redemptions_with_one_key_within_one_batch(world: World) -> None:
    promotion = await world.promotion(codes=1, uses_per_code=9)
    text = await world.code(promotion, "ann")
    orders = ["o1", "o1", "o2", "o1"]
    outcomes = await asyncio.gather(*(world.redeem(text, order=order, idempotency_key="k") for order in orders))
    assert [why(outcome) for outcome in outcomes] == [[], [], ["KEY_REUSED"], []]
    assert len({outcome.redemption for outcome in outcomes if outcome.redemption}) == 1
    assert [outcome.replayed for outcome in outcomes] == [False, True, False, True]
    assert (await world.inventory(promotion)).redemptions == 1


async def test_the_later_of_two_refused_redemptions_with_one_key_is_a_repeat(world: World) -> None:
    await world.promotion(codes=1)
    first, later = await asyncio.gather(*(world.redeem("NOWHERE", idempotency_key="k") for _ in range(2)))
    assert (first.replayed, later.replayed) == (False, True)
    assert (why(later), later.refusals) == (["NOT_FOUND"], first.refusals)


async def test_a_call_for_many_with_a_key(world: World) -> None:
    promotion = await world.promotion(codes=2)
    requests = [IssueRequest(promotion=promotion.terms.handle, customer=customer) for customer in ("a", "b", "c")]
    first = await world.services.issuing.issue_many(requests, key="k")
    await world.services.stocking.paste(promotion.id, "LATE", channel=None)
    for services in (world.services, world.reopen()):
        again = await services.issuing.issue_many(requests, key="k")
        assert [(o.issuance, o.problem) for o in again] == [(o.issuance, o.problem) for o in first]
        assert all(outcome.replayed for outcome in again)
    with pytest.raises(BadInput) as caught:
        await world.services.issuing.issue_many(requests[:2], key="k")
    assert caught.value.problem is InputProblem.KEY_REUSED
    assert issued((await world.services.issuing.issue_many(requests, key="k2"))[2]).text == "LATE"


async def test_a_call_with_a_bad_item_is_kept_without_it_only_when_it_is_good(world: World) -> None:
    promotion = await world.promotion(codes=3)
    good = IssueRequest(promotion=promotion.terms.handle, customer="ann")
    unknown = IssueRequest(promotion="unknown", customer="bob")
    first = await world.services.issuing.issue_many([good, unknown], key="k")
    again = await world.services.issuing.issue_many([good, unknown], key="k")
    assert [why(outcome) for outcome in first] == [why(outcome) for outcome in again] == [[], ["NOT_FOUND"]]
    assert first[0].issuance == again[0].issuance
    assert (await world.inventory(promotion)).issued == 1


@pytest.mark.parametrize("key", ["", " k", "k" * 129, "a\0b"])
async def test_a_bad_key_is_bad_input(world: World, key: str) -> None:
    promotion = await world.promotion(codes=1)
    request = IssueRequest(promotion=promotion.terms.handle, customer="ann")
    outcome = await world.services.issuing.issue(replace(request, idempotency_key=key))
    assert isinstance(outcome.problem, BadInput)
    assert outcome.problem.field == ("idempotencyKey",)
    for attempt in (
        world.services.issuing.issue_many([request], key=key),
        world.services.stocking.paste(promotion.id, "X", channel=None, key=key),
    ):
        with pytest.raises(BadInput) as caught:
            await attempt
        assert caught.value.field == ("idempotencyKey",)


async def test_the_longest_key_is_kept(world: World) -> None:
    promotion = await world.promotion(codes=2, issue_policy=IssuePolicy.PER_MESSAGE)
    key = "夏" * 128
    text = await world.code(promotion, "ann", idempotency_key=key)
    assert await world.code(promotion, "ann", idempotency_key=key) == text
    assert why(await world.reissue(promotion, "ann", idempotency_key=key)) == []
    assert why(await world.redeem(text, idempotency_key=key)) == []


Load = Callable[[Services, int, str], Awaitable[Any]]

LOADS: dict[str, tuple[Load, Load]] = {
    "generate": (
        lambda s, id_, key: s.stocking.generate(id_, 3, None, channel=None, key=key),
        lambda s, id_, key: s.stocking.generate(id_, 4, None, channel=None, key=key),
    ),
    "generate a look": (
        lambda s, id_, key: s.stocking.generate(id_, 3, CodeFormat(length=12), channel=None, key=key),
        lambda s, id_, key: s.stocking.generate(id_, 3, CodeFormat(length=13), channel=None, key=key),
    ),
    "paste": (
        lambda s, id_, key: s.stocking.paste(id_, "A\nB\nB\nc d", channel=None, key=key),
        lambda s, id_, key: s.stocking.paste(id_, "A\nB", channel=None, key=key),
    ),
    "paste for a channel": (
        lambda s, id_, key: s.stocking.paste(id_, "A", channel="sms", key=key),
        lambda s, id_, key: s.stocking.paste(id_, "A", channel="email", key=key),
    ),
    "import": (
        lambda s, id_, key: imported(s, id_, b"A\nB\nB\nc d", key),
        lambda s, id_, key: imported(s, id_, b"C\nD", key),
    ),
}


@pytest.mark.parametrize("name", LOADS)
async def test_a_load_with_a_key_is_done_once(world: World, name: str) -> None:
    load, other = LOADS[name]
    promotion = await world.promotion(active=False)
    first = await load(world.services, promotion.id, "k")
    total = (await world.inventory(promotion)).total
    for services in (world.services, world.reopen()):
        assert await load(services, promotion.id, "k") == first
    with pytest.raises(BadInput) as caught:
        await other(world.services, promotion.id, "k")
    assert caught.value.problem is InputProblem.KEY_REUSED
    assert (await world.inventory(promotion)).total == total
    await other(world.services, promotion.id, "k2")


@pytest.mark.parametrize("name", LOADS)
async def test_a_load_that_overtakes_itself_is_done_once(world: World, name: str) -> None:
    """The caller lost patience and called again; the first call finishes between the second's look and its claim."""
    load, _ = LOADS[name]
    promotion = await world.promotion(active=False)
    services, database = world.interposed()
    firsts: list[Any] = []

    async def overtake() -> None:
        firsts.append(await load(world.services, promotion.id, "k"))

    database.before_write = overtake
    second = await load(services, promotion.id, "k")
    assert [second] == firsts
    assert (await world.inventory(promotion)).total == firsts[0].report.added


async def test_a_load_without_a_key_is_done_each_time(world: World) -> None:
    promotion = await world.promotion(active=False)
    for _ in range(2):
        await world.services.stocking.generate(promotion.id, 3, None, channel=None)
    assert (await world.inventory(promotion)).total == 6


async def test_a_load_is_repeated_even_after_its_promotion_has_ended(world: World) -> None:
    promotion = await world.promotion(codes=1)
    first = await world.services.stocking.paste(promotion.id, "X", channel=None, key="k")
    await world.services.promoting.end(promotion.id, stop_redeeming=False)
    assert await world.services.stocking.paste(promotion.id, "X", channel=None, key="k") == first
