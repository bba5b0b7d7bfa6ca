"""The bench: its arithmetic, that its client knows a wrong answer, and a tiny run from end to end."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import Any

import orjson
import pytest

from promograph.cli.bench import Stores, run_bench
from promograph.cli.benching import stores
from promograph.cli.benching.failures import BenchFailed
from promograph.cli.benching.figures import Row, StoreReport, at_least, median_of, median_ratio, percentile
from promograph.cli.benching.jobs import Job, Window
from promograph.cli.benching.load import run
from promograph.cli.benching.plan import FULL, QUICK, Plan
from promograph.cli.benching.report import store_table
from promograph.cli.benching.supplies import Supply
from promograph.testing.postgres_programs import PostgresUnavailable

TINY = Plan(
    seconds=0.1,
    warm_up=0.05,
    rounds=1,
    connections=(4,),
    promotions=5,
    codes=3_000,
    bulk=3_000,
    small=100,
    calls=((100, 3),),
)


@pytest.mark.parametrize(
    ("share", "value"), [(0.0, 1.0), (0.01, 1.0), (0.5, 50.0), (0.501, 51.0), (0.99, 99.0), (1.0, 100.0)]
)
def test_a_percentile_is_the_value_of_the_nearest_rank(share: float, value: float) -> None:
    assert percentile([float(number) for number in range(1, 101)], share) == value


def test_the_percentile_of_a_few_is_one_of_them() -> None:
    assert percentile([7.0], 0.99) == 7.0
    assert percentile([1.0, 2.0, 3.0], 0.5) == 2.0


def test_nothing_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        percentile([], 0.5)


def test_ratios_are_taken_pair_by_pair() -> None:
    # The second pair met a machine half as fast: its ratio is as good as the others'.
    assert median_ratio([60.0, 35.0, 90.0], [100.0, 50.0, 100.0]) == 0.7


def test_what_belongs_to_no_pair_is_not_compared() -> None:
    with pytest.raises(ValueError, match="zip"):
        median_ratio([1.0, 2.0], [1.0])


def test_a_median_leaves_out_what_is_not_known() -> None:
    assert median_of([3.0, None, 1.0, 2.0]) == 2.0
    assert median_of([None]) is None


def test_a_target_is_reached_at_the_very_figure() -> None:
    assert at_least(50_000, 50_000, "codes").reached
    assert not at_least(49_999.9, 50_000, "codes").reached


def test_a_supply_offers_nothing_twice_and_keeps_some_for_the_last() -> None:
    supply = Supply(lambda number: {"number": number}, 10, shares=3)
    first = supply.offer()
    assert [each["number"] for each in first] == [0, 1, 2]
    supply.used(1)
    assert [each["number"] for each in supply.offer()] == [1, 2, 3, 4]
    supply.used(4)
    assert [each["number"] for each in supply.offer()] == [5, 6, 7, 8, 9]


def test_a_supply_that_is_used_up_says_so() -> None:
    supply = Supply(lambda number: {}, 1, shares=2)
    with pytest.raises(BenchFailed, match="used up"):
        supply.offer()


def issued(customer: str, text: str) -> dict[str, Any]:
    return {"data": {"codeIssue": {"issuance": {"text": text, "customer": customer}, "userErrors": []}}}


Answer = Callable[[str], tuple[int, Any]]
"""From the customer who is asked for to status and body."""


async def load_on(answer: Answer, inputs: int = 20) -> Window:
    """What the client sees of a server that answers codeIssue in this way; the answers come in two pieces."""

    ends: list[asyncio.Event] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends.append(ended := asyncio.Event())
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"content-length: (\d+)", head.lower())
                assert length is not None
                asked = orjson.loads(await reader.readexactly(int(length[1])))
                status, body = answer(asked["variables"]["input"]["customer"])
                text = orjson.dumps(body)
                writer.write(b"HTTP/1.1 %d x\r\ncontent-length: %d\r\n\r\n" % (status, len(text)) + text[:5])
                await asyncio.sleep(0)
                writer.write(text[5:])
        except asyncio.IncompleteReadError:
            writer.close()
            await writer.wait_closed()
            ended.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        job = Job(
            port=server.sockets[0].getsockname()[1],
            token="t",
            operation="codeIssue",
            inputs=[{"promotion": "p", "customer": f"c{number}"} for number in range(inputs)],
            connections=3,
            seconds=30.0,
        )
        window = await run(job)
        for ended in ends:
            await ended.wait()
    return window


@pytest.mark.anyio
async def test_the_client_sends_each_input_once_and_finds_right_answers_right() -> None:
    asked: list[str] = []

    def answer(customer: str) -> tuple[int, Any]:
        asked.append(customer)
        return 200, issued(customer, f"CODE-{customer}")

    window = await load_on(answer)
    assert sorted(asked) == sorted(f"c{number}" for number in range(20))
    assert (window.used, window.wrong, window.first_wrong) == (20, 0, None)
    assert window.rate > 0
    assert 0 < window.p50_ms <= window.p99_ms


REFUSED = {"data": {"codeIssue": {"issuance": None, "userErrors": [{"code": "POOL_EMPTY"}]}}}


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda customer: (200, REFUSED), "POOL_EMPTY"),
        (lambda customer: (200, issued("somebody", f"CODE-{customer}")), "another's code"),
        (lambda customer: (200, {"data": None, "errors": [{"message": "no"}]}), "errors"),
        (lambda customer: (200, {"data": {"codeIssue": {"issuance": None, "userErrors": []}}}), "not the answer"),
        (lambda customer: (200, []), "not the answer"),
        (lambda customer: (503, issued(customer, f"CODE-{customer}")), "status 503"),
    ],
)
@pytest.mark.anyio
async def test_the_client_counts_every_wrong_answer(answer: Answer, why: str) -> None:
    window = await load_on(answer)
    assert window.wrong == 20
    assert why in str(window.first_wrong)


@pytest.mark.anyio
async def test_the_client_notices_a_code_that_two_customers_get() -> None:
    window = await load_on(lambda customer: (200, issued(customer, "SAME")))
    assert window.wrong == 19
    assert window.first_wrong == "the code SAME was given twice"


def test_plans_compare_at_least_three_times() -> None:
    assert FULL.rounds >= 3
    assert QUICK.rounds >= 3


def test_a_table_shows_targets_that_were_missed() -> None:
    row = Row(what="codesIssue", unit="codes", rate=40_000, targets=(at_least(40_000, 50_000, "codes"),))
    report = StoreReport(store="SQLite", version="3", rows=[row], wrong=0, first_wrong=None, differences=[])
    shown = [str(cell) for column in store_table(report).columns for cell in column.cells]
    assert "40,000 codes" in shown
    assert any("missed" in cell and "50,000" in cell for cell in shown)


def test_a_tiny_run_measures_everything_and_ends_its_servers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = []

    class Recorded(subprocess.Popen[Any]):
        def __init__(self, *arguments: Any, **more: Any) -> None:
            super().__init__(*arguments, **more)
            begun.append(self)

    monkeypatch.setattr(subprocess, "Popen", Recorded)
    file = tmp_path / "figures.json"
    page = tmp_path / "figures.md"
    assert run_bench(Stores.SQLITE, TINY, file, page)
    # The product's server, the one that does nothing, and the load client.
    assert len(begun) == 3
    assert all(process.poll() is not None for process in begun)
    figures = orjson.loads(file.read_bytes())
    lines = page.read_text(encoding="utf-8").splitlines()
    assert sum(line.startswith("| code") for line in lines) == sum(
        row["what"].startswith("code") for store in figures["stores"] for row in store["rows"]
    )
    assert len({line.count("|") for line in lines if line.startswith("|")}) == 1
    assert figures["skipped"] == {}
    [report] = figures["stores"]
    assert (report["store"], report["wrong"], report["differences"]) == ("SQLite", 0, [])
    rows = {(row["what"], row["connections"], row["promotions"]): row for row in report["rows"]}
    for what in ("codeIssue", "codeValidate", "codeRedeem"):
        for connections in TINY.connections:
            for promotions in (5, 1):
                row = rows[what, connections, promotions]
                assert row["yardstick"]["name"] == "do-nothing"
                assert row["rate"] > 0
    assert rows["promotions, a page of 50", 4, 5]["yardstick"]["ratio"] > 0
    for what in ("codesGenerate, 3,000", "codesImport, 3,000 rows of CSV"):
        assert rows[what, 1, 1]["yardstick"]["name"] == "driver alone"
    for what in ("new", "one attribute changed"):
        assert rows[f"customersUpsert, 100 a call, {what}", 1, None]["yardstick"]["name"] == "driver alone"
    assert {"codesIssue, 100 a call", "inventory of 3,000 codes", "verify, the whole store"} <= {row[0] for row in rows}
    assert len([row for row in rows if row[0].startswith("store alone")]) == 4
    assert figures["machine"]["python"].startswith("CPython")
    assert "codeRedeem" in capsys.readouterr().out


def test_a_missing_postgresql_is_said_and_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextmanager
    def none_here() -> Iterator[str]:
        raise PostgresUnavailable("There is no PostgreSQL server here.")
        yield ""

    monkeypatch.setattr(stores, "temporary_postgres", none_here)
    assert not run_bench(Stores.POSTGRESQL, TINY, None, None)
    assert "There is no PostgreSQL server here." in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_bench_that_is_ended_says_nothing_more_and_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    bench = subprocess.Popen(
        [sys.executable, "-m", "promograph.cli.main", "bench", "--quick", "--store", "sqlite"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # As in a terminal, where Ctrl-C goes to the bench and to all that it has begun.
        start_new_session=True,
    )
    assert bench.stdout is not None
    # By then its first server and its client have shown that they work.
    assert "bare ASGI" in "".join(takewhile(lambda line: not line.startswith("└"), bench.stdout))
    os.killpg(bench.pid, number)
    rest, _ = bench.communicate()
    assert (rest.strip(), bench.returncode) == ("", 128 + number)
    assert list(tmp_path.iterdir()) == []
