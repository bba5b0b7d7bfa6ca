"""Messages triggered one by one, and sends tried out."""

import asyncio

import pytest

from promograph.domain.promotions import IssuePolicy
from promograph.domain.sending.sends import Send, SendTerms
from promograph.errors import BadInput
from promograph.services.sending.triggering import TriggerRequest

from .sendings import TEXT, Post, counted
from .world import World

pytestmark = pytest.mark.anyio


@pytest.fixture
def post(world: World) -> Post:
    return Post(world)


async def welcome(world: World) -> Send:
    terms = SendTerms(key="welcome", name="Welcome", channel="email", content=TEXT, promotion="spring")
    made = await world.services.sends.create(terms)
    return await world.services.sends.start(made.id)


async def test_fifty_calls_at_once_are_one_message_with_one_code(world: World, post: Post) -> None:
    promotion = await world.promotion(handle="spring", codes=10, issue_policy=IssuePolicy.PER_MESSAGE)
    send, other = await welcome(world), post.reopen()
    await post.people(2)
    request = TriggerRequest(send=send.id, customer="c00001", message="order-1")
    calls = [services.triggers.trigger(request) for services in (world.services, other) for _ in range(25)]
    answers = await asyncio.gather(*calls)
    assert len({answer.key for answer in answers}) == 1
    assert sum(not answer.replayed for answer in answers) == 1
    await asyncio.gather(world.services.dispatcher.work(), other.dispatcher.work())
    assert len(post.provider.taken) == 1
    again = await world.services.triggers.trigger(request)
    assert (again.replayed, again.message and again.message.status) == (True, "ACCEPTED")
    for message in ("order-2", "order-3"):
        await world.services.triggers.trigger(TriggerRequest(send=send.id, customer="c00002", message=message))
    await world.services.dispatcher.work()
    assert counted(await post.progress(send)) == {"ACCEPTED": 3}
    assert (await world.inventory(promotion)).issued == 3
    assert len(post.codes["c00002@example.com"]) == 2


async def test_who_cannot_be_written_to_is_told_at_once(world: World, post: Post) -> None:
    await world.promotion(handle="spring", codes=10)
    send = await welcome(world)
    await post.people(1, consent={"email": False})
    mass = await post.send(["c00001"], "spring", key="mass")
    for customer, id_, field in (
        ("c00001", send.id, "customer"),
        ("nobody", send.id, "customer"),
        ("c00001", mass.id, "send"),
        ("c00001", 999, "send"),
        ("", send.id, "customer"),
    ):
        with pytest.raises(BadInput) as caught:
            await world.services.triggers.trigger(TriggerRequest(send=id_, customer=customer, message="m"))
        assert caught.value.field == (field,)
    assert counted(await post.progress(send)) == {}


async def test_trying_a_send_out_uses_nothing_up(world: World, post: Post) -> None:
    promotion = await world.promotion(handle="spring", codes=1)
    send = await welcome(world)
    post.provider.refused.add("bad@example.com")
    tried = await world.services.trials.send(send.id, ["me@example.com", "bad@example.com"])
    assert [(one.to, one.accepted) for one in tried] == [("me@example.com", True), ("bad@example.com", False)]
    (message,) = post.provider.taken
    assert message.text.startswith("Your code: TEST-")
    assert (await world.inventory(promotion)).issued == 0
    assert counted(await post.progress(send)) == {}
    with pytest.raises(BadInput):
        await world.services.trials.send(send.id, ["no address"])
