"""What became of a message, from what its provider said: in any order, any number of times."""

from collections.abc import Iterable
from enum import StrEnum


class DeliveryEventKind(StrEnum):
    """What a provider may say of a message, in one vocabulary for all of them."""

    SENT = "SENT"
    """On its way: queued, processed, handed to a carrier."""

    DEFERRED = "DEFERRED"
    """Not taken for now (a soft bounce); the provider tries again by itself."""

    DELIVERED = "DELIVERED"
    """The recipient's mailbox or phone has it."""

    BOUNCED = "BOUNCED"
    """Turned down for good (a hard bounce)."""

    SUPPRESSED = "SUPPRESSED"
    """Never tried: the provider knows the recipient as bounced, complaining or unsubscribed."""

    OPENED = "OPENED"
    """Seen by the recipient: opened, clicked, read."""

    COMPLAINED = "COMPLAINED"
    """The recipient called it spam."""

    UNSUBSCRIBED = "UNSUBSCRIBED"
    """The recipient wants no more of them."""

    ORDER = "ORDER"
    """Not about a message: something in a shop, which the channel works on itself."""

    UNKNOWN = "UNKNOWN"
    """A word that the channel does not know; the raw event is kept."""


class DeliveryState(StrEnum):
    """What became of a message. FAILED: it has not been seen and will not be."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"


_SEEN = frozenset(
    {
        DeliveryEventKind.DELIVERED,
        DeliveryEventKind.OPENED,
        DeliveryEventKind.COMPLAINED,
        DeliveryEventKind.UNSUBSCRIBED,
    }
)
_OVER = frozenset({DeliveryEventKind.BOUNCED, DeliveryEventKind.SUPPRESSED})


def delivery_state(kinds: Iterable[DeliveryEventKind]) -> DeliveryState:
    """Of a message of which all this was said. Whoever may have seen a code has it, whatever bounced besides."""
    said = frozenset(kinds)
    if said & _SEEN:
        return DeliveryState.DELIVERED
    return DeliveryState.FAILED if said & _OVER else DeliveryState.PENDING
