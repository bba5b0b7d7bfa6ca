"""Webhooks told over real HTTP: what, to whom, signed how, and what becomes of those who do not take it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from promograph import DeliveryEventKind, ProviderEvent
from promograph.domain.carts import Money
from promograph.domain.promotions import CodeKind, OnEmpty
from promograph.domain.redeeming import RollbackRequest
from promograph.domain.stock.lists import CodeColumns
from promograph.domain.webhooks.endpoints import GONE, Webhook
from promograph.domain.webhooks.events import WebhookType
from promograph.domain.webhooks.retrying import DeliveryState
from promograph.errors import BadInput, InputProblem
from promograph.services.webhooks.endpoints import WebhookChange
from promograph.services.webhooks.rules import WebhookRules
from promograph.store.listing import Slice
from promograph.store.webhooks.deliveries import DeliveryQuery, WebhookDelivery

from .receiver import Receiver, drop, hang, pour, receiving, status
from .world import World

pytestmark = pytest.mark.anyio

EVERYTHING = list(WebhookType)
OPEN = WebhookRules(over_http=True, to_private=True, seconds=30)
IMPATIENT = replace(OPEN, seconds=1)
PEOPLE = CodeColumns(customer="customer")
DEAD, DELIVERED, WAITING = DeliveryState.DEAD, DeliveryState.DELIVERED, DeliveryState.WAITING


@pytest.fixture
async def receiver(anyio_backend: str) -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


@pytest.fixture
def world(world: World) -> World:
    """With the time of day, which the independent library looks at, and webhooks to this machine."""
    world.clock.now = datetime.now(UTC).replace(microsecond=0)
    world.services.couriers.rules = OPEN
    return world


async def set_up(world: World, receiver: Receiver, *types: WebhookType, path: str = "") -> Webhook:
    return await world.services.webhooks.create(url=receiver.url + path, types=types or EVERYTHING)


async def told(world: World, **query: Any) -> list[WebhookDelivery]:
    """What is kept of deliveries, the oldest first."""
    page = await world.services.webhook_deliveries.page(DeliveryQuery(**query), Slice(count=100))
    return [delivery for _, delivery in reversed(page.rows)]


async def now_of(world: World, webhook: Webhook) -> Webhook:
    found = await world.services.webhooks.get(webhook.id)
    assert found is not None
    return found


async def test_a_code_s_life_is_told_signed_and_in_order(world: World, receiver: Receiver) -> None:
    webhook = await set_up(world, receiver)
    promotion = await world.promotion(codes=["ONE", "TWO", "THREE"], low_stock_threshold=1)
    handle = promotion.terms.handle
    code = await world.code(promotion, "ann", channel="email")
    await world.code(promotion, "ann")
    done = await world.redeem(code, "ann", order="o-1", discount=Money(minor=800, currency="EUR"))
    assert done.redemption is not None
    request = RollbackRequest(promotion_id=promotion.id, number=1, reason="sent back")
    await world.services.redeeming.roll_back(request)
    await world.code(promotion, "bob")
    await world.services.replacing.give_back("TWO")
    await world.services.promoting.end(promotion.id, stop_redeeming=False)
    assert await world.services.couriers.work() == len(receiver.heard)
    payloads = [heard.verified(webhook.secret) for heard in receiver.heard]
    by_type = {payload["type"]: payload for payload in payloads}
    assert Counter(payload["type"] for payload in payloads) == {
        "code.issued": 2,
        "code.redeemed": 1,
        "redemption.rolled_back": 1,
        "pool.low": 1,
        "pool.refilled": 1,
        "code.returned": 1,
        "promotion.ended": 1,
    }
    first = min(payloads, key=lambda payload: payload["data"].get("number") or 99)
    assert first == {
        "type": "code.issued",
        "timestamp": world.clock.now.isoformat().replace("+00:00", "Z"),
        "data": {
            "promotion": handle,
            "number": 1,
            "code": "ONE",
            "customer": "ann",
            "kind": "INITIAL",
            "channel": "email",
            "send": None,
            "expiresAt": None,
        },
    }
    use = {"promotion": handle, "number": 1, "code": "ONE", "customer": "ann", "order": "o-1"}
    eight = {"amount": "8.00", "currency": "EUR"}
    assert by_type["code.redeemed"]["data"] == {**use, "orderAmount": None, "discount": eight, "channel": None}
    undone = {"part": 1, "isWhole": True, "amount": eight, "reason": "sent back"}
    assert by_type["redemption.rolled_back"]["data"] == {**use, **undone}
    assert by_type["code.returned"]["data"] == {"promotion": handle, "number": 2, "code": "TWO", "customer": "bob"}
    assert by_type["pool.low"]["data"] == {"promotion": handle, "available": 1, "threshold": 1}
    assert by_type["promotion.ended"]["data"] == {"promotion": handle, "reason": "BY_HAND"}
    assert len({heard.id for heard in receiver.heard}) == len(payloads)
    assert {delivery.state for delivery in await told(world)} == {DELIVERED}
    with pytest.raises(WebhookVerificationError):
        receiver.heard[0].verified("whsec_" + "A" * 43 + "=")


async def test_only_what_is_wanted_is_written_and_only_from_then_on(world: World, receiver: Receiver) -> None:
    promotion = await world.promotion(codes=9)
    await world.code(promotion, "before")
    redeems = await set_up(world, receiver, WebhookType.CODE_REDEEMED, path="/redeems")
    await world.code(promotion, "ann")
    assert await told(world) == []
    another = world.reopen()  # another server process
    another.couriers.rules = OPEN
    both = await another.webhooks.create(
        url=receiver.url + "/both", types=[WebhookType.CODE_ISSUED, WebhookType.CODE_REDEEMED]
    )
    code = await world.code(promotion, "bob")
    await world.redeem(code, "bob")
    assert [(one.webhook_id, one.type) for one in await told(world)] == [
        (both.id, WebhookType.CODE_ISSUED),
        (redeems.id, WebhookType.CODE_REDEEMED),
        (both.id, WebhookType.CODE_REDEEMED),
    ]
    _, one, other = await told(world)
    assert one.event == other.event and one.body == other.body
    await world.services.webhooks.update(both.id, WebhookChange(is_enabled=False))
    await world.services.webhooks.delete(redeems.id)
    await world.redeem(await world.code(promotion, "cy"), "cy")
    assert len(await told(world, webhook_id=both.id)) == 2
    assert await told(world, webhook_id=redeems.id) == []


async def test_every_way_to_a_code_is_told(world: World, receiver: Receiver) -> None:
    await set_up(world, receiver, WebhookType.CODE_ISSUED, WebhookType.CODE_REPLACED, WebhookType.FALLBACK_ON)
    promotion = await world.promotion(codes=2, shared="ALL", on_empty=OnEmpty.FALLBACK)
    await world.import_file(promotion, b"code,customer\nMINE,dora\n", columns=PEOPLE)
    await world.issue_all(promotion, ["ann", "ann", "bob", "cy"])
    await world.reissue(promotion, "ann")
    await world.services.couriers.work()
    heard = receiver.payloads("code.issued")
    assert Counter(payload["data"]["kind"] for payload in heard) == {"INITIAL": 3, "FALLBACK": 1, "REPEAT": 1}
    assert {payload["data"]["code"] for payload in heard if payload["data"]["customer"] == "dora"} == {"MINE"}
    assert len(receiver.payloads("fallback.on")) == 1
    # So many at once that PostgreSQL is handed them another way.
    big = await world.promotion()
    await world.issue_all(big, [f"c{n}" for n in range(510)])
    page = await world.services.webhook_deliveries.page(DeliveryQuery(), Slice(count=1000))
    told = [one for _, one in page.rows if one.state is WAITING]
    assert len(told) == len({one.event for one in told}) == len({one.body for one in told}) == 510


async def test_what_is_undone_was_not_told(world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    await set_up(world, receiver)
    promotion = await world.promotion(codes=1)

    def fail(*_: object) -> None:
        raise RuntimeError("late")

    with monkeypatch.context() as patch:
        patch.setattr("promograph.store.stock.save", fail)
        with pytest.raises(RuntimeError):
            await world.issue(promotion, "ann")
    assert await told(world) == []


async def test_those_who_do_not_take_it_are_asked_again(world: World, receiver: Receiver) -> None:
    webhook = await set_up(world, receiver, WebhookType.CODE_ISSUED)
    promotion = await world.promotion(codes=5)
    await world.code(promotion, "ann")
    receiver.replies.extend([status(500), status(302, location=receiver.url + "/elsewhere"), status(400)])
    for tries, why in enumerate(("It answered 500.", "It answered 302; redirects", "It answered 400."), 1):
        assert await world.services.couriers.work() == 1
        (one,) = await told(world)
        assert (one.state, one.tries) == (WAITING, tries) and one.why is not None and one.why.startswith(why)
        assert one.next_try_at is not None
        world.clock.now = one.next_try_at - timedelta(seconds=1)
        assert await world.services.couriers.work() == 0
        world.clock.now = one.next_try_at
    assert await world.services.couriers.work() == 1
    assert [one.state for one in await told(world)] == [DELIVERED]
    assert {heard.path for heard in receiver.heard} == {"/hooks"}
    assert len({heard.id for heard in receiver.heard}) == 1 == len({heard.body for heard in receiver.heard})
    assert len({heard.headers["webhook-timestamp"] for heard in receiver.heard}) == 4
    assert (await now_of(world, webhook)).failures == 0


async def test_who_is_down_or_asks_for_it_is_left_alone(world: World, receiver: Receiver) -> None:
    webhook = await set_up(world, receiver, WebhookType.CODE_ISSUED)
    promotion = await world.promotion(codes=9)
    start = world.clock.now
    receiver.replies.extend([status(429, retry_after="3600"), drop, hang, pour])
    await world.code(promotion, "ann")
    assert await world.services.couriers.work() == 1
    await world.code(promotion, "bob")
    world.clock.move(minutes=59)
    assert await world.services.couriers.work() == 0  # bob's waits too
    assert (await now_of(world, webhook)).rests_until == start + timedelta(hours=1)
    impatient = world.reopen()
    impatient.couriers.rules = IMPATIENT
    for services in (world.services, impatient):
        world.clock.move(minutes=10)
        assert await services.couriers.work() == 1  # one is enough to find out
    assert {delivery.why for delivery in await told(world)} == {
        "The connection broke (RemoteProtocolError).",
        "It did not answer within 1 s.",
    }
    assert (await now_of(world, webhook)).failures == 3
    world.clock.move(hours=1)
    assert await world.services.couriers.work() == 2
    assert {delivery.state for delivery in await told(world)} == {DELIVERED}
    assert (await now_of(world, webhook)).failures == 0


async def test_after_three_days_it_is_a_dead_letter_that_can_be_sent_again(world: World, receiver: Receiver) -> None:
    await set_up(world, receiver, WebhookType.CODE_ISSUED)
    promotion = await world.promotion(codes=5)
    for customer in ("ann", "bob"):
        await world.code(promotion, customer)
    receiver.replies.extend([status(500)] * 100)
    begun, tries = world.clock.now, 0
    while waiting := await told(world, states=frozenset({WAITING})):
        world.clock.now = max(one.next_try_at or begun for one in waiting)
        tries += await world.services.couriers.work()
    assert timedelta(days=1) < world.clock.now - begun < timedelta(days=3) and 20 < tries < 40
    dead = await told(world, states=frozenset({DEAD}))
    assert [one.why for one in dead] == ["It answered 500."] * 2
    receiver.replies.clear()
    seen = len(receiver.heard)
    replay = world.services.webhook_deliveries
    assert await replay.replay([dead[0].id]) == 1
    assert await replay.replay([dead[0].id]) == 0
    await world.services.couriers.work()
    assert await replay.replay_all(DeliveryQuery()) == 1
    await world.services.couriers.work()
    assert [heard.id for heard in receiver.heard[seen:]] == [one.event for one in dead]
    assert {one.state for one in await told(world)} == {DELIVERED}
    assert await replay.replay_all(DeliveryQuery(states=frozenset({DELIVERED}))) == 2
    await world.services.couriers.work()
    with pytest.raises(BadInput) as unknown:
        await replay.replay([dead[0].id, 10**15])
    assert unknown.value.field == ("deliveries", "1")


async def test_who_is_gone_is_switched_off_and_what_waits_is_kept(world: World, receiver: Receiver) -> None:
    webhook = await set_up(world, receiver, WebhookType.CODE_ISSUED)
    promotion = await world.promotion(codes=9)
    receiver.replies.append(status(410))
    await world.code(promotion, "ann")
    await world.services.couriers.work()
    off = await now_of(world, webhook)
    assert (off.is_enabled, off.off_because) == (False, GONE)
    assert [one.state for one in await told(world)] == [DEAD]
    await world.code(promotion, "bob")
    assert len(await told(world)) == 1
    with pytest.raises(BadInput):
        await world.services.webhooks.test(webhook.id)
    on = await world.services.webhooks.update(webhook.id, WebhookChange(is_enabled=True))
    assert (on.is_enabled, on.off_because) == (True, None)
    await world.services.webhooks.test(webhook.id)
    await world.services.couriers.work()
    assert receiver.payloads()[-1]["type"] == "webhook.test"


async def test_while_a_secret_is_rotated_the_old_one_is_good_too(world: World, receiver: Receiver) -> None:
    first = await set_up(world, receiver)
    second = await world.services.webhooks.rotate_secret(first.id, timedelta(minutes=2))
    await world.services.webhooks.test(first.id)
    await world.services.couriers.work()
    assert receiver.heard[0].verified(first.secret) == receiver.heard[0].verified(second.secret)
    world.clock.move(minutes=2)
    await world.services.webhooks.test(first.id)
    await world.services.couriers.work()
    assert receiver.heard[1].verified(second.secret)["type"] == "webhook.test"
    with pytest.raises(WebhookVerificationError):
        receiver.heard[1].verified(first.secret)
    for _ in range(3):
        await world.services.webhooks.rotate_secret(first.id, timedelta(minutes=2))
    with pytest.raises(BadInput) as refused:
        await world.services.webhooks.rotate_secret(first.id, timedelta(minutes=2))
    assert refused.value.problem is InputProblem.STATE
    assert first.secret not in repr((first, second)) and "whsec" not in repr(await now_of(world, first))


async def test_several_servers_tell_each_thing_once(world: World, receiver: Receiver) -> None:
    await set_up(world, receiver, WebhookType.CODE_ISSUED)
    promotion = await world.promotion()
    servers = [world.services, world.reopen(), world.reopen()]
    for server in servers:
        server.couriers.rules = OPEN
    await world.issue_all(promotion, [f"c{n}" for n in range(80)])
    await asyncio.gather(*(server.couriers.work() for server in servers))
    assert len(receiver.heard) == len({heard.id for heard in receiver.heard}) == 80


async def test_what_a_dead_server_had_in_hand_comes_again(world: World, receiver: Receiver) -> None:
    await set_up(world, receiver, WebhookType.CODE_ISSUED)
    promotion = await world.promotion(codes=3)
    await world.issue_all(promotion, ["ann", "bob"])
    dead = world.reopen()
    dead.couriers.rules = IMPATIENT
    receiver.replies.extend([hang, hang])
    assert await dead.couriers.look() == 2
    await receiver.hears(2)
    for task in list(dead.couriers._tasks):
        task.cancel()
    assert await world.services.couriers.work() == 0
    world.clock.move(seconds=10)
    assert await world.services.couriers.work() == 2
    assert sorted(heard.id for heard in receiver.heard[:2]) == sorted(heard.id for heard in receiver.heard[2:])
    assert [one.tries for one in await told(world)] == [2, 2]


async def test_one_that_hangs_holds_up_no_other(world: World, receiver: Receiver) -> None:
    promotion = await world.promotion(codes=9)
    async with receiving() as slow:
        slow.replies.extend([hang] * 3)
        world.services.couriers.rules = IMPATIENT
        await set_up(world, slow, WebhookType.CODE_ISSUED)
        await set_up(world, receiver, WebhookType.CODE_ISSUED)
        await world.issue_all(promotion, ["ann", "bob", "cy"])
        assert await world.services.couriers.look() == 6
        await receiver.hears(3)
        await slow.hears(3)
        assert {one.state for one in await told(world)} <= {WAITING, DELIVERED}
        await world.services.couriers.work()


async def test_what_is_old_is_forgotten(world: World, receiver: Receiver) -> None:
    one = await set_up(world, receiver, WebhookType.CODE_ISSUED)
    other = await set_up(world, receiver, WebhookType.CODE_ISSUED, path="/other")
    promotion = await world.promotion(codes=9)
    await world.code(promotion, "ann")
    await world.services.couriers.work()
    await world.code(promotion, "bob")  # waits
    world.clock.move(days=15)
    await world.code(promotion, "cy")
    await world.services.couriers.prune()
    assert len(await told(world)) == 4
    await world.services.webhooks.delete(other.id)
    await world.services.couriers.prune()
    assert len(await told(world, webhook_id=one.id)) == 2
    await world.services.webhooks.create(url=receiver.url + "/other", types=EVERYTHING)  # its address is free again


async def test_a_name_that_leads_inside_is_not_called(world: World, receiver: Receiver) -> None:
    promotion = await world.promotion(codes=1)
    local = receiver.url.replace("127.0.0.1", "localhost")
    await world.services.webhooks.create(url=local, types=[WebhookType.CODE_ISSUED])
    world.services.couriers.rules = WebhookRules(over_http=True)
    await world.code(promotion, "ann")
    await world.services.couriers.work()
    (one,) = await told(world)
    assert one.why == "Its address is one of a private network, to which nothing is sent."
    assert receiver.connections == 0


async def test_what_cannot_be_meant(world: World, receiver: Receiver) -> None:
    webhook = await set_up(world, receiver)
    for act, field in (
        (world.services.webhooks.create(url=receiver.url, types=EVERYTHING), "url"),
        (world.services.webhooks.create(url=receiver.url + "/x", types=[]), "types"),
        (world.services.webhooks.create(url=receiver.url + "/x", types=EVERYTHING, description="\0"), "description"),
        (world.services.webhooks.rotate_secret(webhook.id, timedelta(days=31)), "overlap"),
        (world.services.webhooks.delete(10**15), "id"),
        (world.services.webhook_deliveries.replay([]), "deliveries"),
    ):
        with pytest.raises(BadInput) as refused:
            await act
        assert refused.value.field == (field,)


async def test_two_who_set_up_the_same_address_at_once(world: World, receiver: Receiver) -> None:
    another = world.reopen()
    another.couriers.rules = OPEN
    made = await asyncio.gather(
        *(each.webhooks.create(url=receiver.url, types=EVERYTHING) for each in (world.services, another) * 3),
        return_exceptions=True,
    )
    assert sum(isinstance(one, Webhook) for one in made) == 1
    assert {one.problem for one in made if isinstance(one, BadInput)} == {InputProblem.TAKEN}


async def test_somebody_who_is_erased_is_in_no_body(world: World, receiver: Receiver) -> None:
    await set_up(world, receiver)
    promotion = await world.promotion(codes=3)
    await world.services.people.upsert([{"id": "ada", "email": "Ada@example.com"}])
    await world.redeem(await world.code(promotion, "ada"), "ada")
    await world.code(promotion, "adam")
    bounced = ProviderEvent(id="1", kind=DeliveryEventKind.BOUNCED, key="m", recipient="ada@example.com")
    await world.services.inbound.keep("email", [bounced])
    await world.services.inbound.work()
    assert (await world.services.erasing.erase("ada")).told == 3
    bodies = [one.body for one in await told(world)]
    assert not any('"ada"' in body or "ada@" in body.lower() for body in bodies)
    assert sum('"adam"' in body for body in bodies) == 1
    await world.services.couriers.work()
    assert len(receiver.payloads("code.issued", "code.redeemed", "message.bounced")) == 4


async def test_what_became_of_messages_is_told_once(world: World, receiver: Receiver) -> None:
    webhook = await set_up(world, receiver, WebhookType.MESSAGE_DELIVERED, WebhookType.MESSAGE_BOUNCED)
    later = world.clock.now + timedelta(days=1)  # by the provider's clock
    events = [
        ProviderEvent(id="1", kind=DeliveryEventKind.SENT, key="a"),
        ProviderEvent(id="2", kind=DeliveryEventKind.DELIVERED, key="a", happened_at=later),
        ProviderEvent(id="3", kind=DeliveryEventKind.OPENED, key="a"),
        ProviderEvent(id="4", kind=DeliveryEventKind.BOUNCED, key="b", recipient="b@example.com", why="unknown"),
        ProviderEvent(id="5", kind=DeliveryEventKind.BOUNCED, key=None),
    ]
    for _ in range(2):
        await world.services.inbound.keep("email", events)
        await world.services.inbound.work()
    assert await world.services.couriers.work() == 2
    bodies = sorted((heard.verified(webhook.secret) for heard in receiver.heard), key=lambda body: body["type"])
    assert [(body["type"], body["data"]) for body in bodies] == [
        ("message.bounced", {"channel": "email", "message": "b", "recipient": "b@example.com", "why": "unknown"}),
        ("message.delivered", {"channel": "email", "message": "a", "recipient": None, "why": None}),
    ]


@pytest.mark.parametrize("kind", [CodeKind.SINGLE, CodeKind.MULTIPLE])
async def test_uses_of_shared_and_anonymous_codes_are_told(world: World, receiver: Receiver, kind: CodeKind) -> None:
    await set_up(world, receiver, WebhookType.CODE_REDEEMED)
    shared = {"shared": "ALL", "uses_per_code": 9} if kind is CodeKind.SINGLE else {"codes": ["ALL"]}
    await world.promotion(code_kind=kind, **shared)
    await world.redeem("all", order="o")
    await world.services.couriers.work()
    assert [payload["data"]["code"] for payload in receiver.payloads()] == ["ALL"]
