"""Every hook that a plugin may implement.

Hooks register and notify: they are called once at the start, synchronously, and hold no work. What has to be awaited
is a method of the object that a plugin registers.
"""

from collections.abc import Callable

import pluggy

from promograph.channels import Channel

PROJECT = "promograph"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def register_channels(register: Callable[[Channel], None]) -> None:
    """Call `register` once for every channel that the plugin brings.

    `register` raises ValueError where the channel is incomplete or its name is taken; let it pass, so that the start
    stops and names the plugin.
    """
