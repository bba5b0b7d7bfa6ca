"""Loading plugins: each by itself, within a time limit, and named when it is broken."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from threading import Thread

import pluggy

from promograph import hookspecs
from promograph.channels import Channel, Happening, SettingsReader
from promograph.channels.settings import S
from promograph.config import Settings, section_name, variable
from promograph.errors import ConfigError
from promograph.hookspecs import TemplateFunction
from promograph.plugins.checking import check_channel, check_function
from promograph.plugins.hearing import Listener

ENTRY_POINTS = "promograph"


@dataclass(frozen=True, kw_only=True)
class LoadedPlugin:
    """A plugin that runs; `distribution` is the installed package it came with and that package's version.

    `settings` names the variables of the environment that it reads. `hears`: it is told what happens.
    """

    name: str
    distribution: str
    channels: tuple[Channel, ...]
    functions: Mapping[str, TemplateFunction]
    settings: tuple[str, ...]
    hears: bool


def _no_settings(section: str, model: type[S]) -> S:
    return model()


class PluginManager:
    """The plugins of one process. `blocked` names those that an operator keeps out; they are not even imported.

    A plugin has `hook_seconds` for each hook, so that one that waits for something cannot hold up the start unnamed.
    """

    def __init__(
        self, *, blocked: Collection[str] = (), settings: SettingsReader = _no_settings, hook_seconds: float = 5.0
    ) -> None:
        self._blocked = frozenset(blocked)
        self._settings = settings
        self._hook_seconds = hook_seconds
        self._loaded: dict[str, LoadedPlugin] = {}
        self._sections: set[str] = set()
        self._listeners: list[Listener] = []
        self._pluggy = pluggy.PluginManager(hookspecs.PROJECT)
        self._pluggy.add_hookspecs(hookspecs)

    @classmethod
    def of(cls, settings: Settings) -> "PluginManager":
        """As the operator set it up, loaded; ConfigError where a plugin is broken."""
        manager = cls(blocked=settings.blocked_plugins, settings=settings.section)
        manager.load()
        # A name with a slip in it would have e-mail go nowhere, and nobody told.
        for section in settings.sections.keys() - manager._sections - set(settings.blocked_plugins):
            raise ConfigError(f"No channel reads the settings {variable(section, '*')}; is the name right?")
        return manager

    def load(self) -> None:
        """Load every installed plugin that is not blocked, in order of name.

        One that is broken raises ConfigError with its name: a shop whose e-mail is silently missing is worse than one
        that does not start.
        """
        for entry in sorted(entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name):
            if entry.name not in self._blocked:
                self._load(entry)
        # Last, for pluggy adds to a choice of plugins whatever is registered after it was made.
        self._listeners = [self._listener(plugin.name) for plugin in self.loaded() if plugin.hears]

    def loaded(self) -> tuple[LoadedPlugin, ...]:
        """The plugins that run, in order of name."""
        return tuple(self._loaded.values())

    def channels(self) -> dict[str, Channel]:
        """Every registered channel by its name."""
        return {channel.name: channel for plugin in self.loaded() for channel in plugin.channels}

    def functions(self) -> dict[str, TemplateFunction]:
        """Everything that templates may call, by its name."""
        return {name: function for plugin in self.loaded() for name, function in plugin.functions.items()}

    @property
    def hears(self) -> bool:
        """Whether any plugin is told what happens."""
        return bool(self._listeners)

    def tell(self, happenings: Sequence[Happening]) -> None:
        """Tell every plugin that hears, one after another; called from a thread that may wait, one call at a time."""
        for listener in self._listeners:
            listener.tell(happenings)

    def _load(self, entry: EntryPoint) -> None:
        name = entry.name
        if name in self._loaded:
            raise ConfigError(f"Two installed packages bring a plugin named {name!r}; remove one of them.")
        taking = _Taking(self._settings, self.channels(), self.functions())
        try:
            self._pluggy.register(entry.load(), name=name)
            self._pluggy.check_pending()
            self._call_alone(name, "register_channels", register=taking.channel, settings=taking.read)
            self._call_alone(name, "register_template_functions", register=taking.function)
        except ConfigError:
            raise
        # SystemExit too: a plugin must not end the process without its name being said.
        except (Exception, SystemExit) as error:
            raise ConfigError(
                f"The plugin {name!r} is broken, so promograph does not start; mend it, remove it or block it by name. "
                f"It failed with {type(error).__name__}: {error}"
            ) from error
        self._sections |= taking.sections
        self._loaded[name] = LoadedPlugin(
            name=name,
            distribution=_distribution(entry),
            channels=tuple(taking.channels),
            functions=taking.functions,
            settings=tuple(taking.variables),
            hears=bool(self._alone(name, "hear").get_hookimpls()),
        )

    def _listener(self, name: str) -> Listener:
        hook = self._alone(name, "hear")
        return Listener(name, lambda happenings: hook(happenings=happenings), seconds=self._hook_seconds)

    def _alone(self, name: str, hook: str) -> pluggy.HookCaller:
        """The hook of one plugin only: pluggy drops the results of all when one of them raises."""
        others = [plugin for other, plugin in self._pluggy.list_name_plugin() if other != name]
        return self._pluggy.subset_hook_caller(hook, others)

    def _call_alone(self, name: str, hook: str, **arguments: object) -> None:
        caller = self._alone(name, hook)
        _within(self._hook_seconds, hook, lambda: caller(**arguments))


class _Taking:
    """What one plugin registers, checked as it comes."""

    def __init__(self, settings: SettingsReader, channels: Collection[str], functions: Collection[str]) -> None:
        self._settings = settings
        self._taken_channels = set(channels)
        self._taken_functions = set(functions)
        self.channels: list[Channel] = []
        self.functions: dict[str, TemplateFunction] = {}
        self.variables: list[str] = []
        self.sections: set[str] = set()

    def channel(self, channel: Channel) -> None:
        check_channel(channel, self._taken_channels)
        self._taken_channels.add(channel.name)
        self.channels.append(channel)

    def function(self, name: str, function: TemplateFunction) -> None:
        check_function(name, function, self._taken_functions)
        self._taken_functions.add(name)
        self.functions[name] = function

    def read(self, section: str, model: type[S]) -> S:
        self.sections.add(section_name(section))
        self.variables += [variable(section, field) for field in model.model_fields]
        return self._settings(section, model)


def _distribution(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "unknown"


def _within(seconds: float, hook: str, call: Callable[[], object]) -> None:
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
        raise TimeoutError(f"{hook} took longer than {seconds:g} s")
    if failures:
        raise failures[0]
