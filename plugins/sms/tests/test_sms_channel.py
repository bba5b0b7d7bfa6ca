"""The plugin `sms` as promograph sees it: through its entry point and its hook."""

from importlib.metadata import entry_points

import promograph_sms
from promograph import Capability, Channel


def test_sms_is_found_through_its_entry_point() -> None:
    (entry,) = entry_points(group="promograph", name="sms")
    assert entry.load() is promograph_sms


def test_sms_registers_one_channel_that_describes_itself() -> None:
    registered: list[Channel] = []
    promograph_sms.register_channels(registered.append)
    (channel,) = registered
    assert isinstance(channel, Channel)
    assert channel.name == "sms"
    assert channel.can == {Capability.SEND_MESSAGES}
