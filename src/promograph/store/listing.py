"""Pages of rows by key, stable while rows are added: a page begins after the last row of the one before."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    exists,
    func,
    or_,
    select,
    tuple_,
    type_coerce,
)

from promograph.domain.promotions import CodeKind, PromotionStatus
from promograph.store import promotions
from promograph.store.tables.promotions import PromotionRow

_tables = PromotionRow.metadata.tables
P, B = (_tables[name] for name in ("promotion", "batch"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Which part of a list: `count` rows after (or, going backward, before) the row whose sort values are `start`."""

    count: int
    start: tuple[Any, ...] | None = None
    backward: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionQuery:
    """Which promotions: all of the conditions hold. `properties` asks for exact values."""

    search: str | None = None
    statuses: frozenset[PromotionStatus] = frozenset()
    kinds: frozenset[CodeKind] = frozenset()
    reward_types: frozenset[str] = frozenset()
    properties: tuple[tuple[str, str], ...] = ()
    sort: str = "created"
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """`rows` in the list's order, each with its sort values; whether there are more on either side."""

    rows: Sequence[tuple[tuple[Any, ...], Any]] = field(default_factory=tuple)
    has_next: bool = False
    has_previous: bool = False


_SORTS = {
    "created": P.c.id,
    "name": func.lower(P.c.name),
    "handle": P.c.handle,
    "updated": type_coerce(P.c.updated_at, BigInteger),
}


def promotion_page(connection: Connection, query: PromotionQuery, part: Slice, now: datetime) -> Page:
    """Promotions with their sort values (value, id)."""
    sort = _SORTS[query.sort]
    keys: list[ColumnElement[Any]] = [sort, P.c.id]
    statement = select(*keys).where(*_conditions(query, now, connection.dialect.name))
    page = page_of(connection, statement, keys, part, descending=query.descending)
    found = promotions.by_id(connection, [row[1] for _, row in page.rows])
    return Page([(values, found[row[1]]) for values, row in page.rows], page.has_next, page.has_previous)


def count_promotions(connection: Connection, query: PromotionQuery, now: datetime) -> int:
    statement = select(func.count()).select_from(P).where(*_conditions(query, now, connection.dialect.name))
    return int(connection.execute(statement).scalar_one())


def _conditions(query: PromotionQuery, now: datetime, dialect: str) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.search:
        conditions.append(P.c.searched.contains(promotions.folded(query.search), autoescape=True))
    if query.statuses:
        conditions.append(or_(*(_has_status(status, now) for status in sorted(query.statuses))))
    if query.kinds:
        conditions.append(P.c.code_kind.in_(sorted(query.kinds)))
    if query.reward_types:
        conditions.append(P.c.reward_type.in_(sorted(query.reward_types)))
    for name, value in query.properties:
        conditions.append(_has_property(name, value, dialect))
    return conditions


# A path to the name would do, were there one to every name: SQLite has none to a name with a quotation mark.
_PAIRS = {"sqlite": func.json_each, "postgresql": func.json_each_text}


def _has_property(name: str, value: str, dialect: str) -> ColumnElement[bool]:
    pairs = _PAIRS[dialect](P.c.properties).table_valued("key", "value")
    return exists().select_from(pairs).where(pairs.c.key == name, pairs.c.value == value)


def _has_status(status: PromotionStatus, now: datetime) -> ColumnElement[bool]:
    """What `Promotion.status` derives from the clock, said in SQL."""
    stored, starts, ends = P.c.status, P.c.starts_at, P.c.ends_at
    begun = or_(starts.is_(None), starts <= now)
    running = or_(ends.is_(None), ends > now)
    over = and_(stored.in_([PromotionStatus.ACTIVE, PromotionStatus.PAUSED]), ends <= now)
    by_status: dict[PromotionStatus, ColumnElement[bool]] = {
        PromotionStatus.SCHEDULED: and_(stored == PromotionStatus.ACTIVE, starts > now, running),
        PromotionStatus.ACTIVE: and_(stored == PromotionStatus.ACTIVE, begun, running),
        PromotionStatus.PAUSED: and_(stored == PromotionStatus.PAUSED, running),
        PromotionStatus.ENDED: or_(stored == PromotionStatus.ENDED, over),
    }
    return by_status.get(status, stored == status)


_BATCH_COLUMNS = (
    B.c.id,
    B.c.promotion_id,
    B.c.source,
    B.c.channel,
    B.c.size,
    B.c.reverted,
    B.c.created_at,
    B.c.report,
    B.c.first_seq,
    B.c.last_seq,
)


def batch_row(connection: Connection, id_: int) -> Any:
    """A row as in `batch_page`; None where there is no such batch."""
    return connection.execute(select(*_BATCH_COLUMNS).where(B.c.id == id_)).one_or_none()


def batch_page(connection: Connection, promotion_id: int, part: Slice) -> Page:
    keys: list[ColumnElement[Any]] = [B.c.id]
    statement = select(*_BATCH_COLUMNS).where(B.c.promotion_id == promotion_id)
    return page_of(connection, statement, keys, part, descending=True)


def page_of(
    connection: Connection,
    statement: Select[Any],
    keys: list[ColumnElement[Any]],
    part: Slice,
    *,
    descending: bool = False,
) -> Page:
    """One page; one row more than asked tells whether the list goes on."""
    down = descending != part.backward
    if part.start is not None:
        here, there = tuple_(*keys), tuple_(*part.start)
        statement = statement.where(here < there if down else here > there)
    statement = statement.order_by(*(key.desc() if down else key.asc() for key in keys)).limit(part.count + 1)
    rows: list[Row[Any]] = list(
        connection.execute(statement.add_columns(*(k.label(f"k{n}") for n, k in enumerate(keys))))
    )
    more, rows = len(rows) > part.count, rows[: part.count]
    if part.backward:
        rows.reverse()
    found = [(tuple(row[-len(keys) :]), row) for row in rows]
    before = part.start is not None
    return Page(found, before if part.backward else more, more if part.backward else before)
