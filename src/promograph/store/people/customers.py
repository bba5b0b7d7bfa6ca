"""Customers as they are read back from their rows."""

from collections.abc import Iterable

import orjson
from sqlalchemy import Connection

from promograph.domain.people.customers import Customer
from promograph.store.people.values import load_attributes
from promograph.store.statements import Statement
from promograph.store.tables.instants import from_micros

_READ = Statement(
    "SELECT c.id, c.email, c.phone, c.locale, CAST(c.consent AS text), CAST(c.attributes AS text), c.created_at, "
    "c.updated_at FROM @rows(id text) r JOIN customer c ON c.id = r.id"
)


def read(connection: Connection, ids: Iterable[str]) -> dict[str, Customer]:
    """By id, those that there are."""
    rows = _READ.fetch(connection, [(id_,) for id_ in ids])
    return {row[0]: _customer(*row) for row in rows}


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
