"""Who is in an audience: written in pieces, counted and listed by one statement, however many there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from promograph.domain.conditions.customers import InSegment
from promograph.domain.conditions.nodes import Condition
from promograph.domain.people.audiences import ADDRESSES, Audience, AudienceKind, Reach
from promograph.store import keyset
from promograph.store.listing import Page, Slice
from promograph.store.people.segment_members import compile_for
from promograph.store.planning import plan_freely
from promograph.store.statements import Statement

# The whole of a segment's condition is planned anew for each piece; SQLite, where others wait for the piece, says by
# itself how large one may be.
PIECE = 1_000_000

_ADD = Statement(
    "INSERT INTO audience_member (audience_id, customer) SELECT :audience, r.customer FROM @rows(customer text) r "
    "WHERE true ON CONFLICT (audience_id, customer) DO NOTHING"
)
_REMOVE = Statement(
    "DELETE FROM audience_member WHERE audience_id = :audience "
    "AND customer IN (SELECT r.customer FROM @rows(customer text) r)"
)
_NEXT_CUSTOMERS = Statement(
    "SELECT max(n.id) FROM (SELECT c.id FROM customer c WHERE c.id > :after ORDER BY c.id LIMIT :most) n"
)
_NEXT_MEMBERS = Statement(
    "SELECT max(n.customer) FROM (SELECT m.customer FROM audience_member m WHERE m.audience_id = :audience "
    "ORDER BY m.customer LIMIT :most) n"
)
_CLEAR = Statement("DELETE FROM audience_member WHERE audience_id = :audience AND customer <= :until")


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """`rows`, such as `FROM customer c WHERE …`: of somebody who was never told of, `c` has the id and nothing else."""

    rows: str
    params: Mapping[str, Any]


def members_of(connection: Connection, audience: Audience, now: datetime) -> Members:
    """`now` settles which day a moving one of its segment is."""
    if audience.kind is AudienceKind.DYNAMIC:
        found = compile_for(connection, InSegment(segment=str(audience.segment)), now)
        return Members(rows=f"FROM customer c WHERE {found.sql}", params=found.params)
    rows = (
        "FROM (SELECT m.customer AS id, k.email, k.phone, k.consent, k.attributes, k.created_at FROM audience_member m "
        "LEFT JOIN customer k ON k.id = m.customer WHERE m.audience_id = :audience) c WHERE true"
    )
    return Members(rows=rows, params={"audience": audience.id})


def add(connection: Connection, audience_id: int, customers: Sequence[str]) -> int:
    """How many of these were not in it."""
    rows = [(customer,) for customer in sorted(set(customers))]
    return _ADD.run(connection, rows, audience=audience_id) if rows else 0


def remove(connection: Connection, audience_id: int, customers: Sequence[str]) -> int:
    """How many of these were in it."""
    rows = [(customer,) for customer in sorted(set(customers))]
    return _REMOVE.run(connection, rows, audience=audience_id) if rows else 0


def freeze(
    connection: Connection, audience_id: int, condition: Condition, *, after: str, most: int, now: datetime
) -> tuple[str | None, int]:
    """Add those for whom it holds of the `most` customers behind `after`.

    The last one that was looked at (None: there are none any more), and how many were added.
    """
    until = _NEXT_CUSTOMERS.fetch(connection, after=after, most=most)[0][0]
    if until is None:
        return None, 0
    plan_freely(connection)
    found = compile_for(connection, condition, now)
    statement = Statement(
        "INSERT INTO audience_member (audience_id, customer) SELECT CAST(:audience AS bigint), c.id FROM customer c "
        f"WHERE c.id > :after AND c.id <= :until AND {found.sql} ORDER BY c.id"
    )
    return until, statement.run(connection, **found.params, audience=audience_id, after=after, until=until)


def clear(connection: Connection, audience_id: int, *, most: int) -> bool:
    """Take out some; whether there may be more."""
    until = _NEXT_MEMBERS.fetch(connection, audience=audience_id, most=most)[0][0]
    if until is None:
        return False
    _CLEAR.run(connection, audience=audience_id, until=until)
    return True


def count(connection: Connection, audience: Audience, now: datetime) -> int:
    if audience.size is not None:
        return audience.size
    members = members_of(connection, audience, now)
    return int(Statement(f"SELECT count(*) {members.rows}").fetch(connection, **members.params)[0][0])


def reach(connection: Connection, audience: Audience, now: datetime) -> list[Reach]:
    """By channel, in one look at everybody."""
    members = members_of(connection, audience, now)
    sums = ", ".join(_sums(channel, address) for channel, address in ADDRESSES.items())
    (row,) = Statement(f"SELECT {sums} {members.rows}").fetch(connection, **members.params)
    numbers = [int(number) for number in row]
    return [
        Reach(channel=channel, addressed=numbers[at], agreed=numbers[at + 1], refused=numbers[at + 2])
        for at, channel in zip(range(0, len(numbers), 3), ADDRESSES, strict=True)
    ]


def reachable(channel: str) -> str:
    """Of `customer c`, that they have an address for the channel and agreed to be written to."""
    return f"(c.{ADDRESSES[channel]} IS NOT NULL AND c.consent -> '{channel}' = 'true')"


def page(connection: Connection, audience: Audience, part: Slice, now: datetime) -> Page:
    """Rows (customer,) in the order of ids."""
    members = members_of(connection, audience, now)
    return keyset.page(connection, "c.id", members.rows, members.params, part)


def _sums(channel: str, address: str) -> str:
    has = f"c.{address} IS NOT NULL"
    wanted = (has, reachable(channel), f"{has} AND c.consent -> '{channel}' = 'false'")
    return ", ".join(f"coalesce(sum(CASE WHEN {each} THEN 1 ELSE 0 END), 0)" for each in wanted)
