"""`promograph bench`."""

import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TimeElapsedColumn
from rich.table import Table

from promograph.cli.benching.driving import load_client
from promograph.cli.benching.machine import machine_facts
from promograph.cli.benching.markdown import as_markdown
from promograph.cli.benching.plan import FULL, QUICK, Plan
from promograph.cli.benching.processes import idle_server
from promograph.cli.benching.report import as_json, machine_table, store_table
from promograph.cli.benching.running import StoreReport, bare_answers, measure_store
from promograph.cli.common import err, out, told
from promograph.testing.postgres import temporary_postgres
from promograph.testing.postgres_programs import PostgresUnavailable

_WIDE = 200


class Stores(Enum):
    """Which stores are measured."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"
    BOTH = "both"


def bench(
    store: Annotated[Stores, typer.Option("--store", help="Which stores to measure.")] = Stores.BOTH,
    quick: Annotated[bool, typer.Option("--quick", help="Half a minute instead of four: only a first look.")] = False,
    json: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file as well.")] = None,
    markdown: Annotated[Path | None, typer.Option("--markdown", help="Write the tables to this file as well.")] = None,
) -> None:
    """Measure this machine: SQLite in a temporary folder, and a PostgreSQL server of the bench's own.

    Each figure stands beside a yardstick from the same run. Status 1 when an answer was wrong or `verify` finds a
    difference at the end; a target that is missed is only shown.
    """
    _unwind_when_told_to_end()
    with told():
        is_right = run_bench(store, QUICK if quick else FULL, json, markdown)
    if not is_right:
        raise typer.Exit(1)


def _unwind_when_told_to_end() -> None:
    """So that the servers that it has begun end as well; Ctrl-C unwinds as it is."""
    for name in ("SIGTERM", "SIGHUP"):  # not every system has the second
        number = getattr(signal, name, None)
        # Whoever said `nohup` meant it.
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda number, _: sys.exit(128 + number))


def run_bench(stores: Stores, plan: Plan, json: Path | None, markdown: Path | None) -> bool:
    """Measure by this plan, print the tables, write the files; whether all that was asked was answered rightly."""
    reports: list[StoreReport] = []
    skipped: dict[str, str] = {}
    with _folder() as folder, idle_server(folder) as idle, load_client() as client, _progress() as progress:

        def measured(store: str, url: str) -> None:
            report = measure_store(store, url, folder, plan, idle=idle, client=client, bare=bare, progress=progress)
            reports.append(report)
            _show(report)

        facts = machine_facts(folder)
        bare = bare_answers(idle, client, plan)
        facts["bare ASGI"] = f"{bare:,.0f} answers/s, {plan.connections[-1]} connections"
        _print(machine_table(facts))
        if stores is not Stores.POSTGRESQL:
            measured("SQLite", f"sqlite:///{folder}/promograph.db")
        if stores is not Stores.SQLITE:
            try:
                with temporary_postgres() as url:
                    measured("PostgreSQL", url)
            except PostgresUnavailable as missing:
                skipped["PostgreSQL"] = str(missing)
                err.print(f"PostgreSQL is left out. {missing}", markup=False)
    if json is not None:
        json.write_bytes(orjson.dumps(as_json(facts, reports, skipped), option=orjson.OPT_INDENT_2))
    if markdown is not None:
        markdown.write_text(as_markdown(facts, reports), encoding="utf-8")
    return bool(reports) and not any(report.wrong or report.differences for report in reports)


def _show(report: StoreReport) -> None:
    _print(store_table(report))
    if report.wrong:
        err.print(f"{report.wrong:,} answers were wrong; the first: {report.first_wrong}", style="red", markup=False)
    for difference in report.differences:
        err.print(f"verify: {difference}", style="red", markup=False)


def _print(table: Table) -> None:
    """A pipe or a file has no width of its own: then it is one in which no figure is cut."""
    console = Console() if out.is_terminal else Console(width=_WIDE)
    console.print(table)


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="promograph-bench-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def _progress() -> Progress:
    columns = [SpinnerColumn(), *Progress.get_default_columns(), TimeElapsedColumn()]
    return Progress(*columns, console=err, transient=True)
