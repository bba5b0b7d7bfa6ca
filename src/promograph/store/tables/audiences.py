"""The tables of audiences and of the codes that are set aside for their sends."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, ForeignKey, Index, String
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from promograph.store.tables.columns import serial
from promograph.store.tables.instants import Instant


class AudienceRow(SQLModel, table=True):
    """Who a send goes to. `size` counts the members of a STATIC one; a DYNAMIC one has none.

    `segment` is the handle of the one that it is made of, or was frozen from. `filling_at`: when a member was last
    added to (or taken out of) one that nobody may see yet (or any more); null for all others. Below zero it is the
    number of the job that fills it, 0 where whoever comes next takes it down.
    """

    __tablename__ = "audience"
    # Never the number of one that was deleted: a process that took its time may still be filling that.
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = serial()
    handle: str = Field(sa_column=Column(String(64), unique=True, nullable=False))
    name: str = Field(sa_column=Column(String(200), nullable=False))
    kind: str = Field(sa_column=Column(String(8), nullable=False))
    source: str = Field(sa_column=Column(String(8), nullable=False))
    segment: str | None = Field(default=None, sa_column=Column(String(64)))
    size: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default=sql("0")))
    filling_at: datetime | None = Field(default=None, sa_column=Column(Instant, nullable=True))
    created_at: datetime = Field(default=None, sa_column=Column(Instant, nullable=False))
    updated_at: datetime = Field(default=None, sa_column=Column(Instant, nullable=False))


class AudienceMemberRow(SQLModel, table=True):
    """A customer of a STATIC audience, told of or not.

    There may be millions: whoever adds some has locked the audience, which a foreign key would do for each of them.
    """

    __tablename__ = "audience_member"
    __table_args__ = {"sqlite_with_rowid": False}

    audience_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    customer: str = Field(sa_column=Column(String(128), primary_key=True))


class BookingRow(SQLModel, table=True):
    """Codes set aside for a send: a number, and no codes in particular. `stock.booked` is the sum of what remains."""

    __tablename__ = "booking"
    __table_args__ = (
        Index(
            "booking_open",
            "promotion_id",
            "send",
            unique=True,
            sqlite_where=sql("released_at IS NULL"),
            postgresql_where=sql("released_at IS NULL"),
        ),
    )

    id: int | None = serial()
    promotion_id: int = Field(sa_column=Column(BigInteger, ForeignKey("promotion.id"), nullable=False))
    send: str = Field(sa_column=Column(String(128), nullable=False))
    codes: int = Field(sa_column=Column(BigInteger, nullable=False))
    remaining: int = Field(sa_column=Column(BigInteger, nullable=False))
    created_at: datetime = Field(default=None, sa_column=Column(Instant, nullable=False))
    released_at: datetime | None = Field(default=None, sa_column=Column(Instant, nullable=True))
