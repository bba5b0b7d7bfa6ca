"""What happened to a code, from the rows that were written as it happened.

Issuances, holds, redemptions, rollbacks and what was done by hand are never overwritten nor deleted (a hold is ended
once), and each is written in the transaction that it tells of: together they are the ledger.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from promograph.domain.carts import Money
from promograph.domain.redeeming import HoldState
from promograph.domain.stock.events import CodeEvent, CodeEventKind
from promograph.store import histories, holds
from promograph.store.statements import Statement
from promograph.store.tables.instants import from_micros, to_micros

_MOST = 100

_ADDED = Statement(
    "SELECT created_at, channel FROM batch "
    "WHERE promotion_id = :promotion_id AND first_seq <= :seq AND last_seq >= :seq"
)
_HOLDS = Statement(
    f"SELECT {holds.COLUMNS} FROM hold h WHERE h.promotion_id = :promotion_id AND h.seq = :seq "
    f"ORDER BY h.number DESC LIMIT {_MOST}"
)
_ROLLBACKS = Statement(
    "SELECT b.rolled_back_at, b.minor, b.currency, b.reason, d.customer, d.order_ref "
    "FROM redemption d @by(redemption_code) JOIN rollback b ON b.promotion_id = d.promotion_id AND b.number = d.number "
    "WHERE d.promotion_id = :promotion_id AND d.seq = :seq "
    f"ORDER BY b.number DESC, b.part DESC LIMIT {_MOST}"
)
_BY_HAND = Statement(
    "SELECT e.kind, e.happened_at, e.other, CASE WHEN e.kind <> 'RETURNED' THEN (SELECT coalesce(c.text, c.key) "
    "FROM code c WHERE c.promotion_id = e.promotion_id AND c.seq = e.other) END FROM code_event e "
    f"WHERE e.promotion_id = :promotion_id AND e.seq = :seq ORDER BY e.id DESC LIMIT {_MOST}"
)
_REPEATED = Statement(
    "SELECT i.issued_at, i.channel FROM issuance i @by(issuance_occasion) WHERE i.customer = :customer "
    "AND i.promotion_id + 0 = :promotion_id AND i.seq + 0 = :seq AND i.state = 'RETURNED' AND i.kind = 'REPEAT' "
    f"AND i.number + 0 > :number AND i.issued_at <= :until ORDER BY i.number + 0 DESC LIMIT {_MOST}"
)
_WRITE_LINEAGE = Statement(
    "INSERT INTO code_event (promotion_id, seq, other, kind, happened_at) SELECT r.promotion_id, r.seq, r.other, "
    ":kind, :now FROM @rows(promotion_id bigint, seq bigint, other bigint) r"
)
_WRITE = Statement(
    "INSERT INTO code_event (promotion_id, seq, kind, happened_at) SELECT r.promotion_id, r.seq, :kind, :now "
    "FROM @rows(promotion_id bigint, seq bigint) r"
)
# Of what happened in the same instant, the later comes first: so is the order of a code's life.
_ORDER = list(CodeEventKind)


def read(connection: Connection, promotion_id: int, seq: int, now: datetime) -> list[CodeEvent]:
    """The latest first; at most the last 100 of each kind."""

    def rows(statement: Statement) -> list[Any]:
        return statement.fetch(connection, promotion_id=promotion_id, seq=seq)

    events = [
        *_issued(connection, promotion_id, seq),
        *_redeemed(connection, promotion_id, seq),
        *(event for row in rows(_HOLDS) for event in _of_hold(row, now)),
        *(_rolled_back(row) for row in rows(_ROLLBACKS)),
        *(event for row in rows(_BY_HAND) for event in _by_hand(connection, promotion_id, row)),
    ]
    for at, channel in rows(_ADDED):
        events.append(CodeEvent(kind=CodeEventKind.ADDED, at=from_micros(at), channel=channel))
    return sorted(events, key=lambda event: (event.at, _ORDER.index(event.kind)), reverse=True)


def write_events(connection: Connection, places: Sequence[tuple[int, int]], kind: CodeEventKind, now: datetime) -> None:
    """Tell of these codes (promotion, number) what is being done to them by hand."""
    _WRITE.run(connection, places, kind=str(kind), now=to_micros(now))


def write_lineage(
    connection: Connection, rows: Sequence[tuple[int, int, int]], kind: CodeEventKind, now: datetime
) -> None:
    """The same with what else each is about: (promotion, number, `CodeEventRow.other`)."""
    _WRITE_LINEAGE.run(connection, sorted(rows), kind=str(kind), now=to_micros(now))


def _by_hand(connection: Connection, promotion_id: int, row: Sequence[Any]) -> Iterator[CodeEvent]:
    """What was done; of a code that was given back, to whom it had been issued too."""
    kind, at, other, code = row
    issuance = histories.issuance_at(connection, promotion_id, other) if kind == CodeEventKind.RETURNED else None
    customer = None if issuance is None else issuance.customer
    yield CodeEvent(kind=CodeEventKind(kind), at=from_micros(at), customer=customer, code=code)
    if issuance is None:
        return
    yield CodeEvent(kind=CodeEventKind.ISSUED, at=issuance.issued_at, customer=customer, channel=issuance.channel)
    repeats = _REPEATED.fetch(
        connection, customer=customer, promotion_id=promotion_id, seq=issuance.seq, number=issuance.number, until=at
    )
    for micros, channel in repeats:
        yield CodeEvent(kind=CodeEventKind.REPEATED, at=from_micros(micros), customer=customer, channel=channel)


def _issued(connection: Connection, promotion_id: int, seq: int) -> Iterator[CodeEvent]:
    for issuance in histories.issuances_of(connection, promotion_id, seq):
        repeated = issuance.kind == "REPEAT"
        yield CodeEvent(
            kind=CodeEventKind.REPEATED if repeated else CodeEventKind.ISSUED,
            at=issuance.issued_at,
            customer=issuance.customer,
            channel=issuance.channel,
        )


def _redeemed(connection: Connection, promotion_id: int, seq: int) -> Iterator[CodeEvent]:
    for use in histories.redemptions_of(connection, promotion_id, seq):
        yield CodeEvent(
            kind=CodeEventKind.REDEEMED,
            at=use.redeemed_at,
            customer=use.customer,
            order=use.order,
            amount=use.discount,
            channel=use.channel,
        )


def _of_hold(row: Sequence[Any], now: datetime) -> Iterator[CodeEvent]:
    """Its beginning, and its end unless that was a redemption, which speaks for itself."""
    hold = holds.hold_of(row, "")

    def event(kind: CodeEventKind, at: datetime) -> CodeEvent:
        return CodeEvent(
            kind=kind, at=at, customer=hold.customer, order=hold.order, amount=hold.discount, channel=hold.channel
        )

    yield event(CodeEventKind.HELD, hold.held_at)
    state = hold.state(now)
    if state is HoldState.LAPSED:
        yield event(CodeEventKind.LAPSED, hold.expires_at)
    elif state is HoldState.RELEASED and hold.ended_at is not None:
        yield event(CodeEventKind.RELEASED, hold.ended_at)


def _rolled_back(row: Sequence[Any]) -> CodeEvent:
    at, minor, currency, reason, customer, order = row
    return CodeEvent(
        kind=CodeEventKind.ROLLED_BACK,
        at=from_micros(at),
        customer=customer,
        order=order,
        amount=None if minor is None else Money(minor=minor, currency=currency),
        reason=reason,
    )
