"""`promograph serve` that must not begin: each reason is a sentence, status 1, before anybody is told that it serves.

In process, because most of a start of its own is importing; `tests/processes` has the real ones.
"""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from promograph.cli import serve
from promograph.cli.main import app


@pytest.fixture(autouse=True)
def no_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def run(*_: object) -> None:
        raise AssertionError("it serves")

    monkeypatch.setattr(serve, "_run", run)
    monkeypatch.chdir(tmp_path)
    for name in ("STORE", "HOST", "PORT", "WORKERS"):
        monkeypatch.delenv(f"PROMOGRAPH_{name}", raising=False)


def test_without_a_reason_it_serves() -> None:
    with pytest.raises(AssertionError, match="it serves"):
        run("--port", "0")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--workers", "2"], "SQLite has one writer: use --workers 1, or a PostgreSQL store."),
        (
            ["--store", "sqlite:///no/such/folder/x.db"],
            "The store's file cannot be opened: its folder must exist and be writable.",
        ),
        (["--store", "sqlite:///."], "The store's file cannot be opened: its folder must exist and be writable."),
        (["--store", "sqlite:///letter"], "The store's file is not a SQLite database."),
        (
            ["--store", "sqlite:///:memory:"],
            "A store is named sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE.",
        ),
        (
            ["--store", "mysql://a:secret@b/c"],
            "The setting store (PROMOGRAPH_STORE) has no usable value: it must begin with sqlite:/// or postgresql://.",
        ),
        (
            ["--port", "65536"],
            "The setting port (PROMOGRAPH_PORT) has no usable value: input should be less than or equal to 65535.",
        ),
        (
            ["--workers", "0"],
            "The setting workers (PROMOGRAPH_WORKERS) has no usable value: input should be greater than or equal to 1.",
        ),
        (
            ["--host", "192.0.2.1"],
            "Cannot listen on 192.0.2.1:0 (Cannot assign requested address): choose another --port or --host.",
        ),
    ],
)
def test_what_keeps_it_from_serving_is_said_in_a_sentence(options: list[str], said: str) -> None:
    Path("letter").write_text("Dear customer, " * 100)
    refused = run("--port", "0", *options)
    assert (refused.exit_code, refused.stdout, refused.stderr) == (1, "", f"promograph: {said}\n")


@pytest.mark.parametrize("options", [["--port", "eighty"], ["--wrokers", "2"], ["--store"], ["promograph.db"]])
def test_options_that_do_not_exist_are_told_with_status_2(options: list[str]) -> None:
    refused = run(*options)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "Error" in refused.stderr


def test_a_bad_setting_names_itself_and_keeps_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMOGRAPH_STORE", "postgresql://app:S3cret/promo")
    refused = run()
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr.startswith("promograph: The setting store (PROMOGRAPH_STORE) has no usable value: ")
    assert "S3cret" not in refused.stderr


def run(*options: str) -> Result:
    return CliRunner().invoke(app, ["serve", *options], catch_exceptions=False)
