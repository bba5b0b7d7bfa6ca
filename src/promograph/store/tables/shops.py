"""The tables of what shops have been told."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Text
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from promograph.store.tables.columns import (
    BY_ITS_KEY,
    big,
    counter,
    flag,
    instant,
    promotion_column,
    promotion_id_column,
    serial,
)


class ShopPushRow(SQLModel, table=True):
    """A promotion in a shop: see `domain.shops.pushes.Push`. `pushed` and `refused` count rows of `shop_code`."""

    __tablename__ = "shop_push"
    __table_args__ = (Index("shop_push_shop", "promotion_id", "shop", unique=True),)

    id: int | None = serial()
    promotion_id: int = promotion_column()
    shop: str = Field(sa_column=Column(String(64), nullable=False))
    remote: str | None = Field(default=None, sa_column=Column(String(200)))
    told: str | None = Field(default=None, sa_column=Column(Text))
    revision: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=sql("0")))
    stamp: str | None = Field(default=None, sa_column=Column(Text))
    pushed: int = counter()
    refused: int = counter()
    error: str | None = Field(default=None, sa_column=Column(String(1000)))
    job_id: int | None = Field(default=None, sa_column=Column(BigInteger, ForeignKey("job.id")))
    tried_at: datetime | None = instant(nullable=True)


class ShopCodeRow(SQLModel, table=True):
    """A code in a shop. It may be that the code is none any more: its batch was taken back.

    `revision` is that of the offer which the shop keeps with the code, in shops that do so, `told_expiry` the code's
    own expiry as the shop was told it.
    """

    __tablename__ = "shop_code"
    __table_args__ = (
        # What was on its way when a server died: a few, among millions.
        Index(
            "shop_code_open",
            "push_id",
            sqlite_where=sql("state IN ('SENDING', 'STOPPING')"),
            postgresql_where=sql("state IN ('SENDING', 'STOPPING')"),
        ),
        BY_ITS_KEY,
    )

    push_id: int = big(primary_key=True)
    seq: int = big(primary_key=True)
    state: str = Field(sa_column=Column(String(8), nullable=False))
    remote: str | None = Field(default=None, sa_column=Column(String(200)))
    revision: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=sql("0")))
    error: str | None = Field(default=None, sa_column=Column(String(300)))
    told_expiry: datetime | None = instant(nullable=True)


class ShopDifferenceRow(SQLModel, table=True):
    """What a shop and we did not agree on when the job `job_id` looked; while it looks, uses too that agree.

    `there` and `here` are discounts, in the smallest unit.
    """

    __tablename__ = "shop_difference"
    __table_args__ = (
        Index("shop_difference_job", "job_id", "id"),
        Index("shop_difference_use", "job_id", "promotion_id", "redemption"),
    )

    id: int | None = serial()
    job_id: int = big()
    kind: str = Field(sa_column=Column(String(20), nullable=False))
    order_ref: str = Field(sa_column=Column(String(128), nullable=False))
    code: str = Field(sa_column=Column(String(256), nullable=False))
    promotion_id: int = promotion_id_column()
    redemption: int | None = big(nullable=True)
    there: int | None = big(nullable=True)
    there_currency: str | None = Field(default=None, sa_column=Column(String(3)))
    here: int | None = big(nullable=True)
    here_currency: str | None = Field(default=None, sa_column=Column(String(3)))
    why: str | None = Field(default=None, sa_column=Column(String(1000)))
    is_mended: bool = flag()
