"""Each part of the bench, tiny: that it measures what it says, finds every answer right, and leaves a clean store."""

import os
import shutil
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from promograph.cli.bench import Stores, run_parts
from promograph.cli.benching import outcome, processes
from promograph.cli.benching.parts.registry import PARTS
from promograph.cli.main import app

from .commands import Process, Surroundings

_TINY = {"pages": 1_000, "beside": 1_000, "export": 1_000, "customers": 1_000, "orders": 60}
_TESTED_ELSEWHERE = {"sends"}
_SERVER = "promograph.cli.main"


class _Server:
    """A server that is made quickly, as the bench knows one that is made anew."""

    stdin = stdout = None

    def __init__(self, process: Process) -> None:
        self._process = process
        self.pid, self.poll, self.wait = process.pid, process.poll, process.wait

    def terminate(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


@pytest.fixture
def quick_servers(surroundings: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = processes.begun

    def begin(module: Sequence[str], *, settings: Mapping[str, str] | None = None, **streams: Any) -> Any:
        if module[0] != _SERVER:
            return begun(module, settings=settings, **streams)
        return _Server(surroundings.begin(module[1:], settings or {}, out=streams["stdout"], err=streams["stderr"]))

    monkeypatch.setattr(processes, "begun", begin)


@pytest.fixture
def quick_stores(prepared_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are made once for all of them."""
    numbers = count()

    @contextmanager
    def prepared(_: str, folder: Path) -> Iterator[str]:
        file = folder / f"{next(numbers)}.db"
        shutil.copy(prepared_file, file)
        yield f"sqlite:///{file}"

    monkeypatch.setattr(outcome, "empty_store", prepared)


@pytest.mark.usefixtures("quick_servers", "quick_stores")
def test_tiny_runs_of_the_parts_are_right(tmp_path: Path) -> None:
    file, page = tmp_path / "figures.json", tmp_path / "figures.md"
    assert run_parts(Stores.SQLITE, {PARTS[name]: size for name, size in _TINY.items()}, file, page, quick=True)
    reports = orjson.loads(file.read_bytes())["stores"]
    assert [(report["part"], report["store"]) for report in reports] == [(name, "SQLite") for name in _TINY]
    for report in reports:
        assert (report["wrong"], report["differences"]) == (0, [])
        *rows, last = report["rows"]
        assert last["what"] == "verify, the whole store"
        assert [target for row in rows for target in row["targets"]]
        assert f": {report['part']}\n" in page.read_text(encoding="utf-8")


def test_every_part_is_tested() -> None:
    assert PARTS.keys() == _TINY.keys() | _TESTED_ELSEWHERE


def test_help_lists_the_parts_and_a_part_that_is_none_is_refused() -> None:
    shown = CliRunner().invoke(app, ["bench", "--help"]).output
    assert all(f"{name}:" in shown for name in PARTS)
    refused = CliRunner().invoke(app, ["bench", "--part", "nothing"])
    assert refused.exit_code == 2
