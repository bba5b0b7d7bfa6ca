"""The tables of webhooks: whom to tell, and what each of them is told."""

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Text, true
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from promograph.store.tables.columns import instant, serial

_IS_THERE = sql("deleted_at IS NULL")
_IS_DUE = sql("due_at IS NOT NULL")
_IS_DEAD = sql("state = 'DEAD'")


class WebhookRow(SQLModel, table=True):
    """One endpoint. `types` and `old_secrets` are JSON. A deleted one stays as a row without secrets and address.

    It stays because somebody who has read it may be writing a delivery for it at that moment.
    """

    __tablename__ = "webhook"
    __table_args__ = (Index("webhook_url", "url", unique=True, sqlite_where=_IS_THERE, postgresql_where=_IS_THERE),)

    id: int | None = serial()
    url: str = Field(sa_column=Column(String(2_000), nullable=False))
    description: str = Field(sa_column=Column(String(500), nullable=False))
    types: str = Field(sa_column=Column(Text, nullable=False))
    is_enabled: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=true()))
    off_because: str | None = Field(default=None, sa_column=Column(String(200)))
    secret: str = Field(sa_column=Column(String(100), nullable=False))
    old_secrets: str = Field(sa_column=Column(Text, nullable=False))
    failures: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=sql("0")))
    rests_until: datetime | None = instant(nullable=True)
    created_at: datetime = instant()
    updated_at: datetime = instant()
    deleted_at: datetime | None = instant(nullable=True)


class WebhookDeliveryRow(SQLModel, table=True):
    """One thing that one endpoint is told, written in the transaction of what it tells of.

    `event` is the `webhook-id`, the same for all who are told of it. `due_at`: when it is to be tried (again), or when
    it comes again should whoever has taken it be dead; null once that is over. No foreign key: see `columns`.
    """

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        Index("webhook_delivery_due", "webhook_id", "due_at", "id", sqlite_where=_IS_DUE, postgresql_where=_IS_DUE),
        Index("webhook_delivery_dead", "id", sqlite_where=_IS_DEAD, postgresql_where=_IS_DEAD),
        Index("webhook_delivery_webhook", "webhook_id", "id"),
        Index("webhook_delivery_type", "type", "id"),
    )

    id: int | None = serial()
    webhook_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    event: str = Field(sa_column=Column(String(40), nullable=False))
    type: str = Field(sa_column=Column(String(40), nullable=False))
    body: str = Field(sa_column=Column(Text, nullable=False))
    happened_at: datetime = instant()
    state: str = Field(sa_column=Column(String(16), nullable=False))
    due_at: datetime | None = instant(nullable=True)
    tries: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=sql("0")))
    first_tried_at: datetime | None = instant(nullable=True)
    last_tried_at: datetime | None = instant(nullable=True)
    status: int | None = Field(default=None, sa_column=Column(Integer))
    why: str | None = Field(default=None, sa_column=Column(String(300)))
