"""The one code of a promotion that everybody shares: the code of a SINGLE promotion, the fallback of others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from promograph.domain.codes import normalise
from promograph.domain.decisions import SHARED_SEQ
from promograph.store.statements import Statement


@dataclass(frozen=True, slots=True)
class SharedCode:
    text: str
    blocked: bool = False
    void: bool = False
    uses: int = 0


_ONE = Statement("SELECT coalesce(text, key), blocked, void, uses FROM code WHERE promotion_id = :id AND seq = :shared")
_MANY = Statement(
    "SELECT c.promotion_id, coalesce(c.text, c.key), c.blocked, c.void, c.uses FROM @rows(id bigint, seq bigint) r "
    "JOIN code c ON c.promotion_id = r.id AND c.seq = r.seq"
)
_INSERT = Statement(
    "INSERT INTO code (promotion_id, seq, key, text, blocked, uses) VALUES (:id, :shared, :key, :text, false, 0) "
    "ON CONFLICT (key) DO NOTHING"
)
_DELETE = Statement("DELETE FROM code WHERE promotion_id = :id AND seq = :shared")
_FORGET = Statement("DELETE FROM code_event WHERE promotion_id = :id AND seq = :shared")


def one(connection: Connection, promotion_id: int) -> SharedCode | None:
    rows = _ONE.fetch(connection, id=promotion_id, shared=SHARED_SEQ)
    return _shared(rows[0]) if rows else None


def many(connection: Connection, promotion_ids: list[int]) -> dict[int, SharedCode]:
    rows = _MANY.fetch(connection, [(id_, SHARED_SEQ) for id_ in promotion_ids])
    return {id_: _shared(row) for id_, *row in rows}


def _shared(row: Sequence[Any]) -> SharedCode:
    text, blocked, void, uses = row
    return SharedCode(text, blocked=bool(blocked), void=bool(void), uses=uses)


def insert(connection: Connection, promotion_id: int, text: str) -> bool:
    """Whether the text was free."""
    key = normalise(text)
    text_ = None if key == text else text
    return _INSERT.run(connection, id=promotion_id, shared=SHARED_SEQ, key=key, text=text_) == 1


def delete(connection: Connection, promotion_id: int) -> None:
    """Of a code that nobody was ever given; what was done to it would be told of the next one."""
    _FORGET.run(connection, id=promotion_id, shared=SHARED_SEQ)
    _DELETE.run(connection, id=promotion_id, shared=SHARED_SEQ)
