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
# Of holds the open ones: what others were is over, and limits nobody any more.
_HAVE_ROWS = Statement(
    "SELECT r.promotion_id, r.hash FROM @rows(promotion_id bigint, hash text) r WHERE "
    + " OR ".join(
        f"EXISTS (SELECT 1 FROM {table} x WHERE x.customer = r.hash AND x.promotion_id = r.promotion_id{also})"
        for table, also in (("issuance", ""), ("redemption", ""), ("hold", " AND x.ended IS NULL"))
    )
)
_ERASE = Statement(
    "INSERT INTO erasure (hash, erased_at) VALUES (:hash, :now) ON CONFLICT (hash) DO UPDATE SET erased_at = :now"
)

Aliases = dict[tuple[int, str], str]
"""Of customers who were erased, by a promotion that knew them and the id that they come with, the hash that stands for
them there."""


def aliases(connection: Connection, customers: Iterable[str], stocks: Iterable[Stock]) -> Aliases:
    """Of these customers, at those of the promotions that have rows of them. To all others they are somebody new."""
    knowing = [stock.promotion_id for stock in stocks if stock.erased]
    if not knowing:
        return {}
    key = _key(connection)
    hashes = {_hash(key, customer): customer for customer in customers}
    erased = [hash_ for (hash_,) in _ERASED.fetch(connection, [(hash_,) for hash_ in sorted(hashes)])] if hashes else []
    places = [(promotion_id, hash_) for promotion_id in knowing for hash_ in erased]
    known = _HAVE_ROWS.fetch(connection, places) if places else []
    return {(promotion_id, hashes[hash_]): hash_ for promotion_id, hash_ in known}


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
