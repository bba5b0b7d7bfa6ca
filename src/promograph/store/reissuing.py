"""Giving a customer the same code again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection

from promograph.domain.decisions import SHARED_SEQ, CodeFacts, why_useless
from promograph.domain.issuing import (
    Issuance,
    IssuanceKind,
    IssuanceState,
    IssueOutcome,
    IssueRequest,
    repeat_in_message,
    repeat_occasion,
)
from promograph.domain.promotions import Promotion
from promograph.domain.refusals import RefusalCode, refuse
from promograph.domain.webhooks.events import WebhookType, issued
from promograph.store import issuances, locking, stock, tentative
from promograph.store.issuing import unknown_promotion
from promograph.store.replays import Replays
from promograph.store.returning import as_asked, known_again
from promograph.store.statements import Statement
from promograph.store.stock import Stock
from promograph.store.tables.instants import from_micros, to_micros
from promograph.store.tentative import Carriers
from promograph.store.webhooks import outbox

REPLAYS: Replays[IssueRequest, IssueOutcome] = Replays(
    operation="codeReissue",
    dump=issuances.dump_outcome,
    load=issuances.load_outcome,
    turn_down=lambda problem: IssueOutcome(problem=problem),
)

_CODES = Statement(
    "SELECT c.promotion_id, c.seq, c.blocked, c.void, c.uses, c.expires_at "
    "FROM @rows(promotion_id bigint, seq bigint) r JOIN code c ON c.promotion_id = r.promotion_id AND c.seq = r.seq"
)


def reissue(connection: Connection, requests: Sequence[IssueRequest], now: datetime) -> list[IssueOutcome]:
    """For each request the code that its customer was given last by the promotion, recorded as a REPEAT.

    Where that is tentative, the message that repeats it carries it too; without one, it is final.
    """
    outcomes = REPLAYS.answer(connection, requests, lambda fresh: _reissue(connection, fresh, now), now=to_micros(now))
    has_keys = any(request.idempotency_key for request in requests)
    return tentative.without_returned(connection, outcomes) if has_keys else outcomes


def _reissue(connection: Connection, requests: Sequence[IssueRequest], now: datetime) -> list[IssueOutcome]:
    locked = locking.by_handle(connection, {request.promotion for request in requests})
    parts = {promotion.terms.handle: (promotion, counters) for promotion, counters in locked.values()}
    requests, asked = known_again(connection, requests, {handle: part[1] for handle, part in parts.items()})
    ground = _Ground(connection, [(parts[one.promotion][0], one) for one in requests if one.promotion in parts])
    rows: list[issuances.NewRow] = []
    carriers = Carriers()
    outcomes = []
    for request in requests:
        if request.promotion not in parts:
            outcomes.append(IssueOutcome(problem=unknown_promotion(request.promotion)))
            continue
        promotion, counters = parts[request.promotion]
        occasion = _occasion(promotion, request)
        earlier = ground.earlier.get(occasion)
        if earlier is not None:
            outcomes.append(IssueOutcome(issuance=earlier, replayed=True))
            # Whether its code is tentative yet is asked where that is written.
            carriers.join(replace(earlier, state=IssuanceState.TENTATIVE), request)
            continue
        outcome = _repeat(promotion, counters, request, ground, now)
        if outcome.issuance is not None:
            carriers.join(ground.given(promotion, request.customer), request)
            rows.append(_row(outcome.issuance, occasion[2]))
            ground.earlier[occasion] = outcome.issuance
        outcomes.append(outcome)
    issuances.insert(connection, rows)
    carriers.write(connection)
    if any(counters.is_heard for _, counters in locked.values()):
        new = (issued(one.issuance) for one in outcomes if one.issuance is not None and not one.replayed)
        outbox.tell(connection, new, WebhookType.CODE_ISSUED)
    stock.save(connection, [counters for _, counters in locked.values()])
    return list(as_asked(outcomes, asked))


def _occasion(promotion: Promotion, request: IssueRequest) -> issuances.Occasion:
    """Giving the code again for one message is one act; without a message, each call is an act of its own."""
    if request.message is not None and request.idempotency_key is None:
        return promotion.id, request.customer, repeat_in_message(request.message)
    return promotion.id, request.customer, repeat_occasion(request.idempotency_key or str(uuid4()))


class _Ground:
    """What is known of those who ask, read for all of them at once. The stocks must be locked."""

    def __init__(self, connection: Connection, asked: Sequence[tuple[Promotion, IssueRequest]]) -> None:
        promotions = {promotion.id: promotion for promotion, _ in asked}
        places = {(promotion.id, request.customer) for promotion, request in asked}
        occasions = [_occasion(*one) for one in asked if one[1].message is not None]
        again = issuances.at_occasions(connection, occasions)
        firsts = issuances.first_issued(connection, {(row[0], row[2]) for row in again.values()})
        self.earlier = {
            key: issuances.issuance_of(row, promotions[key[0]], first_issued=firsts.get((row[0], row[2])))
            for key, row in again.items()
        }
        last = issuances.last(connection, sorted(places))
        self._last = {place: issuances.issuance_of(row, promotions[place[0]]) for place, row in last.items()}
        codes = sorted({(issuance.promotion_id, issuance.seq) for issuance in self._last.values()})
        self._codes = {(row[0], row[1]): tuple(row[2:]) for row in _CODES.fetch(connection, codes)}

    def given(self, promotion: Promotion, customer: str) -> Issuance:
        """What `last` found."""
        return self._last[promotion.id, customer]

    def last(self, promotion: Promotion, customer: str) -> tuple[Issuance, CodeFacts] | None:
        """The code that the customer was given last, leaving repeats aside."""
        last = self._last.get((promotion.id, customer))
        if last is None:
            return None
        blocked, void, uses, expires_at = self._codes[last.promotion_id, last.seq]
        is_shared = last.seq == SHARED_SEQ
        return last, CodeFacts(
            seq=last.seq,
            text=last.text,
            blocked=bool(blocked),
            void=bool(void),
            uses=uses,
            expires_at=None if expires_at is None else from_micros(expires_at),
            holder=None if is_shared else last.customer,
            issued_at=None if is_shared else last.issued_at,
        )


def _repeat(
    promotion: Promotion, counters: Stock, request: IssueRequest, ground: _Ground, now: datetime
) -> IssueOutcome:
    found = ground.last(promotion, request.customer)
    if found is None:
        return IssueOutcome(problem=refuse(RefusalCode.NOTHING_HELD))
    last, code = found
    # Repeating a code that can never be redeemed any more helps nobody; one whose time has yet to come is fine.
    refusal = why_useless(promotion, code, now)
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
        state=IssuanceState.FINAL,
    )
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
        None,
    )
