"""What a condition answers: that it holds, or what fails and what would mend it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class FailureKind(StrEnum):
    """Named as the refusals that they become."""

    CUSTOMER_REQUIRED = "CUSTOMER_REQUIRED"
    NOT_IN_SEGMENT = "NOT_IN_SEGMENT"
    MINIMUM_NOT_MET = "MINIMUM_NOT_MET"
    CURRENCY_MISMATCH = "CURRENCY_MISMATCH"
    OUTSIDE_WINDOW = "OUTSIDE_WINDOW"
    CONDITION_FAILED = "CONDITION_FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """How far off it is: `size` counts `unit`, which is a currency's smallest unit, `units` of goods, or `seconds`."""

    size: int
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One thing that fails. `condition` says in words what is asked for.

    `details`, by what would mend it: `missing` (an amount such as `8.00`) and `currency`; `missing_quantity`;
    `opens_at` (RFC 3339); for a CURRENCY_MISMATCH, `expected` and `given`. `gap` is None where nothing mends it.
    `options`: of an `any`, what fails in each way to satisfy it, in the order written; mending all of one is enough.
    """

    kind: FailureKind
    condition: str
    details: Mapping[str, str | int] = field(default_factory=dict)
    gap: Gap | None = None
    options: tuple[tuple["Failure", ...], ...] = ()

    @property
    def data(self) -> dict[str, str | int]:
        """What a refusal carries."""
        return {"condition": self.condition, **self.details}


@dataclass(frozen=True, slots=True)
class Verdict:
    """All `failures` have to be mended for the condition to hold; there are none when it does."""

    failures: tuple[Failure, ...] = ()

    @property
    def holds(self) -> bool:
        return not self.failures


def one_of(condition: str, options: tuple[tuple[Failure, ...], ...]) -> Failure:
    """The failure of an `any`: as its option that is nearest to being mended, or as all of them if they are alike."""
    single = [option[0] for option in options if len(option) == 1]
    nearest = _nearest(single)
    if nearest is None and len(single) == len(options) and len({failure.kind for failure in single}) == 1:
        nearest = single[0]
    if nearest is None:
        return Failure(kind=FailureKind.CONDITION_FAILED, condition=condition, options=options)
    return Failure(kind=nearest.kind, condition=condition, details=nearest.details, gap=nearest.gap, options=options)


def _nearest(failures: Sequence[Failure]) -> Failure | None:
    """Of those that can be mended, the one with the least gap; only gaps in the unit of the first are comparable."""
    gaps = [(failure.gap, failure) for failure in failures if failure.gap is not None]
    alike = [(gap.size, failure) for gap, failure in gaps if gap.unit == gaps[0][0].unit]
    return min(alike, key=lambda pair: pair[0])[1] if alike else None
