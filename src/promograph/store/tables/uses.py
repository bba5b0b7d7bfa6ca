"""What was given to whom, and what was made of it."""

from datetime import datetime

from sqlalchemy import Column, Index, String, Text
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from promograph.store.tables.columns import (
    BY_ITS_KEY,
    big,
    flag,
    instant,
    promotion_id_column,
)


class IssuanceRow(SQLModel, table=True):
    """A code given to a customer. `number` counts within the promotion, as `stock.issuances` does.

    `state`: null for one that is final. RETURNED stands also at the repeats of a code that went back.
    """

    __tablename__ = "issuance"
    __table_args__ = (
        # One occasion of one customer gets one code; customer first, so that a profile is one range of this index.
        # The instant stands beside them, so that the index alone says how many codes each of a million got since then.
        Index(
            "issuance_occasion",
            "customer",
            "promotion_id",
            "occasion",
            unique=True,
            postgresql_include=["issued_at"],
        ),
        # A code of one's own belongs to one customer, and is found by its number.
        Index(
            "issuance_code",
            "promotion_id",
            "seq",
            unique=True,
            sqlite_where=sql("kind = 'INITIAL' AND seq <> 0"),
            postgresql_where=sql("kind = 'INITIAL' AND seq <> 0"),
        ),
        BY_ITS_KEY,
    )

    promotion_id: int = promotion_id_column(primary_key=True)
    number: int = big(primary_key=True)
    seq: int = big()
    customer: str = Field(sa_column=Column(String(128), nullable=False))
    occasion: str = Field(sa_column=Column(String(132), nullable=False))
    kind: str = Field(sa_column=Column(String(8), nullable=False))
    channel: str | None = Field(default=None, sa_column=Column(String(64)))
    send: str | None = Field(default=None, sa_column=Column(String(128)))
    issued_at: datetime = instant()
    state: str | None = Field(default=None, sa_column=Column(String(9)))


class CarriedCodeRow(SQLModel, table=True):
    """A tentative code, and a message that carries it. Gone once it is known what became of that."""

    __tablename__ = "carried_code"
    __table_args__ = (Index("carried_code_message", "channel", "message"), BY_ITS_KEY)

    promotion_id: int = promotion_id_column(primary_key=True)
    seq: int = big(primary_key=True)
    channel: str = Field(sa_column=Column(String(64), primary_key=True))
    message: str = Field(sa_column=Column(String(128), primary_key=True))


class RedemptionRow(SQLModel, table=True):
    """A use. Amounts are minor units; `order_ref` is the shop's own reference.

    Never changed: what was rolled back of it is in `rollback`. `seq` is null where no code was needed, `taken` how a
    discount that was worked out here is made up. `reported_at` is null but of a sale that was reported late.
    """

    __tablename__ = "redemption"
    __table_args__ = (
        Index("redemption_code", "promotion_id", "seq"),
        Index("redemption_customer", "customer", "promotion_id"),
        BY_ITS_KEY,
    )

    promotion_id: int = promotion_id_column(primary_key=True)
    number: int = big(primary_key=True)
    seq: int | None = big(nullable=True)
    customer: str | None = Field(default=None, sa_column=Column(String(128)))
    order_ref: str | None = Field(default=None, sa_column=Column(String(128)))
    order_minor: int | None = big(nullable=True)
    order_currency: str | None = Field(default=None, sa_column=Column(String(3)))
    discount_minor: int | None = big(nullable=True)
    discount_currency: str | None = Field(default=None, sa_column=Column(String(3)))
    channel: str | None = Field(default=None, sa_column=Column(String(64)))
    taken: str | None = Field(default=None, sa_column=Column(Text))
    redeemed_at: datetime = instant()
    reported_at: datetime | None = instant(nullable=True)


class RollbackRow(SQLModel, table=True):
    """An undoing of redemption `number`, all of it or a part; `part` counts them. The whole one is the last."""

    __tablename__ = "rollback"
    __table_args__ = BY_ITS_KEY

    promotion_id: int = promotion_id_column(primary_key=True)
    number: int = big(primary_key=True)
    part: int = big(primary_key=True)
    is_whole: bool = flag()
    minor: int | None = big(nullable=True)
    currency: str | None = Field(default=None, sa_column=Column(String(3)))
    reason: str | None = Field(default=None, sa_column=Column(String(500)))
    rolled_back_at: datetime = instant()


def _of_open(name: str, *columns: str) -> Index:
    """Few holds are open at a time, however many there have been."""
    return Index(name, *columns, sqlite_where=sql("ended IS NULL"), postgresql_where=sql("ended IS NULL"))


class HoldRow(SQLModel, table=True):
    """A use set aside. Written once and ended once: `ended` says how, `redemption` is the number of what it became."""

    __tablename__ = "hold"
    __table_args__ = (
        _of_open("hold_code", "promotion_id", "seq"),
        _of_open("hold_customer", "customer", "promotion_id"),
        _of_open("hold_lapse", "promotion_id", "expires_at"),
        Index("hold_history", "promotion_id", "seq", "number"),
    )

    promotion_id: int = promotion_id_column(primary_key=True)
    number: int = big(primary_key=True)
    token: str = Field(sa_column=Column(String(64), unique=True, nullable=False))
    seq: int | None = big(nullable=True)
    customer: str | None = Field(default=None, sa_column=Column(String(128)))
    order_ref: str | None = Field(default=None, sa_column=Column(String(128)))
    discount_minor: int | None = big(nullable=True)
    discount_currency: str | None = Field(default=None, sa_column=Column(String(3)))
    channel: str | None = Field(default=None, sa_column=Column(String(64)))
    taken: str | None = Field(default=None, sa_column=Column(Text))
    held_at: datetime = instant()
    expires_at: datetime = instant()
    ended: str | None = Field(default=None, sa_column=Column(String(8)))
    ended_at: datetime | None = instant(nullable=True)
    redemption: int | None = big(nullable=True)
