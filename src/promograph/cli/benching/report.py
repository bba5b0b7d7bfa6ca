"""The figures as tables, and as JSON."""

from dataclasses import asdict
from typing import Any

from rich.table import Table

from promograph.cli.benching.figures import Row, StoreReport, Target, Yardstick

_UNITS = {"requests": "", "codes": " codes", "customers": " customers", "messages": " messages"}


def machine_table(facts: dict[str, str]) -> Table:
    table = Table("Machine", "", show_header=False)
    for name, value in facts.items():
        table.add_row(name, value)
    return table


def store_table(report: StoreReport) -> Table:
    """One line a measurement, with its yardstick and whether it is what it should be."""
    table = Table(title=report.title, title_justify="left")
    table.add_column("What", overflow="fold")
    for heading in ("Connec-\ntions", "Promo-\ntions", "A second", "p50 ms", "p99 ms", "CPU µs", "Seconds", "Peak MB"):
        table.add_column(heading, justify="right")
    table.add_column("Yardstick")
    table.add_column("Ratio", justify="right")
    table.add_column("Target")
    for row in report.rows:
        table.add_row(*cells(row), "\n".join(_shown(target) for target in row.targets))
    return table


def as_json(facts: dict[str, str], reports: list[StoreReport], skipped: dict[str, str]) -> dict[str, Any]:
    """`skipped` says of each store that was not measured why it was not."""
    return {"machine": facts, "stores": [asdict(report) for report in reports], "skipped": skipped}


def cells(row: Row) -> tuple[str, ...]:
    """A row as texts, in the order of the table's columns, without its targets."""
    yardstick = row.yardstick
    return (
        row.what,
        _number(row.connections),
        _number(row.promotions),
        "" if row.rate is None else f"{row.rate:,.0f}{_UNITS[row.unit]}",
        _fine(row.p50_ms),
        _fine(row.p99_ms),
        _number(row.cpu_us),
        _fine(row.seconds),
        "" if row.peak_mb is None else f"{row.peak_mb:,.0f}",
        "" if yardstick is None else _held_against(yardstick),
        "" if yardstick is None else f"{yardstick.ratio:.2f}",
    )


def _held_against(yardstick: Yardstick) -> str:
    cpu = "" if yardstick.cpu_us is None else f" ({yardstick.cpu_us:,.0f} µs)"
    return f"{yardstick.name}: {yardstick.rate:,.0f}{cpu}"


def _shown(target: Target) -> str:
    return f"[green]reached[/green] {target.wanted}" if target.reached else f"[red]missed[/red] {target.wanted}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _fine(value: float | None) -> str:
    return "" if value is None else f"{value:,.2f}"
