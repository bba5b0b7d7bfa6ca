"""Small statistics, and the rows that a run ends with."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median


def percentile(ascending: Sequence[float], share: float) -> float:
    """The smallest of the ascending values that at least `share` (0 to 1) of them do not exceed (nearest rank)."""
    if not ascending:
        raise ValueError("nothing was measured")
    return ascending[max(ceil(share * len(ascending)) - 1, 0)]


def median_ratio(values: Sequence[float], yardsticks: Sequence[float]) -> float:
    """The median of value / yardstick, pair by pair: what was measured side by side had the same machine."""
    return median(value / yardstick for value, yardstick in zip(values, yardsticks, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a figure should be, and whether it is."""

    wanted: str
    reached: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Yardstick:
    """What a figure is held against: its own rate, and the row's rate as a share of it."""

    name: str
    rate: float
    ratio: float
    cpu_us: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the report. `rate` counts `unit`s a second; `cpu_us` is the server process's for a request."""

    what: str
    unit: str
    rate: float | None = None
    connections: int | None = None
    promotions: int | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    cpu_us: float | None = None
    seconds: float | None = None
    peak_mb: float | None = None
    yardstick: Yardstick | None = None
    targets: tuple[Target, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreReport:
    """What was seen of one store. `differences` are those that verify found; `wrong` counts wrong answers.

    `part` is the one that was asked for, None of the run of the whole.
    """

    store: str
    version: str
    rows: list[Row]
    wrong: int
    first_wrong: str | None
    differences: list[str]
    part: str | None = None

    @property
    def title(self) -> str:
        return f"{self.store} {self.version}" + (f": {self.part}" if self.part else "")


def median_of(values: Iterable[float | None]) -> float | None:
    """The median of those that are known; None where none is."""
    known = [value for value in values if value is not None]
    return median(known) if known else None


def at_least(rate: float, wanted: float, unit: str) -> Target:
    return Target(wanted=f"≥ {wanted:,.0f} {unit}/s", reached=rate >= wanted)


def within(seconds: float, wanted: float) -> Target:
    return Target(wanted=f"≤ {wanted:g} s", reached=seconds <= wanted)
