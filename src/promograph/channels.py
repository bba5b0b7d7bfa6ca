"""What a channel is: a way to customers (e-mail, SMS) or from them (a shop), brought by a plugin.

Today a channel describes itself: promograph lists it, and codes are counted under its name. Sending messages and taking
in orders will be methods of further protocols in this file, each tied to the capability that announces it.
"""

from enum import StrEnum
from typing import Protocol, runtime_checkable


class Capability(StrEnum):
    """What a channel says that it is for."""

    SEND_MESSAGES = "SEND_MESSAGES"
    """It carries messages, each with a customer's own code, to customers."""

    RECEIVE_ORDERS = "RECEIVE_ORDERS"
    """It hears of orders and refunds in a shop, where codes are used."""


@runtime_checkable
class Channel(Protocol):
    """What a plugin registers; a frozen dataclass with these four fields is enough."""

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
