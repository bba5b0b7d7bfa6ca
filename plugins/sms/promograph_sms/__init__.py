"""The channel `sms`: messages to customers by text message."""

from collections.abc import Callable
from dataclasses import dataclass

from promograph import Capability, Channel, hookimpl


@dataclass(frozen=True)
class SmsChannel:
    """How the channel describes itself."""

    name: str = "sms"
    title: str = "SMS"
    description: str = "Messages to customers by text message."
    can: frozenset[Capability] = frozenset({Capability.SEND_MESSAGES})


@hookimpl
def register_channels(register: Callable[[Channel], None]) -> None:
    """Register the one channel of this plugin."""
    register(SmsChannel())
