"""Uses that a shop tells of against the redemptions here, and what of it does not agree."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from promograph.domain.carts import Money
from promograph.domain.codes import normalise
from promograph.domain.orders.news import OrderNews
from promograph.domain.shops.differences import Difference, DifferenceKind, Use, differences
from promograph.store import keyset, places
from promograph.store.listing import Page, Slice
from promograph.store.redemptions import STANDING
from promograph.store.statements import Statement
from promograph.store.tables.instants import to_micros

_AGREES = "AGREES"
_NOT_HEARD = "The shop has told of no such order since then."

_COLUMNS = (
    "f.id, f.kind, f.order_ref, f.code, f.promotion_id, f.redemption, f.there, f.there_currency, f.here, "
    "f.here_currency, f.why, f.is_mended"
)
_REDEEMED = Statement(
    "SELECT r.promotion_id, r.seq, r.ref, d.number, d.discount_minor, d.discount_currency "
    "FROM @rows(promotion_id bigint, seq bigint, ref text) r "
    "JOIN redemption d @by(redemption_code) ON d.promotion_id = r.promotion_id AND d.seq = r.seq "
    f"WHERE d.order_ref = r.ref AND {STANDING} ORDER BY d.number"
)
_REFUSED = Statement(
    "SELECT o.ref, c.key, c.refusals FROM @rows(ref text, key text) r "
    "JOIN shop_order o ON o.channel = :channel AND o.shop = :shop AND o.ref = r.ref "
    "JOIN order_code c ON c.order_id = o.id AND c.key = r.key WHERE c.refusals IS NOT NULL"
)
_KEEP = Statement(
    "INSERT INTO shop_difference (job_id, kind, order_ref, code, promotion_id, redemption, there, there_currency, "
    "here, here_currency, why) SELECT :job, r.kind, r.order_ref, r.code, r.promotion_id, r.redemption, r.there, "
    "r.there_currency, r.here, r.here_currency, r.why FROM @rows(kind text, order_ref text, code text, "
    "promotion_id bigint, redemption bigint, there bigint, there_currency text, here bigint, here_currency text, "
    "why text) r"
)
_LAST = Statement("SELECT coalesce(max(f.id), 0) FROM shop_difference f WHERE f.job_id = :job")
_MENDABLE = Statement(
    f"SELECT {_COLUMNS} FROM shop_difference f WHERE f.job_id = :job AND f.id > :after "
    "AND f.kind IN ('NOT_REDEEMED_HERE', 'CANCELLED_THERE') ORDER BY f.id"
)
_MENDED = Statement(
    "UPDATE shop_difference SET is_mended = true FROM @rows(id bigint) r WHERE shop_difference.id = r.id"
)
# An order that changes while it is read may be on two pages.
_DROP_SUPERSEDED = Statement(
    "DELETE FROM shop_difference WHERE job_id = :job AND NOT is_mended AND id NOT IN "
    "(SELECT max(f.id) FROM shop_difference f WHERE f.job_id = :job GROUP BY f.order_ref, f.code)"
)
_STANDS = (
    "d.redeemed_at >= :since AND d.redeemed_at < :until AND d.order_ref IS NOT NULL "
    f"AND {STANDING} AND NOT EXISTS (SELECT 1 FROM shop_difference f WHERE f.job_id = :job "
    "AND f.promotion_id = d.promotion_id AND f.redemption = d.number)"
)
# What the shop's orders redeemed here, and what a checkout reported under the name of the channel.
_NOT_SOLD_THERE = Statement(
    "INSERT INTO shop_difference (job_id, kind, order_ref, code, promotion_id, redemption, here, here_currency, why) "
    "SELECT :job, 'NOT_SOLD_THERE', u.order_ref, k.key, u.promotion_id, u.number, u.discount_minor, "
    "u.discount_currency, :why FROM (SELECT d.promotion_id, d.number, d.seq, d.order_ref, d.discount_minor, "
    "d.discount_currency FROM shop_order o JOIN order_code c ON c.order_id = o.id "
    "JOIN redemption d ON d.promotion_id = c.promotion_id AND d.number = c.redemption "
    f"WHERE o.channel = :channel AND o.shop = :shop AND {_STANDS} UNION ALL "
    "SELECT d.promotion_id, d.number, d.seq, d.order_ref, d.discount_minor, d.discount_currency FROM shop_push h "
    "JOIN redemption d ON d.promotion_id = h.promotion_id AND d.channel = :channel "
    f"WHERE h.shop = :shop AND CAST(:is_only AS boolean) AND {_STANDS} AND NOT EXISTS (SELECT 1 FROM order_code c "
    "WHERE c.promotion_id = d.promotion_id AND c.redemption = d.number)) u "
    "JOIN code k ON k.promotion_id = u.promotion_id AND k.seq = u.seq"
)
_DROP_AGREEING = Statement(f"DELETE FROM shop_difference WHERE job_id = :job AND kind = '{_AGREES}'")
_COUNT = Statement("SELECT count(*) FROM shop_difference WHERE job_id = :job AND NOT is_mended")


def compared(
    connection: Connection, channel: str, shop: str, orders: Sequence[OrderNews]
) -> tuple[list[Difference], list[Difference]]:
    """Of these orders, what does not agree; and codes that the shop has told of, whether they agree or not."""
    known = places.by_key(connection, {key for news in orders for key in _keys(news)})
    wanted = sorted({(*known[key], news.order) for news in orders for key in _keys(news) if key in known})
    redeemed = {(row[0], row[1], row[2]): row[3:] for row in _REDEEMED.fetch(connection, wanted)} if wanted else {}
    refused = _refusals(connection, channel, shop, [(news.order, key) for news in orders for key in _keys(news)])
    differing: list[Difference] = []
    told: list[Difference] = []
    for news in orders:
        uses = {
            key: _use(known[key], redeemed.get((*known[key], news.order)), refused.get((news.order, key)))
            for key in _keys(news)
            if key in known
        }
        differing += differences(news, uses)
        told += [
            Difference(
                kind=DifferenceKind.OTHER_AMOUNT,
                order=news.order,
                code=key,
                promotion_id=use.promotion_id,
                redemption=use.redemption,
            )
            for key, use in uses.items()
        ]
    return differing, told


def keep(connection: Connection, job_id: int, differing: Sequence[Difference], told: Sequence[Difference]) -> None:
    """Write down what does not agree, and for as long as the job lasts what the shop has told of."""
    named = {(one.order, one.code) for one in differing}
    rows = [(one.kind.value, *_row(one)) for one in differing]
    rows += [(_AGREES, *_row(one)) for one in told if (one.order, one.code) not in named]
    if rows:
        _KEEP.run(connection, rows, job=job_id)


def last(connection: Connection, job_id: int) -> int:
    """The id of what was written down last; 0 where nothing was."""
    ((id_,),) = _LAST.fetch(connection, job=job_id)
    return int(id_)


def mendable(connection: Connection, job_id: int, after: int) -> dict[int, Difference]:
    """By id, those above `after` that hearing the order once more may mend."""
    return {row[0]: _difference(row) for row in _MENDABLE.fetch(connection, job=job_id, after=after)}


def mended(connection: Connection, those: Sequence[int]) -> None:
    """The differences with these ids agree now."""
    if those:
        _MENDED.run(connection, [(id_,) for id_ in those])


def drop_superseded(connection: Connection, job_id: int) -> None:
    """Of an order that was read twice, keep what the later reading says, and what the earlier one mended."""
    _DROP_SUPERSEDED.run(connection, job=job_id)


def not_sold_there(
    connection: Connection, job_id: int, channel: str, shop: str, since: datetime, until: datetime, *, is_only: bool
) -> None:
    """Write down the redemptions of the shop's orders in that time of which it has not told. `is_only`: the channel has
    no other shop, so that what a checkout reported under the channel's name is this one's.
    """
    _NOT_SOLD_THERE.run(
        connection,
        job=job_id,
        channel=channel,
        shop=shop,
        since=to_micros(since),
        until=to_micros(until),
        is_only=is_only,
        why=_NOT_HEARD,
    )


def close(connection: Connection, job_id: int) -> int:
    """Keep what does not agree only; how much that is."""
    _DROP_AGREEING.run(connection, job=job_id)
    ((count,),) = _COUNT.fetch(connection, job=job_id)
    return int(count)


def page(connection: Connection, job_id: int, part: Slice) -> Page:
    """`Difference`s with their sort values (id,), in the order in which they were found."""
    rows = f"FROM shop_difference f WHERE f.job_id = :job AND f.kind <> '{_AGREES}'"
    found = keyset.page(connection, _COLUMNS, rows, {"job": job_id}, part)
    return Page([(values, _difference(row)) for values, row in found.rows], found.has_next, found.has_previous)


def _keys(news: OrderNews) -> Iterator[str]:
    if news.standing is not None:
        yield from sorted({normalise(code.code) for code in news.standing.codes})


def _refusals(
    connection: Connection, channel: str, shop: str, wanted: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    rows = _REFUSED.fetch(connection, sorted(set(wanted)), channel=channel, shop=shop) if wanted else []
    return {(ref, key): " ".join(str(one["message"]) for one in orjson.loads(refusals)) for ref, key, refusals in rows}


def _use(place: places.Place, redeemed: Sequence[Any] | None, why: str | None) -> Use:
    if redeemed is None:
        return Use(promotion_id=place[0], why=why)
    number, minor, currency = redeemed
    return Use(promotion_id=place[0], redemption=number, discount=_money(minor, currency))


def _row(one: Difference) -> tuple[Any, ...]:
    return (
        one.order,
        one.code,
        one.promotion_id,
        one.redemption,
        None if one.there is None else one.there.minor,
        None if one.there is None else one.there.currency,
        None if one.here is None else one.here.minor,
        None if one.here is None else one.here.currency,
        None if one.why is None else one.why[:1000],
    )


def _difference(row: Any) -> Difference:
    _, kind, order, code, promotion_id, redemption, there, there_in, here, here_in, why, is_mended = row
    return Difference(
        kind=DifferenceKind(kind),
        order=order,
        code=code,
        promotion_id=promotion_id,
        redemption=redemption,
        there=_money(there, there_in),
        here=_money(here, here_in),
        why=why,
        is_mended=bool(is_mended),
    )


def _money(minor: int | None, currency: str | None) -> Money | None:
    return None if minor is None or currency is None else Money(minor=minor, currency=currency)
