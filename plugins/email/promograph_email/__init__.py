"""The channel `email`: messages to customers by e-mail."""

from collections.abc import Callable
from dataclasses import dataclass

from promograph import Capability, Channel, hookimpl


@dataclass(frozen=True)
class EmailChannel:
    """How the channel describes itself."""

    name: str = "email"
    title: str = "E-mail"
    description: str = "Messages to customers by e-mail."
    can: frozenset[Capability] = frozenset({Capability.SEND_MESSAGES})


@hookimpl
def register_channels(register: Callable[[Channel], None]) -> None:
    """Register the one channel of this plugin."""
    register(EmailChannel())
