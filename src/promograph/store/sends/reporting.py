"""What became of a send's codes: counted among the issuances that were made while it ran."""

from dataclasses import dataclass

from sqlalchemy import Connection

from promograph.store.redemptions import STANDING
from promograph.store.sends import Going
from promograph.store.statements import Statement

# A code of one's own is used by whoever has it, a shared one by the customer who was given it: that one's uses are few,
# those of a code that everybody shares are not.
_USED = (
    "CASE WHEN i.seq <> 0 THEN EXISTS (SELECT 1 FROM redemption d @by(redemption_code) "
    f"WHERE d.promotion_id = i.promotion_id AND d.seq = i.seq AND {STANDING}) "
    "ELSE EXISTS (SELECT 1 FROM redemption d @by(redemption_customer) WHERE d.customer = i.customer "
    f"AND d.promotion_id = i.promotion_id AND d.seq = 0 AND d.redeemed_at >= i.issued_at AND {STANDING}) END"
)
_CODES = Statement(
    f"SELECT i.kind, count(*), sum(CASE WHEN {_USED} THEN 1 ELSE 0 END) FROM issuance i "
    "WHERE i.promotion_id = :promotion AND i.number > :first AND i.number <= :last AND i.send = :key GROUP BY i.kind"
)
_NO_END = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class SentCodes:
    """Of a promotion: codes of people's own that the send gave, the shared one, those that went back; and the uses."""

    promotion_id: int
    issued: int
    fallback: int
    returned: int
    redeemed: int


def codes(connection: Connection, going: Going) -> list[SentCodes]:
    """By promotion, in the order of their ids."""
    found = []
    for id_, span in sorted(going.spans.items()):
        last = span[1] if len(span) > 1 else _NO_END
        rows = _CODES.fetch(connection, promotion=id_, first=span[0], last=last, key=going.send.terms.key)
        counts = {kind: (count, int(used or 0)) for kind, count, used in rows}
        given, fallback = counts.get("INITIAL", (0, 0)), counts.get("FALLBACK", (0, 0))
        found.append(
            SentCodes(
                promotion_id=id_,
                issued=given[0],
                fallback=fallback[0],
                returned=counts.get("RETURNED", (0, 0))[0],
                redeemed=given[1] + fallback[1],
            )
        )
    return found
