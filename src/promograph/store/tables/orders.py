"""Tables of what shops said of orders, and of what became of the codes in them."""

from datetime import datetime

from sqlalchemy import Column, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from promograph.store.tables.columns import BY_ITS_KEY, big, flag, instant, promotion_id_column, serial
from promograph.store.tables.instants import Instant

_IS_PASSED = sql("NOT is_ours")


class ShopOrderRow(SQLModel, table=True):
    """An order: all that was heard of it, put together.

    `ref` is the shop's own id, `heard` JSON without the customer, `said_at` the moment that its standing is of. Not
    `is_ours` is one that names no code of ours, as far as was told: of it is kept what later news are held against.
    """

    __tablename__ = "shop_order"
    __table_args__ = (
        UniqueConstraint("channel", "shop", "ref"),
        Index("shop_order_customer", "customer"),
        Index("shop_order_passed", "changed_at", sqlite_where=_IS_PASSED, postgresql_where=_IS_PASSED),
    )

    id: int | None = serial()
    channel: str = Field(sa_column=Column(String(64), nullable=False))
    shop: str = Field(sa_column=Column(String(64), nullable=False))
    ref: str = Field(sa_column=Column(String(128), nullable=False))
    name: str | None = Field(default=None, sa_column=Column(String(128)))
    state: str | None = Field(default=None, sa_column=Column(String(16)))
    customer: str | None = Field(default=None, sa_column=Column(String(128)))
    heard: str = Field(sa_column=Column(Text, nullable=False))
    said_at: datetime | None = instant(nullable=True)
    heard_at: datetime = instant()
    changed_at: datetime = instant()
    is_ours: bool = flag()


def _of_refused(name: str, *columns: str) -> Index:
    is_refused = sql("state = 'REFUSED'")
    return Index(name, *columns, sqlite_where=is_refused, postgresql_where=is_refused)


class OrderCodeRow(SQLModel, table=True):
    """What became of one of our codes in an order. `redemption` is its number in the promotion, once there was one.

    `refusals` is JSON; `due_at`: when a refused one is tried again by itself, null where it is not; `tries` counts.
    """

    __tablename__ = "order_code"
    __table_args__ = (
        Index("order_code_redemption", "promotion_id", "redemption", unique=True),
        _of_refused("order_code_refused", "promotion_id", "seq"),
        _of_refused("order_code_due", "due_at"),
        BY_ITS_KEY,
    )

    order_id: int = big(primary_key=True)
    key: str = Field(sa_column=Column(String(256), primary_key=True))
    promotion_id: int = promotion_id_column()
    seq: int = big()
    state: str = Field(sa_column=Column(String(16), nullable=False))
    redemption: int | None = big(nullable=True)
    refusals: str | None = Field(default=None, sa_column=Column(Text))
    tries: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=sql("0")))
    due_at: datetime | None = Field(default=None, sa_column=Column(Instant))
