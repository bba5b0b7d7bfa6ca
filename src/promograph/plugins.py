"""Finding, loading and isolating plugins: the three that are shipped come through the same door as a stranger's."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from threading import Thread

import pluggy

from promograph import hookspecs
from promograph.channels import Capability, Channel
from promograph.errors import ConfigError

ENTRY_POINTS = "promograph"

_CHANNEL_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")


@dataclass(frozen=True, kw_only=True)
class LoadedPlugin:
    """A plugin that runs; `distribution` is the installed package it came with and that package's version."""

    name: str
    distribution: str
    channels: tuple[Channel, ...]


class PluginManager:
    """The plugins of one process. `blocked` names those that an operator keeps out; they are not even imported.

    A plugin has `hook_seconds` for each hook, so that one that waits for something cannot hold up the start unnamed.
    """

    def __init__(self, *, blocked: Collection[str] = (), hook_seconds: float = 5.0) -> None:
        self._blocked = frozenset(blocked)
        self._hook_seconds = hook_seconds
        self._loaded: dict[str, LoadedPlugin] = {}
        self._pluggy = pluggy.PluginManager(hookspecs.PROJECT)
        self._pluggy.add_hookspecs(hookspecs)

    def load(self) -> None:
        """Load every installed plugin that is not blocked, in order of name.

        One that is broken raises ConfigError with its name: a shop whose e-mail is silently missing is worse than one
        that does not start.
        """
        for entry in sorted(entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name):
            if entry.name not in self._blocked:
                self._load(entry)

    def loaded(self) -> tuple[LoadedPlugin, ...]:
        """The plugins that run, in order of name."""
        return tuple(self._loaded.values())

    def channels(self) -> dict[str, Channel]:
        """Every registered channel by its name."""
        return {channel.name: channel for plugin in self.loaded() for channel in plugin.channels}

    def _load(self, entry: EntryPoint) -> None:
        name = entry.name
        if name in self._loaded:
            raise ConfigError(f"Two installed packages bring a plugin named {name!r}; remove one of them.")
        channels: list[Channel] = []
        try:
            self._pluggy.register(entry.load(), name=name)
            self._pluggy.check_pending()
            self._call_alone(name, self._registrar(channels))
        # SystemExit too: a plugin must not end the process without its name being said.
        except (Exception, SystemExit) as error:
            raise ConfigError(
                f"The plugin {name!r} is broken, so promograph does not start; mend it, remove it or block it by name. "
                f"It failed with {type(error).__name__}: {error}"
            ) from error
        self._loaded[name] = LoadedPlugin(name=name, distribution=_distribution(entry), channels=tuple(channels))

    def _call_alone(self, name: str, register: Callable[[Channel], None]) -> None:
        """Call the hook of one plugin only: pluggy drops the results of all when one of them raises."""
        others = [plugin for other, plugin in self._pluggy.list_name_plugin() if other != name]
        hook = self._pluggy.subset_hook_caller("register_channels", others)
        _within(self._hook_seconds, lambda: hook(register=register))

    def _registrar(self, channels: list[Channel]) -> Callable[[Channel], None]:
        def register(channel: Channel) -> None:
            _check_channel(channel)
            if channel.name in self.channels() or any(channel.name == other.name for other in channels):
                raise ValueError(f"the channel {channel.name!r} is registered already")
            channels.append(channel)

        return register


def _check_channel(channel: Channel) -> None:
    """Look at everything once here, so that nobody who lists channels has to."""
    if not isinstance(channel, Channel):
        raise ValueError(f"{type(channel).__name__} lacks one of: name, title, description, can")
    if not isinstance(channel.name, str) or not _CHANNEL_NAME.fullmatch(channel.name):
        raise ValueError(f"{channel.name!r} is no name for a channel: use lower-case letters, digits, - and _")
    if not channel.title or not channel.description:
        raise ValueError(f"the channel {channel.name!r} has no title or no description")
    if not isinstance(channel.can, frozenset) or not all(isinstance(each, Capability) for each in channel.can):
        raise ValueError(f"the channel {channel.name!r} must say what it can do as a frozenset of Capability")


def _distribution(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "unknown"


def _within(seconds: float, call: Callable[[], object]) -> None:
    """Run `call` in a thread that is left behind when it takes longer than `seconds`; raises what it raised."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except BaseException as error:
            failures.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError(f"register_channels took longer than {seconds:g} s")
    if failures:
        raise failures[0]
