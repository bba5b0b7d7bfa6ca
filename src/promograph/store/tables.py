"""Every table of a brand's store. No table names a schema; nothing here refers outside the brand.

Rows that come by the million are narrow: a code is known by its promotion and its number there (`seq`), which is also
its place in the line of codes that wait to be issued, so that no further index is needed for either.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    TypeDecorator,
    false,
    true,
)
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_micros(instant: datetime) -> int:
    """Microseconds since 1970 in UTC: exact, sorted, and the same 8 bytes in every store."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def from_micros(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept as microseconds since 1970 in UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_micros(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else from_micros(value)


# SQLite numbers rows by itself only in a column that is exactly INTEGER.
_Serial = BigInteger().with_variant(Integer, "sqlite")


def _serial() -> Any:
    return Field(default=None, sa_column=Column(_Serial, primary_key=True, autoincrement=True))


def _promotion(*, primary_key: bool = False, index: bool = False) -> Any:
    """The promotion that a row belongs to, checked by the store."""
    column = Column(
        BigInteger,
        ForeignKey("promotion.id"),
        primary_key=primary_key,
        index=index,
        nullable=False,
        autoincrement=False,
    )
    return Field(sa_column=column)


def _promotion_id(*, primary_key: bool = False, index: bool = False) -> Any:
    """The same in rows that come by the million: a foreign key would lock and look up the promotion for each of them.

    Whoever writes such a row has locked the promotion's stock row, and promotions are never deleted.
    """
    column = Column(BigInteger, primary_key=primary_key, index=index, nullable=False, autoincrement=False)
    return Field(sa_column=column)


def _counter() -> Any:
    return Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default=sql("0")))


def _flag() -> Any:
    return Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=false()))


def _instant(*, nullable: bool = False) -> Any:
    return Field(default=None, sa_column=Column(Instant, nullable=nullable))


def _big(*, primary_key: bool = False, nullable: bool = False) -> Any:
    return Field(
        default=None,
        sa_column=Column(BigInteger, primary_key=primary_key, nullable=nullable, autoincrement=False),
    )


# SQLite keeps such rows in the primary key's own tree: one place to write and to look, and not two.
_BY_ITS_KEY = {"sqlite_with_rowid": False}


class RewardTypeRow(SQLModel, table=True):
    """What a reward does, set up once: promotions name it."""

    __tablename__ = "reward_type"

    handle: str = Field(sa_column=Column(String(64), primary_key=True))
    name: str = Field(sa_column=Column(String(200), nullable=False))
    effect: str = Field(sa_column=Column(String(16), nullable=False))
    created_at: datetime = _instant()
    updated_at: datetime = _instant()


class PromotionRow(SQLModel, table=True):
    __tablename__ = "promotion"

    id: int | None = _serial()
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
    stop_redeeming: bool = _flag()
    code_kind: str = Field(sa_column=Column(String(16), nullable=False))
    issue_policy: str = Field(sa_column=Column(String(16), nullable=False))
    on_empty: str = Field(sa_column=Column(String(16), nullable=False))
    code_format: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    time_zone: str = Field(sa_column=Column(String(64), nullable=False))
    starts_at: datetime | None = _instant(nullable=True)
    ends_at: datetime | None = _instant(nullable=True)
    valid_for_seconds: int | None = _big(nullable=True)
    audience_cap: int | None = _big(nullable=True)
    uses_per_code: int | None = _big(nullable=True)
    uses_per_customer: int | None = _big(nullable=True)
    period_uses: int | None = _big(nullable=True)
    period: str | None = Field(default=None, sa_column=Column(String(8)))
    redemption_cap: int | None = _big(nullable=True)
    low_stock_threshold: int | None = _big(nullable=True)
    budget_minor: int | None = _big(nullable=True)
    budget_currency: str | None = Field(default=None, sa_column=Column(String(3)))
    holder_only: bool = _flag()
    code_required: bool = Field(default=True, sa_column=Column(Boolean, nullable=False, server_default=true()))
    combinable: bool = _flag()
    priority: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=sql("0")))
    created_at: datetime = _instant()
    updated_at: datetime = _instant()


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
    `issue_mark`.
    `loader` is the load that has the line's end to itself, `loader_seen_at` when it last moved.
    """

    __tablename__ = "stock"

    promotion_id: int = _promotion(primary_key=True)
    head: int = Field(default=1, sa_column=Column(BigInteger, nullable=False, server_default=sql("1")))
    tail: int = _counter()
    made: int = _counter()
    available: int = _counter()
    issued: int = _counter()
    blocked: int = _counter()
    void: int = _counter()
    redeemed: int = _counter()
    issuances: int = _counter()
    fallback_issued: int = _counter()
    customers: int = _counter()
    redemptions: int = _counter()
    redemption_number: int = _counter()
    hold_number: int = _counter()
    holds: int = _counter()
    spent: int = _counter()
    held: int = _counter()
    booked: int = _counter()
    repeats: int = _counter()
    level: int = _counter()
    marked_at: int = _counter()
    erased: int = _counter()
    loader: str | None = Field(default=None, sa_column=Column(String(36)))
    loader_seen_at: datetime | None = _instant(nullable=True)


class BatchRow(SQLModel, table=True):
    """One act of adding codes: those numbered `first_seq` to `last_seq`, less the `reverted` ones."""

    __tablename__ = "batch"

    id: int | None = _serial()
    promotion_id: int = _promotion(index=True)
    source: str = Field(sa_column=Column(String(16), nullable=False))
    channel: str | None = Field(default=None, sa_column=Column(String(64)))
    first_seq: int = _big()
    last_seq: int = _big()
    size: int = _big()
    reverted: int = _counter()
    report: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    created_at: datetime = _instant()


class CodeRow(SQLModel, table=True):
    """A code. `text` is kept only where it differs from `key`. Whether it was issued is what `issuance` says.

    It is `blocked` for a while or `void` for good, never both. `expires_at` is its own, whatever its promotion says.
    """

    __tablename__ = "code"
    __table_args__ = (
        # Few of many, so that a list of them need not pass over all the others.
        Index("code_blocked", "promotion_id", "seq", sqlite_where=sql("blocked"), postgresql_where=sql("blocked")),
        Index("code_void", "promotion_id", "seq", sqlite_where=sql("void"), postgresql_where=sql("void")),
        _BY_ITS_KEY,
    )

    promotion_id: int = _promotion_id(primary_key=True)
    seq: int = _big(primary_key=True)
    key: str = Field(sa_column=Column(String(256), unique=True, nullable=False))
    text: str | None = Field(default=None, sa_column=Column(String(64)))
    blocked: bool = _flag()
    void: bool = _flag()
    expires_at: datetime | None = _instant(nullable=True)
    uses: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=sql("0")))


class ReturnedRow(SQLModel, table=True):
    """Codes that are in line again after the line had passed them, first come first served."""

    __tablename__ = "returned_code"
    __table_args__ = (Index("returned_code_place", "promotion_id", "seq", unique=True),)

    id: int | None = _serial()
    promotion_id: int = _promotion_id(index=True)
    seq: int = _big()


class IssuanceRow(SQLModel, table=True):
    """A code given to a customer. `number` counts within the promotion, as `stock.issuances` does."""

    __tablename__ = "issuance"
    __table_args__ = (
        # One occasion of one customer gets one code; customer first, so that a profile is one range of this index.
        Index("issuance_occasion", "customer", "promotion_id", "occasion", unique=True),
        # A code of one's own belongs to one customer, and is found by its number.
        Index(
            "issuance_code",
            "promotion_id",
            "seq",
            unique=True,
            sqlite_where=sql("kind = 'INITIAL' AND seq <> 0"),
            postgresql_where=sql("kind = 'INITIAL' AND seq <> 0"),
        ),
        _BY_ITS_KEY,
    )

    promotion_id: int = _promotion_id(primary_key=True)
    number: int = _big(primary_key=True)
    seq: int = _big()
    customer: str = Field(sa_column=Column(String(128), nullable=False))
    occasion: str = Field(sa_column=Column(String(132), nullable=False))
    kind: str = Field(sa_column=Column(String(8), nullable=False))
    channel: str | None = Field(default=None, sa_column=Column(String(64)))
    send: str | None = Field(default=None, sa_column=Column(String(128)))
    issued_at: datetime = _instant()


class RedemptionRow(SQLModel, table=True):
    """A use. Amounts are minor units; `order_ref` is the shop's own reference.

    Never changed: what was rolled back of it is in `rollback`. `seq` is null where no code was needed, `taken` how a
    discount that was worked out here is made up.
    """

    __tablename__ = "redemption"
    __table_args__ = (
        Index("redemption_code", "promotion_id", "seq"),
        Index("redemption_customer", "customer", "promotion_id"),
        _BY_ITS_KEY,
    )

    promotion_id: int = _promotion_id(primary_key=True)
    number: int = _big(primary_key=True)
    seq: int | None = _big(nullable=True)
    customer: str | None = Field(default=None, sa_column=Column(String(128)))
    order_ref: str | None = Field(default=None, sa_column=Column(String(128)))
    order_minor: int | None = _big(nullable=True)
    order_currency: str | None = Field(default=None, sa_column=Column(String(3)))
    discount_minor: int | None = _big(nullable=True)
    discount_currency: str | None = Field(default=None, sa_column=Column(String(3)))
    channel: str | None = Field(default=None, sa_column=Column(String(64)))
    taken: str | None = Field(default=None, sa_column=Column(Text))
    redeemed_at: datetime = _instant()


class RollbackRow(SQLModel, table=True):
    """An undoing of redemption `number`, all of it or a part; `part` counts them. The whole one is the last."""

    __tablename__ = "rollback"
    __table_args__ = _BY_ITS_KEY

    promotion_id: int = _promotion_id(primary_key=True)
    number: int = _big(primary_key=True)
    part: int = _big(primary_key=True)
    is_whole: bool = _flag()
    minor: int | None = _big(nullable=True)
    currency: str | None = Field(default=None, sa_column=Column(String(3)))
    reason: str | None = Field(default=None, sa_column=Column(String(500)))
    rolled_back_at: datetime = _instant()


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

    promotion_id: int = _promotion_id(primary_key=True)
    number: int = _big(primary_key=True)
    token: str = Field(sa_column=Column(String(64), unique=True, nullable=False))
    seq: int | None = _big(nullable=True)
    customer: str | None = Field(default=None, sa_column=Column(String(128)))
    order_ref: str | None = Field(default=None, sa_column=Column(String(128)))
    discount_minor: int | None = _big(nullable=True)
    discount_currency: str | None = Field(default=None, sa_column=Column(String(3)))
    channel: str | None = Field(default=None, sa_column=Column(String(64)))
    taken: str | None = Field(default=None, sa_column=Column(Text))
    held_at: datetime = _instant()
    expires_at: datetime = _instant()
    ended: str | None = Field(default=None, sa_column=Column(String(8)))
    ended_at: datetime | None = _instant(nullable=True)
    redemption: int | None = _big(nullable=True)


class CodeEventRow(SQLModel, table=True):
    """What was done to a code by hand: it was blocked, unblocked, made void, replaced, given back.

    `other`: of a replacement the number of the other code, of a return that of the issuance.
    """

    __tablename__ = "code_event"
    __table_args__ = (Index("code_event_code", "promotion_id", "seq"),)

    id: int | None = _serial()
    promotion_id: int = _promotion_id()
    seq: int = _big()
    kind: str = Field(sa_column=Column(String(16), nullable=False))
    other: int | None = _big(nullable=True)
    happened_at: datetime = _instant()


class ReplayRow(SQLModel, table=True):
    """The first answer to an idempotency key; `fingerprint` tells a repeat from another request under the same key."""

    __tablename__ = "replay"

    operation: str = Field(sa_column=Column(String(32), primary_key=True))
    key: str = Field(sa_column=Column(String(128), primary_key=True))
    fingerprint: str = Field(sa_column=Column(String(64), nullable=False))
    answer: str = Field(sa_column=Column(Text, nullable=False))
    answered_at: datetime = _instant()


class TokenRow(SQLModel, table=True):
    """An API token: only its SHA-256 is kept."""

    __tablename__ = "token"

    id: int | None = _serial()
    name: str = Field(sa_column=Column(String(64), unique=True, nullable=False))
    digest: str = Field(sa_column=Column(String(64), unique=True, nullable=False))
    scopes: list[str] = Field(sa_column=Column(JSON, nullable=False))
    created_at: datetime = _instant()
    revoked_at: datetime | None = _instant(nullable=True)
