"""`promograph token`: what goes to which stream, and what is refused."""

import re

import pytest
from typer.testing import CliRunner, Result

from promograph.cli.main import app

TEXT = re.compile(r"pmg_[A-Za-z0-9_-]{43}\n")


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROMOGRAPH_STORE", raising=False)


def test_the_text_of_a_new_token_is_all_that_goes_to_the_standard_output(store_url: str) -> None:
    made = run("create", "shop", "--scope", "codes:redeem", "--scope", "codes:issue", "--store", store_url)
    assert made.exit_code == 0
    assert TEXT.fullmatch(made.stdout)
    assert "'shop'" in made.stderr and made.stdout.strip() not in made.stderr


def test_tokens_are_listed_without_their_texts(store_url: str) -> None:
    scopes = [
        part for scope in ("inventory:read", "promotions:write", "customers:write") for part in ("--scope", scope)
    ]
    # Longer than a line of eighty characters together, and the name looks like markup.
    name = f"[red]{'front-end-' * 4}[/red]"
    text = run("create", name, *scopes, "--store", store_url).stdout.strip()
    listed = run("list", "--store", store_url)
    assert listed.exit_code == 0
    (line,) = [line for line in listed.stdout.splitlines() if name in line]
    assert "customers:write, inventory:read, promotions:write" in line
    assert text not in listed.stdout


def test_a_name_is_used_once(store_url: str) -> None:
    assert run("create", "shop", "--scope", "admin", "--store", store_url).exit_code == 0
    again = run("create", "shop", "--scope", "admin", "--store", store_url)
    assert (again.exit_code, again.stdout) == (1, "")
    assert again.stderr == "promograph: A token named 'shop' exists; names are not used twice.\n"


def test_a_token_is_revoked_once_and_stays_in_the_list(store_url: str) -> None:
    run("create", "shop", "--scope", "admin", "--store", store_url)
    assert "UTC │         │" in run("list", "--store", store_url).stdout
    revoked = run("revoke", "shop", "--store", store_url)
    assert (revoked.exit_code, revoked.stdout) == (0, "")
    assert re.search(r"UTC │ \d{4}-\d\d-\d\d \d\d:\d\d UTC │", run("list", "--store", store_url).stdout)
    again = run("revoke", "shop", "--store", store_url)
    assert (again.exit_code, again.stderr) == (1, "promograph: No live token is named 'shop'.\n")


@pytest.mark.parametrize("arguments", [["--scope", "emperor"], [], ["--scope"]])
def test_scopes_are_named(store_url: str, arguments: list[str]) -> None:
    made = run("create", "shop", *arguments, "--store", store_url)
    assert (made.exit_code, made.stdout) == (2, "")
    assert "scope" in made.stderr


@pytest.mark.parametrize("name", ["", " shop", "shop\n", "s" * 65])
def test_a_name_can_be_written(store_url: str, name: str) -> None:
    made = run("create", name, "--scope", "admin", "--store", store_url)
    assert (made.exit_code, made.stdout) == (1, "")
    assert made.stderr.startswith("promograph: name ")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["token", *arguments], catch_exceptions=False)
