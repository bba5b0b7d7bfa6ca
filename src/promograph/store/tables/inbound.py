"""The table of what providers and shops have told us."""

from datetime import datetime

from sqlalchemy import Column, Index, Integer, String, Text
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from promograph.store.tables.instants import Instant

_IS_DUE = sql("due_at IS NOT NULL")
_IS_DONE = sql("due_at IS NULL")
_HAS_KEY = sql("key IS NOT NULL")


class InboundEventRow(SQLModel, table=True):
    """One thing said, kept before the provider is answered. `id` is the channel's own for it, `key` a message's.

    `due_at`: when it is to be worked on (again); null once that is done. `tries` counts how often it was begun.
    """

    __tablename__ = "inbound_event"
    __table_args__ = (
        # Beginning with the channel it would be taken for as good as the primary key, while statistics are young:
        # each event would be looked for among all of its channel.
        Index("inbound_event_message", "key", "channel", sqlite_where=_HAS_KEY, postgresql_where=_HAS_KEY),
        Index("inbound_event_due", "due_at", sqlite_where=_IS_DUE, postgresql_where=_IS_DUE),
        Index("inbound_event_done", "received_at", sqlite_where=_IS_DONE, postgresql_where=_IS_DONE),
    )

    channel: str = Field(sa_column=Column(String(64), primary_key=True))
    id: str = Field(sa_column=Column(String(200), primary_key=True))
    kind: str = Field(sa_column=Column(String(16), nullable=False))
    key: str | None = Field(default=None, sa_column=Column(String(100)))
    provider_id: str | None = Field(default=None, sa_column=Column(String(200)))
    recipient: str | None = Field(default=None, sa_column=Column(String(254)))
    why: str | None = Field(default=None, sa_column=Column(String(500)))
    raw: str = Field(sa_column=Column(Text, nullable=False))
    happened_at: datetime | None = Field(default=None, sa_column=Column(Instant))
    received_at: datetime = Field(sa_column=Column(Instant, nullable=False))
    due_at: datetime | None = Field(default=None, sa_column=Column(Instant))
    tries: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=sql("0")))
