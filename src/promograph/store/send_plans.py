"""What a send will need, counted: one statement a number, however many members an audience has."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection

from promograph.domain.conditions.customers import HoldsCode, InSegment
from promograph.domain.issuing import IssueRequest, occasion
from promograph.domain.people.audiences import Audience, AudienceKind
from promograph.domain.people.segments import in_order
from promograph.domain.promotions import Promotion
from promograph.domain.sending.plans import JOINING_DAYS, Head
from promograph.errors import BadInput
from promograph.store.people import segments
from promograph.store.people.audience_members import Members, members_of, reachable
from promograph.store.people.segment_members import compile_for
from promograph.store.statements import Statement
from promograph.store.tables.instants import to_micros

_DAY = timedelta(days=1)

_SERVED = (
    "EXISTS (SELECT 1 FROM issuance i WHERE i.customer = c.id AND i.promotion_id = :promotion_id "
    "AND i.occasion = :occasion)"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which send: of an audience, with codes of a promotion. `channel`: only those whom it reaches."""

    audience: Audience
    promotion: Promotion
    send: str | None = None
    channel: str | None = None


def heads(connection: Connection, wanted: Wanted, now: datetime) -> Head:
    """Counted on the state that the connection sees."""
    members = members_of(connection, wanted.audience, now)
    if wanted.channel is not None:
        members = replace(members, rows=f"{members.rows} AND {reachable(wanted.channel)}")
    holds = compile_for(connection, HoldsCode(promotion=wanted.promotion.terms.handle), now)
    # Under names of their own: a segment's condition numbers its parameters from the same beginning.
    holding, params = _renamed(holds.sql, holds.params)
    return Head(
        audience=_count(connection, members),
        holding=_count(connection, members, holding, params),
        served=_served(connection, members, wanted),
        joined=_joined(connection, wanted, now),
    )


def _served(connection: Connection, members: Members, wanted: Wanted) -> int:
    """Those for whom issuing with this send's key would give a code again that they have."""
    asked = IssueRequest(promotion=wanted.promotion.terms.handle, customer="", send=wanted.send)
    try:
        name = occasion(wanted.promotion.terms.issue_policy, asked)
    except BadInput:
        return 0  # each message, or a send without a key, is a new occasion
    return _count(connection, members, _SERVED, {"promotion_id": wanted.promotion.id, "occasion": name})


def _joined(connection: Connection, wanted: Wanted, now: datetime) -> int | None:
    """How many came in over the last days, as far as today's customers tell.

    The clock is turned back: who was told of since then has joined, and for a segment whose days move with the clock,
    day by day, who is in it on one day and was not the day before. What an attribute was before it changed is not kept.
    """
    if wanted.audience.kind is not AudienceKind.DYNAMIC:
        return None
    handle = str(wanted.audience.segment)
    known = segments.reached_from(connection, [handle])
    moves = any(known[each].needs().day for each in in_order(frozenset({handle}), known))
    steps = [now - n * _DAY for n in range(JOINING_DAYS + 1)] if moves else [now, now - JOINING_DAYS * _DAY]
    return sum(_came(connection, wanted, since=since, until=until) for until, since in pairwise(steps))


def _came(connection: Connection, wanted: Wanted, *, since: datetime, until: datetime) -> int:
    members = members_of(connection, wanted.audience, until)
    rows = f"{members.rows} AND c.created_at <= :until"
    if wanted.channel is not None:
        rows += f" AND {reachable(wanted.channel)}"
    before = compile_for(connection, InSegment(segment=str(wanted.audience.segment)), since)
    was_in, params = _renamed(before.sql, before.params)
    return _count(
        connection,
        replace(members, rows=rows),
        f"NOT (c.created_at <= :since AND {was_in})",
        {**params, "since": to_micros(since), "until": to_micros(until)},
    )


def _count(
    connection: Connection, members: Members, also: str = "true", params: Mapping[str, Any] | None = None
) -> int:
    statement = Statement(f"SELECT count(*) {members.rows} AND {also}")
    return int(statement.fetch(connection, **members.params, **(params or {}))[0][0])


def _renamed(sql: str, params: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    # From the longest on: the name of one may begin with another's.
    for name in sorted(params, key=len, reverse=True):
        sql = sql.replace(f":{name}", f":other_{name}")
    return sql, {f"other_{name}": value for name, value in params.items()}
