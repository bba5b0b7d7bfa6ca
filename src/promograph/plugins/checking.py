"""Looking at everything that a plugin registers once, so that nobody who uses it has to."""

import re
from collections.abc import Collection
from inspect import iscoroutinefunction

from promograph.channels import Capability, Channel, EventChannel, MessageChannel, ShopChannel
from promograph.hookspecs import TemplateFunction

_CHANNEL_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_FUNCTION_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


def check_channel(channel: Channel, taken: Collection[str]) -> None:
    if not isinstance(channel, Channel):
        raise ValueError(f"{type(channel).__name__} lacks one of: name, title, description, can")
    if not isinstance(channel.name, str) or not _CHANNEL_NAME.fullmatch(channel.name):
        raise ValueError(f"{channel.name!r} is no name for a channel: use lower-case letters, digits, - and _")
    if not channel.title or not channel.description:
        raise ValueError(f"the channel {channel.name!r} has no title or no description")
    if not isinstance(channel.can, frozenset) or not all(isinstance(each, Capability) for each in channel.can):
        raise ValueError(f"the channel {channel.name!r} must say what it can do as a frozenset of Capability")
    _check_methods(channel)
    if channel.name in taken:
        raise ValueError(f"the channel {channel.name!r} is registered already")


def _check_methods(channel: Channel) -> None:
    if Capability.SEND_MESSAGES in channel.can:
        if not isinstance(channel, MessageChannel):
            raise ValueError(f"the channel {channel.name!r} says SEND_MESSAGES and lacks deliver or close")
        if not iscoroutinefunction(channel.deliver) or not iscoroutinefunction(channel.close):
            raise ValueError(f"deliver and close of the channel {channel.name!r} must be async")
    if Capability.RECEIVE_EVENTS in channel.can and not isinstance(channel, EventChannel):
        raise ValueError(f"the channel {channel.name!r} says RECEIVE_EVENTS and lacks receive")
    if Capability.PUSH_CODES in channel.can:
        _check_shops(channel)


def _check_shops(channel: Channel) -> None:
    if not isinstance(channel, ShopChannel):
        raise ValueError(f"the channel {channel.name!r} says PUSH_CODES and lacks shops")
    for name, shop in channel.shops.items():
        if name != shop.name or not _CHANNEL_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name for a shop: use lower-case letters, digits, - and _")


def check_function(name: str, function: TemplateFunction, taken: Collection[str]) -> None:
    if not isinstance(name, str) or not _FUNCTION_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for a template function: use lower-case letters, digits and _")
    if not callable(function) or iscoroutinefunction(function):
        raise ValueError(f"the template function {name!r} must be a plain function")
    if name in taken:
        raise ValueError(f"the template function {name!r} is registered already")
