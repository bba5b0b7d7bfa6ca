"""Each part of the bench, tiny: that it measures what it says, finds every answer right, and leaves a clean store."""

from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from promograph.cli.bench import Stores, run_parts
from promograph.cli.benching.parts.registry import PARTS
from promograph.cli.main import app

_TINY = {"pages": 2_000, "export": 2_000}


@pytest.mark.parametrize("name", PARTS)
def test_a_tiny_run_of_a_part_is_right(name: str, tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    assert run_parts(Stores.SQLITE, {PARTS[name]: _TINY[name]}, file, None, quick=True)
    [report] = orjson.loads(file.read_bytes())["stores"]
    assert (report["part"], report["store"], report["wrong"], report["differences"]) == (name, "SQLite", 0, [])
    *rows, last = report["rows"]
    assert last["what"] == "verify, the whole store"
    assert [target for row in rows for target in row["targets"]]


def test_help_lists_the_parts_and_a_part_that_is_none_is_refused() -> None:
    shown = CliRunner().invoke(app, ["bench", "--help"]).output
    assert all(f"{name}:" in shown for name in PARTS)
    refused = CliRunner().invoke(app, ["bench", "--part", "nothing"])
    assert refused.exit_code == 2
