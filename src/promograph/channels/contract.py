"""What a channel is: a way to customers (e-mail, SMS) or from them (a shop), brought by a plugin.

Every channel describes itself (`Channel`). What else it has to have follows from what it says that it can do.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol, runtime_checkable

from promograph.channels.desk import Desk
from promograph.channels.messages import Delivery, Message
from promograph.channels.provider_events import ProviderEvent, ProviderRequest


class Capability(StrEnum):
    """What a channel says that it is for."""

    SEND_MESSAGES = "SEND_MESSAGES"
    """It carries messages, each with a customer's own code, to customers: a `MessageChannel`."""

    RECEIVE_EVENTS = "RECEIVE_EVENTS"
    """Its provider tells what became of messages: an `EventChannel`."""

    RECEIVE_ORDERS = "RECEIVE_ORDERS"
    """It hears of orders and refunds in a shop, where codes are used: an `OrderChannel` once it has a shop to hear."""

    PUSH_CODES = "PUSH_CODES"
    """It tells shops of promotions and their codes, and asks them what was used: a `ShopChannel`."""


@runtime_checkable
class Channel(Protocol):
    """What a plugin registers; a frozen dataclass with these four fields is enough to count codes under its name."""

    @property
    def name(self) -> str:
        """The key under which codes are issued and compared: lower-case letters, digits, `-`, `_`; never changes."""

    @property
    def title(self) -> str:
        """What people read in lists."""

    @property
    def description(self) -> str:
        """One sentence on what the channel reaches."""

    @property
    def can(self) -> frozenset[Capability]:
        """What the channel is for; empty where it only labels codes."""


@runtime_checkable
class MessageChannel(Channel, Protocol):
    """Carries messages. It holds connections at most: what has to survive a crash is promograph's business."""

    async def deliver(self, messages: Sequence[Message]) -> Sequence[Delivery]:
        """Hand each message to the provider: an answer each, in their order, whatever becomes of the others.

        It raises nothing. What belongs to one recipient or message is REFUSED; what would hit everybody (no
        connection, wrong password, too fast) is TRY_AGAIN, since REFUSED is for good. It may be cancelled at any time,
        and called from several tasks at once.
        """

    async def close(self) -> None:
        """Give back connections; a later `deliver` makes new ones."""


@runtime_checkable
class EventChannel(Channel, Protocol):
    """Understands what its provider sends to `/channels/NAME/events`."""

    def receive(self, request: ProviderRequest) -> Sequence[ProviderEvent]:
        """Check the signature over the raw body, in constant time, before anything is parsed; then say what is in it.

        Raises BadSignature, and ValueError for a signed body that makes no sense. It does no I/O and keeps nothing.
        """


@runtime_checkable
class OrderChannel(EventChannel, Protocol):
    """Works on what a shop sends. `receive` gives events of the kind ORDER, which come here once they are kept."""

    async def handle(self, events: Sequence[ProviderEvent], desk: Desk) -> None:
        """Do what these events mean. Whatever is raised has them come again later, so that nothing may count twice."""
