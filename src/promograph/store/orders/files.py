"""What is kept of orders: opened with a lock, changed in memory, written back."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from promograph.domain.codes import normalise
from promograph.domain.orders.heard import Heard
from promograph.domain.orders.news import OrderNews, OrderRefund, OrderStanding, dump_standing, load_standing
from promograph.domain.orders.reports import Objection, OrderCodeReport, OrderCodeState, OrderReport
from promograph.store import places
from promograph.store.places import Place
from promograph.store.statements import Statement
from promograph.store.tables.instants import from_micros, to_micros

Name = tuple[str, str]
"""A shop, and its own id of an order."""

COLUMNS = "o.id, o.channel, o.shop, o.ref, o.name, o.state, o.customer, o.heard_at, o.changed_at, o.said_at, o.heard"
"""What an `OrderFile` is made of, of `shop_order o`."""

_ADD = Statement(
    "INSERT INTO shop_order (channel, shop, ref, heard, heard_at, changed_at) "
    "SELECT :channel, r.shop, r.ref, '{}', :now, :now FROM @rows(shop text, ref text) r "
    "WHERE true ON CONFLICT (channel, shop, ref) DO NOTHING"
)
_OPEN = Statement(
    f"SELECT {COLUMNS} FROM @rows(shop text, ref text) r "
    "JOIN shop_order o ON o.channel = :channel AND o.shop = r.shop AND o.ref = r.ref ORDER BY o.id @lock(o)"
)
_OPEN_BY_ID = Statement(
    f"SELECT {COLUMNS} FROM @rows(id bigint) r JOIN shop_order o ON o.id = r.id ORDER BY o.id @lock(o)"
)
_CODES = Statement(
    "SELECT c.order_id, c.key, c.promotion_id, c.seq, c.state, c.redemption, c.refusals, c.tries, c.due_at "
    "FROM @rows(id bigint) r JOIN order_code c ON c.order_id = r.id ORDER BY c.order_id, c.key"
)
_SAVE = Statement(
    "UPDATE shop_order SET name = r.name, state = r.state, customer = r.customer, heard = r.heard, "
    "said_at = r.said_at, is_ours = r.is_ours, changed_at = :now FROM @rows(id bigint, name text, state text, "
    "customer text, heard text, said_at bigint, is_ours boolean) r WHERE shop_order.id = r.id"
)
_SAVE_CODES = Statement(
    "INSERT INTO order_code (order_id, key, promotion_id, seq, state, redemption, refusals, tries, due_at) "
    "SELECT r.order_id, r.key, r.promotion_id, r.seq, r.state, r.redemption, r.refusals, r.tries, r.due_at "
    "FROM @rows(order_id bigint, key text, promotion_id bigint, seq bigint, state text, redemption bigint, "
    "refusals text, tries bigint, due_at bigint) r WHERE true ON CONFLICT (order_id, key) DO UPDATE SET "
    "state = excluded.state, redemption = excluded.redemption, refusals = excluded.refusals, tries = excluded.tries, "
    "due_at = excluded.due_at"
)
_OLD_PASSED = Statement(
    "SELECT o.id FROM shop_order o WHERE NOT o.is_ours AND o.changed_at < :before ORDER BY o.changed_at LIMIT :most"
)
_DROP_PASSED = Statement(
    "DELETE FROM shop_order WHERE NOT is_ours AND changed_at < :before AND id IN (SELECT r.id FROM @rows(id bigint) r)"
)


@dataclass(slots=True)
class CodeFile:
    """One of our codes in an order."""

    key: str
    place: Place
    state: OrderCodeState = OrderCodeState.WAITING
    redemption: int | None = None
    objections: tuple[Objection, ...] = ()
    tries: int = 0
    due_at: datetime | None = None


@dataclass(slots=True)
class OrderFile:
    """All that is known of an order; `codes` by key: where there is none, it is not ours so far."""

    id: int
    channel: str
    shop: str
    order: str
    name: str | None
    customer: str | None
    heard_at: datetime
    changed_at: datetime
    heard: Heard
    codes: dict[str, CodeFile] = field(default_factory=dict)

    def hear(self, news: OrderNews, known: Mapping[str, Place]) -> None:
        """`known` are the codes of ours that it may name, by key."""
        self.heard = self.heard.with_news(news)
        standing = self.heard.standing
        if standing is None:
            return
        self.name, self.customer = standing.name or self.name, standing.customer or self.customer
        for code in standing.codes:
            key = normalise(code.code)
            if key in known and key not in self.codes:
                self.codes[key] = CodeFile(key, known[key])

    @property
    def report(self) -> OrderReport:
        return OrderReport(
            id=self.id,
            channel=self.channel,
            shop=self.shop,
            order=self.order,
            name=self.name,
            state=None if self.heard.standing is None else self.heard.standing.state,
            customer=self.customer,
            heard_at=self.heard_at,
            changed_at=self.changed_at,
            codes=tuple(_code_report(code) for _, code in sorted(self.codes.items())),
        )


def opened(connection: Connection, channel: str, news: Sequence[OrderNews], now: datetime) -> dict[Name, OrderFile]:
    """The orders that the news are about, each having heard them, locked until the transaction ends.

    Of an order that names no code of ours is kept how it stands and what was refunded, and no more: what is said late
    of an earlier moment, when it did name one, must find that out.
    """
    known = places.by_key(connection, {key for one in news for key in _keys(one)})
    names = sorted({(one.shop, one.order) for one in news})
    # In one order for everybody, and all of them before the first lock.
    _ADD.run(connection, names, channel=channel, now=to_micros(now))
    rows = _OPEN.fetch(connection, names, channel=channel)
    files = {(one.shop, one.order): one for one in _with_codes(connection, rows).values()}
    for one in news:
        files[one.shop, one.order].hear(_worth_keeping(one, known), known)
    return files


def opened_by_id(connection: Connection, ids: Iterable[int]) -> dict[int, OrderFile]:
    """Locked until the transaction ends."""
    rows = [(id_,) for id_ in sorted(set(ids))]
    return _with_codes(connection, _OPEN_BY_ID.fetch(connection, rows)) if rows else {}


def save(connection: Connection, files: Collection[OrderFile], now: datetime) -> None:
    """Write back what was opened."""
    rows = [_row(one) for one in files]
    if rows:
        _SAVE.run(connection, rows, now=to_micros(now))
    codes = [_code_row(one.id, code) for one in files for code in one.codes.values()]
    if codes:
        _SAVE_CODES.run(connection, codes)


def is_any_passed(connection: Connection, before: datetime) -> bool:
    """Whether there is anything for `drop_passed`."""
    return bool(_OLD_PASSED.fetch(connection, before=to_micros(before), most=1))


def drop_passed(connection: Connection, before: datetime, *, most: int) -> int:
    """Forget orders without a code of ours of which nothing was heard since, the longest silent first; how many."""
    rows = [(row[0],) for row in _OLD_PASSED.fetch(connection, before=to_micros(before), most=most)]
    return _DROP_PASSED.run(connection, sorted(rows), before=to_micros(before)) if rows else 0


def order_file(row: Sequence[Any]) -> OrderFile:
    """From a row of COLUMNS, without its codes."""
    id_, channel, shop, order, name, _, customer, heard_at, changed_at, said_at, heard = row
    kept = orjson.loads(heard)
    return OrderFile(
        id=id_,
        channel=channel,
        shop=shop,
        order=order,
        name=name,
        customer=customer,
        heard_at=from_micros(heard_at),
        changed_at=from_micros(changed_at),
        heard=Heard(
            standing=load_standing(kept.get("standing"), customer),
            said_at=None if said_at is None else from_micros(said_at),
            refunds={one["id"]: OrderRefund(**one) for one in kept.get("refunds", ())},
        ),
    )


def with_codes(connection: Connection, files: Mapping[int, OrderFile]) -> None:
    """Read what became of their codes; `files` by id."""
    for order_id, key, *place, state, redemption, refusals, tries, due_at in _CODES.fetch(
        connection, [(id_,) for id_ in sorted(files)]
    ):
        files[order_id].codes[key] = CodeFile(
            key=key,
            place=(place[0], place[1]),
            state=OrderCodeState(state),
            redemption=redemption,
            objections=tuple(Objection(**one) for one in orjson.loads(refusals or "[]")),
            tries=tries,
            due_at=None if due_at is None else from_micros(due_at),
        )


def _with_codes(connection: Connection, rows: Iterable[Any]) -> dict[int, OrderFile]:
    files = {one.id: one for one in map(order_file, map(tuple, rows))}
    if files:
        with_codes(connection, files)
    return files


def _keys(news: OrderNews) -> list[str]:
    return [] if news.standing is None else [normalise(code.code) for code in news.standing.codes]


def _worth_keeping(news: OrderNews, known: Mapping[str, Place]) -> OrderNews:
    """Whatever is heard first, the same is put together: what is left out is left out before anything is compared."""
    if news.standing is None or any(key in known for key in _keys(news)):
        return news
    return replace(news, standing=OrderStanding(state=news.standing.state))


def _row(one: OrderFile) -> tuple[Any, ...]:
    heard = one.heard
    state = None if heard.standing is None else heard.standing.state.value
    kept = {"standing": dump_standing(heard.standing), "refunds": [asdict(each) for each in heard.refunds.values()]}
    said_at = None if heard.said_at is None else to_micros(heard.said_at)
    return one.id, one.name, state, one.customer, orjson.dumps(kept).decode(), said_at, bool(one.codes)


def _code_row(order_id: int, code: CodeFile) -> tuple[Any, ...]:
    return (
        order_id,
        code.key,
        *code.place,
        code.state.value,
        code.redemption,
        orjson.dumps([asdict(one) for one in code.objections]).decode() if code.objections else None,
        code.tries,
        None if code.due_at is None else to_micros(code.due_at),
    )


def _code_report(code: CodeFile) -> OrderCodeReport:
    return OrderCodeReport(
        key=code.key,
        promotion_id=code.place[0],
        seq=code.place[1],
        state=code.state,
        redemption=code.redemption,
        objections=code.objections,
        retry_at=code.due_at,
    )
