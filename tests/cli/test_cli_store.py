"""`promograph migrate` and `promograph verify`: on stores that are empty, sound, damaged, missing or not ours."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from promograph.cli.main import app
from promograph.domain.issuing import IssueRequest
from promograph.domain.promotions import PromotionTerms
from promograph.domain.redeeming import RedeemRequest
from promograph.services.app import Services
from promograph.services.promoting import Draft

SOUND = "Every counter agrees with its rows, and no limit is exceeded.\n"
CURRENT = "The tables are up to date (revision "


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROMOGRAPH_STORE", raising=False)


@pytest.fixture
def sold(store_url: str) -> str:
    """A store with a promotion of three codes, of which two are issued and one is redeemed."""

    async def sell() -> None:
        services = Services.open(store_url)
        await services.prepare()
        made = await services.promoting.create(Draft(terms=PromotionTerms(name="Sale", handle="sale")))
        await services.stocking.paste(made.id, "CODE-1\nCODE-2\nCODE-3", channel=None)
        await services.promoting.activate(made.id)
        for customer in ("anna", "ben"):
            await services.issuing.issue(IssueRequest(promotion="sale", customer=customer))
        await services.redeeming.redeem(RedeemRequest(code="code-1"))
        await services.close()

    asyncio.run(sell())
    return store_url


def test_migrate_makes_the_tables_once(store_url: str) -> None:
    first, second = run("migrate", "--store", store_url), run("migrate", "--store", store_url)
    assert first.exit_code == second.exit_code == 0
    assert first.stdout.startswith(CURRENT)
    assert second.stdout == first.stdout
    assert run("verify", "--store", store_url).stderr == SOUND


def test_migrate_leaves_a_current_store_as_it_is(sold: str) -> None:
    assert run("migrate", "--store", sold).stdout.startswith(CURRENT)
    verified = run("verify", "--store", sold)
    assert (verified.exit_code, verified.stdout, verified.stderr) == (0, "", SOUND)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (["UPDATE stock SET available = available + 1"], ["sale: available is kept as 2, and its rows count 1"]),
        (
            ["UPDATE stock SET redeemed = 0, redemptions = 7"],
            [
                "sale: redeemed is kept as 0, and its rows count 1",
                "sale: redemptions is kept as 7, and its rows count 1",
            ],
        ),
        (
            ["UPDATE code SET uses = 3 WHERE key = 'CODE-1'"],
            ["sale: a code counts other uses than it has: CODE-1 (3, expected 1)"],
        ),
        (
            ["DELETE FROM code WHERE key = 'CODE-2'", "UPDATE stock SET issued = 1"],
            [
                "sale: an issuance names a code that is not there: ben (2, expected 0)",
                "sale: a batch has other codes than were added and not taken back: batch 1 (2, expected 3)",
            ],
        ),
        (
            ["UPDATE promotion SET audience_cap = 1"],
            ["sale: more customers were reached than the audience cap allows: customers (2, expected 1)"],
        ),
    ],
)
def test_verify_says_a_line_for_each_difference(sold: str, damage: list[str], said: list[str]) -> None:
    for statement in damage:
        sql(sold, statement)
    verified = run("verify", "--store", sold)
    assert (verified.exit_code, verified.stdout.splitlines(), verified.stderr) == (1, said, "")


@pytest.mark.parametrize("command", [["verify"], ["token", "list"], ["token", "revoke", "shop"]])
def test_looking_at_a_store_that_is_not_there_does_not_make_one(tmp_path: Path, command: list[str]) -> None:
    looked = run(*command, "--store", f"sqlite:///{tmp_path}/typo.db")
    assert (looked.exit_code, looked.stdout) == (1, "")
    assert looked.stderr == (
        f"promograph: There is no store at {tmp_path}/typo.db: name it with --store or PROMOGRAPH_STORE.\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_an_empty_store_is_not_found_to_be_right(store_url: str) -> None:
    if store_url.startswith("sqlite"):
        Path(store_url.removeprefix("sqlite:///")).touch()
    verified = run("verify", "--store", store_url)
    assert (verified.exit_code, verified.stdout) == (1, "")
    assert verified.stderr == (
        "promograph: The store is empty, it has no tables: name another with --store or PROMOGRAPH_STORE.\n"
    )


@pytest.mark.parametrize(("command", "said"), [("verify", "of another version"), ("migrate", "a newer promograph")])
def test_a_store_of_a_newer_version_is_left_alone(sold: str, command: str, said: str) -> None:
    sql(sold, "UPDATE alembic_version SET version_num = 'of-the-future'")
    refused = run(command, "--store", sold)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr.startswith("promograph: The store") and said in refused.stderr


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("Dear customer, " * 100)
    refused = run("migrate", "--store", f"sqlite:///{tmp_path}/letter.db")
    assert (refused.exit_code, refused.stderr) == (1, "promograph: The store's file is not a SQLite database.\n")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def sql(store: str, statement: str) -> None:
    if store.startswith("sqlite"):
        with closing(sqlite3.connect(store.removeprefix("sqlite:///"))) as connection, connection:
            connection.execute(statement)
        return

    async def execute() -> None:
        connection = await asyncpg.connect(store)
        await connection.execute(statement)
        await connection.close()

    asyncio.run(execute())
