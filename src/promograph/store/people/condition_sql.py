"""Conditions over customers as SQL: an expression over the row `customer c` that is true, or false, and never null.

What it says of a customer is what `domain.conditions.holds` says of their facts. Segments stand in it with their own
conditions. Values are parameters; the text depends on the shape of the condition alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from promograph.domain.conditions.attributes import AttributeIs
from promograph.domain.conditions.customers import CodesIssued, HasRedeemed, HoldsCode, InSegment
from promograph.domain.conditions.nodes import AllOf, AnyOf, Condition, Not
from promograph.domain.conditions.values import Op
from promograph.domain.issuing import REPEATS_BEGIN
from promograph.domain.people.segments import MOST_TOGETHER, Conditions, check_about_customers
from promograph.errors import BadInput, InputProblem
from promograph.store.people import condition_sql_postgres, condition_sql_sqlite
from promograph.store.people.halves import Half
from promograph.store.redemptions import STANDING
from promograph.store.tables.instants import to_micros

FIRST_ISSUED = f"substr(i.occasion, 1, {len(REPEATS_BEGIN)}) <> '{REPEATS_BEGIN}'"
"""Of `issuance i`, that it gave a code and did not repeat one: told by the occasion, which the index of customers has
beside them, so that their other columns need not be looked up."""

SHARED_USES = (
    "FROM redemption d WHERE d.customer = i.customer AND d.promotion_id + 0 = i.promotion_id AND d.seq = 0 "
    f"AND {STANDING}"
)
"""How the customer of `issuance i` has used the code that its promotion shares with everybody.

The sum keeps planners from walking all uses of the promotion for each customer.
"""


_SIGNS = {Op.EQUALS: "=", Op.LT: "<", Op.LTE: "<=", Op.GT: ">", Op.GTE: ">="}


def usable(no_shared_uses: str) -> str:
    """Of `issuance i` and its `code k`, that the customer may still use it, as far as the code goes."""
    return f"NOT k.blocked AND NOT k.void AND (i.seq <> 0 AND k.uses = 0 OR i.seq = 0 AND {no_shared_uses})"


USABLE = usable(f"NOT EXISTS (SELECT 1 {SHARED_USES})")

_OF_ITS_CODE = "k.promotion_id = i.promotion_id AND k.seq = i.seq"
_USES_OF_ITS_CODE = f"FROM redemption d WHERE d.promotion_id = i.promotion_id AND d.seq = i.seq AND {STANDING}"
_NOT_SPENT = " AND ".join(
    f"NOT EXISTS (SELECT 1 {rows})"
    for rows in (
        f"FROM code k WHERE {_OF_ITS_CODE} AND k.blocked",
        f"FROM code k WHERE {_OF_ITS_CODE} AND k.void",
        f"{_USES_OF_ITS_CODE} AND d.seq <> 0",
        f"{_USES_OF_ITS_CODE} AND d.seq = 0 AND d.customer = i.customer",
    )
)
"""Of `issuance i` what USABLE says of it and its code, by the rows that make codes unusable: indexes have each kind of
them, and there are few. Asked of a million customers at once, PostgreSQL would else read all codes of the promotion."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """An expression and the values of its parameters, by name. `joins` is what stands behind `customer c` for it."""

    sql: str
    params: Mapping[str, Any]
    joins: str = ""


class AttributeSql(Protocol):
    """How one store says what an attribute is like."""

    def __call__(self, leaf: AttributeIs, put: "Put") -> str: ...


class Put(Protocol):
    """Makes a value a parameter, and gives what stands for it in the text."""

    def __call__(self, value: Any) -> str: ...


_ATTRIBUTES: Mapping[str, AttributeSql] = {
    "sqlite": condition_sql_sqlite.attribute_is,
    "postgresql": condition_sql_postgres.attribute_is,
}


def compiled(
    condition: Condition,
    segments: Conditions,
    dialect: str,
    now: datetime,
    *,
    prefix: str = "p",
    of_everybody: bool = False,
    half: Half | None = None,
) -> Compiled:
    """`segments` are those that the condition rests on, and theirs in turn; in one that is not there is nobody.

    `now` settles which day a moving one is. With a `prefix` of its own for the names of its parameters, one expression
    can stand beside another. `of_everybody`: it is asked of all customers there are, and not of one after the other;
    with a `half`, of those in it, and false for the others.

    BadInput naming the place of a part that is not about customers, and where segments go round in a circle.
    """
    check_about_customers(condition)
    compiler = _Compiler(dialect, segments, now, prefix)
    compiler.joins_counts = of_everybody and dialect == "postgresql"
    if half is None:
        return Compiled(compiler.of(condition), compiler.params, compiler.joins)
    within = compiler.keep_to(half)
    return Compiled(f"({within} AND {compiler.of(condition)})", compiler.params, compiler.joins)


@dataclass(slots=True)
class _Compiler:
    dialect: str
    segments: Conditions
    now: datetime
    prefix: str
    params: dict[str, Any] = field(default_factory=dict)
    joins_counts: bool = False
    _first_issued: str = FIRST_ISSUED
    _counts: dict[tuple[str | None, datetime | None], str] = field(default_factory=dict)
    _is_one_of_several: bool = False
    _above: list[str] = field(default_factory=list)
    _count: int = 0

    def keep_to(self, half: Half) -> str:
        """The expression for those who are in it, and so are all whose codes are counted from now on."""
        beyond = f"{half.sign} {self._put(half.cut)}"
        self._first_issued = f"{FIRST_ISSUED} AND i.customer {beyond}"
        return f"c.id {beyond}"

    def of(self, condition: Condition) -> str:
        self._count += 1
        if self._count > MOST_TOGETHER:
            sentence = f"With the segments that it rests on, a condition holds at most {MOST_TOGETHER} conditions."
            raise BadInput(InputProblem.TOO_MANY, sentence, field=("condition",))
        match condition:
            case AllOf(conditions=inner):
                return f"({' AND '.join(map(self.of, _easiest_first(inner)))})" if inner else "true"
            case AnyOf(conditions=inner):
                self._is_one_of_several, was = True, self._is_one_of_several
                either = " OR ".join(map(self.of, _easiest_first(inner)))
                self._is_one_of_several = was
                return f"({either})" if inner else "false"
            case Not(condition=only):
                return f"(NOT {self.of(only)})"
            case InSegment(segment=handle):
                return self._in_segment(handle)
            case AttributeIs():
                return f"({_ATTRIBUTES[self.dialect](condition.at(self.now), self._put)})"
            case CodesIssued():
                return self._issued(condition)
            case HoldsCode(promotion=handle):
                return self._holds(handle)
            case HasRedeemed(promotion=handle):
                return self._redeemed(handle)
        raise TypeError(f"{type(condition).__name__} has no SQL")

    def _put(self, value: Any) -> str:
        name = f"{self.prefix}{len(self.params)}"
        self.params[name] = value
        return f":{name}"

    def _in_segment(self, handle: str) -> str:
        if handle in self._above:
            raise BadInput(InputProblem.INVALID, f"The segment {handle!r} rests on itself.", field=("condition",))
        if handle not in self.segments:
            return "false"
        self._above.append(handle)
        inside = self.of(self.segments[handle])
        self._above.pop()
        return inside

    @property
    def joins(self) -> str:
        """The codes of all customers, counted once for all leaves that ask how many there are."""
        if not self._counts:
            return ""
        counts = ", ".join(f"count(*) FILTER (WHERE {meant}) AS n{n}" for n, meant in enumerate(self._counts.values()))
        counted = f"SELECT i.customer, {counts} FROM issuance i WHERE {self._first_issued} GROUP BY i.customer"
        return f" LEFT JOIN ({counted}) {self.prefix}n ON {self.prefix}n.customer = c.id"

    def _issued(self, leaf: CodesIssued) -> str:
        if self.joins_counts and self._is_one_of_several:
            # What must hold in any case is joined by its own plan, which begins with the few; as one of several it
            # would be looked for customer by customer.
            key = (leaf.promotion, leaf.since)
            if key not in self._counts:
                self._counts[key] = " AND ".join(self._meant(leaf)) or "true"
            column = f"{self.prefix}n.n{list(self._counts).index(key)}"
            return f"(coalesce({column}, 0) {_SIGNS[leaf.op]} {self._put(leaf.count)})"
        match leaf.op:
            case Op.GTE:
                return self._issued_at_least(leaf, leaf.count)
            case Op.GT:
                return self._issued_at_least(leaf, leaf.count + 1)
            case Op.LT:
                return f"(NOT {self._issued_at_least(leaf, leaf.count)})"
            case Op.LTE:
                return f"(NOT {self._issued_at_least(leaf, leaf.count + 1)})"
            case _:
                fewer = f"(NOT {self._issued_at_least(leaf, leaf.count + 1)})"
                return f"({self._issued_at_least(leaf, leaf.count)} AND {fewer})" if leaf.count else fewer

    def _issued_at_least(self, leaf: CodesIssued, count: int) -> str:
        """That there are some is asked in the way that planners know best; more of them have to be counted."""
        if count <= 0:
            return "true"
        rows = f"FROM issuance i WHERE {' AND '.join([self._first_issued, *self._meant(leaf)])}"
        if count == 1:
            return f"EXISTS (SELECT 1 {rows} AND i.customer = c.id)"
        most = self._put(count)
        if self.dialect == "sqlite" and leaf.since is not None:
            # The instants are not in the index: they are looked up of those who were given as many at all.
            at_all = self._issued_at_least(replace(leaf, since=None), count)
            return f"({at_all} AND (SELECT count(*) {rows} AND i.customer = c.id) >= {most})"
        if self.dialect == "sqlite":
            return f"((SELECT count(*) {rows} AND i.customer = c.id) >= {most})"
        # Counted for all customers at once, by a plan that joins; asked for each of a million, it takes seconds.
        counted = f"SELECT i.customer {rows} GROUP BY i.customer HAVING count(*) >= {most}"
        return f"EXISTS (SELECT 1 FROM ({counted}) g WHERE g.customer = c.id)"

    def _meant(self, leaf: CodesIssued) -> list[str]:
        """Which of the customer's issuances count."""
        meant = [] if leaf.promotion is None else [self._of_promotion("i", leaf.promotion)]
        return meant if leaf.since is None else [*meant, f"i.issued_at >= {self._put(to_micros(leaf.since))}"]

    def _holds(self, handle: str) -> str:
        if self.dialect == "postgresql":
            rows = f"FROM issuance i WHERE {self._first_issued} AND {self._of_promotion('i', handle)} AND {_NOT_SPENT}"
            return f"EXISTS (SELECT 1 {rows} AND i.customer = c.id)"
        return (
            f"EXISTS (SELECT 1 FROM issuance i JOIN code k ON {_OF_ITS_CODE} "
            f"WHERE i.customer = c.id AND {self._first_issued} AND {self._of_promotion('i', handle)} AND {USABLE})"
        )

    def _redeemed(self, handle: str) -> str:
        return (
            f"EXISTS (SELECT 1 FROM redemption d WHERE d.customer = c.id AND {self._of_promotion('d', handle)} "
            f"AND {STANDING})"
        )

    def _of_promotion(self, row: str, handle: str) -> str:
        # SQLite would walk all rows of the promotion for each customer; the sum hides from it that it could.
        key = f"{row}.promotion_id + 0" if self.dialect == "sqlite" else f"{row}.promotion_id"
        return f"{key} = (SELECT p.id FROM promotion p WHERE p.handle = {self._put(handle)})"


def _easiest_first(conditions: Iterable[Condition]) -> list[Condition]:
    """What the customer's own row decides before what has to be looked for among codes, for each customer there is.

    Stores keep to the order that they are told, for the most part.
    """
    return sorted(conditions, key=_effort)


def _effort(condition: Condition) -> int:
    needs = condition.needs()
    return 2 if needs.held or needs.redeemed or needs.issued else 1 if needs.segments else 0
