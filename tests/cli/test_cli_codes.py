"""`promograph codes`: made, taken back, refused with a sentence."""

import asyncio

import pytest
from typer.testing import CliRunner, Result

from promograph.cli.main import app
from promograph.domain.promotions import OnEmpty, PromotionTerms
from promograph.services.app import Services
from promograph.services.promoting import Draft


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROMOGRAPH_STORE", raising=False)


def test_codes_are_made_and_taken_back(store_url: str) -> None:
    async def prepare() -> None:
        services = Services.open(store_url)
        await services.prepare()
        await services.promoting.create(
            Draft(terms=PromotionTerms(handle="sale", name="Sale", on_empty=OnEmpty.GENERATE), shared_code=None)
        )
        await services.close()

    asyncio.run(prepare())
    made = run("generate", "sale", "1500", "--store", store_url)
    assert (made.exit_code, made.stderr.strip()) == (0, "1,500 codes made.")
    back = run("revert", made.stdout.strip(), "--store", store_url)
    assert back.exit_code == 0
    assert "1,500 codes taken back; stayed: 0 issued, 0 used or held, 0 void." in back.stderr
    for arguments in (("generate", "nobody", "5"), ("generate", "sale", "0"), ("revert", "77")):
        refused = run(*arguments, "--store", store_url)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert refused.stderr.startswith("promograph: ")
    verified = CliRunner().invoke(app, ["verify", "--store", store_url])
    assert verified.exit_code == 0


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["codes", *arguments])
