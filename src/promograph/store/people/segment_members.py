"""Who is in a segment: counted and looked at by one statement or two, however many customers there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from promograph.domain.conditions.facts import Facts
from promograph.domain.conditions.nodes import Condition, Names
from promograph.domain.conditions.reasons import reasons
from promograph.store.people import facts as customer_facts
from promograph.store.people import segments
from promograph.store.people.condition_sql import Compiled, compiled
from promograph.store.people.halves import halves
from promograph.store.statements import Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A customer, by their own id, and what makes them one of the segment."""

    customer: str
    reasons: tuple[str, ...]


def compile_for(connection: Connection, condition: Condition, now: datetime, *, prefix: str = "p") -> Compiled:
    """The condition over `customer c` as SQL of this store, with the segments that it rests on as they are now."""
    known = segments.reached_from(connection, sorted(condition.needs().segments))
    return compiled(condition, known, connection.dialect.name, now, prefix=prefix)


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the customers, and the question for how many of them a condition holds."""

    _found: Compiled

    def count(self, connection: Connection) -> int:
        statement = Statement(f"SELECT count(*) FROM customer c{self._found.joins} WHERE {self._found.sql}")
        return int(statement.fetch(connection, **self._found.params)[0][0])


def parts(connection: Connection, condition: Condition, now: datetime) -> list[Part]:
    """All customers, in one part or in several that can be counted together; everybody is in one of them."""
    known = segments.reached_from(connection, sorted(condition.needs().segments))
    dialect = connection.dialect.name
    return [
        Part(compiled(condition, known, dialect, now, of_everybody=True, half=half))
        for half in halves(connection) or [None]
    ]


def preview(connection: Connection, condition: Condition, *, most: int, names: Names, now: datetime) -> list[Match]:
    """The first of those for whom it holds, by their ids, and why it does."""
    ids = first_ids(connection, condition, most=most, now=now)
    facts = customer_facts.read(connection, dict.fromkeys(ids, condition.needs()), now)
    return [Match(customer=id_, reasons=reasons(condition, Facts(now=now, customer=facts[id_]), names)) for id_ in ids]


def first_ids(connection: Connection, condition: Condition, *, most: int, now: datetime) -> Sequence[str]:
    found = compile_for(connection, condition, now)
    statement = Statement(f"SELECT c.id FROM customer c WHERE {found.sql} ORDER BY c.id LIMIT {most}")
    return [id_ for (id_,) in statement.fetch(connection, **found.params)]
