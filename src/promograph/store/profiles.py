"""What a customer was given, and what they used."""

from typing import Any

from sqlalchemy import Connection

from promograph.domain.issuing import Issuance
from promograph.domain.promotions import Promotion
from promograph.domain.redeeming import Redemption
from promograph.store import issuances, promotions, redemptions
from promograph.store.statements import Statement

MOST = 100

_ISSUANCES = Statement(
    f"SELECT {issuances.COLUMNS}, h.issued_at FROM issuance i LEFT JOIN issuance h ON h.promotion_id = i.promotion_id "
    "AND h.seq = i.seq AND h.kind = 'INITIAL' AND h.seq <> 0 WHERE i.customer = :customer "
    f"ORDER BY i.issued_at DESC, i.promotion_id DESC, i.number DESC LIMIT {MOST}"
)
_REDEMPTIONS = Statement(
    f"SELECT {redemptions.COLUMNS} FROM redemption d WHERE d.customer = :customer "
    f"ORDER BY d.redeemed_at DESC, d.promotion_id DESC, d.number DESC LIMIT {MOST}"
)


def issuances_of(connection: Connection, customer: str) -> list[Issuance]:
    """The codes that the customer was given, repeats too, the latest first, at most the last 100."""
    rows = [tuple(row) for row in _ISSUANCES.fetch(connection, customer=customer)]
    known = promotions.by_id(connection, {row[0] for row in rows})
    return [_issuance(row, known[row[0]]) for row in rows]


def redemptions_of(connection: Connection, customer: str) -> list[Redemption]:
    """The uses, the latest first, at most the last 100."""
    rows = [tuple(row) for row in _REDEMPTIONS.fetch(connection, customer=customer)]
    known = promotions.by_id(connection, {row[0] for row in rows})
    return [redemptions.redemption_of(row, known[row[0]].terms.handle) for row in rows]


def _issuance(row: Any, promotion: Promotion) -> Issuance:
    *columns, first_issued = row
    return issuances.issuance_of(columns, promotion, first_issued=first_issued)
