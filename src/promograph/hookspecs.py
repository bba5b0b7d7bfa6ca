"""Every hook that a plugin may implement.

Hooks register and notify: they are called synchronously and hold no work. What has to be awaited is a method of the
object that a plugin registers. An implementation takes those of a hook's arguments that it needs, by their names.
"""

from collections.abc import Callable, Sequence

import pluggy

from promograph.channels import Channel, Happening, SettingsReader

PROJECT = "promograph"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

TemplateFunction = Callable[..., str]
"""A pure function of texts that a template gives it; its answer is text, and is escaped where the template says so."""


@hookspec
def register_channels(register: Callable[[Channel], None], settings: SettingsReader) -> None:
    """Call `register` once for every channel that the plugin brings; called once, at the start.

    `settings` reads what the operator set for a channel, ConfigError where that cannot be used. `register` raises
    ValueError where the channel is incomplete or its name is taken. Let both pass, so that the start stops and names
    the plugin.
    """


@hookspec
def register_template_functions(register: Callable[[str, TemplateFunction], None]) -> None:
    """Call `register` with a name and a function for everything that templates may call; called once, at the start.

    The name is a Python identifier in lower case. `register` raises ValueError where it is not, or is taken.
    """


@hookspec
def hear(happenings: Sequence[Happening]) -> None:
    """Hear what has happened since the last call, in its order, after it is durable.

    Called in a thread of its own, one call at a time. Within a server process a happening is told at most once: what
    happens while a call takes too long, or while too much waits, is left out, and the log says how much. What must not
    be missed is read from the API.
    """
