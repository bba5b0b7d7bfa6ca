"""From a store's URL to its database."""

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from promograph.errors import ConfigError
from promograph.store.databases.database import Database
from promograph.store.databases.postgres import PostgresDatabase
from promograph.store.databases.sqlite import SqliteDatabase


def open_database(store: str) -> Database:
    """The database named by `sqlite:///path` or `postgresql://user@host/name`; nothing is connected yet."""
    try:
        url = make_url(store)
    except ArgumentError:
        raise ConfigError(_SENTENCE) from None
    if url.drivername == "sqlite" and url.database and url.database != ":memory:":
        return SqliteDatabase(url.database)
    if url.drivername in ("postgresql", "postgres") and url.database:
        return PostgresDatabase(url)
    raise ConfigError(_SENTENCE)


_SENTENCE = "A store is named sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE."
