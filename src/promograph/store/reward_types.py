"""Reward types as rows, and back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from promograph.domain.rewards import Effect, RewardType
from promograph.store.statements import Statement
from promograph.store.tables.instants import from_micros, to_micros


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRewardType:
    type: RewardType
    created_at: datetime
    updated_at: datetime


_COLUMNS = "t.handle, t.name, t.effect, t.created_at, t.updated_at"
_ALL = Statement(f"SELECT {_COLUMNS} FROM reward_type t")
_BY_HANDLE = Statement(f"SELECT {_COLUMNS} FROM @rows(handle text) r JOIN reward_type t ON t.handle = r.handle")
# Whoever makes a promotion name a type keeps the type there until both are written; whoever deletes it waits for them.
_HOLD = Statement(f"SELECT {_COLUMNS} FROM reward_type t WHERE t.handle = :handle @hold(t)")
_SEIZE = Statement(f"SELECT {_COLUMNS} FROM reward_type t WHERE t.handle = :handle @seize(t)")
_COUNT = Statement("SELECT count(*) FROM reward_type")
_INSERT = Statement(
    "INSERT INTO reward_type (handle, name, effect, created_at, updated_at) "
    "VALUES (:handle, :name, :effect, :now, :now)"
)
_RENAME = Statement("UPDATE reward_type SET name = :name, updated_at = :now WHERE handle = :handle")
_DELETE = Statement("DELETE FROM reward_type WHERE handle = :handle")
_USED_BY = Statement("SELECT name FROM promotion WHERE reward_type = :handle ORDER BY id LIMIT 1")


def every(connection: Connection) -> list[StoredRewardType]:
    """By name, without regard to letter case."""
    found = [_stored(row) for row in _ALL.fetch(connection)]
    return sorted(found, key=lambda stored: (stored.type.name.casefold(), stored.type.handle))


def by_handle(connection: Connection, handles: list[str]) -> dict[str, StoredRewardType]:
    rows = _BY_HANDLE.fetch(connection, [(handle,) for handle in handles])
    return {row[0]: _stored(row) for row in rows}


def count(connection: Connection) -> int:
    return int(_COUNT.fetch(connection)[0][0])


def held(connection: Connection, handle: str) -> StoredRewardType | None:
    """The type, which nobody deletes before this transaction is over."""
    rows = _HOLD.fetch(connection, handle=handle)
    return _stored(rows[0]) if rows else None


def seized(connection: Connection, handle: str) -> StoredRewardType | None:
    """The type, which no promotion begins to name before this transaction is over."""
    rows = _SEIZE.fetch(connection, handle=handle)
    return _stored(rows[0]) if rows else None


def used_by(connection: Connection, handle: str) -> str | None:
    """The name of a promotion that names this type."""
    rows = _USED_BY.fetch(connection, handle=handle)
    return rows[0][0] if rows else None


def insert(connection: Connection, new: RewardType, now: datetime) -> None:
    _INSERT.run(connection, handle=new.handle, name=new.name, effect=new.effect, now=to_micros(now))


def rename(connection: Connection, handle: str, name: str, now: datetime) -> None:
    _RENAME.run(connection, handle=handle, name=name, now=to_micros(now))


def delete(connection: Connection, handle: str) -> None:
    _DELETE.run(connection, handle=handle)


def _stored(row: Any) -> StoredRewardType:
    handle, name, effect, created_at, updated_at = row
    return StoredRewardType(
        type=RewardType(handle=handle, name=name, effect=Effect(effect)),
        created_at=from_micros(created_at),
        updated_at=from_micros(updated_at),
    )
