"""Handing messages to a channel that may do anything."""

import asyncio
from collections.abc import Sequence

import pytest

from promograph import Delivery, Message
from promograph.services.sending.delivering import deliver
from promograph.testing.fake_channel import FakeChannel

pytestmark = pytest.mark.anyio

MESSAGES = [Message(key=f"send-1.{n}", to=f"c{n}", text="x") for n in range(3)]


class Raising(FakeChannel):
    async def deliver(self, messages: Sequence[Message]) -> list[Delivery]:
        raise SystemError("out of feathers")


class Slow(FakeChannel):
    async def deliver(self, messages: Sequence[Message]) -> list[Delivery]:
        await asyncio.sleep(60)
        return []


class Short(FakeChannel):
    async def deliver(self, messages: Sequence[Message]) -> list[Delivery]:
        return (await super().deliver(messages))[1:]


class Mixed(FakeChannel):
    async def deliver(self, messages: Sequence[Message]) -> list[Delivery]:
        return list(reversed(await super().deliver(messages)))


async def test_a_good_channel_answers_for_itself() -> None:
    answers = await deliver(FakeChannel(), MESSAGES, seconds=10)
    assert [(answer.key, answer.status) for answer in answers] == [(each.key, "ACCEPTED") for each in MESSAGES]


@pytest.mark.parametrize("channel", [Raising(), Slow(), Short(), Mixed()], ids=lambda each: type(each).__name__)
async def test_a_bad_one_may_have_sent_any_of_them(channel: FakeChannel) -> None:
    answers = await deliver(channel, MESSAGES, seconds=0.05 if isinstance(channel, Slow) else 10)
    assert [(answer.key, answer.status, answer.maybe_taken) for answer in answers] == [
        (each.key, "TRY_AGAIN", True) for each in MESSAGES
    ]
    assert "feathers" not in str(answers)
