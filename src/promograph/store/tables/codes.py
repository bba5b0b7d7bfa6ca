"""Codes and the batches they came in."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, Integer, String, Text
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


class BatchRow(SQLModel, table=True):
    """One act of adding codes: those numbered `first_seq` to `last_seq`, less the `reverted` ones."""

    __tablename__ = "batch"
    __table_args__ = (Index("batch_codes", "promotion_id", "first_seq"),)

    id: int | None = serial()
    promotion_id: int = promotion_column(index=True)
    source: str = Field(sa_column=Column(String(16), nullable=False))
    channel: str | None = Field(default=None, sa_column=Column(String(64)))
    first_seq: int = big()
    last_seq: int = big()
    size: int = big()
    reverted: int = counter()
    report: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    created_at: datetime = instant()


class CodeRow(SQLModel, table=True):
    """A code. `text` is kept only where it differs from `key`. Whether it was issued is what `issuance` says.

    It is `blocked` for a while or `void` for good, never both. `expires_at` is its own, whatever its promotion says.
    """

    __tablename__ = "code"
    __table_args__ = (
        # Few of many, so that a list of them need not pass over all the others.
        Index("code_blocked", "promotion_id", "seq", sqlite_where=sql("blocked"), postgresql_where=sql("blocked")),
        Index("code_void", "promotion_id", "seq", sqlite_where=sql("void"), postgresql_where=sql("void")),
        Index(
            "code_expiry",
            "promotion_id",
            "expires_at",
            "seq",
            sqlite_where=sql("expires_at IS NOT NULL"),
            postgresql_where=sql("expires_at IS NOT NULL"),
        ),
        BY_ITS_KEY,
    )

    promotion_id: int = promotion_id_column(primary_key=True)
    seq: int = big(primary_key=True)
    key: str = Field(sa_column=Column(String(256), unique=True, nullable=False))
    text: str | None = Field(default=None, sa_column=Column(String(64)))
    blocked: bool = flag()
    void: bool = flag()
    expires_at: datetime | None = instant(nullable=True)
    uses: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=sql("0")))


class LookRow(SQLModel, table=True):
    """A format of codes with a check character, as JSON; `id` is the SHA-256 of that."""

    __tablename__ = "code_look"

    id: str = Field(sa_column=Column(String(64), primary_key=True))
    look: str = Field(sa_column=Column(Text, nullable=False))


class ReturnedRow(SQLModel, table=True):
    """Codes that are in line again after the line had passed them, first come first served."""

    __tablename__ = "returned_code"
    __table_args__ = (Index("returned_code_place", "promotion_id", "seq", unique=True),)

    id: int | None = serial()
    promotion_id: int = promotion_id_column(index=True)
    seq: int = big()


class CodeEventRow(SQLModel, table=True):
    """What was done to a code by hand: it was blocked, unblocked, made void, replaced, given back.

    `other`: of a replacement the number of the other code, of a return that of the issuance.
    """

    __tablename__ = "code_event"
    __table_args__ = (
        Index("code_event_code", "promotion_id", "seq"),
        # The last one of a promotion says whether anything was done to its codes since somebody looked.
        Index("code_event_last", "promotion_id", "id"),
    )

    id: int | None = serial()
    promotion_id: int = promotion_id_column()
    seq: int = big()
    kind: str = Field(sa_column=Column(String(16), nullable=False))
    other: int | None = big(nullable=True)
    happened_at: datetime = instant()
