"""`promograph bench`."""

import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from functools import partial
from itertools import product
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TimeElapsedColumn

from promograph.cli.benching.driving import load_client
from promograph.cli.benching.machine import machine_facts
from promograph.cli.benching.outcome import Outcome
from promograph.cli.benching.parts.part import Part
from promograph.cli.benching.parts.registry import PARTS
from promograph.cli.benching.parts.running import measure_part
from promograph.cli.benching.plan import FULL, QUICK, Plan
from promograph.cli.benching.processes import idle_server
from promograph.cli.benching.running import bare_answers, measure_store
from promograph.cli.benching.stores import POSTGRESQL, SQLITE
from promograph.cli.common import err, told


class Stores(Enum):
    """Which stores are measured."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"
    BOTH = "both"


_NAMES = {Stores.SQLITE: (SQLITE,), Stores.POSTGRESQL: (POSTGRESQL,), Stores.BOTH: (SQLITE, POSTGRESQL)}

PARTS_LISTED = "\n\n".join(["The parts:", *(f"{part.name}: {part.about}" for part in PARTS.values())])
"""For the end of `--help`."""


def _part(name: str) -> Part:
    if name not in PARTS:
        raise typer.BadParameter(f"there is no part {name!r}, but there are {', '.join(PARTS)}.")
    return PARTS[name]


def bench(
    store: Annotated[Stores, typer.Option("--store", help="Which stores to measure.")] = Stores.BOTH,
    parts: Annotated[
        list[Part] | None,
        typer.Option(
            "--part",
            metavar="NAME",
            parser=_part,
            help="Measure this part instead of the whole; may be said several times.",
        ),
    ] = None,
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
        if parts:
            counts = {part: part.quick if quick else part.full for part in parts}
            is_right = run_parts(store, counts, json, markdown, quick=quick)
        else:
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
    with _folder() as folder, idle_server(folder) as idle, load_client() as client, _progress() as progress:
        facts = machine_facts(folder)
        bare = bare_answers(idle, client, plan)
        facts["bare ASGI"] = f"{bare:,.0f} answers/s, {plan.connections[-1]} connections"
        outcome = Outcome(facts)
        measure = partial(
            measure_store, folder=folder, plan=plan, idle=idle, client=client, bare=bare, progress=progress
        )
        for name in _NAMES[stores]:
            outcome.measure(name, folder, measure)
    outcome.write(json, markdown)
    return outcome.is_right


def run_parts(
    stores: Stores, counts: Mapping[Part, int], json: Path | None, markdown: Path | None, *, quick: bool
) -> bool:
    """Each part with its count, on an empty store of its own; whether all that was asked was answered rightly."""
    with _folder() as folder, load_client() as client, _progress() as progress:
        outcome = Outcome(machine_facts(folder))
        for (part, count), name in product(counts.items(), _NAMES[stores]):
            measure = partial(measure_part, part, count, folder=folder, quick=quick, client=client, progress=progress)
            outcome.measure(name, folder, measure)
    outcome.write(json, markdown)
    return outcome.is_right


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="promograph-bench-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def _progress() -> Progress:
    columns = [SpinnerColumn(), *Progress.get_default_columns(), TimeElapsedColumn()]
    return Progress(*columns, console=err, transient=True)
