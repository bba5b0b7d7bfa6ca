"""The tables of sends: what is to be sent, the messages on their way, and how many there are of each state."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, String, Text
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from promograph.store.tables.columns import BY_ITS_KEY, big, counter, flag, instant, serial

_IS_DUE = sql("due_at IS NOT NULL")


def _text(length: int | None = None, *, nullable: bool = True) -> Any:
    return Field(default=None, sa_column=Column(Text if length is None else String(length), nullable=nullable))


class SendRow(SQLModel, table=True):
    """One run of a message. Whoever changes its messages has locked this row.

    `messages` is the number of its last message. Of its audience everybody up to `reached` (a customer's id) has one;
    `is_read`: that is all of them. `paced_to`: no message goes before that, for a rate or a provider's sake. `spans` is
    JSON: by promotion, the numbers of the issuances between which its own are.
    """

    __tablename__ = "send"

    id: int | None = serial()
    key: str = Field(sa_column=Column(String(128), unique=True, nullable=False))
    token: str = Field(sa_column=Column(String(32), unique=True, nullable=False))
    name: str = _text(200, nullable=False)
    status: str = _text(16, nullable=False)
    channel: str = _text(64, nullable=False)
    audience_id: int | None = big(nullable=True)
    subject: str | None = _text()
    text: str | None = _text()
    html: str | None = _text()
    promotion: str | None = _text(200)
    campaign: str | None = _text(128)
    fallback: bool = flag()
    rate: int | None = Field(default=None, sa_column=Column(Integer))
    start_at: datetime | None = instant(nullable=True)
    messages: int = counter()
    reached: str = Field(default="", sa_column=Column(String(128), nullable=False, server_default=sql("''")))
    is_read: bool = flag()
    planned: int | None = Field(default=None, sa_column=Column(BigInteger))
    paced_to: int = counter()
    spans: str | None = _text()
    problem: str | None = _text(500)
    created_at: datetime = instant()
    updated_at: datetime = instant()
    started_at: datetime | None = instant(nullable=True)
    finished_at: datetime | None = instant(nullable=True)


class SendMessageRow(SQLModel, table=True):
    """A message to one recipient, kept before it is handed to a channel; `number` counts within the send.

    `trigger_key` is the caller's own for one that was triggered, else empty. `codes` is JSON: promotion and number of
    each issuance in it. `maybe_seen`: in some try the provider may have taken it. `due_at`: when it is tried (again),
    or when a server that has it counts as dead; null once it is over. `why`: a `SkipReason`, or what the provider said.
    """

    __tablename__ = "send_message"
    __table_args__ = (
        # One message a recipient; customer first, so that all of a person's are one range.
        Index("send_message_recipient", "customer", "send_id", "trigger_key", unique=True),
        Index("send_message_due", "send_id", "due_at", sqlite_where=_IS_DUE, postgresql_where=_IS_DUE),
        BY_ITS_KEY,
    )

    send_id: int = big(primary_key=True)
    number: int = big(primary_key=True)
    customer: str = _text(128, nullable=False)
    trigger_key: str = Field(default="", sa_column=Column(String(128), nullable=False, server_default=sql("''")))
    status: str = _text(10, nullable=False)
    why: str | None = _text(300)
    codes: str | None = _text()
    tries: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=sql("0")))
    maybe_seen: bool = flag()
    owner: str | None = _text(128)
    due_at: datetime | None = instant(nullable=True)
    changed_at: datetime = instant()


class SendTallyRow(SQLModel, table=True):
    """How many messages of a send there are of a status and, of those SKIPPED, for a reason (else empty)."""

    __tablename__ = "send_tally"
    __table_args__ = BY_ITS_KEY

    send_id: int = big(primary_key=True)
    status: str = Field(sa_column=Column(String(10), primary_key=True))
    why: str = Field(sa_column=Column(String(32), primary_key=True))
    messages: int = counter()
