"""The tables of what is told of stock: events, and marks of how fast codes are issued."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, String
from sqlmodel import Field, SQLModel

from promograph.store.tables.columns import serial
from promograph.store.tables.instants import Instant


class EventRow(SQLModel, table=True):
    """Something that happened, written in the transaction that made it happen. Never changed.

    Rows of transactions that run at once are seen in the order of their commits, which is not that of their ids: who
    works through them has to note which ones are done, and not just how far.
    """

    __tablename__ = "event"
    __table_args__ = (Index("event_promotion", "promotion_id", "id"),)

    id: int | None = serial()
    kind: str = Field(sa_column=Column(String(32), nullable=False))
    promotion_id: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    data: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    happened_at: datetime = Field(default=None, sa_column=Column(Instant, nullable=False))


class EventToldRow(SQLModel, table=True):
    """Of this event the plugins of some server process are being told, or were: no other has to."""

    __tablename__ = "event_told"
    __table_args__ = {"sqlite_with_rowid": False}

    event_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))


class IssueMarkRow(SQLModel, table=True):
    """How many codes a promotion had been asked for at one moment: at most one a minute, kept for a day.

    `number` is that of its last issuance then, `asked` the count of those that were no repeats.
    """

    __tablename__ = "issue_mark"
    __table_args__ = {"sqlite_with_rowid": False}

    promotion_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    marked_at: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    number: int = Field(sa_column=Column(BigInteger, nullable=False))
    asked: int = Field(sa_column=Column(BigInteger, nullable=False))
