"""Promotions, what they give, and the counters of each."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKey, Integer, String, Text, true
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from promograph.store.tables.columns import (
    big,
    counter,
    flag,
    instant,
    promotion_column,
    serial,
)


class RewardTypeRow(SQLModel, table=True):
    """What a reward does, set up once: promotions name it."""

    __tablename__ = "reward_type"

    handle: str = Field(sa_column=Column(String(64), primary_key=True))
    name: str = Field(sa_column=Column(String(200), nullable=False))
    effect: str = Field(sa_column=Column(String(16), nullable=False))
    created_at: datetime = instant()
    updated_at: datetime = instant()


class PromotionRow(SQLModel, table=True):
    __tablename__ = "promotion"

    id: int | None = serial()
    handle: str = Field(sa_column=Column(String(64), unique=True, nullable=False))
    name: str = Field(sa_column=Column(String(200), nullable=False))
    description: str = Field(sa_column=Column(Text, nullable=False))
    searched: str = Field(sa_column=Column(Text, nullable=False))
    properties: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    reward: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    reward_type: str | None = Field(default=None, sa_column=Column(String(64), ForeignKey("reward_type.handle")))
    condition: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    status: str = Field(sa_column=Column(String(16), nullable=False))
    end_reason: str | None = Field(default=None, sa_column=Column(String(16)))
    stop_redeeming: bool = flag()
    code_kind: str = Field(sa_column=Column(String(16), nullable=False))
    issue_policy: str = Field(sa_column=Column(String(16), nullable=False))
    on_empty: str = Field(sa_column=Column(String(16), nullable=False))
    return_policy: str = Field(
        default="WHEN_UNSEEN", sa_column=Column(String(16), nullable=False, server_default=sql("'WHEN_UNSEEN'"))
    )
    code_format: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    time_zone: str = Field(sa_column=Column(String(64), nullable=False))
    starts_at: datetime | None = instant(nullable=True)
    ends_at: datetime | None = instant(nullable=True)
    valid_for_seconds: int | None = big(nullable=True)
    audience_cap: int | None = big(nullable=True)
    uses_per_code: int | None = big(nullable=True)
    uses_per_customer: int | None = big(nullable=True)
    period_uses: int | None = big(nullable=True)
    period: str | None = Field(default=None, sa_column=Column(String(8)))
    redemption_cap: int | None = big(nullable=True)
    low_stock_threshold: int | None = big(nullable=True)
    budget_minor: int | None = big(nullable=True)
    budget_currency: str | None = Field(default=None, sa_column=Column(String(3)))
    holder_only: bool = flag()
    code_required: bool = Field(default=True, sa_column=Column(Boolean, nullable=False, server_default=true()))
    combinable: bool = flag()
    priority: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=sql("0")))
    created_at: datetime = instant()
    updated_at: datetime = instant()


class StockRow(SQLModel, table=True):
    """A promotion's counters, and the lock of whatever takes from it: apart from the promotion's wide row, so that
    counting rewrites a few bytes.

    `head` is the number of the next code to issue, `tail` that of the last code in line; numbers above `tail` belong to
    a load that has not finished, and nobody sees their codes. `made` counts the codes made on demand (numbers below 0).
    `redemptions` and `redeemed` leave out what was rolled back whole; `redemption_number` and `hold_number` are the
    last ones given. `holds` are those that have not ended, lapsed ones among them until somebody who has the lock ends
    them. `booked` of the `available` codes may be issued to the sends that booked them only; where some were blocked
    since, more may be booked than there are. `void` are the codes stopped for good, and those that the line has passed
    because they had expired by then. `erased` counts the erased people who have rows here. `spent` and `held` are
    money, in the smallest unit of the budget's currency, and 0 without a budget. `repeats` counts issuances of that
    kind, `level` is the `StockLevel` that was told last, `marked_at` (microseconds) the instant of the last
    `issue_mark`. `expiry_changes` is another number once codes have other expiries of their own,
    and `edition` another random one with each change of the promotion's own row: servers remember promotions by it.
    `loader` is the load that has the line's end to itself, `loader_seen_at` when it last moved.
    """

    __tablename__ = "stock"

    promotion_id: int = promotion_column(primary_key=True)
    head: int = Field(default=1, sa_column=Column(BigInteger, nullable=False, server_default=sql("1")))
    tail: int = counter()
    made: int = counter()
    available: int = counter()
    issued: int = counter()
    blocked: int = counter()
    void: int = counter()
    redeemed: int = counter()
    issuances: int = counter()
    fallback_issued: int = counter()
    customers: int = counter()
    redemptions: int = counter()
    redemption_number: int = counter()
    hold_number: int = counter()
    holds: int = counter()
    spent: int = counter()
    held: int = counter()
    booked: int = counter()
    repeats: int = counter()
    level: int = counter()
    expiry_changes: int = counter()
    edition: int = counter()
    marked_at: int = counter()
    erased: int = counter()
    loader: str | None = Field(default=None, sa_column=Column(String(36)))
    loader_seen_at: datetime | None = instant(nullable=True)
