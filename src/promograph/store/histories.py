"""All about one code: where it stands, to whom it was given, what it was used for."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection

from promograph.domain.codes.states import CodeStanding
from promograph.domain.decisions import SHARED_SEQ
from promograph.domain.issuing import Issuance
from promograph.domain.promotions import Promotion
from promograph.domain.redeeming import Redemption
from promograph.store import issuances, promotions, redemptions
from promograph.store.statements import Statement
from promograph.store.tables.instants import from_micros

_MOST = 100

_FIND = (
    "SELECT c.promotion_id, c.seq, coalesce(c.text, c.key), c.blocked, c.void, c.uses, c.expires_at, "
    "(SELECT i.issued_at FROM issuance i WHERE i.promotion_id = c.promotion_id AND i.seq = c.seq "
    "AND i.kind = 'INITIAL' AND i.seq <> 0 AND c.seq <> 0), "
    "c.seq = 0 AND CASE WHEN p.code_kind = 'SINGLE' THEN s.issuances > 0 ELSE s.fallback_issued > 0 END "
    "FROM code c JOIN stock s ON s.promotion_id = c.promotion_id AND c.seq <= s.tail "
    "JOIN promotion p ON p.id = c.promotion_id WHERE"
)
_BY_KEY = Statement(f"{_FIND} c.key = :key")
_BY_PLACE = Statement(f"{_FIND} c.promotion_id = :promotion_id AND c.seq = :seq")

# A code of one's own has one holder, whose issuances are one range of an index, and few uses. A shared one has many of
# both, and they are the rows of its promotion from the last one backward. The sums keep planners from walking those for
# a code of one's own too.
_OF_HOLDER = Statement(
    f"SELECT {issuances.COLUMNS}, h.issued_at FROM issuance h @by(issuance_code) "
    "JOIN issuance i @by(issuance_occasion) ON i.customer = h.customer "
    "AND i.promotion_id = h.promotion_id + 0 AND i.seq = h.seq + 0 AND coalesce(i.state, 'FINAL') <> 'RETURNED' "
    "WHERE h.promotion_id = :promotion_id AND h.seq = :seq AND h.kind = 'INITIAL' AND h.seq <> 0 "
    f"ORDER BY i.number + 0 DESC LIMIT {_MOST}"
)
_OF_SHARED = Statement(
    f"SELECT {issuances.COLUMNS} FROM issuance i "
    f"WHERE i.promotion_id = :promotion_id AND i.seq = :seq ORDER BY i.number DESC LIMIT {_MOST}"
)
_USES = Statement(
    f"SELECT {redemptions.COLUMNS} FROM redemption d @by(redemption_code) "
    f"WHERE d.promotion_id = :promotion_id AND d.seq = :seq ORDER BY d.number + 0 DESC LIMIT {_MOST}"
)
_USES_OF_SHARED = Statement(
    f"SELECT {redemptions.COLUMNS} FROM redemption d @by(redemption_code) "
    f"WHERE d.promotion_id = :promotion_id AND d.seq = :seq ORDER BY d.number DESC LIMIT {_MOST}"
)


_ISSUANCE = Statement(
    f"SELECT {issuances.COLUMNS}, h.issued_at FROM issuance i LEFT JOIN issuance h ON h.promotion_id = i.promotion_id "
    "AND h.seq = i.seq AND h.kind = 'INITIAL' AND h.seq <> 0 "
    "WHERE i.promotion_id = :promotion_id AND i.number = :number"
)
_REDEMPTIONS = Statement(
    f"SELECT {redemptions.COLUMNS} FROM @rows(promotion_id bigint, number bigint) r JOIN redemption d "
    "ON d.promotion_id = r.promotion_id AND d.number = r.number"
)


def by_key(connection: Connection, key: str) -> CodeStanding | None:
    return _standing(connection, _BY_KEY.fetch(connection, key=key))


def by_place(connection: Connection, promotion_id: int, seq: int) -> CodeStanding | None:
    return _standing(connection, _BY_PLACE.fetch(connection, promotion_id=promotion_id, seq=seq))


def issuances_of(connection: Connection, promotion_id: int, seq: int) -> list[Issuance]:
    """To whom the code was given, the latest first, at most the last 100."""
    promotion = _promotion(connection, promotion_id)
    if seq == SHARED_SEQ:
        rows = _OF_SHARED.fetch(connection, promotion_id=promotion_id, seq=seq)
        return [issuances.issuance_of(tuple(row), promotion) for row in rows]
    return [
        issuances.issuance_of(tuple(row[:-1]), promotion, first_issued=row[-1])
        for row in _OF_HOLDER.fetch(connection, promotion_id=promotion_id, seq=seq)
    ]


def redemptions_of(connection: Connection, promotion_id: int, seq: int) -> list[Redemption]:
    """Its uses, the latest first, at most the last 100."""
    handle = _promotion(connection, promotion_id).terms.handle
    statement = _USES_OF_SHARED if seq == SHARED_SEQ else _USES
    rows = statement.fetch(connection, promotion_id=promotion_id, seq=seq)
    return [redemptions.redemption_of(tuple(row), handle) for row in rows]


def issuance_at(connection: Connection, promotion_id: int, number: int) -> Issuance | None:
    rows = _ISSUANCE.fetch(connection, promotion_id=promotion_id, number=number)
    if not rows:
        return None
    *columns, first_issued = rows[0]
    return issuances.issuance_of(columns, _promotion(connection, promotion_id), first_issued=first_issued)


def redemptions_at(connection: Connection, places: Collection[tuple[int, int]]) -> dict[tuple[int, int], Redemption]:
    """Of these (promotion, number), those that are there."""
    rows = _REDEMPTIONS.fetch(connection, sorted(set(places))) if places else []
    found = promotions.by_id(connection, sorted({row[0] for row in rows}))
    made = (redemptions.redemption_of(tuple(row), found[row[0]].terms.handle) for row in rows)
    return {(one.promotion_id, one.number): one for one in made}


def _promotion(connection: Connection, id_: int) -> Promotion:
    return promotions.by_id(connection, [id_])[id_]


def standing_of(row: Sequence[Any], promotion: Promotion) -> CodeStanding:
    """From (seq, text, blocked, void, uses, own expiry, issued at, whether a shared one was issued)."""
    seq, text, blocked, void, uses, own_expiry, issued_at, shared_issued = row
    since = None if issued_at is None else from_micros(issued_at)
    return CodeStanding(
        promotion_id=promotion.id,
        seq=seq,
        text=text,
        blocked=bool(blocked),
        void=bool(void),
        uses=uses,
        is_issued=since is not None or bool(shared_issued),
        expires_at=promotion.expiry(since, None if own_expiry is None else from_micros(own_expiry)),
    )


def _standing(connection: Connection, rows: list[Any]) -> CodeStanding | None:
    if not rows:
        return None
    promotion_id, *row = rows[0]
    return standing_of(row, _promotion(connection, promotion_id))
