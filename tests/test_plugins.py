"""The door for plugins: strangers and the shipped ones alike, the blocked, and the broken, who are named."""

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import entry_points
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from promograph import Capability, Happening, HappeningKind, hookspecs
from promograph.config import load_settings
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
        can: frozenset[Capability] = frozenset({Capability.RECEIVE_ORDERS})

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
    assert manager.channels()["pigeons"].can == {Capability.RECEIVE_ORDERS}
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
        (GOOD.replace("frozenset({Capability.RECEIVE_ORDERS})", 'frozenset({"FLY"})'), "frozenset of Capability"),
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


def test_every_hook_has_a_user_among_the_shipped_plugins_or_in_the_guide() -> None:
    used = {name for entry in entry_points(group="promograph") for name in vars(entry.load())}
    guide = (ROOT / "docs/adding-a-channel.md").read_text()
    hooks = {name for name, value in vars(hookspecs).items() if hasattr(value, "promograph_spec")}
    assert hooks <= used | set(re.findall(r"@hookimpl\ndef (\w+)\(", guide))


TALKER = """
    from dataclasses import dataclass
    from promograph import Capability, ChannelSettings, Secret, hookimpl

    class TalkerSettings(ChannelSettings):
        word: str
        secret: Secret = Secret("")
        loud: bool = False

    @dataclass(frozen=True)
    class Talker:
        settings: TalkerSettings
        name: str = "talker"
        title: str = "Talker"
        description: str = "It talks."
        can: frozenset[Capability] = frozenset()

    heard = []

    @hookimpl
    def register_channels(register, settings):
        register(Talker(settings("talker", TalkerSettings)))

    @hookimpl
    def register_template_functions(register):
        register("shout", str.upper)

    @hookimpl
    def hear(happenings):
        heard.extend(happenings)
"""


def told(**variables: str) -> PluginManager:
    manager = PluginManager(settings=load_settings(sections={"talker": variables}).section)
    manager.load()
    return manager


def test_settings_come_from_the_environment_and_secrets_do_not_show(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(TALKER, name="talker")
    monkeypatch.setenv("PROMOGRAPH_TALKER__WORD", "coo")
    monkeypatch.setenv("PROMOGRAPH_TALKER__SECRET", "s3cret")
    monkeypatch.setenv("PROMOGRAPH_TALKER__LOUD", "yes")
    settings = load_settings()
    manager = PluginManager.of(settings)
    talker: Any = manager.channels()["talker"]
    assert (talker.settings.word, talker.settings.loud) == ("coo", True)
    assert talker.settings.secret.get_secret_value() == "s3cret"
    (plugin,) = (plugin for plugin in manager.loaded() if plugin.name == "talker")
    assert plugin.settings == ("PROMOGRAPH_TALKER__WORD", "PROMOGRAPH_TALKER__SECRET", "PROMOGRAPH_TALKER__LOUD")
    assert "s3cret" not in f"{settings!r} {talker!r} {plugin!r}"


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "The channel talker needs the setting PROMOGRAPH_TALKER__WORD."),
        ({"word": "x", "lout": "y"}, "The channel talker has no setting PROMOGRAPH_TALKER__LOUT."),
        ({"word": "x", "loud": "s3cret"}, "The setting PROMOGRAPH_TALKER__LOUD has no usable value: input should be"),
    ],
)
def test_settings_that_cannot_be_used_are_named_and_not_shown(
    install: Install, variables: dict[str, str], said: str
) -> None:
    install(TALKER, name="talker")
    with pytest.raises(ConfigError) as stop:
        told(**variables)
    assert said in str(stop.value)
    assert "s3cret" not in str(stop.value)


def test_settings_that_nobody_reads_are_told_unless_their_plugin_is_blocked() -> None:
    with pytest.raises(ConfigError, match=r"No channel reads the settings PROMOGRAPH_EMIAL__\*; is the name right"):
        PluginManager.of(load_settings(sections={"emial": {"host": "mail.example"}}))
    blocked = load_settings(sections={"email": {"host": "mail.example"}}, blocked_plugins=("email",))
    assert "email" not in PluginManager.of(blocked).channels()


def test_template_functions_have_names_of_their_own(install: Install) -> None:
    install(TALKER, name="talker")
    assert told(word="x").functions()["shout"]("coo") == "COO"
    second = TALKER.replace('"talker"', '"second"').replace("word: str", "word: str = ''")
    install(second, name="second", distribution="promograph-second")
    with pytest.raises(ConfigError, match="'shout' is registered already"):
        told(word="x")


@pytest.mark.parametrize("call", ['register("Shout", str.upper)', 'register("shout", "x")'])
def test_a_template_function_that_is_none_stops_the_start(install: Install, call: str) -> None:
    install(TALKER.replace('register("shout", str.upper)', call), name="talker")
    with pytest.raises(ConfigError, match="The plugin 'talker' is broken"):
        told(word="x")


def test_what_happens_is_heard_whatever_other_plugins_do(install: Install, caplog: pytest.LogCaptureFixture) -> None:
    install(TALKER.replace("heard.extend(happenings)", "raise SystemExit(1)"), name="talker")
    install(
        TALKER.replace('"talker"', '"other"').replace('"shout"', '"cry"').replace("word: str", "word: str = ''"),
        name="other",
        distribution="promograph-other",
    )
    manager = told(word="x")
    assert manager.hears
    happening = Happening(kind=HappeningKind.POOL_LOW, happened_at=datetime.now(UTC), promotion="spring")
    manager.tell([happening])
    assert sys.modules["promograph_other"].heard == [happening]
    assert "'talker' failed to hear" in caplog.text


def test_a_plugin_that_is_slow_to_hear_misses_what_happens_meanwhile(
    install: Install, caplog: pytest.LogCaptureFixture
) -> None:
    install(
        TALKER.replace("heard.extend(happenings)", "heard.append(1); go.wait()").replace(
            "heard = []", "import threading\n    go = threading.Event()\n    heard = []"
        ),
        name="talker",
    )
    manager = PluginManager(settings=load_settings(sections={"talker": {"word": "x"}}).section, hook_seconds=0.05)
    manager.load()
    module: Any = sys.modules["promograph_pigeons"]
    happening = Happening(kind=HappeningKind.POOL_LOW, happened_at=datetime.now(UTC))
    manager.tell([happening])
    manager.tell([happening, happening])
    assert module.heard == [1]
    assert "takes longer than" in caplog.text
    module.go.set()
    while len(module.heard) < 2:  # the first call is just ending
        manager.tell([happening])
    assert "has missed" in caplog.text


def test_blocked_plugins_are_told_nothing(install: Install) -> None:
    install(TALKER, name="talker")
    manager = load(blocked=("talker",))
    assert not manager.hears
    assert not manager.functions()
