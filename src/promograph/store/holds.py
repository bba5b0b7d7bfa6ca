"""Rows of uses that are set aside."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from promograph.domain.carts import Money
from promograph.domain.discounts import Discount, load_discount
from promograph.domain.redeeming import Hold, HoldState
from promograph.store.bulk import Insertion
from promograph.store.statements import Statement
from promograph.store.stock import Stock
from promograph.store.tables.instants import from_micros, to_micros

COLUMNS = (
    "h.promotion_id, h.number, h.seq, "
    "(SELECT coalesce(c.text, c.key) FROM code c WHERE c.promotion_id = h.promotion_id AND c.seq = h.seq), "
    "h.token, h.customer, h.order_ref, h.discount_minor, h.discount_currency, h.channel, h.taken, h.held_at, "
    "h.expires_at, h.ended, h.ended_at"
)
"""What `hold_of` reads, in its order, of `hold h`."""

_BY_TOKEN = Statement(
    f"SELECT {COLUMNS}, p.handle FROM @rows(token text) r JOIN hold h ON h.token = r.token "
    "JOIN promotion p ON p.id = h.promotion_id"
)
_LAPSED = (
    "hold.promotion_id IN (SELECT r.id FROM @rows(id bigint) r) AND hold.ended IS NULL AND hold.expires_at <= :now"
)
_COUNT_LAPSED = Statement(
    f"SELECT promotion_id, count(*), coalesce(sum(discount_minor), 0) FROM hold WHERE {_LAPSED} GROUP BY promotion_id"
)
_LAPSE = Statement(f"UPDATE hold SET ended = 'LAPSED', ended_at = hold.expires_at WHERE {_LAPSED}")
_OF_CODES = Statement(
    "SELECT h.promotion_id, h.seq, count(*), max(h.expires_at) FROM @rows(promotion_id bigint, seq bigint) r "
    "JOIN hold h ON h.promotion_id = r.promotion_id AND h.seq = r.seq WHERE h.ended IS NULL AND h.expires_at > :now "
    "GROUP BY h.promotion_id, h.seq"
)
_OF_CUSTOMERS = Statement(
    "SELECT h.promotion_id, h.customer, count(*) FROM @rows(promotion_id bigint, customer text) r "
    "JOIN hold h ON h.customer = r.customer AND h.promotion_id = r.promotion_id "
    "WHERE h.ended IS NULL AND h.expires_at > :now GROUP BY h.promotion_id, h.customer"
)
_NEW = Insertion(
    "hold",
    "promotion_id bigint, number bigint, token text, seq bigint, customer text, order_ref text, discount_minor bigint, "
    "discount_currency text, channel text, taken text, held_at bigint, expires_at bigint",
)
_END = Statement(
    "UPDATE hold SET ended = r.ended, ended_at = r.ended_at, redemption = r.redemption "
    "FROM @rows(promotion_id bigint, number bigint, ended text, ended_at bigint, redemption bigint) r "
    "WHERE hold.promotion_id = r.promotion_id AND hold.number = r.number"
)

Place = tuple[int, int]
"""A promotion and the number of a code in it."""


@dataclass(frozen=True, slots=True)
class Holders:
    """How many open holds a code has, and when the last of them lapses."""

    count: int
    until: datetime


def by_token(connection: Connection, tokens: Iterable[str]) -> dict[str, Hold]:
    rows = _BY_TOKEN.fetch(connection, [(token,) for token in tokens])
    return {row[4]: hold_of(row[:-1], row[-1]) for row in rows}


def lapse(connection: Connection, stocks: Iterable[Stock], now: datetime) -> list[Stock]:
    """End the holds whose time is over, and take them out of the counters: of stocks that are locked. Those changed.

    Nobody has to have done this for a lapsed hold to cost nothing: whoever is about to count does it.
    """
    holding = {stock.promotion_id: stock for stock in stocks if stock.holds}
    changed = _without_lapsed(connection, holding, now)
    if changed:
        _LAPSE.run(connection, [(stock.promotion_id,) for stock in changed], now=to_micros(now))
    return changed


def leave_out_lapsed(connection: Connection, stocks: Iterable[Stock], now: datetime) -> None:
    """The counters as they will be once `lapse` has passed; for a reader, who changes nothing."""
    _without_lapsed(connection, {stock.promotion_id: stock for stock in stocks if stock.holds}, now)


def of_codes(connection: Connection, places: Sequence[Place], now: datetime) -> dict[Place, Holders]:
    rows = _OF_CODES.fetch(connection, sorted(places), now=to_micros(now)) if places else []
    return {(row[0], row[1]): Holders(row[2], from_micros(row[3])) for row in rows}


def of_customers(
    connection: Connection, customers: Iterable[tuple[int, str]], now: datetime
) -> dict[tuple[int, str], int]:
    """How many open holds each customer has in the promotion."""
    asked = sorted(customers)
    rows = _OF_CUSTOMERS.fetch(connection, asked, now=to_micros(now)) if asked else []
    return {(row[0], row[1]): row[2] for row in rows}


def insert(connection: Connection, holds: Sequence[Hold]) -> None:
    _NEW.run(connection, [_row(hold) for hold in holds])


def end(connection: Connection, holds: Sequence[tuple[Hold, HoldState, int | None]], now: datetime) -> None:
    """How each ended; with it the number of the redemption that it became."""
    rows = [(hold.promotion_id, hold.number, str(state), to_micros(now), number) for hold, state, number in holds]
    if rows:
        _END.run(connection, rows)


def hold_of(row: Sequence[Any], handle: str) -> Hold:
    """From a row of COLUMNS."""
    promotion_id, number, seq, text, token, customer, order, minor, currency, channel, taken = row[:11]
    held_at, expires_at, ended, ended_at = row[11:]
    return Hold(
        promotion_id=promotion_id,
        handle=handle,
        number=number,
        seq=seq,
        text=text,
        token=token,
        held_at=from_micros(held_at),
        expires_at=from_micros(expires_at),
        customer=customer,
        order=order,
        discount=None if minor is None else Money(minor=minor, currency=currency),
        channel=channel,
        taken=loads_taken(taken),
        ended=None if ended is None else HoldState(ended),
        ended_at=None if ended_at is None else from_micros(ended_at),
    )


def dumps_taken(taken: Discount | None) -> str | None:
    return None if taken is None else orjson.dumps(taken).decode()


def loads_taken(kept: str | None) -> Discount | None:
    return None if kept is None else load_discount(orjson.loads(kept))


def _row(hold: Hold) -> tuple[Any, ...]:
    money = hold.discount
    return (
        hold.promotion_id,
        hold.number,
        hold.token,
        hold.seq,
        hold.customer,
        hold.order,
        None if money is None else money.minor,
        None if money is None else money.currency,
        hold.channel,
        dumps_taken(hold.taken),
        to_micros(hold.held_at),
        to_micros(hold.expires_at),
    )


def _without_lapsed(connection: Connection, holding: dict[int, Stock], now: datetime) -> list[Stock]:
    if not holding:
        return []
    changed = []
    for id_, count, money in _COUNT_LAPSED.fetch(connection, [(id_,) for id_ in holding], now=to_micros(now)):
        stock = holding[id_]
        stock.holds -= count
        stock.held -= min(int(money), stock.held)  # nothing is held of a budget that there is not
        changed.append(stock)
    return changed
