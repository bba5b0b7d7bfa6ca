"""What a run ends with: shown as it comes, written into files at the end."""

from collections.abc import Callable
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table

from promograph.cli.benching.figures import StoreReport
from promograph.cli.benching.markdown import as_markdown
from promograph.cli.benching.report import as_json, machine_table, store_table
from promograph.cli.benching.stores import empty_store
from promograph.cli.common import err, out
from promograph.testing.postgres_programs import PostgresUnavailable

_WIDE = 200


class Outcome:
    """The reports of one run. `facts` are the machine's; they are shown at once."""

    def __init__(self, facts: dict[str, str]) -> None:
        self._facts = facts
        self._reports: list[StoreReport] = []
        self._skipped: dict[str, str] = {}
        _print(machine_table(facts))

    def measure(self, store: str, folder: Path, measure: Callable[[str, str], StoreReport]) -> None:
        """Show what `measure` says of an empty store, by its name and address, or say why there is none."""
        try:
            with empty_store(store, folder) as url:
                self._add(measure(store, url))
        except PostgresUnavailable as missing:
            self._skipped[store] = str(missing)
            err.print(f"{store} is left out. {missing}", markup=False)

    def _add(self, report: StoreReport) -> None:
        self._reports.append(report)
        _print(store_table(report))
        if report.wrong:
            err.print(
                f"{report.wrong:,} answers were wrong; the first: {report.first_wrong}", style="red", markup=False
            )
        for difference in report.differences:
            err.print(f"verify: {difference}", style="red", markup=False)

    @property
    def is_right(self) -> bool:
        """Whether something was measured, every answer was right and verify found nothing."""
        return bool(self._reports) and not any(report.wrong or report.differences for report in self._reports)

    def write(self, json: Path | None, markdown: Path | None) -> None:
        if json is not None:
            figures = as_json(self._facts, self._reports, self._skipped)
            json.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))
        if markdown is not None:
            markdown.write_text(as_markdown(self._facts, self._reports), encoding="utf-8")


def _print(table: Table) -> None:
    """A pipe or a file has no width of its own: then it is one in which no figure is cut."""
    console = Console() if out.is_terminal else Console(width=_WIDE)
    console.print(table)
