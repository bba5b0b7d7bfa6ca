"""Conditions over what a customer belongs to and has been given."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from promograph.domain.conditions.facts import Facts, IssuedKey, Needs
from promograph.domain.conditions.nodes import Condition, Names
from promograph.domain.conditions.reading import Place
from promograph.domain.conditions.values import COMPARING, Op, compares, phrase, quoted
from promograph.domain.conditions.verdicts import Failure, FailureKind

_MOST_CODES = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class InSegment(Condition):
    """The customer is in the segment of that handle."""

    segment: str

    @classmethod
    def read(cls, place: Place) -> Self:
        return cls(segment=place.key())

    def holds(self, facts: Facts) -> bool:
        return facts.customer is not None and self.segment in facts.customer.segments

    def failures(self, facts: Facts, names: Names) -> tuple[Failure, ...]:
        return (self.failure(facts, names, kind=FailureKind.NOT_IN_SEGMENT),)

    def needs(self) -> Needs:
        return Needs(segments=frozenset({self.segment}))

    def dump(self) -> dict[str, Any]:
        return {"segment": self.segment}

    def render(self, names: Names) -> str:
        return f"customer in {quoted(names.get(self.segment, self.segment))}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodesIssued(Condition):
    """How many codes the customer has been issued: of one promotion (None: of all), since an instant (None: ever)."""

    op: Op
    count: int
    promotion: str | None = None
    since: datetime | None = None

    @classmethod
    def read(cls, place: Place) -> Self:
        fields = place.fields("promotion", "since", "op", "count")
        return cls(
            op=place.needed("op", fields).choice(Op, COMPARING),
            count=place.needed("count", fields).count(0, _MOST_CODES),
            promotion=fields["promotion"].key() if "promotion" in fields else None,
            since=fields["since"].instant() if "since" in fields else None,
        )

    @property
    def key(self) -> IssuedKey:
        return IssuedKey(promotion=self.promotion, since=self.since)

    def holds(self, facts: Facts) -> bool:
        return facts.customer is not None and compares(self.op, facts.customer.issued.get(self.key, 0), self.count)

    def needs(self) -> Needs:
        return Needs(issued=frozenset({self.key}))

    def dump(self) -> dict[str, Any]:
        return {
            "issued": {
                "promotion": self.promotion,
                "since": None if self.since is None else self.since.isoformat(),
                "op": str(self.op),
                "count": self.count,
            }
        }

    def render(self, names: Names) -> str:
        of = "" if self.promotion is None else f" of {quoted(self.promotion)}"
        since = "" if self.since is None else f" since {self.since.isoformat()}"
        how_many = "exactly" if self.op is Op.EQUALS else phrase(self.op)
        codes = "code" if self.count == 1 else "codes"
        return f"customer has been issued {how_many} {self.count:,} {codes}{of}{since}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldsCode(Condition):
    """The customer holds a code of the promotion of that handle: one that they have not redeemed and nobody blocked.

    Whether its time is over is not looked at: that is for the checkout, which knows the hour.
    """

    promotion: str

    @classmethod
    def read(cls, place: Place) -> Self:
        return cls(promotion=place.key())

    def holds(self, facts: Facts) -> bool:
        return facts.customer is not None and self.promotion in facts.customer.held

    def needs(self) -> Needs:
        return Needs(held=frozenset({self.promotion}))

    def dump(self) -> dict[str, Any]:
        return {"holds": self.promotion}

    def render(self, names: Names) -> str:
        return f"customer holds a code of {quoted(self.promotion)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HasRedeemed(Condition):
    """The customer has redeemed a code of the promotion of that handle, and it was not rolled back."""

    promotion: str

    @classmethod
    def read(cls, place: Place) -> Self:
        return cls(promotion=place.key())

    def holds(self, facts: Facts) -> bool:
        return facts.customer is not None and self.promotion in facts.customer.redeemed

    def needs(self) -> Needs:
        return Needs(redeemed=frozenset({self.promotion}))

    def dump(self) -> dict[str, Any]:
        return {"redeemed": self.promotion}

    def render(self, names: Names) -> str:
        return f"customer has redeemed a code of {quoted(self.promotion)}"
