"""The fake channel stands the conformance kit, and the kit sees what a channel does wrong."""

from collections.abc import Sequence

import pytest

from promograph import Delivery, Message, MessageChannel
from promograph.testing.conformance import CASES, Case, run
from promograph.testing.fake_channel import FakeChannel, FakeStage


@pytest.mark.parametrize("case", CASES)
def test_the_fake_channel_conforms(case: Case) -> None:
    run(case, FakeStage)


class Final(FakeChannel):
    async def deliver(self, messages: Sequence[Message]) -> list[Delivery]:
        return [
            answer if answer.status == "ACCEPTED" else Delivery.refused(answer.key, "no")
            for answer in await super().deliver(messages)
        ]


class Sure(FakeChannel):
    async def deliver(self, messages: Sequence[Message]) -> list[Delivery]:
        answers = await super().deliver(messages)
        return [Delivery.accepted(one.key, one.key) if one.maybe_taken else one for one in answers]


class Shuffled(FakeChannel):
    async def deliver(self, messages: Sequence[Message]) -> list[Delivery]:
        return list(reversed(await super().deliver(messages)))


class Renamed(FakeChannel):
    made = 0

    async def deliver(self, messages: Sequence[Message]) -> list[Delivery]:
        Renamed.made += 1
        renamed = [Message(key=f"{each.key}.{Renamed.made}", to=each.to, text=each.text) for each in messages]
        answers = await super().deliver(renamed)
        return [
            Delivery(key=each.key, status=answer.status, provider_id=answer.provider_id, why=answer.why)
            for each, answer in zip(messages, answers, strict=True)
        ]


class Trusting(FakeChannel):
    def receive(self, request):  # type: ignore[no-untyped-def]
        return []


@pytest.mark.parametrize("wrong", [Final, Sure, Shuffled, Renamed, Trusting])
def test_the_kit_sees_what_is_wrong(wrong: type[FakeChannel]) -> None:
    class WrongStage(FakeStage):
        def channel(self) -> MessageChannel:
            return wrong(self._provider)

    fallen = []
    for case in CASES:
        try:
            run(case, WrongStage)
        except (AssertionError, ValueError):
            fallen.append(case)
    assert fallen
