"""Rows of uses."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from promograph.domain.carts import Money
from promograph.domain.discounts import load_discount
from promograph.domain.redeeming import RedeemOutcome, Redemption
from promograph.domain.refusals import Refusal, RefusalCode
from promograph.store.bulk import Insertion
from promograph.store.holds import dumps_taken, loads_taken
from promograph.store.tables.instants import from_micros, to_micros

COLUMNS = (
    "d.promotion_id, d.number, d.seq, "
    "(SELECT coalesce(c.text, c.key) FROM code c WHERE c.promotion_id = d.promotion_id AND c.seq = d.seq), "
    "d.customer, d.redeemed_at, d.order_ref, d.order_minor, d.order_currency, d.discount_minor, d.discount_currency, "
    "d.channel, d.taken, d.reported_at"
)
"""What `redemption_of` reads, in its order, of `redemption d`."""

STANDING = (
    "NOT EXISTS (SELECT 1 FROM rollback b WHERE b.promotion_id = d.promotion_id AND b.number = d.number AND b.is_whole)"
)
"""Whether `redemption d` counts: it was not rolled back as a whole."""

_NEW = Insertion(
    "redemption",
    "promotion_id bigint, number bigint, seq bigint, customer text, redeemed_at bigint, order_ref text, "
    "order_minor bigint, order_currency text, discount_minor bigint, discount_currency text, channel text, taken text, "
    "reported_at bigint",
)


def new_row(redemption: Redemption) -> tuple[Any, ...]:
    """In the order of the columns above."""
    whole, taken_off = redemption.order_amount, redemption.discount
    return (
        redemption.promotion_id,
        redemption.number,
        redemption.seq,
        redemption.customer,
        to_micros(redemption.redeemed_at),
        redemption.order,
        None if whole is None else whole.minor,
        None if whole is None else whole.currency,
        None if taken_off is None else taken_off.minor,
        None if taken_off is None else taken_off.currency,
        redemption.channel,
        dumps_taken(redemption.taken),
        None if redemption.reported_at is None else to_micros(redemption.reported_at),
    )


def insert(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    _NEW.run(connection, rows)


def redemption_of(row: Sequence[Any], handle: str) -> Redemption:
    """From a row of COLUMNS."""
    promotion_id, number, seq, text, customer, redeemed_at, order = row[:7]
    return Redemption(
        promotion_id=promotion_id,
        handle=handle,
        number=number,
        seq=seq,
        text=text,
        customer=customer,
        redeemed_at=from_micros(redeemed_at),
        order=order,
        order_amount=_money(row[7], row[8]),
        discount=_money(row[9], row[10]),
        channel=row[11],
        taken=loads_taken(row[12]),
        reported_at=None if row[13] is None else from_micros(row[13]),
    )


def dump_outcome(outcome: RedeemOutcome) -> Any:
    if outcome.problem is not None:
        return None
    return {
        "redemption": outcome.redemption,
        "refusals": [(refusal.code, dict(refusal.data)) for refusal in outcome.refusals],
        "holder_named": outcome.holder_named,
    }


def load_outcome(kept: Any) -> RedeemOutcome:
    return RedeemOutcome(
        redemption=None if kept["redemption"] is None else _loaded(kept["redemption"]),
        refusals=tuple(Refusal(RefusalCode(code), data) for code, data in kept["refusals"]),
        holder_named=kept["holder_named"],
        replayed=True,
    )


def _loaded(fields: dict[str, Any]) -> Redemption:
    for name in ("order_amount", "discount"):
        if fields[name] is not None:
            fields[name] = Money(**fields[name])
    if fields["taken"] is not None:
        fields["taken"] = load_discount(fields["taken"])
    for name in ("redeemed_at", "reported_at"):
        if fields.get(name) is not None:
            fields[name] = datetime.fromisoformat(fields[name])
    return Redemption(**fields)


def _money(minor: int | None, currency: str | None) -> Money | None:
    return None if minor is None or currency is None else Money(minor=minor, currency=currency)
