"""Rows of codes given to customers."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from promograph.domain.decisions import SHARED_SEQ
from promograph.domain.issuing import Issuance, IssuanceKind, IssueOutcome
from promograph.domain.placeholders import Purpose
from promograph.domain.promotions import Promotion
from promograph.domain.refusals import Refusal, RefusalCode
from promograph.store.statements import Statement
from promograph.store.tables import from_micros, to_micros

COLUMNS = "i.promotion_id, i.number, i.seq, coalesce(c.text, c.key), i.customer, i.kind, i.issued_at, i.channel, i.send"
CODE_JOIN = "JOIN code c ON c.promotion_id = i.promotion_id AND c.seq = i.seq"

_AT_OCCASIONS = Statement(
    f"SELECT r.place, {COLUMNS} FROM @rows(place bigint, promotion_id bigint, customer text, occasion text) r "
    "JOIN issuance i ON i.customer = r.customer AND i.promotion_id = r.promotion_id AND i.occasion = r.occasion "
    f"{CODE_JOIN}"
)
_REACHED = Statement(
    "SELECT r.place FROM @rows(place bigint, promotion_id bigint, customer text) r WHERE EXISTS "
    "(SELECT 1 FROM issuance i WHERE i.customer = r.customer AND i.promotion_id = r.promotion_id)"
)
_ISSUED = Statement(
    "SELECT i.promotion_id, i.seq FROM @rows(promotion_id bigint, seq bigint) r "
    "JOIN issuance i ON i.promotion_id = r.promotion_id AND i.seq = r.seq AND i.kind = 'INITIAL' AND i.seq <> 0"
)
_LAST = Statement(
    f"SELECT {COLUMNS} FROM issuance i {CODE_JOIN} WHERE i.customer = :customer AND i.promotion_id = :promotion_id "
    "AND i.kind <> 'REPEAT' ORDER BY i.number DESC LIMIT 1"
)
_INSERT = Statement(
    "INSERT INTO issuance (promotion_id, number, seq, customer, occasion, kind, channel, send, issued_at) "
    "SELECT r.promotion_id, r.number, r.seq, r.customer, r.occasion, r.kind, r.channel, r.send, r.issued_at "
    "FROM @rows(promotion_id bigint, number bigint, seq bigint, customer text, occasion text, kind text, channel text, "
    "send text, issued_at bigint) r"
)


def insert(connection: Connection, issued: Sequence[tuple[Issuance, str]]) -> None:
    """Write issuances with their occasions."""
    if not issued:
        return
    rows = [
        (i.promotion_id, i.number, i.seq, i.customer, occasion, i.kind, i.channel, i.send, to_micros(i.issued_at))
        for i, occasion in issued
    ]
    _INSERT.run(connection, rows)


def at_occasions(
    connection: Connection, keys: Sequence[tuple[int, int, str, str]], promotions: Mapping[int, Promotion]
) -> dict[int, Issuance]:
    """Of (place, promotion, customer, occasion), what was issued there before, by place."""
    if not keys:
        return {}
    rows = _AT_OCCASIONS.fetch(connection, keys)
    return {row[0]: issuance_of(tuple(row[1:]), promotions[row[1]]) for row in rows}


def reached_before(connection: Connection, keys: Sequence[tuple[int, int, str]]) -> set[int]:
    """Of (place, promotion, customer), the places whose customer has had anything of the promotion."""
    return {row[0] for row in _REACHED.fetch(connection, keys)}


def issued_codes(connection: Connection, codes: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
    """Of codes (promotion, seq) of one's own, those that were issued."""
    return {(row[0], row[1]) for row in _ISSUED.fetch(connection, codes)} if codes else set()


def last(connection: Connection, promotion: Promotion, customer: str) -> Issuance | None:
    """The code that this customer was given last, leaving repeats aside."""
    rows = _LAST.fetch(connection, customer=customer, promotion_id=promotion.id)
    return issuance_of(tuple(rows[0]), promotion) if rows else None


def issuance_of(row: Sequence[Any], promotion: Promotion) -> Issuance:
    """From a row of COLUMNS."""
    promotion_id, number, seq, text, customer, kind, issued_at, channel, send = row
    instant = from_micros(issued_at)
    return Issuance(
        promotion_id=promotion_id,
        handle=promotion.terms.handle,
        number=number,
        seq=seq,
        text=text,
        customer=customer,
        kind=IssuanceKind(kind),
        issued_at=instant,
        expires_at=promotion.expiry(None if seq == SHARED_SEQ else instant),
        channel=channel,
        send=send,
    )


def dump_outcome(outcome: IssueOutcome) -> Any:
    if outcome.issuance is not None:
        return {"issuance": outcome.issuance}
    if isinstance(outcome.problem, Refusal):
        return {"refusal": outcome.problem.code, "data": dict(outcome.problem.data)}
    return None


def load_outcome(kept: Any) -> IssueOutcome:
    if "refusal" in kept:
        return IssueOutcome(problem=Refusal(RefusalCode(kept["refusal"]), kept["data"]), replayed=True)
    fields = kept["issuance"]
    fields["kind"] = IssuanceKind(fields["kind"])
    fields["purpose"] = Purpose(fields["purpose"])
    fields["issued_at"] = datetime.fromisoformat(fields["issued_at"])
    if fields["expires_at"] is not None:
        fields["expires_at"] = datetime.fromisoformat(fields["expires_at"])
    return IssueOutcome(issuance=Issuance(**fields), replayed=True)
