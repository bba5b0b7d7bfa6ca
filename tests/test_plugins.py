"""The door for plugins: strangers and the shipped ones alike, the blocked, and the broken, who are named."""

import inspect
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path
from textwrap import dedent

import pytest

from promograph import Capability, hookspecs
from promograph.errors import ConfigError
from promograph.plugins import PluginManager

ROOT = Path(__file__).parent.parent
SHIPPED = ("ecommerce", "email", "sms")

GOOD = """
    from dataclasses import dataclass
    from promograph import Capability, hookimpl

    @dataclass(frozen=True)
    class Pigeons:
        name: str = "pigeons"
        title: str = "Pigeons"
        description: str = "Messages by carrier pigeon."
        can: frozenset[Capability] = frozenset({Capability.SEND_MESSAGES})

    @hookimpl
    def register_channels(register):
        register(Pigeons())
"""

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Put a distribution with one plugin beside those that are installed, as an installer would."""
    modules: list[str] = []

    def install(source: str, *, name: str = "pigeons", distribution: str = "promograph-pigeons") -> None:
        module = distribution.replace("-", "_")
        site = tmp_path / distribution
        info = site / f"{module}-2.5.dist-info"
        info.mkdir(parents=True)
        (site / f"{module}.py").write_text(dedent(source))
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 2.5\n")
        (info / "entry_points.txt").write_text(f"[promograph]\n{name} = {module}\n")
        monkeypatch.syspath_prepend(site)
        modules.append(module)

    yield install
    for module in modules:
        sys.modules.pop(module, None)


def load(*, blocked: tuple[str, ...] = (), hook_seconds: float = 5.0) -> PluginManager:
    manager = PluginManager(blocked=blocked, hook_seconds=hook_seconds)
    manager.load()
    return manager


def test_the_three_shipped_plugins_come_through_the_door() -> None:
    assert {entry.name for entry in entry_points(group="promograph")} >= set(SHIPPED)
    loaded = {plugin.name: plugin for plugin in load().loaded()}
    assert [channel.name for name in SHIPPED for channel in loaded[name].channels] == list(SHIPPED)
    assert loaded["email"].distribution.startswith("promograph ")


def test_a_strangers_plugin_comes_through_the_same_door(install: Install) -> None:
    install(GOOD)
    manager = load()
    (plugin,) = (plugin for plugin in manager.loaded() if plugin.name == "pigeons")
    assert plugin.distribution == "promograph-pigeons 2.5"
    assert manager.channels()["pigeons"].can == {Capability.SEND_MESSAGES}
    assert set(manager.channels()) == {*SHIPPED, "pigeons"}


def test_a_blocked_plugin_is_not_even_imported(install: Install) -> None:
    install("raise RuntimeError('imported')")
    manager = load(blocked=("pigeons", "sms"))
    assert {plugin.name for plugin in manager.loaded()} == {"ecommerce", "email"}


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import no_such_module_anywhere", "ModuleNotFoundError"),
        ("def register_channels(", "SyntaxError"),
        ("raise SystemExit(0)", "SystemExit"),
        (GOOD + "        raise RuntimeError('no pigeons today')", "RuntimeError: no pigeons today"),
        (GOOD.replace("register_channels(register)", "register_channels(register, more)"), "PluginValidationError"),
        (GOOD.replace("def register_channels", "def register_canals"), "register_canals"),
        (GOOD.replace('name: str = "pigeons"', 'name: str = "Pigeons!"'), "is no name for a channel"),
        (GOOD.replace('name: str = "pigeons"', 'name: str = "email"'), "'email' is registered already"),
        (GOOD.replace("register(Pigeons())", "register(Pigeons()); register(Pigeons())"), "is registered already"),
        (GOOD.replace('title: str = "Pigeons"', 'title: str = ""'), "has no title"),
        (GOOD.replace("can: frozenset[Capability]", "could: frozenset[Capability]"), "lacks one of"),
        (GOOD.replace("frozenset({Capability.SEND_MESSAGES})", 'frozenset({"FLY"})'), "frozenset of Capability"),
    ],
)
def test_a_broken_plugin_stops_the_start_and_is_named(install: Install, source: str, said: str) -> None:
    install(source)
    with pytest.raises(ConfigError, match="The plugin 'pigeons' is broken") as stop:
        load()
    assert said in str(stop.value)


def test_a_plugin_that_waits_is_named(install: Install) -> None:
    install(GOOD.replace("register(Pigeons())", "import threading; threading.Event().wait()"))
    with pytest.raises(ConfigError, match=r"The plugin 'pigeons' is broken.*longer than"):
        load(hook_seconds=0.05)


def test_two_packages_cannot_bring_one_name(install: Install) -> None:
    install(GOOD)
    install(GOOD, distribution="other-pigeons")
    with pytest.raises(ConfigError, match="Two installed packages bring a plugin named 'pigeons'"):
        load()


def test_every_hook_is_documented_typed_and_named_in_the_docs() -> None:
    texts = [ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    written = "\n".join(path.read_text() for path in texts)
    hooks = [value for value in vars(hookspecs).values() if hasattr(value, "promograph_spec")]
    assert hooks
    for hook in hooks:
        assert inspect.getdoc(hook), f"{hook.__name__} has no docstring"
        signature = inspect.signature(hook)
        kinds = [signature.return_annotation, *(each.annotation for each in signature.parameters.values())]
        assert inspect.Signature.empty not in kinds, f"{hook.__name__} is not fully typed"
        assert f"`{hook.__name__}`" in written, f"{hook.__name__} is in no document"


def test_every_hook_has_a_user_among_the_shipped_plugins() -> None:
    used = {name for entry in entry_points(group="promograph") for name in vars(entry.load())}
    hooks = {name for name, value in vars(hookspecs).items() if hasattr(value, "promograph_spec")}
    assert hooks <= used
