"""The conformance kit: what every channel that carries messages has to stand.

An author writes a `Stage`: the channel before a provider that does as it is told. Each of `CASES` is then one test:

    @pytest.mark.parametrize("case", CASES)
    def test_pigeons_conform(case: Case) -> None:
        run(case, PigeonStage)

`docs/adding-a-channel.md` goes through it step by step; `promograph.testing.fake_channel` has the smallest stage.
"""

import asyncio
from abc import abstractmethod
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from promograph.channels import (
    BadSignature,
    Capability,
    Delivery,
    DeliveryStatus,
    EventChannel,
    Message,
    MessageChannel,
    ProviderRequest,
)
from promograph.domain.sending.deliveries import DeliveryEventKind, DeliveryState, delivery_state
from promograph.plugins.checking import check_channel
from promograph.testing.stages import Fault, FaultyStage, run

__all__ = ["CASES", "Case", "Fault", "Stage", "Taken", "messages", "run"]

_MANY = 20


@dataclass(frozen=True, slots=True)
class Taken:
    """A message as the provider has it. `key` is what the channel made of the message's key, in whatever form."""

    key: str
    to: str
    text: str


class Stage(FaultyStage):
    """A channel before a provider that does as it is told. It is entered before a case and left after it."""

    bad_address: str
    """A recipient whom the provider refuses for good."""

    @abstractmethod
    def channel(self) -> MessageChannel:
        """A new channel before the same provider, as after a restart."""

    @abstractmethod
    def address(self, number: int) -> str:
        """A recipient who is fine; another one for each number."""

    @abstractmethod
    def taken(self) -> Sequence[Taken]:
        """All that the provider has taken, in its order, repeats included."""

    def callback(self, key: str, kind: DeliveryEventKind, *, forged: bool = False) -> ProviderRequest:
        """What the provider sends when this happened to a message; UNKNOWN: a word of its own that nobody knows.

        `forged`: signed with another secret. Wanted of channels that can RECEIVE_EVENTS.
        """
        raise NotImplementedError


Case = Callable[[Stage], Awaitable[None]]


def messages(stage: Stage, count: int = _MANY) -> list[Message]:
    return [
        Message(key=f"send-1.{n}", to=stage.address(n), subject=f"For {n}", text=f"Your code is C0DE-{n:03}.\n")
        for n in range(1, count + 1)
    ]


async def it_describes_itself(stage: Stage) -> None:
    channel = stage.channel()
    check_channel(channel, ())
    shown = f"{channel!r} {channel} {vars(channel) if hasattr(channel, '__dict__') else ''}"
    assert not [secret for secret in stage.secrets if secret in shown], "the channel shows a secret"
    await channel.close()


async def each_message_is_taken_once_and_answered_in_order(stage: Stage) -> None:
    sent = messages(stage)
    channel = stage.channel()
    answers = await _delivered(channel, sent)
    assert [answer.status for answer in answers] == [DeliveryStatus.ACCEPTED] * len(sent), answers
    assert len({answer.provider_id for answer in answers}) == len(sent)
    taken = {one.to: one for one in stage.taken()}
    assert len(stage.taken()) == len(taken) == len(sent)
    for message in sent:
        assert message.text.strip() in taken[message.to].text
    assert await channel.deliver([]) == []
    await channel.close()
    await _delivered(channel, sent[:1])  # closing is not the end
    await channel.close()


async def a_repeat_carries_the_same_key_and_text(stage: Stage) -> None:
    (message, *_) = messages(stage)
    for _ in range(2):
        channel = stage.channel()
        await _delivered(channel, [message])
        await channel.close()
    first, second = stage.taken()
    assert first == second
    assert first.key


async def one_bad_recipient_hurts_nobody_else(stage: Stage) -> None:
    sent = messages(stage)
    sent[7] = Message(key="send-1.bad", to=stage.bad_address, subject="For nobody", text="Your code is C0DE-BAD.\n")
    channel = stage.channel()
    answers = await _delivered(channel, sent)
    assert answers[7].status is DeliveryStatus.REFUSED, answers[7]
    assert answers[7].why
    others = [answer.status for answer in answers if answer.key != "send-1.bad"]
    assert others == [DeliveryStatus.ACCEPTED] * (len(sent) - 1), answers
    await channel.close()


async def a_busy_provider_is_asked_again_later(stage: Stage) -> None:
    answers = await _under(stage, Fault.BUSY)
    assert all(answer.after is not None for answer in answers), "when to come again?"
    assert not any(answer.maybe_taken for answer in answers), "nothing was taken"


async def a_broken_provider_is_asked_again(stage: Stage) -> None:
    await _under(stage, Fault.BROKEN)


async def an_answer_without_sense_may_have_been_a_yes(stage: Stage) -> None:
    assert all(answer.maybe_taken for answer in await _under(stage, Fault.GARBAGE))


async def a_lost_answer_may_have_been_a_yes(stage: Stage) -> None:
    assert all(answer.maybe_taken for answer in await _under(stage, Fault.LOST_ANSWER))


async def a_slow_provider_does_not_hold_us_up(stage: Stage) -> None:
    await _under(stage, Fault.SLOW)


async def a_crash_in_the_middle_loses_nothing_and_changes_nothing(stage: Stage) -> None:
    sent = messages(stage)
    channel = stage.channel()
    running = asyncio.ensure_future(channel.deliver(sent))
    for _ in range(10_000):
        if len(stage.taken()) >= 3 or running.done():
            break
        await asyncio.sleep(0.001)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    again = stage.channel()
    answers = await _delivered(again, sent)
    assert all(answer.status is DeliveryStatus.ACCEPTED for answer in answers), answers
    await again.close()
    await channel.close()
    taken = stage.taken()
    assert {one.to for one in taken} == {message.to for message in sent}
    assert len({(one.to, one.key, one.text) for one in taken}) == len(sent), "a repeat differs from the first"
    assert max(Counter(one.to for one in taken).values()) <= 2


async def a_cancelled_call_leaves_the_channel_fit(stage: Stage) -> None:
    channel = stage.channel()
    stage.behave(Fault.SLOW)
    running = asyncio.ensure_future(channel.deliver(messages(stage, 3)))
    await asyncio.sleep(0.05)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    stage.behave(Fault.NONE)
    answers = await _delivered(channel, messages(stage))
    assert [answer.status for answer in answers] == [DeliveryStatus.ACCEPTED] * _MANY, answers
    await channel.close()


async def what_is_said_twice_has_one_id(stage: Stage) -> None:
    channel = await _event_channel(stage)
    if channel is None:
        return
    request = stage.callback("send-1.1", DeliveryEventKind.DELIVERED)
    (first,), (second,) = channel.receive(request), channel.receive(request)
    assert first == second
    assert first.id and first.kind is DeliveryEventKind.DELIVERED
    assert first.key == "send-1.1", "whose message is it?"
    (other,) = channel.receive(stage.callback("send-1.1", DeliveryEventKind.BOUNCED))
    assert other.id != first.id


async def the_order_in_which_things_are_said_does_not_matter(stage: Stage) -> None:
    channel = await _event_channel(stage)
    if channel is None:
        return
    kinds = (DeliveryEventKind.SENT, DeliveryEventKind.DELIVERED)
    said = [event.kind for kind in kinds for event in channel.receive(stage.callback("send-1.1", kind))]
    assert said == list(kinds)
    assert delivery_state(said) is delivery_state(reversed(said)) is DeliveryState.DELIVERED
    (bounced,) = channel.receive(stage.callback("send-1.2", DeliveryEventKind.BOUNCED))
    assert delivery_state([DeliveryEventKind.SENT, bounced.kind]) is DeliveryState.FAILED


async def an_unknown_word_is_kept_as_it_came(stage: Stage) -> None:
    channel = await _event_channel(stage)
    if channel is None:
        return
    (event,) = channel.receive(stage.callback("send-1.1", DeliveryEventKind.UNKNOWN))
    assert event.kind is DeliveryEventKind.UNKNOWN
    assert event.raw


async def whoever_has_not_the_secret_is_not_heard(stage: Stage) -> None:
    channel = await _event_channel(stage)
    if channel is None:
        return
    good = stage.callback("send-1.1", DeliveryEventKind.DELIVERED)
    bare = ProviderRequest(url=good.url, headers=(), body=b"", received_at=good.received_at)
    rubbish = ProviderRequest(url=good.url, headers=good.headers, body=b"\xff{]", received_at=good.received_at)
    for request in (stage.callback("send-1.1", DeliveryEventKind.DELIVERED, forged=True), bare, rubbish):
        try:
            channel.receive(request)
        except BadSignature as refusal:
            assert not [secret for secret in stage.secrets if secret in str(refusal)]
        else:
            raise AssertionError(f"the channel heard {request}")


async def _delivered(channel: MessageChannel, sent: Sequence[Message]) -> Sequence[Delivery]:
    answers = await channel.deliver(sent)
    assert [answer.key for answer in answers] == [message.key for message in sent], "an answer each, in their order"
    return answers


async def _under(stage: Stage, fault: Fault) -> Sequence[Delivery]:
    """What the channel makes of a fault: never final, and over when the fault is."""
    sent = messages(stage, 3)
    channel = stage.channel()
    stage.behave(fault)
    answers = await _delivered(channel, sent)
    assert [answer.status for answer in answers] == [DeliveryStatus.TRY_AGAIN] * len(sent), answers
    for answer in answers:
        assert answer.why and not [secret for secret in stage.secrets if secret in answer.why]
    stage.behave(Fault.NONE)
    later = await _delivered(channel, sent)
    assert [answer.status for answer in later] == [DeliveryStatus.ACCEPTED] * len(sent), later
    assert len({(one.to, one.key, one.text) for one in stage.taken()}) == len(sent), "a repeat differs from the first"
    await channel.close()
    return answers


async def _event_channel(stage: Stage) -> EventChannel | None:
    """None where the channel does not say that its provider tells anything: then there is nothing to ask of it."""
    channel = stage.channel()
    await channel.close()
    if Capability.RECEIVE_EVENTS not in channel.can:
        return None
    assert isinstance(channel, EventChannel)
    return channel


CASES: tuple[Case, ...] = (
    it_describes_itself,
    each_message_is_taken_once_and_answered_in_order,
    a_repeat_carries_the_same_key_and_text,
    one_bad_recipient_hurts_nobody_else,
    a_busy_provider_is_asked_again_later,
    a_broken_provider_is_asked_again,
    an_answer_without_sense_may_have_been_a_yes,
    a_lost_answer_may_have_been_a_yes,
    a_slow_provider_does_not_hold_us_up,
    a_crash_in_the_middle_loses_nothing_and_changes_nothing,
    a_cancelled_call_leaves_the_channel_fit,
    what_is_said_twice_has_one_id,
    the_order_in_which_things_are_said_does_not_matter,
    an_unknown_word_is_kept_as_it_came,
    whoever_has_not_the_secret_is_not_heard,
)
