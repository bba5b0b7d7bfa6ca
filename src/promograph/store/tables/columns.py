"""The columns that tables are made of."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, false
from sqlalchemy import text as sql
from sqlmodel import Field

from promograph.store.tables.instants import Instant

# SQLite numbers rows by itself only in a column that is exactly INTEGER.
Serial = BigInteger().with_variant(Integer, "sqlite")


def serial() -> Any:
    return Field(default=None, sa_column=Column(Serial, primary_key=True, autoincrement=True))


def promotion_column(*, primary_key: bool = False, index: bool = False) -> Any:
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


def promotion_id_column(*, primary_key: bool = False, index: bool = False) -> Any:
    """The same in rows that come by the million: a foreign key would lock and look up the promotion for each of them.

    Whoever writes such a row has locked the promotion's stock row, and promotions are never deleted.
    """
    column = Column(BigInteger, primary_key=primary_key, index=index, nullable=False, autoincrement=False)
    return Field(sa_column=column)


def counter() -> Any:
    return Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default=sql("0")))


def flag() -> Any:
    return Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=false()))


def instant(*, nullable: bool = False) -> Any:
    return Field(default=None, sa_column=Column(Instant, nullable=nullable))


def big(*, primary_key: bool = False, nullable: bool = False) -> Any:
    return Field(
        default=None,
        sa_column=Column(BigInteger, primary_key=primary_key, nullable=nullable, autoincrement=False),
    )


# SQLite keeps such rows in the primary key's own tree: one place to write and to look, and not two.
BY_ITS_KEY = {"sqlite_with_rowid": False}
