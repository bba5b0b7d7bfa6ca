"""Bringing a store's tables to the version that this promograph expects."""

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from promograph.errors import StoreBusy, StoreError, StoreOutdated
from promograph.store.databases.database import Database
from promograph.store.tables import METADATA

_TRIES = 12


async def migrate(database: Database) -> str:
    """Create or upgrade the tables; the revision they are at then. Nothing happens where they are current."""
    return await database.write(_upgrade, heavy=True)


async def prepare(database: Database, *, creates: bool = True) -> None:
    """Create the tables in an empty store, or refuse it; StoreOutdated where they are there and of another version."""
    revision = await database.read(_revision)
    if revision is None and await database.read(_is_empty):
        if not creates:
            raise StoreError("The store is empty, it has no tables: name another with --store or PROMOGRAPH_STORE.")
        await _make_tables(database)
        return
    if revision is None:  # another server may have made them all between the two looks
        revision = await database.read(_revision)
    if revision == _head():
        return
    raise StoreOutdated(
        "The store's tables are of another version than this promograph: back it up, then run `promograph migrate`."
    )


async def _make_tables(database: Database) -> None:
    """Several servers may find the store empty at once; one of them makes the tables, the others come too late."""
    for tries_left in reversed(range(_TRIES)):
        try:
            await migrate(database)
            return
        except StoreBusy:
            if not tries_left:  # a slow machine may take longer to make them than anybody waits for a lock
                raise
        except Exception:
            if await database.read(_revision) != _head():
                raise
            return


def differences(connection: Connection) -> list[str]:
    """How the tables differ from what the code expects; empty after every migration."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return [str(difference) for difference in compare_metadata(context, METADATA)]


def _upgrade(connection: Connection) -> str:
    known = {script.revision for script in ScriptDirectory.from_config(_config(connection)).walk_revisions()}
    current = _revision(connection)
    if current is not None and current not in known:
        raise StoreOutdated("The store was made by a newer promograph: install that version or a later one.")
    command.upgrade(_config(connection), "head")
    return _head()


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _is_empty(connection: Connection) -> bool:
    return not set(inspect(connection).get_table_names()) & set(METADATA.tables)


def _head() -> str:
    head = ScriptDirectory(str(_FOLDER)).get_current_head()
    assert head is not None, "there is always a first migration"
    return head


_FOLDER = Path(__file__).parent / "migrations"


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    return config
