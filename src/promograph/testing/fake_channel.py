"""A channel that goes nowhere, for tests: its provider is a list in memory and does as it is told."""

import asyncio
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from promograph.channels import (
    BadSignature,
    Capability,
    Delivery,
    Message,
    MessageChannel,
    ProviderEvent,
    ProviderRequest,
)
from promograph.domain.sending.deliveries import DeliveryEventKind
from promograph.testing.conformance import Fault, Stage, Taken

_SECRET = "known-to-the-fake-provider"
_SIGNATURE = "X-Fake-Signature"


@dataclass
class FakeProvider:
    """What it has `taken`; `fault` is what it does to every message, `refused` whom it will never take.

    `latency` passes before each message. `on_taken` is called with each message as it is taken: the place for a test
    to stop, cancel or kill something.
    """

    fault: Fault = Fault.NONE
    refused: set[str] = field(default_factory=set)
    latency: timedelta = timedelta()
    taken: list[Taken] = field(default_factory=list)
    on_taken: Callable[[Message], None] | None = None

    def take(self, message: Message) -> None:
        self.taken.append(Taken(message.key, message.to, message.text))
        if self.on_taken is not None:
            self.on_taken(message)

    def says(self, key: str, word: str, *, secret: str = _SECRET, channel: str = "fake") -> ProviderRequest:
        """Its callback: this happened to that message. `word` is a `DeliveryEventKind` or anything else."""
        body = json.dumps({"id": f"{key}:{word}", "key": key, "word": word}).encode()
        signature = hmac.digest(secret.encode(), body, "sha256").hex()
        return ProviderRequest(
            url=f"https://promograph.test/channels/{channel}/events",
            headers=(("Content-Type", "application/json"), (_SIGNATURE, signature)),
            body=body,
            received_at=datetime.now(UTC),
        )


class FakeChannel:
    """Before a `FakeProvider`, which several channels may share."""

    title = "Nowhere"
    description = "Messages that stay in memory, for tests."
    can = frozenset({Capability.SEND_MESSAGES, Capability.RECEIVE_EVENTS})

    def __init__(self, provider: FakeProvider | None = None, *, name: str = "fake") -> None:
        self.name = name
        self.provider = provider or FakeProvider()

    async def deliver(self, messages: Sequence[Message]) -> list[Delivery]:
        return [await self._deliver(message) for message in messages]

    async def close(self) -> None:
        """There is nothing to give back."""

    def receive(self, request: ProviderRequest) -> list[ProviderEvent]:
        wanted = hmac.digest(_SECRET.encode(), request.body, "sha256").hex()
        if not hmac.compare_digest(wanted.encode(), (request.header(_SIGNATURE) or "").encode()):
            raise BadSignature("The signature does not fit.")
        said = json.loads(request.body)
        known = DeliveryEventKind.__members__
        kind = known.get(said["word"], DeliveryEventKind.UNKNOWN)
        return [ProviderEvent(id=said["id"], kind=kind, key=said["key"], raw=said, happened_at=request.received_at)]

    async def _deliver(self, message: Message) -> Delivery:
        provider = self.provider
        await asyncio.sleep(provider.latency.total_seconds())
        if provider.fault is Fault.BUSY:
            return Delivery.try_again(message.key, "It is busy.", after=timedelta(seconds=1))
        if provider.fault in (Fault.BROKEN, Fault.SLOW):
            return Delivery.try_again(message.key, "It is out of order.")
        if message.to in provider.refused:
            return Delivery.refused(message.key, "Nobody lives there.")
        provider.take(message)
        if provider.fault in (Fault.GARBAGE, Fault.LOST_ANSWER):
            return Delivery.try_again(message.key, "Its answer was lost.", maybe_taken=True)
        return Delivery.accepted(message.key, f"fake-{message.key}")


class FakeStage(Stage):
    """The smallest stage there is."""

    bad_address = "nobody"
    secrets = (_SECRET,)

    def __init__(self) -> None:
        self._provider = FakeProvider(refused={self.bad_address})

    def channel(self) -> MessageChannel:
        return FakeChannel(self._provider)

    def address(self, number: int) -> str:
        return f"somebody-{number}"

    def behave(self, fault: Fault) -> None:
        self._provider.fault = fault

    def taken(self) -> Sequence[Taken]:
        return self._provider.taken

    def callback(self, key: str, kind: DeliveryEventKind, *, forged: bool = False) -> ProviderRequest:
        return self._provider.says(key, kind, secret="a guess" if forged else _SECRET)
