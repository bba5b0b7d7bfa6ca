"""`promograph codes`: made, taken back, refused with a sentence."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from promograph.cli.main import app
from promograph.domain.promotions import OnEmpty, PromotionTerms
from promograph.services.app import Services
from promograph.services.promoting import Draft


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROMOGRAPH_STORE", raising=False)


async def prepare(store: str) -> None:
    services = Services.open(store)
    await services.prepare()
    await services.promoting.create(
        Draft(terms=PromotionTerms(handle="sale", name="Sale", on_empty=OnEmpty.GENERATE), shared_code=None)
    )
    await services.close()


def test_codes_are_made_and_taken_back(store_url: str) -> None:
    asyncio.run(prepare(store_url))
    made = run("generate", "sale", "1500", "--store", store_url)
    assert (made.exit_code, made.stderr.strip()) == (0, "1,500 codes made; one guess in 546,418,857,987 hits a code.")
    back = run("revert", made.stdout.strip(), "--store", store_url)
    assert back.exit_code == 0
    assert "1,500 codes taken back; stayed: 0 issued, 0 used or held, 0 void." in back.stderr
    for arguments in (("generate", "nobody", "5"), ("generate", "sale", "0"), ("revert", "77")):
        refused = run(*arguments, "--store", store_url)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert refused.stderr.startswith("promograph: ")
    verified = CliRunner().invoke(app, ["verify", "--store", store_url])
    assert verified.exit_code == 0


def test_codes_are_read_from_a_file_and_written_to_one(store_url: str, tmp_path: Path) -> None:
    asyncio.run(prepare(store_url))
    codes = tmp_path / "codes.csv"
    codes.write_bytes(b"name;Code\r\nAnn;ONE-1\r\nBob;TWO-2\r\nCy;one-1\r\nDi;with space\r\n")
    rehearsed = run("import", "sale", str(codes), "--column", "Code", "--dry-run", "--store", store_url)
    assert (rehearsed.exit_code, rehearsed.stdout) == (0, "")
    assert "2 codes would be added of 4 rows; 1 repeated in the file, 1 bad." in rehearsed.stderr
    read = run("import", "sale", str(codes), "--column", "Code", "--channel", "print", "--store", store_url)
    assert (read.exit_code, read.stdout.strip().isdecimal()) == (0, True)
    assert "2 codes added of 4 rows; 1 repeated in the file, 1 bad." in read.stderr
    assert "row 5: 'Di, with space'" in read.stderr
    again = run("import", "sale", str(codes), "--column", "Code", "--store", store_url)
    assert (again.exit_code, again.stdout) == (0, "")
    assert "0 codes added of 4 rows; 1 repeated in the file, 2 in this promotion already, 1 bad." in again.stderr
    written = tmp_path / "all.csv"
    made = run("export", "sale", str(written), "--store", store_url)
    assert (made.exit_code, made.stdout) == (0, "")
    lines = written.read_text(encoding="utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in lines] == ["code", "ONE-1", "TWO-2"]
    for arguments, why in (
        (("export", "sale", str(written)), "is there already"),
        (("export", "sale", str(tmp_path / "all.txt")), "must end with .csv or .xlsx"),
        (("export", "nobody", str(tmp_path / "b.csv")), "No promotion has the handle"),
        (("import", "sale", str(codes), "--column", "Colour"), "Colour"),
    ):
        refused = run(*arguments, "--store", store_url)
        assert (refused.exit_code, refused.stdout) == (1, ""), refused.stderr
        assert why in refused.stderr


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["codes", *arguments])
