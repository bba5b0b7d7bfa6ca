"""How well a promotion does: codes issued and used, money given and taken, in groups.

Three passes over the rows, each one grouped statement: issuances, uses, and their money. A use belongs to what its code
went through: its own issue, or for a code that everybody shares the first issue of it to the same customer. A code that
was used without ever being issued (print, partners) counts as issued then, through the channel of its batch.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from promograph.domain.performing import By, Group, Origin, day_of, offsets
from promograph.domain.promotions import Promotion
from promograph.errors import BadInput, InputProblem
from promograph.store.planning import join_wholes
from promograph.store.statements import Statement
from promograph.store.tables.instants import to_micros

MOST_GROUPS = 1_000

_DAY = 86_400_000_000
_BATCH = (
    "(SELECT CASE WHEN b.last_seq >= {0}.seq THEN b.{1} END FROM batch b WHERE b.promotion_id = {0}.promotion_id "
    "AND b.first_seq <= {0}.seq ORDER BY b.first_seq DESC LIMIT 1)"
)
_SHARED = (
    # Found by the customer: by the promotion, it would be all that the promotion has issued, for each use.
    "(SELECT n.{0} FROM issuance n WHERE n.customer = d.customer AND n.promotion_id + 0 = d.promotion_id AND n.seq = 0 "
    "AND n.kind NOT IN ('REPEAT', 'RETURNED') ORDER BY n.number LIMIT 1)"
)
_ISSUED_BY = {
    By.CHANNEL: f"coalesce(i.channel, {_BATCH.format('i', 'channel')})",
    By.SEND: "i.send",
    By.BATCH: f"CASE WHEN i.seq = 0 THEN 'SHARED' ELSE CAST({_BATCH.format('i', 'id')} AS text) END",
}
_USED_BY = {
    By.CHANNEL: (
        f"CASE WHEN d.seq = 0 THEN {_SHARED.format('channel')} "
        f"ELSE coalesce(i.channel, {_BATCH.format('d', 'channel')}) END"
    ),
    By.SEND: f"CASE WHEN d.seq = 0 THEN {_SHARED.format('send')} ELSE i.send END",
    By.BATCH: (
        "CASE WHEN d.seq = 0 THEN 'SHARED' WHEN d.seq IS NULL THEN 'NO_CODE' "
        f"ELSE CAST({_BATCH.format('d', 'id')} AS text) END"
    ),
}
_ISSUED = (
    "SELECT {0} AS part, count(*) FROM issuance i WHERE i.promotion_id = :id AND i.kind NOT IN ('REPEAT', 'RETURNED') "
    "GROUP BY 1 LIMIT {1}"
)
# What was rolled back as a whole was no use, and gave nothing.
_USES = (
    "(SELECT {0} AS part, d.seq, i.number AS issuance, d.discount_currency, d.order_currency, d.order_minor, "
    "d.discount_minor - coalesce(b.minor, 0) AS discount FROM redemption d "
    "LEFT JOIN (SELECT r.number, sum(r.minor) AS minor, max(CASE WHEN r.is_whole THEN 1 ELSE 0 END) AS whole "
    "FROM rollback r WHERE r.promotion_id = :id GROUP BY r.number) b ON b.number = d.number "
    "LEFT JOIN issuance i ON i.promotion_id = d.promotion_id AND i.seq = d.seq AND i.kind = 'INITIAL' AND i.seq <> 0 "
    "WHERE d.promotion_id = :id AND coalesce(b.whole, 0) = 0) u"
)
_USED = (
    "SELECT u.part, count(*), count(DISTINCT CASE WHEN u.seq <> 0 THEN u.seq END), "
    "sum(CASE WHEN u.seq = 0 THEN 1 ELSE 0 END), "
    "count(DISTINCT CASE WHEN u.seq <> 0 AND u.issuance IS NULL THEN u.seq END) "
    f"FROM {_USES} GROUP BY u.part LIMIT {{1}}"
)
_MONEY = (
    "SELECT u.part, u.discount_currency, u.order_currency, sum(u.discount), sum(u.order_minor) "
    f"FROM {_USES} WHERE u.discount IS NOT NULL OR u.order_minor IS NOT NULL "
    "GROUP BY u.part, u.discount_currency, u.order_currency"
)


def read(connection: Connection, promotion: Promotion, by: By, now: datetime) -> list[Group]:
    """The groups, in the order of their names, batches or days; BadInput (TOO_MANY) where there are over 1,000."""
    join_wholes(connection)
    if by is By.DAY:
        day = _day_expression(promotion, now)
        issued_by, used_by = day.format("i.issued_at"), day.format("d.redeemed_at")
    else:
        issued_by, used_by = _ISSUED_BY[by], _USED_BY[by]
    counts: dict[Any, dict[str, Any]] = {}
    for part, issued in _fetch(connection, _ISSUED, issued_by, promotion.id):
        _part(counts, part)["issued"] = issued
    for part, uses, codes, shared, unissued in _fetch(connection, _USED, used_by, promotion.id):
        found = _part(counts, part)
        found["redemptions"], found["redeemed"] = uses, codes + int(shared)
        # On which day a code on paper was given out, nobody knows.
        found["issued"] += 0 if by is By.DAY else unissued
    if len(counts) > MOST_GROUPS:
        raise BadInput(
            InputProblem.TOO_MANY,
            f"By {by} there are more than {MOST_GROUPS:,} groups, the most that are shown; ask by something else.",
            field=("by",),
        )
    for part, discount_in, order_in, discount, order in _fetch(connection, _MONEY, used_by, promotion.id):
        found = _part(counts, part)
        _add(found["discount"], discount_in, discount)
        _add(found["order_value"], order_in, order)
    parts = sorted(counts, key=lambda part: (part is None, str(part) if by is not By.BATCH else _place(part)))
    return [Group(**_named(by, part), **counts[part]) for part in parts]


def _fetch(connection: Connection, sql: str, part: str, id_: int) -> Sequence[Any]:
    return Statement(sql.format(part, MOST_GROUPS + 1)).fetch(connection, id=id_)


def _part(counts: dict[Any, dict[str, Any]], part: Any) -> dict[str, Any]:
    return counts.setdefault(part, {"issued": 0, "redeemed": 0, "redemptions": 0, "discount": {}, "order_value": {}})


def _add(amounts: dict[str, int], currency: str | None, minor: Any) -> None:
    if currency is not None and minor is not None:
        amounts[currency] = amounts.get(currency, 0) + int(minor)


def _place(part: str | None) -> tuple[int, int]:
    return (0, int(part)) if part is not None and part.isdigit() else (1, 0)


def _named(by: By, part: Any) -> dict[str, Any]:
    if by is By.DAY:
        return {"day": day_of(part)}
    if by is not By.BATCH:
        return {"name": part}
    if part is None:
        return {"origin": Origin.MADE_ON_DEMAND}
    return {"origin": Origin.BATCH, "batch_id": int(part)} if part.isdigit() else {"origin": Origin(part)}


def _day_expression(promotion: Promotion, now: datetime) -> str:
    """The number of the day, since 1970, in which the instant in a column falls in the promotion's zone."""
    zone, start = promotion.terms.window.time_zone, promotion.created_at
    known = list(offsets(zone, start, now + timedelta(days=1)))
    micros = [offset // timedelta(microseconds=1) for _, offset in known]
    whens = (
        f"WHEN {{0}} < {to_micros(until)} THEN {before} "
        for (until, _), before in zip(known[1:], micros[:-1], strict=True)
    )
    shift = f"CASE {''.join(whens)}ELSE {micros[-1]} END" if len(known) > 1 else str(micros[-1])
    return f"({{0}} + {shift}) / {_DAY}"
