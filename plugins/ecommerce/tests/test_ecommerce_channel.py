"""The plugin `ecommerce` as promograph sees it: through its entry point and its hook."""

from importlib.metadata import entry_points

import promograph_ecommerce
from promograph import Capability, Channel


def test_ecommerce_is_found_through_its_entry_point() -> None:
    (entry,) = entry_points(group="promograph", name="ecommerce")
    assert entry.load() is promograph_ecommerce


def test_ecommerce_registers_one_channel_that_describes_itself() -> None:
    registered: list[Channel] = []
    promograph_ecommerce.register_channels(registered.append)
    (channel,) = registered
    assert isinstance(channel, Channel)
    assert channel.name == "ecommerce"
    assert channel.can == {Capability.RECEIVE_ORDERS}
