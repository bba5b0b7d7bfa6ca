"""What plugins hear: what is durable, once, and never at the cost of who made it happen."""

import threading
from collections.abc import Sequence

import pytest

from promograph import Happening, HappeningKind
from promograph.domain.codes.placeholders import Purpose
from promograph.domain.issuing import IssueRequest
from promograph.domain.redeeming import RedeemRequest
from promograph.services.app import Services
from promograph.services.telling import Telling

from .world import World

pytestmark = pytest.mark.anyio


async def test_codes_issued_and_redeemed_are_told_after_they_are_durable(world: World) -> None:
    heard: list[Happening] = []
    world.services.telling.listen(heard.extend)
    promotion = await world.promotion(codes=2)
    handle = promotion.terms.handle
    request = IssueRequest(promotion=handle, customer="c", channel="email")
    outcome = await world.services.issuing.issue(request)
    assert outcome.issuance is not None
    await world.services.issuing.issue(request)
    await world.services.issuing.issue(IssueRequest(promotion=handle, customer="t", purpose=Purpose.TEST))
    await world.services.issuing.issue(IssueRequest(promotion="nowhere", customer="c"))
    await world.services.issuing.issue_many([IssueRequest(promotion=handle, customer="d")], key="call-1")
    code = outcome.issuance.text
    for _ in range(2):
        await world.services.redeeming.redeem(RedeemRequest(code=code, customer="c", idempotency_key="A-1"))
    await world.services.redeeming.redeem(RedeemRequest(code=code, customer="c"))
    await world.services.telling.told()
    kinds = HappeningKind
    assert [(each.kind, each.customer, each.promotion) for each in heard] == [
        (kinds.CODE_ISSUED, "c", handle),
        (kinds.CODE_ISSUED, "d", handle),
        (kinds.CODE_REDEEMED, "c", handle),
    ]
    assert (heard[0].code, heard[0].number, heard[0].channel) == (code, 1, "email")
    assert heard[0].happened_at == world.clock.now


async def test_nobody_waits_for_who_hears_and_what_is_too_much_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    go = threading.Event()
    heard: list[int] = []

    def slow(happenings: Sequence[Happening]) -> None:
        go.wait()
        heard.append(len(happenings))

    telling = Telling(most_waiting=10)
    telling.put(list, 5)  # nobody hears yet
    telling.listen(slow)
    for _ in range(5):
        telling.put(lambda: [Happening(kind=HappeningKind.POOL_LOW, happened_at=None)] * 4, 4)  # type: ignore[arg-type]
    go.set()
    await telling.told()
    assert heard == [8]
    assert "12 happenings were left out" in caplog.text
    telling.put(lambda: [Happening(kind=HappeningKind.POOL_LOW, happened_at=None)], 1)  # type: ignore[arg-type]
    await telling.told()
    assert heard == [8, 1]


async def test_what_a_listener_raises_is_not_the_end(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    def broken(happenings: Sequence[Happening]) -> None:
        raise RuntimeError("deaf")

    services.telling.listen(broken)
    for _ in range(2):
        services.telling.put(lambda: [Happening(kind=HappeningKind.POOL_LOW, happened_at=services.clock())], 1)
        await services.telling.told()
    assert caplog.text.count("deaf") >= 2


async def test_events_of_the_store_are_told_by_one_process_and_once(world: World) -> None:
    another = world.reopen()
    heard: list[Happening] = []
    before = await world.promotion(codes=1)
    await world.services.promoting.end(before.id, stop_redeeming=False)
    for each in (world.services, another):
        each.telling.listen(lambda told: heard.extend(one for one in told if one.number is None))
        await each.event_telling.begin()
    promotion = await world.promotion(codes=1)
    capped = await world.promotion(codes=2, audience_cap=1)
    for made in (promotion, capped):
        await world.services.issuing.issue(IssueRequest(promotion=made.terms.handle, customer="c"))
    for _ in range(2):
        await world.services.promoting.end(promotion.id, stop_redeeming=False)
    for each in (world.services, another, world.services):
        await each.event_telling.tell()
        await each.telling.told()
    assert sorted((one.kind.value, str(one.promotion)) for one in heard) == [
        ("POOL_EMPTY", promotion.terms.handle),
        ("PROMOTION_ENDED", promotion.terms.handle),
        ("PROMOTION_ENDED", capped.terms.handle),
    ]
