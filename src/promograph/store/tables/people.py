"""The tables of people: customers, the attributes that they may have, and segments of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from promograph.store.tables.columns import instant, serial

# Conditions look into it for each customer: PostgreSQL takes it apart when it is written, and not each time it is read.
_Searched = JSON().with_variant(JSONB(), "postgresql")


class CustomerRow(SQLModel, table=True):
    """A person, by the caller's own id. `consent` and `attributes` are JSON as `customer_values` writes it."""

    __tablename__ = "customer"

    id: str = Field(sa_column=Column(String(128), primary_key=True))
    email: str | None = Field(default=None, sa_column=Column(String(254)))
    phone: str | None = Field(default=None, sa_column=Column(String(16)))
    locale: str | None = Field(default=None, sa_column=Column(String(35)))
    consent: dict[str, bool] = Field(sa_column=Column(_Searched, nullable=False))
    attributes: dict[str, Any] = Field(sa_column=Column(_Searched, nullable=False))
    created_at: datetime = instant()
    updated_at: datetime = instant()


class AttributeRow(SQLModel, table=True):
    """A name that customers' attributes have, and the type of all its values, which never changes."""

    __tablename__ = "attribute"

    name: str = Field(sa_column=Column(String(128), primary_key=True))
    type: str = Field(sa_column=Column(String(8), nullable=False))
    created_at: datetime = instant()


class SegmentRow(SQLModel, table=True):
    """A saved condition. Others mean it by its handle, which therefore never changes."""

    __tablename__ = "segment"

    id: int | None = serial()
    handle: str = Field(sa_column=Column(String(64), unique=True, nullable=False))
    name: str = Field(sa_column=Column(String(200), nullable=False))
    condition: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    created_at: datetime = instant()
    updated_at: datetime = instant()


class SegmentUseRow(SQLModel, table=True):
    """Whose condition means the segment: `user_id` is the id of a `user_kind`, such as another SEGMENT."""

    __tablename__ = "segment_use"
    __table_args__ = (Index("segment_use_segment", "segment_id"),)

    user_kind: str = Field(sa_column=Column(String(16), primary_key=True))
    user_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    segment_id: int = Field(
        sa_column=Column(BigInteger, ForeignKey("segment.id"), primary_key=True, autoincrement=False)
    )


class ErasureRow(SQLModel, table=True):
    """Somebody who was erased: the keyed hash of their id, under which what they were given still counts."""

    __tablename__ = "erasure"

    hash: str = Field(sa_column=Column(String(128), primary_key=True))
    erased_at: datetime = instant()


class KeyringRow(SQLModel, table=True):
    """A secret of this store, made by itself: the key of the hashes of those who were erased."""

    __tablename__ = "keyring"

    name: str = Field(sa_column=Column(String(32), primary_key=True))
    value: str = Field(sa_column=Column(String(128), nullable=False))
    created_at: datetime = instant()
