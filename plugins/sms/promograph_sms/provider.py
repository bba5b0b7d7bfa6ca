"""What a provider behind this channel does."""

from typing import Any, Protocol

import httpx2

from promograph import Delivery, Message, ProviderEvent, ProviderRequest


class Provider(Protocol):
    """One company's API: how a message is asked for, what the answer means, what comes back later."""

    def request(self, message: Message) -> dict[str, Any]:
        """The arguments of an HTTP POST."""

    def answered(self, message: Message, response: httpx2.Response) -> Delivery:
        """What an answer means. ValueError, KeyError and the like: it is none that is known."""

    def receive(self, request: ProviderRequest) -> list[ProviderEvent]:
        """As `EventChannel.receive`."""
