"""The tables of jobs: long work, and the files that it reads or leaves."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Text, false
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from promograph.store.tables.columns import counter, instant, serial


def _json() -> Any:
    return Field(default=None, sa_column=Column(Text))


class JobRow(SQLModel, table=True):
    """Long work. `input`, `progress`, `report` and `error` are JSON; the first two are for its kind alone.

    `owner` is the process that has it. Its `beat` counts on as long as that lives: a beat that stands still, by the
    watch of whoever looks, means a dead owner, whatever the clocks of different machines say. `takes` counts how often
    it was taken up since it last got any further.
    """

    __tablename__ = "job"
    __table_args__ = (
        Index("job_open", "id", sqlite_where=sql("finished_at IS NULL"), postgresql_where=sql("finished_at IS NULL")),
        Index("job_promotion", "promotion_id", "id"),
    )

    id: int | None = serial()
    kind: str = Field(sa_column=Column(String(32), nullable=False))
    status: str = Field(sa_column=Column(String(16), nullable=False))
    input: str = Field(sa_column=Column(Text, nullable=False))
    progress: str | None = _json()
    done: int = counter()
    total: int | None = Field(default=None, sa_column=Column(BigInteger))
    failed: int = counter()
    report: str | None = _json()
    error: str | None = _json()
    promotion_id: int | None = Field(default=None, sa_column=Column(BigInteger, ForeignKey("promotion.id")))
    batch_id: int | None = Field(default=None, sa_column=Column(BigInteger, ForeignKey("batch.id")))
    cancel_asked: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=false()))
    owner: str | None = Field(default=None, sa_column=Column(String(128)))
    beat: int = counter()
    takes: int = counter()
    created_at: datetime = instant()
    started_at: datetime | None = instant(nullable=True)
    finished_at: datetime | None = instant(nullable=True)


class JobFileRow(SQLModel, table=True):
    """A file that a job reads (an upload) or leaves (a report, an export), kept in parts so that any server has it.

    `job_id` is null until the job is there. After `expires_at` the file is deleted, parts first.
    """

    __tablename__ = "job_file"
    __table_args__ = (Index("job_file_job", "job_id"), Index("job_file_expiry", "expires_at"))

    id: int | None = serial()
    job_id: int | None = Field(default=None, sa_column=Column(BigInteger, ForeignKey("job.id")))
    role: str = Field(sa_column=Column(String(16), nullable=False))
    name: str = Field(sa_column=Column(String(255), nullable=False))
    size: int = counter()
    parts: int = counter()
    digest: str | None = Field(default=None, sa_column=Column(String(64)))
    created_at: datetime = instant()
    expires_at: datetime = instant()


class JobFilePartRow(SQLModel, table=True):
    """About a megabyte of a file; parts count from 0."""

    __tablename__ = "job_file_part"

    file_id: int = Field(sa_column=Column(BigInteger, ForeignKey("job_file.id"), primary_key=True, autoincrement=False))
    part: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
