"""Rows of codes given to customers."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from promograph.domain.codes.placeholders import Purpose
from promograph.domain.decisions import SHARED_SEQ
from promograph.domain.issuing import Issuance, IssuanceKind, IssuanceState, IssueOutcome
from promograph.domain.promotions import Promotion
from promograph.domain.refusals import Refusal, RefusalCode
from promograph.store.bulk import Insertion
from promograph.store.statements import Statement
from promograph.store.tables.instants import from_micros

COLUMNS = (
    "i.promotion_id, i.number, i.seq, "
    "(SELECT coalesce(c.text, c.key) FROM code c WHERE c.promotion_id = i.promotion_id AND c.seq = i.seq), "
    "i.customer, i.kind, i.issued_at, i.channel, i.send, "
    "(SELECT c.expires_at FROM code c WHERE c.promotion_id = i.promotion_id AND c.seq = i.seq), i.state"
)
"""What `issuance_of` reads, in its order, of `issuance i`."""

_AT_OCCASIONS = Statement(
    f"SELECT i.occasion, {COLUMNS} FROM @rows(promotion_id bigint, customer text, occasion text) r "
    "JOIN issuance i @by(issuance_occasion) "
    "ON i.customer = r.customer AND i.promotion_id@aside = r.promotion_id AND i.occasion = r.occasion"
)
_REACHED = Statement(
    "SELECT r.customer FROM @rows(promotion_id bigint, customer text) r WHERE (SELECT i.number "
    "FROM issuance i @by(issuance_occasion) WHERE i.customer = r.customer AND i.promotion_id@aside = r.promotion_id "
    "AND i.kind NOT IN ('REPEAT', 'RETURNED') LIMIT 1) IS NOT NULL"
)
_ISSUED = Statement(
    "SELECT r.promotion_id, r.seq FROM @rows(promotion_id bigint, seq bigint) r WHERE (SELECT i.number FROM issuance i "
    "WHERE i.promotion_id = r.promotion_id AND i.seq = r.seq AND i.kind = 'INITIAL' AND i.seq <> 0) IS NOT NULL"
)
_LAST = Statement(
    f"SELECT {COLUMNS} FROM @rows(promotion_id bigint, customer text) r JOIN issuance i "
    "ON i.promotion_id = r.promotion_id AND i.number = "
    # The sums keep planners from walking all of the promotion's issuances: those of a customer are few.
    "(SELECT max(j.number + 0) FROM issuance j WHERE j.customer = r.customer AND j.promotion_id + 0 = r.promotion_id "
    "AND j.kind NOT IN ('REPEAT', 'RETURNED'))"
)
_FIRST_ISSUED = Statement(
    # Joined, PostgreSQL may go through all of the table for each of the rows.
    "SELECT r.promotion_id, r.seq, (SELECT i.issued_at FROM issuance i WHERE i.promotion_id = r.promotion_id "
    "AND i.seq = r.seq AND i.kind = 'INITIAL' AND i.seq <> 0) FROM @rows(promotion_id bigint, seq bigint) r"
)
_NEW = Insertion(
    "issuance",
    "promotion_id bigint, number bigint, seq bigint, customer text, occasion text, kind text, channel text, send text, "
    "issued_at bigint, state text",
)


NewRow = tuple[int, int, int, str, str, IssuanceKind, str | None, str | None, int, IssuanceState | None]
"""An issuance to be written, in the order of the columns above: when in microseconds, the state None where final."""

Occasion = tuple[int, str, str]
"""Promotion, customer, and the occasion's own key: unique among issuances."""


def insert(connection: Connection, rows: Sequence[NewRow]) -> None:
    """Write them; raises one of `bulk.TAKEN` where an occasion has its code already."""
    if rows:
        _NEW.run(connection, rows)


def at_occasions(connection: Connection, occasions: Sequence[Occasion]) -> dict[Occasion, Sequence[Any]]:
    """Of these occasions, those that have a code already, with their rows of COLUMNS."""
    if not occasions:
        return {}
    rows = _AT_OCCASIONS.fetch(connection, occasions)
    return {(row[1], row[5], row[0]): row[1:] for row in rows}


def reached_before(connection: Connection, promotion_id: int, customers: Iterable[str]) -> set[str]:
    """Of these customers, those who have had anything of the promotion."""
    rows = _REACHED.fetch(connection, [(promotion_id, customer) for customer in customers])
    return {customer for (customer,) in rows}


def issued_codes(connection: Connection, codes: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
    """Of codes (promotion, seq) of one's own, those that were issued."""
    return {(row[0], row[1]) for row in _ISSUED.fetch(connection, codes)} if codes else set()


def last(connection: Connection, places: Sequence[tuple[int, str]]) -> dict[tuple[int, str], Sequence[Any]]:
    """By promotion and customer, the row of COLUMNS of the code given last, leaving repeats aside."""
    return {(row[0], row[4]): row for row in _LAST.fetch(connection, places)} if places else {}


def first_issued(connection: Connection, codes: Collection[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """When codes (promotion, seq) of one's own were given for the first time, in microseconds."""
    rows = _FIRST_ISSUED.fetch(connection, sorted(codes)) if codes else []
    return {(promotion_id, seq): micros for promotion_id, seq, micros in rows if micros is not None}


def issuance_of(row: Sequence[Any], promotion: Promotion, *, first_issued: int | None = None) -> Issuance:
    """From a row of COLUMNS. Giving a code again does not make it last longer: its time runs from `first_issued`."""
    promotion_id, number, seq, text, customer, kind, issued_at, channel, send, own_expiry, state = row
    since = None if seq == SHARED_SEQ else from_micros(first_issued or issued_at)
    return Issuance(
        promotion_id=promotion_id,
        handle=promotion.terms.handle,
        number=number,
        seq=seq,
        text=text,
        customer=customer,
        kind=IssuanceKind(kind),
        issued_at=from_micros(issued_at),
        expires_at=promotion.expiry(since, None if own_expiry is None else from_micros(own_expiry)),
        channel=channel,
        send=send,
        state=IssuanceState(state or IssuanceState.FINAL),
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
    fields["state"] = IssuanceState(fields.get("state", IssuanceState.FINAL))
    fields["issued_at"] = datetime.fromisoformat(fields["issued_at"])
    if fields["expires_at"] is not None:
        fields["expires_at"] = datetime.fromisoformat(fields["expires_at"])
    return IssueOutcome(issuance=Issuance(**fields), replayed=True)
