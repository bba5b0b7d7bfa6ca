"""The channel `sms`: messages to customers by text message."""

from collections.abc import Callable

from promograph import Channel, SettingsReader, hookimpl

from .channel import SmsChannel
from .settings import SmsSettings

__all__ = ["SmsChannel", "SmsSettings"]


@hookimpl
def register_channels(register: Callable[[Channel], None], settings: SettingsReader) -> None:
    """Register the one channel of this plugin."""
    register(SmsChannel(settings("sms", SmsSettings)))
