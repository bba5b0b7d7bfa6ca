"""Giving a customer the same code again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection

from promograph.domain.decisions import SHARED_SEQ, CodeFacts, why_useless
from promograph.domain.issuing import Issuance, IssuanceKind, IssueOutcome, IssueRequest, repeat_occasion
from promograph.domain.promotions import Promotion
from promograph.domain.refusals import Refusal, RefusalCode, refuse
from promograph.store import issuances, locking, stock
from promograph.store.issuing import unknown_promotion
from promograph.store.replays import Replays
from promograph.store.statements import Statement
from promograph.store.stock import Stock
from promograph.store.tables import from_micros, to_micros

REPLAYS: Replays[IssueRequest, IssueOutcome] = Replays(
    operation="codeReissue",
    dump=issuances.dump_outcome,
    load=issuances.load_outcome,
    turn_down=lambda problem: IssueOutcome(problem=problem),
)

_CODE = Statement("SELECT blocked, void, uses, expires_at FROM code WHERE promotion_id = :promotion_id AND seq = :seq")


def reissue(connection: Connection, requests: Sequence[IssueRequest], now: datetime) -> list[IssueOutcome]:
    """For each request the code that its customer was given last by the promotion, recorded as a REPEAT."""
    return REPLAYS.answer(connection, requests, lambda fresh: _reissue(connection, fresh, now), now=to_micros(now))


def _reissue(connection: Connection, requests: Sequence[IssueRequest], now: datetime) -> list[IssueOutcome]:
    locked = locking.by_handle(connection, {request.promotion for request in requests})
    by_handle = {promotion.terms.handle: (promotion, counters) for promotion, counters in locked.values()}
    outcomes = []
    for request in requests:
        found = by_handle.get(request.promotion)
        if found is None:
            outcomes.append(IssueOutcome(problem=unknown_promotion(request.promotion)))
            continue
        outcomes.append(_repeat(connection, *found, request, now))
    stock.save(connection, [counters for _, counters in locked.values()])
    return outcomes


def _repeat(
    connection: Connection, promotion: Promotion, counters: Stock, request: IssueRequest, now: datetime
) -> IssueOutcome:
    last = issuances.last(connection, promotion, request.customer)
    if last is None:
        return IssueOutcome(problem=refuse(RefusalCode.NOTHING_HELD))
    refusal = _why_useless(connection, promotion, last, now)
    if refusal is not None:
        return IssueOutcome(problem=refusal)
    counters.issuances += 1
    counters.repeats += 1
    # The code's own expiry stays as it was: only the act of giving it is new.
    repeated = replace(
        last,
        number=counters.issuances,
        kind=IssuanceKind.REPEAT,
        issued_at=now,
        channel=request.channel,
        send=request.send,
    )
    occasion = repeat_occasion(request.idempotency_key or str(uuid4()))
    issuances.insert(connection, [_row(repeated, occasion)])
    return IssueOutcome(issuance=repeated)


def _row(repeated: Issuance, occasion: str) -> issuances.NewRow:
    return (
        repeated.promotion_id,
        repeated.number,
        repeated.seq,
        repeated.customer,
        occasion,
        repeated.kind,
        repeated.channel,
        repeated.send,
        to_micros(repeated.issued_at),
    )


def _why_useless(connection: Connection, promotion: Promotion, last: Issuance, now: datetime) -> Refusal | None:
    """Repeating a code that can never be redeemed any more helps nobody; one whose time has yet to come is fine."""
    blocked, void, uses, expires_at = _CODE.fetch(connection, promotion_id=promotion.id, seq=last.seq)[0]
    code = CodeFacts(
        seq=last.seq,
        text=last.text,
        blocked=bool(blocked),
        void=bool(void),
        uses=uses,
        expires_at=None if expires_at is None else from_micros(expires_at),
        holder=None if last.seq == SHARED_SEQ else last.customer,
        issued_at=None if last.seq == SHARED_SEQ else last.issued_at,
    )
    return why_useless(promotion, code, now)
