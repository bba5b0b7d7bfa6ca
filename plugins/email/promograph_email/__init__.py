"""The channel `email`: messages to customers by e-mail."""

from collections.abc import Callable

from promograph import Channel, SettingsReader, hookimpl

from .channel import EmailChannel
from .settings import EmailSettings

__all__ = ["EmailChannel", "EmailSettings"]


@hookimpl
def register_channels(register: Callable[[Channel], None], settings: SettingsReader) -> None:
    """Register the one channel of this plugin."""
    register(EmailChannel(settings("email", EmailSettings)))
