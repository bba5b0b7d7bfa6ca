"""Making customers and changing them, thousands at once.

A nightly synchronisation tells of everybody, and few have changed. So rows that would stay the same are left alone, and
found out to be so without being taken apart: what was told is compared as it is before it is merged into what is there.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import repeat
from operator import itemgetter
from typing import Any, cast

from sqlalchemy import Connection

from promograph.domain.people.customers import CustomerChange
from promograph.store.bulk import TAKEN, Insertion
from promograph.store.people.values import dump_json
from promograph.store.statements import Statement, driver_of, savepoint
from promograph.store.tables.instants import to_micros

_FIELDS = ("email", "phone", "locale")
_OBJECTS = ("consent", "attributes")

_NEW = Insertion(
    "customer",
    "id text, email text, phone text, locale text, consent jsonb, attributes jsonb, created_at bigint, "
    "updated_at bigint",
)
# Without a lock, which would be a write to each row: that a customer is there does not change any more.
_UNKNOWN = Statement("SELECT r.id FROM @rows(id text) r LEFT JOIN customer c ON c.id = r.id WHERE c.id IS NULL")
_SAMPLED = Statement("SELECT c.id FROM @rows(id text) r JOIN customer c ON c.id = r.id LIMIT 1")

Told = Sequence[Mapping[str, Any]]
"""Each is a CustomerChange, whose members are asked for by names that are not written out."""

_NOTHING: dict[str, Any] = {}

# How many are looked up to learn whether all of a call may be new.
_SAMPLE = 20


def _update_of_postgres(merged: str, changes: str) -> Statement:
    """The customers as they were told, in one JSON: as an array for each column it takes twice as long to hand over.

    `merged`: the new put over the old; `changes`: of an old that is not the new, whether that makes it another.
    """
    wanted = {
        name: f"CASE WHEN r.told ? '{name}' THEN r.told ->> '{name}' ELSE customer.{name} END" for name in _FIELDS
    }
    differs = [f"customer.{name} IS DISTINCT FROM {value}" for name, value in wanted.items()]
    for name in _OBJECTS:
        told = f"(r.told -> '{name}')"
        merge = merged.format(old=f"customer.{name}", new=told)
        wanted[name] = f"COALESCE({merge}, customer.{name})"
        differing = changes.format(old=f"customer.{name}", new=told)
        differs.append(f"(customer.{name} <> {told} AND {differing})")
    sets = ", ".join(f"{name} = {value}" for name, value in wanted.items())
    return Statement(
        f"UPDATE customer SET {sets}, updated_at = :now FROM jsonb_array_elements(CAST(:told AS jsonb)) AS r(told) "
        f"WHERE customer.id = r.told ->> 'id' AND ({' OR '.join(differs)})"
    )


# Both put the new over the old, member by member, and the second drops what is null then. Either takes as long as all
# else that is done with a customer. What does not contain the new has changed, mostly, and is put together only once;
# what does may still have more in a list.
_UPDATE_OF_POSTGRES = (
    _update_of_postgres("{old} || {new}", "(NOT {old} @> {new} OR {old} <> {old} || {new})"),
    _update_of_postgres("jsonb_strip_nulls({old} || {new})", "{old} <> jsonb_strip_nulls({old} || {new})"),
)


def _update_of_sqlite() -> str:
    """For a row each, `_told_columns`: to take ten thousand of them out of one JSON takes three times as long."""
    wanted = {name: f"CASE WHEN ?{n + 3} THEN ?{n} ELSE {name} END" for n, name in enumerate(_FIELDS, 2)}
    differs = [f"{name} IS NOT {value}" for name, value in wanted.items()]
    for n, name in enumerate(_OBJECTS, 8):
        # With null, which is what is not told, nothing is equal or different.
        wanted[name] = f"CASE WHEN {name} <> ?{n} THEN json_patch({name}, ?{n}) ELSE {name} END"
        differs.append(f"({name} <> ?{n} AND {name} <> json_patch({name}, ?{n}))")
    sets = ", ".join(f"{name} = {value}" for name, value in wanted.items())
    return f"UPDATE customer SET {sets}, updated_at = ?10 WHERE id = ?1 AND ({' OR '.join(differs)})"


_UPDATE_OF_SQLITE = _update_of_sqlite()


def upsert(connection: Connection, changes: Sequence[CustomerChange], now: datetime) -> int:
    """Make or change these customers, of whom no two have one id; how many are new."""
    # In one order for everybody, so that two calls that meet wait for each other and do not lock each other out.
    ordered: Told = sorted(cast(Told, changes), key=itemgetter("id"))
    micros = to_micros(now)
    if _may_all_be_new(connection, ordered) and _insert(connection, ordered, micros):
        return len(ordered)
    while True:
        unknown = {id_ for (id_,) in _UNKNOWN.fetch(connection, [(change["id"],) for change in ordered])}
        if not unknown or _insert(connection, [change for change in ordered if change["id"] in unknown], micros):
            break
    if len(unknown) < len(ordered):
        _update(connection, [change for change in ordered if change["id"] not in unknown], micros)
    return len(unknown)


def _may_all_be_new(connection: Connection, ordered: Told) -> bool:
    sample = ordered[:: max(1, len(ordered) // _SAMPLE)]
    return not _SAMPLED.fetch(connection, [(change["id"],) for change in sample])


def _insert(connection: Connection, changes: Told, micros: int) -> bool:
    """Whether all of them were new; if not, none was written."""
    fields = ([change.get(name) for change in changes] for name in _FIELDS)
    objects = ([_without_nulls(change.get(name, _NOTHING)) for change in changes] for name in _OBJECTS)
    ids = [change["id"] for change in changes]
    try:
        with savepoint(connection):
            _NEW.run(connection, list(zip(ids, *fields, *objects, repeat(micros), repeat(micros))))
    except TAKEN:
        return False
    return True


def _update(connection: Connection, changes: Told, micros: int) -> None:
    driver = driver_of(connection)
    if isinstance(driver, sqlite3.Connection):
        driver.executemany(_UPDATE_OF_SQLITE, zip(*_told_columns(changes), repeat(micros)))
        return
    told = dump_json(changes)
    merging = _UPDATE_OF_POSTGRES[":null" in told]
    merging.run(connection, told=told, now=micros)


def _told_columns(changes: Told) -> list[Sequence[Any]]:
    """Ids; then of each field its values, and of each whether it is told; then consent and attributes, or None."""
    return [
        [change["id"] for change in changes],
        *([change.get(name) for change in changes] for name in _FIELDS),
        *([name in change for change in changes] for name in _FIELDS),
        *([dump_json(change[name]) if name in change else None for change in changes] for name in _OBJECTS),
    ]


def _without_nulls(data: Mapping[str, Any]) -> str:
    text = dump_json(data)
    if ":null" not in text:
        return text
    return dump_json({name: value for name, value in data.items() if value is not None})
