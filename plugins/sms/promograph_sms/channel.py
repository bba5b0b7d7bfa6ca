"""The channel: messages to the provider, and its receipts to promograph's words."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import httpx2

from promograph import BadSignature, Capability, Delivery, Message, ProviderEvent, ProviderRequest

from .asking import MUCH_LATER, asked
from .provider import Provider
from .settings import SmsSettings
from .twilio import Twilio
from .vonage import Vonage

_PROVIDERS: dict[str, Callable[[SmsSettings], Provider]] = {"twilio": Twilio, "vonage": Vonage}


class SmsChannel:
    """Text messages through one of several providers."""

    name: Final = "sms"
    title: Final = "SMS"
    description: Final = "Messages to customers by text message."
    can: Final = frozenset({Capability.SEND_MESSAGES, Capability.RECEIVE_EVENTS})

    def __init__(self, settings: SmsSettings) -> None:
        self._settings = settings
        self._provider: Provider | None = _PROVIDERS[settings.provider](settings) if settings.provider else None
        self._client: httpx2.AsyncClient | None = None
        self._free = asyncio.Semaphore(settings.connections)

    async def deliver(self, messages: Sequence[Message]) -> list[Delivery]:
        provider = self._provider
        if provider is None:
            why = "There is no SMS provider: set PROMOGRAPH_SMS__PROVIDER."
            return [Delivery.try_again(message.key, why, after=MUCH_LATER) for message in messages]
        client = self._client = self._client or self._new_client()

        async def one(message: Message) -> Delivery:
            async with self._free:
                return await asked(client, provider, message)

        return await asyncio.gather(*(one(message) for message in messages))

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def receive(self, request: ProviderRequest) -> list[ProviderEvent]:
        if self._provider is None:
            raise BadSignature("There is no SMS provider.")
        return self._provider.receive(request)

    def _new_client(self) -> httpx2.AsyncClient:
        size = self._settings.connections
        return httpx2.AsyncClient(
            timeout=self._settings.timeout,
            limits=httpx2.Limits(max_connections=size, max_keepalive_connections=size),
        )
