"""Sends that are paused, cancelled, held up, killed, shared: nobody is passed over, nobody gets two codes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest

from promograph.channels import Delivery, Message
from promograph.domain.sending.deliveries import DeliveryState
from promograph.domain.sending.outbox import message_key
from promograph.domain.sending.sends import Send, SendStatus
from promograph.errors import BadInput, StoreUnavailable
from promograph.services.app import Services
from promograph.services.sending import dispatching
from promograph.store.sends import taking
from promograph.store.sends.taking import Next, Turn
from promograph.testing.conformance import Fault

from .sendings import Post, counted
from .world import SetClock, World, lose_answer

pytestmark = pytest.mark.anyio

IN_HAND = 10


@pytest.fixture
async def post(world: World) -> AsyncIterator[Post]:
    made = Post(world)
    world.services.dispatcher.most_in_hand = IN_HAND
    yield made


async def running(post: Post, people: int = 60, **terms: object) -> Send:
    await post.world.promotion(handle="spring", codes=people + 5)
    send = await post.send(await post.people(people), "spring", **terms)
    return await post.world.services.sends.start(send.id)


def at_message(post: Post, number: int, act: object) -> None:
    """Have something done as the provider takes that message."""
    begun: list[asyncio.Task[object]] = []

    def taken(_: object) -> None:
        if len(post.provider.taken) == number:
            begun.append(asyncio.ensure_future(act()))  # type: ignore[operator]

    post.provider.on_taken = taken


def all_of_them(post: Post, count: int) -> None:
    """Each has one code, nobody has that of another, and what was repeated was the same."""
    codes = post.codes
    assert len(codes) == count
    assert all(len(found) == 1 for found in codes.values())
    assert len(set.union(*codes.values())) == count


async def test_a_pause_stops_it_at_the_next_turn_and_a_start_goes_on(world: World, post: Post) -> None:
    send = await running(post)
    sends, dispatcher = world.services.sends, world.services.dispatcher
    at_message(post, 15, lambda: sends.pause(send.id))
    await dispatcher.work()
    progress = await post.progress(send)
    assert progress.send.status is SendStatus.PAUSED
    assert 15 <= len(post.provider.taken) <= 15 + 3 * IN_HAND
    assert counted(progress) == {"ACCEPTED": len(post.provider.taken)}
    await sends.start(send.id)
    await dispatcher.work()
    assert (await post.progress(send)).send.status is SendStatus.DONE
    all_of_them(post, 60)
    assert post.repeats == 0


async def test_a_cancelled_send_takes_back_what_waits(world: World, post: Post, clock: SetClock) -> None:
    send = await running(post)
    post.provider.fault = Fault.BUSY
    await world.services.dispatcher.work()
    waiting = counted(await post.progress(send))["WAITING"]
    assert 0 < waiting <= 3 * IN_HAND  # the send rests, and does not use up its audience's first tries
    await world.services.sends.cancel(send.id)
    await world.services.dispatcher.work()
    progress = await post.progress(send)
    assert (progress.send.status, counted(progress)) == (SendStatus.CANCELLED, {"CANCELLED": waiting})
    (codes,) = await world.services.sends.codes(send.id)
    assert (codes.issued, codes.returned) == (0, waiting)
    with pytest.raises(BadInput):
        await world.services.sends.start(send.id)


async def test_what_the_provider_does_not_take_goes_later_with_the_same_code(
    world: World, post: Post, clock: SetClock
) -> None:
    send = await running(post, people=30)
    post.provider.fault = Fault.LOST_ANSWER
    await world.services.dispatcher.work()
    lost = len(post.provider.taken)
    assert lost
    post.provider.fault = Fault.NONE
    for _ in range(6):
        clock.move(seconds=61)
        await world.services.dispatcher.work()
    assert counted(await post.progress(send)) == {"ACCEPTED": 30}
    assert post.repeats == lost
    all_of_them(post, 30)


async def test_a_server_that_stops_puts_back_what_its_channel_has_not_had(world: World, post: Post) -> None:
    send = await running(post, people=120)
    stopping = post.reopen()
    stopping.dispatcher.most_in_hand = 60
    at_message(post, 5, stopping.dispatcher.close)
    post.provider.latency = timedelta(milliseconds=1)
    await stopping.dispatcher.work()
    handed = len(post.provider.taken)
    assert 5 <= handed <= 2 * 25
    progress = counted(await post.progress(send))
    assert progress["ACCEPTED"] == handed
    assert set(progress) == {"ACCEPTED", "WAITING"}
    await world.services.dispatcher.work()
    assert counted(await post.progress(send)) == {"ACCEPTED": 120}
    assert post.repeats == 0
    all_of_them(post, 120)


async def test_a_server_that_dies_leaves_nothing_undone(world: World, post: Post, clock: SetClock) -> None:
    send = await running(post)
    dying = post.reopen()
    dying.dispatcher.most_in_hand = IN_HAND

    async def die() -> None:
        for task in dying.dispatcher._carrying.values():
            task.cancel()

    at_message(post, 25, die)
    post.provider.latency = timedelta(milliseconds=1)
    await asyncio.gather(dying.dispatcher.work(), return_exceptions=True)
    assert counted(await post.progress(send))["TAKEN"]
    await world.services.dispatcher.work()
    assert (await post.progress(send)).send.status is SendStatus.RUNNING
    clock.move(seconds=61)
    await world.services.dispatcher.work()
    progress = await post.progress(send)
    assert (progress.send.status, counted(progress)) == (SendStatus.DONE, {"ACCEPTED": 60})
    assert post.repeats <= 2 * IN_HAND
    all_of_them(post, 60)


async def test_what_a_dead_server_of_this_machine_had_goes_first(
    world: World, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = await running(post)
    dying = post.reopen()
    dying.dispatcher.most_in_hand = IN_HAND
    posting = dying.dispatcher._posting
    machine, pid, begun, own = posting.owner.split("/")
    posting.owner = f"{machine}/{pid}/{begun}1/{own}"  # a process that is no more

    await dying.dispatcher._turn(send)
    await world.services.dispatcher._turn(send)  # let go of: the store went away before they were sent
    await dying.dispatcher._turn(send)
    monkeypatch.setattr(dispatching, "LANES", 1)
    await world.services.dispatcher.work()
    numbers = [int(one.key.rpartition(".")[2]) for one in post.provider.taken]
    assert {*numbers[: 3 * IN_HAND]} == {*range(1, 3 * IN_HAND + 1)}
    assert (await post.progress(send)).send.status is SendStatus.DONE
    all_of_them(post, 60)


async def test_a_store_that_goes_away_while_messages_are_out_makes_none_go_twice(world: World, post: Post) -> None:
    send = await running(post)
    services, database = world.interposed()
    post.connect(services).dispatcher.most_in_hand = IN_HAND

    async def away() -> None:
        raise StoreUnavailable("It restarts.")

    def taken(_: object) -> None:
        if len(post.provider.taken) % 20 == 5:
            database.before_write = away

    post.provider.on_taken = taken
    for _ in range(10):
        await services.dispatcher.work()
    assert counted(await post.progress(send)) == {"ACCEPTED": 60}
    assert post.repeats == 0


async def test_what_was_in_hand_when_the_store_went_away_goes_at_once_when_it_is_back(world: World, post: Post) -> None:
    """Whichever answer was lost: what nobody has handed to the channel is not left until it looks abandoned."""
    await world.promotion(handle="spring", codes=200)
    services, database = world.interposed()
    post.connect(services).dispatcher.most_in_hand = IN_HAND
    people = await post.people(15)
    for number in range(1, 8):
        send = await post.send(people, "spring", key=f"s{number}")
        await world.services.sends.start(send.id)
        lose_answer(database, number)
        await services.dispatcher.work()
        await services.dispatcher.work()
        assert counted(await post.progress(send)) == {"ACCEPTED": 15}
    assert post.repeats == 0
    assert await services.verify() == []


async def test_an_answer_that_is_written_down_twice_says_nothing_of_a_later_try(
    world: World, post: Post, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first time was lost on its way, and by the second the same server had the message in hand again."""
    monkeypatch.setattr(dispatching, "LANES", 1)
    send = await running(post, people=1)
    services, database = world.interposed()
    post.connect(services)
    tried_again: list[taking.Outcome] = []

    async def lost() -> None:
        database.before_write = try_again
        raise StoreUnavailable("It restarts.")

    async def try_again() -> None:
        clock.move(minutes=5)
        turn = Turn(owner=services.dispatcher._posting.owner, most=9, now=clock.now, lease=timedelta(seconds=60))
        tried_again.append(await world.write(lambda connection: taking.take(connection, send.id, None, turn)))

    async def deliver(messages: Sequence[Message]) -> list[Delivery]:
        database.after_write = lost
        return [Delivery.try_again(message.key, "It is busy.") for message in messages]

    services.carriers.find("email").deliver = deliver  # type: ignore[union-attr, method-assign]
    await services.dispatcher.work()
    assert [outcome.batch and len(outcome.batch.taken) for outcome in tried_again] == [1]
    assert counted(await post.progress(send)) == {"TAKEN": 1}
    assert await services.verify() == []


async def test_two_servers_share_a_send(world: World, post: Post) -> None:
    send = await running(post, people=120)
    other = post.reopen()
    other.dispatcher.most_in_hand = IN_HAND
    post.provider.latency = timedelta(milliseconds=1)
    await asyncio.gather(world.services.dispatcher.work(), other.dispatcher.work())
    await world.services.dispatcher.work()
    assert counted(await post.progress(send)) == {"ACCEPTED": 120}
    assert post.repeats == 0
    all_of_them(post, 120)


async def test_it_begins_when_its_time_has_come(world: World, post: Post, clock: SetClock) -> None:
    await world.promotion(handle="spring", codes=5)
    send = await post.send(await post.people(3), "spring", start_at=clock.now + timedelta(hours=1))
    assert (await post.sent(send)).send.status is SendStatus.SCHEDULED
    clock.move(hours=1)
    await world.services.dispatcher.work()
    assert (await post.progress(send)).send.status is SendStatus.DONE


async def test_one_that_was_put_off_as_its_time_came_begins_later(world: World, post: Post, clock: SetClock) -> None:
    await world.promotion(handle="spring", codes=5)
    send = await post.send(await post.people(3), "spring", start_at=clock.now + timedelta(hours=1))
    await world.services.sends.start(send.id)
    clock.move(hours=1)
    services, database = world.interposed()

    async def put_off() -> None:
        await world.services.sends.pause(send.id)
        await world.services.sends.start(send.id, clock.now + timedelta(hours=1))

    database.before_write = put_off
    await post.connect(services).dispatcher.work()
    assert (await post.progress(send)).send.status is SendStatus.SCHEDULED
    clock.move(hours=1)
    await services.dispatcher.work()
    assert (await post.progress(send)).send.status is SendStatus.DONE


async def test_a_paused_promotion_holds_it_up_and_nobody_is_passed_over(world: World, post: Post) -> None:
    promotion = await world.promotion(handle="spring", codes=50)
    send = await post.send(await post.people(40), "spring")
    await world.services.sends.start(send.id)
    await world.services.promoting.pause(promotion.id)
    await world.services.dispatcher.work()
    held = (await post.progress(send)).send
    assert held.status is SendStatus.PAUSED
    assert "spring" in str(held.problem)
    await world.services.promoting.activate(promotion.id)
    assert counted(await post.sent(send)) == {"ACCEPTED": 40}


async def test_a_rate_is_one_clock_for_all_servers(world: World, post: Post, clock: SetClock) -> None:
    send = await running(post, rate=10)

    async def turn(owner: str) -> taking.Outcome:
        order = Turn(owner=owner, most=100, now=clock.now, lease=timedelta(seconds=60))
        audience = await world.services.audiences.get(send.terms.audience or 0)

        def take(connection: object) -> taking.Outcome:
            going = taking.sends.look(connection, send.id)  # type: ignore[arg-type]
            assert going is not None
            following: Next = taking.next_of(connection, audience, going.reached, 2, clock.now)  # type: ignore[arg-type]
            return taking.take(connection, send.id, following, order)  # type: ignore[arg-type]

        return await world.write(take)

    begun = [(await turn(f"server-{number % 2}")).batch for number in range(6)]
    assert [batch and batch.begins_at - clock.now for batch in begun] == [
        timedelta(milliseconds=200 * number) for number in range(6)
    ]
    later = (await turn("server-1")).later
    assert later is not None
    assert later.at - clock.now == timedelta(milliseconds=1200)
    clock.move(seconds=61)  # none of them was ever sent
    await world.services.sends.cancel(send.id)
    await world.services.dispatcher.work()


async def test_what_providers_tell_moves_the_counts_whatever_comes_first(
    world: World, post: Post, services: Services
) -> None:
    send = await running(post, people=5)
    await services.dispatcher.work()
    keys = [message_key(send.token, number) for number in range(1, 6)]
    delivered, failed = DeliveryState.DELIVERED, DeliveryState.FAILED
    await services.sends.heard("email", {keys[0]: delivered, keys[1]: failed, "not-ours.1": failed, keys[2]: failed})
    await services.sends.heard("email", {keys[0]: failed, keys[1]: failed, keys[2]: delivered})
    await services.sends.heard("sms", {keys[3]: failed})
    assert counted(await post.progress(send)) == {"ACCEPTED": 2, "BOUNCED": 1, "DELIVERED": 2}


async def test_the_codes_of_a_send_and_their_uses(world: World, post: Post, services: Services) -> None:
    post.provider.refused.add("c00002@example.com")
    send = await running(post, people=4)
    await services.dispatcher.work()
    await world.redeem(next(iter(post.codes["c00001@example.com"])), "c00001")
    bounced = {message_key(send.token, number): DeliveryState.FAILED for number in (1, 3)}
    await services.settling.settle("email", bounced)
    (found,) = await services.sends.codes(send.id)
    # What was refused went back, and what bounced, but not the code that was used in spite of that.
    assert (found.issued, found.fallback, found.returned, found.redeemed) == (2, 0, 2, 1)
