"""People taken out of what webhooks were told and are told yet."""

from collections.abc import Sequence

import orjson
from sqlalchemy import Connection

from promograph.store.statements import Statement

_FINDS = {"sqlite": "instr", "postgresql": "strpos"}
_NAMING = {
    dialect: Statement(
        f"SELECT d.id, d.body FROM webhook_delivery d WHERE {find}(d.body, :needle) > 0 OR EXISTS "
        f"(SELECT 1 FROM @rows(word text) r WHERE {find}(lower(d.body), r.word) > 0)"
    )
    for dialect, find in _FINDS.items()
}
_REWRITE = Statement(
    "UPDATE webhook_delivery SET body = r.body FROM @rows(id bigint, body text) r WHERE webhook_delivery.id = r.id"
)

Told = tuple[int, str]
"""A delivery's id and its body."""


def naming(connection: Connection, id_: str, words: Sequence[tuple[str]]) -> list[Told]:
    """Those in which a person's id stands, or one of their addresses (in lower case)."""
    found = _NAMING[connection.dialect.name].fetch(connection, words, needle=orjson.dumps(id_).decode())
    known = {word for (word,) in words}
    return [(row[0], row[1]) for row in found if _without(row[1], id_, "", known) != row[1]]


def rewrite(connection: Connection, told: Sequence[Told], id_: str, hash_: str, words: Sequence[tuple[str]]) -> int:
    """With the hash for the id, and nothing for an address. The order of their parts stays."""
    known = {word for (word,) in words}
    rows = [(delivery, _without(body, id_, hash_, known)) for delivery, body in told]
    return _REWRITE.run(connection, sorted(rows)) if rows else 0


def _without(body: str, id_: str, hash_: str, words: set[str]) -> str:
    payload = orjson.loads(body)
    data = payload["data"]
    if data.get("customer") == id_:
        data["customer"] = hash_
    for name in ("recipient", "why"):
        if any(word in str(data.get(name)).lower() for word in words):
            data[name] = None
    return orjson.dumps(payload).decode()
