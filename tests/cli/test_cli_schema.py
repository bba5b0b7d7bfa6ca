"""`promograph schema`, `promograph plugins`, and the help of every command."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from promograph.cli.main import app

ROOT = Path(__file__).parents[2]


def test_the_schema_is_the_committed_one() -> None:
    printed = run("schema")
    assert printed.exit_code == 0
    assert printed.stdout == (ROOT / "schema.graphql").read_text(encoding="utf-8")


def test_the_shipped_plugins_are_listed() -> None:
    listed = run("plugins")
    assert listed.exit_code == 0
    rows = [line.split("│")[1].strip() for line in listed.stdout.splitlines() if line.startswith("│")]
    assert {"ecommerce", "email", "sms"} <= set(rows)


def test_a_blocked_plugin_is_not_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMOGRAPH_BLOCKED_PLUGINS", "sms, email")
    assert "SMS" not in run("plugins").stdout


def commands(group: typer.Typer, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for command in group.registered_commands:
        yield (*path, str(command.name))
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        yield from commands(inner.typer_instance, (*path, str(inner.name)))


@pytest.mark.parametrize("path", list(commands(app)), ids=" ".join)
def test_every_command_explains_itself(path: tuple[str, ...]) -> None:
    shown = run(*path, "--help")
    assert (shown.exit_code, shown.stderr) == (0, "")
    usage, explained = [line.strip() for line in shown.stdout.splitlines() if line.strip()][:2]
    assert usage.startswith(" ".join(("Usage: promograph", *path)))
    # Not the frame of the options, and nothing that was cut to fit.
    assert explained[0].isupper() and "…" not in shown.stdout, shown.stdout


def test_the_commands_are_these() -> None:
    top = {path[0] for path in commands(app) if path}
    assert top >= {"serve", "demo", "token", "migrate", "verify", "bench", "schema", "plugins"}


def test_an_unknown_command_is_told() -> None:
    refused = run("sevre")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "sevre" in refused.stderr


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)
