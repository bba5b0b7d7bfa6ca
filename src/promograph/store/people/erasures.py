"""People who were erased: each has left a keyed hash, under which what they were given still counts.

The key is made with the first erasure and kept in the store, in the table `keyring`: without it nobody can tell whose
hash one is, and with it only by trying ids. A promotion whose stock says that erased people have rows looks its
customers up by their hashes, so that limits hold for somebody who comes back; all others pay nothing for it.
"""

import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection

from promograph.store.statements import Statement
from promograph.store.stock import Stock
from promograph.store.tables.instants import to_micros

_NAME = "erasure"
_PREFIX = "erased:"

_KEY = Statement("SELECT value FROM keyring WHERE name = :name")
_MAKE_KEY = Statement(
    "INSERT INTO keyring (name, value, created_at) VALUES (:name, :value, :now) ON CONFLICT (name) DO NOTHING"
)
_ERASED = Statement("SELECT e.hash FROM @rows(hash text) r JOIN erasure e ON e.hash = r.hash")
_ERASE = Statement(
    "INSERT INTO erasure (hash, erased_at) VALUES (:hash, :now) ON CONFLICT (hash) DO UPDATE SET erased_at = :now"
)

Aliases = dict[str, str]
"""Of customers who were erased, by the ids that they come with, the hashes that stand for them."""


def aliases(connection: Connection, customers: Iterable[str], stocks: Iterable[Stock]) -> Aliases:
    """Of these customers, as far as any of the stocks has rows of erased people at all."""
    if not any(stock.erased for stock in stocks):
        return {}
    key = _key(connection)
    hashes = {_hash(key, customer): customer for customer in customers}
    found = _ERASED.fetch(connection, [(hash_,) for hash_ in sorted(hashes)]) if hashes else []
    return {hashes[hash_]: hash_ for (hash_,) in found}


def note(connection: Connection, customer: str, now: datetime) -> str:
    """From now on this customer is known by the hash that is returned."""
    micros = to_micros(now)
    _MAKE_KEY.run(connection, name=_NAME, value=secrets.token_hex(32), now=micros)
    hash_ = _hash(_key(connection), customer)
    _ERASE.run(connection, hash=hash_, now=micros)
    return hash_


def _key(connection: Connection) -> bytes:
    ((value,),) = _KEY.fetch(connection, name=_NAME)
    return bytes.fromhex(value)


def _hash(key: bytes, customer: str) -> str:
    return _PREFIX + hmac.new(key, customer.encode(), sha256).hexdigest()
