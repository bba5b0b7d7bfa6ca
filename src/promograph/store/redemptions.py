"""Rows of uses."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from promograph.domain.redeeming import Money, RedeemOutcome, Redemption
from promograph.domain.refusals import Refusal, RefusalCode
from promograph.store.statements import Statement
from promograph.store.tables import from_micros, to_micros

COLUMNS = (
    "d.promotion_id, d.number, d.seq, coalesce(c.text, c.key), d.customer, d.redeemed_at, d.order_ref, d.order_minor, "
    "d.order_currency, d.discount_minor, d.discount_currency, d.channel"
)
CODE_JOIN = "JOIN code c ON c.promotion_id = d.promotion_id AND c.seq = d.seq"

_INSERT = Statement(
    "INSERT INTO redemption (promotion_id, number, seq, customer, redeemed_at, order_ref, order_minor, order_currency, "
    "discount_minor, discount_currency, channel) SELECT r.promotion_id, r.number, r.seq, r.customer, r.redeemed_at, "
    "r.order_ref, r.order_minor, r.order_currency, r.discount_minor, r.discount_currency, r.channel "
    "FROM @rows(promotion_id bigint, number bigint, seq bigint, customer text, redeemed_at bigint, order_ref text, "
    "order_minor bigint, order_currency text, discount_minor bigint, discount_currency text, channel text) r"
)


def insert(connection: Connection, redemptions: Sequence[Redemption]) -> None:
    rows = [
        (
            r.promotion_id,
            r.number,
            r.seq,
            r.customer,
            to_micros(r.redeemed_at),
            r.order,
            *_split(r.order_amount),
            *_split(r.discount),
            r.channel,
        )
        for r in redemptions
    ]
    _INSERT.run(connection, rows)


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
    fields["redeemed_at"] = datetime.fromisoformat(fields["redeemed_at"])
    return Redemption(**fields)


def _split(money: Money | None) -> tuple[int | None, str | None]:
    return (None, None) if money is None else (money.minor, money.currency)


def _money(minor: int | None, currency: str | None) -> Money | None:
    return None if minor is None or currency is None else Money(minor=minor, currency=currency)
