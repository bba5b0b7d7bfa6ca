"""Looking for orders: those to be tried again, those that a list shows, uses that somebody else counted for them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from promograph.domain.orders.reports import OrderCodeState, OrderReport
from promograph.store import keyset
from promograph.store.listing import Page, Slice
from promograph.store.orders import files
from promograph.store.places import Place
from promograph.store.redemptions import STANDING
from promograph.store.statements import Statement
from promograph.store.tables.instants import to_micros

Sale = tuple[int, int, str]
"""A code (promotion, number there) and the shop's own id of the order that it was used in."""

_REDEEMED = Statement(
    "SELECT r.promotion_id, r.seq, r.ref, min(d.number) FROM @rows(promotion_id bigint, seq bigint, ref text) r "
    "JOIN redemption d ON d.promotion_id = r.promotion_id AND d.seq = r.seq "
    f"WHERE d.order_ref = r.ref AND {STANDING} AND NOT EXISTS (SELECT 1 FROM order_code c "
    "WHERE c.promotion_id = d.promotion_id AND c.redemption = d.number) GROUP BY r.promotion_id, r.seq, r.ref"
)
_REFUSED = Statement(
    "SELECT DISTINCT c.order_id FROM @rows(promotion_id bigint, seq bigint) r JOIN order_code c "
    "ON c.promotion_id = r.promotion_id AND c.seq = r.seq AND c.state = 'REFUSED' ORDER BY c.order_id LIMIT :most"
)
_DUE = Statement(
    "SELECT c.order_id FROM order_code c WHERE c.state = 'REFUSED' AND c.due_at <= :now ORDER BY c.due_at LIMIT :most"
)
_ONE = Statement(f"SELECT {files.COLUMNS} FROM shop_order o WHERE o.id = :id")


# The few that were refused are found by an index of their own, of the others there are some on every page.
_HAS_CODE = {
    state: f"EXISTS (SELECT 1 FROM order_code c WHERE c.order_id = o.id AND c.state = '{state.value}')"
    for state in OrderCodeState
} | {OrderCodeState.REFUSED: "o.id IN (SELECT c.order_id FROM order_code c WHERE c.state = 'REFUSED')"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderQuery:
    """Which orders: all of the conditions hold. `code_state`: one of its codes is in that state."""

    shop: str | None = None
    order: str | None = None
    code_state: OrderCodeState | None = None


def redeemed_already(connection: Connection, sales: Collection[Sale]) -> dict[Sale, int]:
    """Of codes of one's own, the number of a use that stands, was counted for the order, and is no other order's."""
    rows = sorted({sale for sale in sales if sale[1]})
    return {(row[0], row[1], row[2]): row[3] for row in _REDEEMED.fetch(connection, rows)} if rows else {}


def refused_uses(connection: Connection, codes: Collection[Place], *, most: int) -> list[int]:
    """The oldest orders in which one of these codes was refused."""
    return [row[0] for row in _REFUSED.fetch(connection, sorted(codes), most=most)] if codes else []


def due(connection: Connection, now: datetime, *, most: int) -> list[int]:
    """Orders with a refused code that is to be tried again."""
    return sorted({row[0] for row in _DUE.fetch(connection, now=to_micros(now), most=most)})


def by_id(connection: Connection, id_: int) -> OrderReport | None:
    rows = _ONE.fetch(connection, id=id_)
    return _reports(connection, rows)[0] if rows else None


def page(connection: Connection, query: OrderQuery, part: Slice) -> Page:
    """`OrderReport`s of orders with a code of ours, the latest first."""
    rows, params = "FROM shop_order o WHERE o.is_ours", {}
    if query.shop is not None:
        rows, params["shop"] = f"{rows} AND o.shop = :shop", query.shop
    if query.order is not None:
        rows, params["order"] = f"{rows} AND (o.ref = :order OR o.name = :order)", query.order
    if query.code_state is not None:
        rows = f"{rows} AND {_HAS_CODE[query.code_state]}"
    found = keyset.page(connection, files.COLUMNS, rows, params, part, descending=True)
    reports = _reports(connection, [row for _, row in found.rows])
    return Page(
        [(key, report) for (key, _), report in zip(found.rows, reports, strict=True)],
        found.has_next,
        found.has_previous,
    )


def _reports(connection: Connection, rows: Sequence[Sequence[Any]]) -> list[OrderReport]:
    made = [files.order_file(tuple(row)) for row in rows]
    files.with_codes(connection, {one.id: one for one in made})
    return [one.report for one in made]
