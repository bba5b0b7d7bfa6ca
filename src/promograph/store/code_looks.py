"""The looks of codes with a check character: by these a text that no code has shows a typing error.

Kept for ever, as codes are: a promotion may have another format by the time somebody types one of its first codes.
"""

from hashlib import sha256

import orjson
from sqlalchemy import Connection

from promograph.domain.codes.formats import CodeFormat
from promograph.store.statements import Statement

_MOST = 1_000

_KEEP = Statement("INSERT INTO code_look (id, look) VALUES (:id, :look) ON CONFLICT (id) DO NOTHING")
_READ = Statement(f"SELECT look FROM code_look ORDER BY id LIMIT {_MOST}")


def keep(connection: Connection, look: CodeFormat) -> None:
    """Remember a format of which codes are made, or may be; one without a check character says nothing of typing."""
    if look.check:
        written = orjson.dumps(look)
        _KEEP.run(connection, id=sha256(written).hexdigest(), look=written.decode())


def read(connection: Connection) -> list[CodeFormat]:
    """At most 1,000 of them."""
    return [CodeFormat(**orjson.loads(look)) for (look,) in _READ.fetch(connection)]
