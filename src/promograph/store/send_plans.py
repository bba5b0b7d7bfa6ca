"""What a send will need, counted by one statement, however many members an audience has."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from promograph.domain.conditions.customers import InSegment
from promograph.domain.people.audiences import Audience, AudienceKind
from promograph.domain.people.moving import ever
from promograph.domain.people.segments import in_order
from promograph.domain.sending.plans import JOINING_DAYS, Head
from promograph.store.people import segments
from promograph.store.people.audience_members import members_of, reachable
from promograph.store.people.segment_members import compile_for
from promograph.store.people.standings import Wanted, codes_for
from promograph.store.statements import Statement
from promograph.store.tables.instants import to_micros

_DAY = timedelta(days=1)

# Neither store takes apart a question inside another that has a bound: what is in there is worked out once.
_AS_A_WHOLE = "LIMIT 9223372036854775807"


@dataclass(frozen=True, slots=True)
class _Seen:
    """A table `c` of (id, is_in, joined): who is in the audience now, and how often they came in lately."""

    table: str
    params: Mapping[str, Any]


def heads(connection: Connection, wanted: Wanted, now: datetime) -> Head:
    """Counted on the state that the connection sees."""
    is_dynamic = wanted.audience.kind is AudienceKind.DYNAMIC
    reached = "true" if wanted.channel is None else reachable(wanted.channel)
    seen = (
        _moving(connection, wanted.audience, reached, now) if is_dynamic else _still(connection, wanted, reached, now)
    )
    codes = codes_for(wanted)
    served = "false" if wanted.occasion is None else "h.best IS NOT NULL"
    counted = ("c.is_in", "c.is_in AND h.holds = 1", f"c.is_in AND {served}")
    sums = ", ".join(f"coalesce(sum(CASE WHEN {each} THEN 1 ELSE 0 END), 0)" for each in counted)
    statement = Statement(
        f"SELECT {sums}, coalesce(sum(c.joined), 0) FROM {seen.table} LEFT JOIN {codes.grouped} h ON h.customer = c.id"
    )
    (row,) = statement.fetch(connection, **seen.params, **codes.params)
    audience, holding, having, joined = (int(number) for number in row)
    return Head(audience=audience, holding=holding, served=having, joined=joined if is_dynamic else None)


def _still(connection: Connection, wanted: Wanted, reached: str, now: datetime) -> _Seen:
    members = members_of(connection, wanted.audience, now)
    return _Seen(f"(SELECT c.id, true AS is_in, 0 AS joined {members.rows} AND {reached}) c", members.params)


def _moving(connection: Connection, audience: Audience, reached: str, now: datetime) -> _Seen:
    """How many came in over the last days is told from today's customers.

    The clock is turned back: who was told of since then has joined, and for a segment whose days move with the clock,
    day by day, who is in it on one day and was not the day before. What an attribute was before it changed is not kept.
    """
    handle = str(audience.segment)
    known = segments.reached_from(connection, [handle])
    moves = any(known[each].needs().day for each in in_order(frozenset({handle}), known))
    days = range(JOINING_DAYS + 1) if moves else (0,)
    meant, instants = InSegment(segment=handle), [now - n * _DAY for n in days]
    found = [compile_for(connection, meant, at, prefix=f"d{n}_") for n, at in enumerate(instants)]
    params = {name: value for one in found for name, value in one.params.items()}
    params |= {f"t{n}": to_micros(now - n * _DAY) for n in (days if moves else (0, JOINING_DAYS))}
    if moves:
        # Most are in it on none of these days: they are asked once, and not for each day.
        once = compile_for(connection, ever(meant, known, instants), now, prefix="e")
        params, reached = {**params, **once.params}, f"{reached} AND {once.sql}"
        was_in = ", ".join(f"c.created_at <= :t{n} AND {one.sql} AS in{n}" for n, one in zip(days, found, strict=True))
        joined = " + ".join(f"CASE WHEN c.in{n} AND NOT c.in{n + 1} THEN 1 ELSE 0 END" for n in range(JOINING_DAYS))
    else:
        was_in = f"{found[0].sql} AS in0, c.created_at"
        joined = f"CASE WHEN c.in0 AND c.created_at > :t{JOINING_DAYS} AND c.created_at <= :t0 THEN 1 ELSE 0 END"
    looked = f"(SELECT c.id, {was_in} FROM customer c WHERE {reached} {_AS_A_WHOLE}) c"
    return _Seen(f"(SELECT c.id, c.in0 AS is_in, {joined} AS joined FROM {looked}) c", params)
