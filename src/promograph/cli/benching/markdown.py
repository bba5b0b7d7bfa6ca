"""The figures as a page of the documentation."""

from collections.abc import Sequence

from promograph.cli.benching.figures import StoreReport, Target
from promograph.cli.benching.report import cells

_HEADINGS = (
    "what",
    "connections",
    "promotions",
    "a second",
    "p50 ms",
    "p99 ms",
    "CPU µs",
    "seconds",
    "peak MB",
    "yardstick",
    "ratio",
    "target",
)
_RULE = "|---|--:|--:|--:|--:|--:|--:|--:|--:|---|--:|---|"


def as_markdown(facts: dict[str, str], reports: Sequence[StoreReport]) -> str:
    """What the machine was, and a table a store."""
    lines = ["# Figures", "", "What the rows mean is said in [performance](performance.md).", ""]
    lines += [f"- {name}: {value}" for name, value in facts.items()]
    for report in reports:
        lines += ["", f"## {report.title}", "", _line(_HEADINGS), _RULE]
        lines += [_line((*cells(row), "; ".join(map(_said, row.targets)))) for row in report.rows]
    return "\n".join(lines) + "\n"


def _line(texts: Sequence[str]) -> str:
    return f"| {' | '.join(texts)} |"


def _said(target: Target) -> str:
    return f"reached: {target.wanted}" if target.reached else f"**missed**: {target.wanted}"
