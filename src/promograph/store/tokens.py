"""API tokens as rows; only digests come here."""

from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import Connection

from promograph.domain.access import Scope
from promograph.store.statements import Statement
from promograph.store.tables.instants import from_micros, to_micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What may be shown of a token."""

    id: int
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    revoked_at: datetime | None


_COLUMNS = "id, name, CAST(scopes AS text), created_at, revoked_at"
_INSERT = Statement(
    "INSERT INTO token (name, digest, scopes, created_at) VALUES (:name, :digest, :scopes, :now) "
    f"ON CONFLICT (name) DO NOTHING RETURNING {_COLUMNS}"
)
_BY_DIGEST = Statement(f"SELECT {_COLUMNS} FROM token WHERE digest = :digest AND revoked_at IS NULL")
_ALL = Statement(f"SELECT {_COLUMNS} FROM token ORDER BY id")
_REVOKE = Statement(
    f"UPDATE token SET revoked_at = :now WHERE name = :name AND revoked_at IS NULL RETURNING {_COLUMNS}"
)


def insert(connection: Connection, name: str, digest: str, scopes: frozenset[Scope], now: datetime) -> Token | None:
    """The new token; None when the name is taken."""
    rows = _INSERT.fetch(
        connection, name=name, digest=digest, scopes=orjson.dumps(sorted(scopes)).decode(), now=to_micros(now)
    )
    return _token(tuple(rows[0])) if rows else None


def by_digest(connection: Connection, digest: str) -> Token | None:
    rows = _BY_DIGEST.fetch(connection, digest=digest)
    return _token(tuple(rows[0])) if rows else None


def every(connection: Connection) -> list[Token]:
    return [_token(tuple(row)) for row in _ALL.fetch(connection)]


def revoke(connection: Connection, name: str, now: datetime) -> Token | None:
    """The token as revoked; None when no live one has that name."""
    rows = _REVOKE.fetch(connection, name=name, now=to_micros(now))
    return _token(tuple(rows[0])) if rows else None


def _token(row: tuple[int, str, str, int, int | None]) -> Token:
    id_, name, scopes, created_at, revoked_at = row
    return Token(
        id=id_,
        name=name,
        scopes=frozenset(Scope(scope) for scope in orjson.loads(scopes)),
        created_at=from_micros(created_at),
        revoked_at=None if revoked_at is None else from_micros(revoked_at),
    )
