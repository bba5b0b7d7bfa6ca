"""What every condition can do, and the three that are made of others."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from promograph.domain.conditions.facts import Facts, Needs
from promograph.domain.conditions.verdicts import Failure, FailureKind, Gap, one_of

Names = Mapping[str, str]
"""What segments are called, by handle: for a reader; a segment without an entry is called by its handle."""


class Condition(ABC):
    """A condition over facts. `conditions` reads, writes and asks them; call these methods from there."""

    __slots__ = ()

    @abstractmethod
    def holds(self, facts: Facts) -> bool: ...

    def failures(self, facts: Facts, names: Names) -> tuple[Failure, ...]:
        """What fails; asked only where it does not hold, and never empty then."""
        return (self.failure(facts, names),)

    @abstractmethod
    def needs(self) -> Needs: ...

    @abstractmethod
    def dump(self) -> dict[str, Any]:
        """As plain JSON data: one key, which names the kind."""

    @abstractmethod
    def render(self, names: Names) -> str:
        """On one line, in plain words."""

    def failure(
        self,
        facts: Facts,
        names: Names,
        *,
        kind: FailureKind = FailureKind.CONDITION_FAILED,
        details: Mapping[str, str | int] | None = None,
        gap: Gap | None = None,
    ) -> Failure:
        """The whole of it as one failure; where nobody said who the customer is, that comes first."""
        if facts.customer is None and self.needs().customer:
            kind = FailureKind.CUSTOMER_REQUIRED
        return Failure(kind=kind, condition=self.render(names), details=details or {}, gap=gap)


@dataclass(frozen=True, slots=True)
class AllOf(Condition):
    """Every one holds; of none, true."""

    conditions: tuple[Condition, ...]

    def holds(self, facts: Facts) -> bool:
        return all(condition.holds(facts) for condition in self.conditions)

    def failures(self, facts: Facts, names: Names) -> tuple[Failure, ...]:
        failing = (condition for condition in self.conditions if not condition.holds(facts))
        return tuple(failure for condition in failing for failure in condition.failures(facts, names))

    def needs(self) -> Needs:
        return _together(self.conditions)

    def dump(self) -> dict[str, Any]:
        return {"all": [condition.dump() for condition in self.conditions]}

    def render(self, names: Names) -> str:
        return _joined(self.conditions, " and ", names)


@dataclass(frozen=True, slots=True)
class AnyOf(Condition):
    """At least one holds; of none, false."""

    conditions: tuple[Condition, ...]

    def holds(self, facts: Facts) -> bool:
        return any(condition.holds(facts) for condition in self.conditions)

    def failures(self, facts: Facts, names: Names) -> tuple[Failure, ...]:
        options = tuple(condition.failures(facts, names) for condition in self.conditions)
        return options[0] if len(options) == 1 else (one_of(self.render(names), options),)

    def needs(self) -> Needs:
        return _together(self.conditions)

    def dump(self) -> dict[str, Any]:
        return {"any": [condition.dump() for condition in self.conditions]}

    def render(self, names: Names) -> str:
        return _joined(self.conditions, " or ", names)


@dataclass(frozen=True, slots=True)
class Not(Condition):
    """It does not hold. What would mend a failing one is not worked out: it would be having less of something."""

    condition: Condition

    def holds(self, facts: Facts) -> bool:
        return not self.condition.holds(facts)

    def failures(self, facts: Facts, names: Names) -> tuple[Failure, ...]:
        return (Failure(kind=FailureKind.CONDITION_FAILED, condition=self.render(names)),)

    def needs(self) -> Needs:
        return self.condition.needs()

    def dump(self) -> dict[str, Any]:
        return {"not": self.condition.dump()}

    def render(self, names: Names) -> str:
        return f"not ({self.condition.render(names)})"


def _together(conditions: tuple[Condition, ...]) -> Needs:
    return reduce(or_, (condition.needs() for condition in conditions), Needs())


def _joined(conditions: tuple[Condition, ...], word: str, names: Names) -> str:
    """Parentheses only where one joins several inside another."""
    if not conditions:
        return "always" if word == " and " else "never"
    texts = (
        f"({condition.render(names)})"
        if len(conditions) > 1 and isinstance(condition, AllOf | AnyOf) and len(condition.conditions) > 1
        else condition.render(names)
        for condition in conditions
    )
    return word.join(texts)
