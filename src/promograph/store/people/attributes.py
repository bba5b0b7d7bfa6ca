"""The names and types of customers' attributes."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection

from promograph.domain.conditions.values import ValueType
from promograph.store.statements import Statement
from promograph.store.tables.instants import to_micros

_EVERY = Statement("SELECT name, type FROM attribute ORDER BY name")
_LEARN = Statement(
    "INSERT INTO attribute (name, type, created_at) SELECT r.name, r.type, :now FROM @rows(name text, type text) r "
    "WHERE true ON CONFLICT (name) DO NOTHING"
)


def every(connection: Connection) -> dict[str, ValueType]:
    """Types by name, in the order of names."""
    return {name: ValueType(type_) for name, type_ in _EVERY.fetch(connection)}


def learn(connection: Connection, learned: Mapping[str, ValueType], now: datetime) -> bool:
    """Keep these; False, and the transaction is to be given up, where one of them has another type already."""
    if not learned:
        return True
    rows = [(name, str(type_)) for name, type_ in sorted(learned.items())]
    _LEARN.run(connection, rows, now=to_micros(now))
    known = every(connection)
    return all(known[name] is type_ for name, type_ in learned.items())
