"""Customers as rows: thousands written at once, some read."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from promograph.domain.people.customers import Customer, CustomerChange
from promograph.store.bulk import TAKEN, Insertion
from promograph.store.people.values import dump_attributes, load_attributes
from promograph.store.statements import Statement, savepoint
from promograph.store.tables.instants import from_micros, to_micros

_FIELDS = ("email", "phone", "locale")

_NEW = Insertion(
    "customer",
    "id text, email text, phone text, locale text, consent jsonb, attributes jsonb, created_at bigint, "
    "updated_at bigint",
)
# Without a lock, which would be a write to each row: that a customer is there does not change any more.
_KNOWN = Statement("SELECT c.id FROM @rows(id text) r JOIN customer c ON c.id = r.id")
_SAMPLED = Statement("SELECT c.id FROM @rows(id text) r JOIN customer c ON c.id = r.id LIMIT 1")
_READ = Statement(
    "SELECT c.id, c.email, c.phone, c.locale, CAST(c.consent AS text), CAST(c.attributes AS text), c.created_at, "
    "c.updated_at FROM @rows(id text) r JOIN customer c ON c.id = r.id"
)

# Both put the new over the old, member by member, and drop what is null then.
_MERGED = {
    "sqlite": "json_patch(customer.{name}, r.{name})",
    "postgresql": "jsonb_strip_nulls(customer.{name} || r.{name})",
}
_TAKEN_OVER = "CASE WHEN r.sets_{name} THEN r.{name} ELSE customer.{name} END"


def _update(dialect: str) -> Statement:
    """Rows that would stay the same are left alone: as a rule that is most of a nightly synchronisation."""
    wanted = {name: _TAKEN_OVER.format(name=name) for name in _FIELDS}
    wanted |= {name: _MERGED[dialect].format(name=name) for name in ("consent", "attributes")}
    sets = ", ".join(f"{name} = {value}" for name, value in wanted.items())
    differs = {"sqlite": "IS NOT", "postgresql": "IS DISTINCT FROM"}[dialect]
    changes = " OR ".join(f"customer.{name} {differs} {value}" for name, value in wanted.items())
    columns = "id text, consent jsonb, attributes jsonb, "
    columns += ", ".join(f"{name} text, sets_{name} boolean" for name in _FIELDS)
    return Statement(
        f"UPDATE customer SET {sets}, updated_at = :now FROM @rows({columns}) r WHERE customer.id = r.id "
        f"AND ({changes})"
    )


_UPDATE = {dialect: _update(dialect) for dialect in _MERGED}

# How many are looked up to learn whether all of a call may be new.
_SAMPLE = 20


def upsert(connection: Connection, changes: Sequence[CustomerChange], now: datetime) -> int:
    """Make or change these customers, of whom no two have one id; how many are new."""
    # In one order for everybody, so that two calls that meet wait for each other and do not lock each other out.
    ordered = sorted(changes, key=lambda change: change.id)
    micros = to_micros(now)
    if _may_all_be_new(connection, ordered) and _insert(connection, ordered, micros):
        return len(ordered)
    while True:
        known = {id_ for (id_,) in _KNOWN.fetch(connection, [(change.id,) for change in ordered])}
        new = [change for change in ordered if change.id not in known]
        if _insert(connection, new, micros):
            break
    existing = [change for change in ordered if change.id in known]
    if existing:
        _UPDATE[connection.dialect.name].run(connection, [_changed_row(change) for change in existing], now=micros)
    return len(new)


def read(connection: Connection, ids: Iterable[str]) -> dict[str, Customer]:
    """By id, those that there are."""
    rows = _READ.fetch(connection, [(id_,) for id_ in ids])
    return {row[0]: _customer(*row) for row in rows}


def _may_all_be_new(connection: Connection, ordered: Sequence[CustomerChange]) -> bool:
    sample = ordered[:: max(1, len(ordered) // _SAMPLE)]
    return not _SAMPLED.fetch(connection, [(change.id,) for change in sample])


def _insert(connection: Connection, changes: Sequence[CustomerChange], micros: int) -> bool:
    """Whether all of them were new; if not, none was written."""
    if not changes:
        return True
    try:
        with savepoint(connection):
            _NEW.run(connection, [_new_row(change, micros) for change in changes])
    except TAKEN:
        return False
    return True


def _new_row(change: CustomerChange, micros: int) -> tuple[Any, ...]:
    fields = change.fields
    consent: Any = change.consent
    if None in consent.values():
        consent = {channel: given for channel, given in consent.items() if given is not None}
    attributes = change.attributes
    if None in attributes.values():
        attributes = {name: value for name, value in attributes.items() if value is not None}
    return (
        change.id,
        fields.get("email"),
        fields.get("phone"),
        fields.get("locale"),
        orjson.dumps(consent).decode(),
        dump_attributes(attributes),
        micros,
        micros,
    )


def _changed_row(change: CustomerChange) -> tuple[Any, ...]:
    fields = change.fields
    given = (part for name in _FIELDS for part in (fields.get(name), name in fields))
    return (change.id, orjson.dumps(change.consent).decode(), dump_attributes(change.attributes), *given)


def _customer(
    id_: str,
    email: str | None,
    phone: str | None,
    locale: str | None,
    consent: str,
    attributes: str,
    created_at: int,
    updated_at: int,
) -> Customer:
    return Customer(
        id=id_,
        email=email,
        phone=phone,
        locale=locale,
        consent=orjson.loads(consent),
        attributes=load_attributes(attributes),
        created_at=from_micros(created_at),
        updated_at=from_micros(updated_at),
    )
