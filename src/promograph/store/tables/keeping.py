"""Answers kept for calls that are repeated, and the tokens of callers."""

from datetime import datetime

from sqlalchemy import JSON, Column, String, Text
from sqlmodel import Field, SQLModel

from promograph.store.tables.columns import (
    instant,
    serial,
)


class ReplayRow(SQLModel, table=True):
    """The first answer to an idempotency key; `fingerprint` tells a repeat from another request under the same key."""

    __tablename__ = "replay"

    operation: str = Field(sa_column=Column(String(32), primary_key=True))
    key: str = Field(sa_column=Column(String(128), primary_key=True))
    fingerprint: str = Field(sa_column=Column(String(64), nullable=False))
    answer: str = Field(sa_column=Column(Text, nullable=False))
    answered_at: datetime = instant()


class TokenRow(SQLModel, table=True):
    """An API token: only its SHA-256 is kept."""

    __tablename__ = "token"

    id: int | None = serial()
    name: str = Field(sa_column=Column(String(64), unique=True, nullable=False))
    digest: str = Field(sa_column=Column(String(64), unique=True, nullable=False))
    scopes: list[str] = Field(sa_column=Column(JSON, nullable=False))
    created_at: datetime = instant()
    revoked_at: datetime | None = instant(nullable=True)
