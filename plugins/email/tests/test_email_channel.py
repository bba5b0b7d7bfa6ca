"""The plugin `email` as promograph sees it: through its entry point and its hook."""

from importlib.metadata import entry_points

import promograph_email
from promograph import Capability, Channel


def test_email_is_found_through_its_entry_point() -> None:
    (entry,) = entry_points(group="promograph", name="email")
    assert entry.load() is promograph_email


def test_email_registers_one_channel_that_describes_itself() -> None:
    registered: list[Channel] = []
    promograph_email.register_channels(registered.append)
    (channel,) = registered
    assert isinstance(channel, Channel)
    assert channel.name == "email"
    assert channel.can == {Capability.SEND_MESSAGES}
