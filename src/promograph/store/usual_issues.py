"""Requests that each get a first code out of their promotion's pool, and nothing limits how many: the usual ones.

What is done is what `issuing` does, with one look at the store for all that has to be known, and a fraction of the
steps for each promotion and each customer. Where anything in the batch is out of the usual (somebody has a code
already, a cap, a booking, a code in line that is blocked), nothing is done here, and all of it there.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from promograph.domain.issuing import Issuance, IssuanceKind, IssueOutcome, IssueRequest
from promograph.domain.promotions import CodeKind, IssuePolicy, Promotion, PromotionStatus
from promograph.domain.webhooks.events import WebhookType, issued
from promograph.store import issuances, issue_marks, line, stock, stock_telling
from promograph.store.issuances import NewRow
from promograph.store.locking import Locked
from promograph.store.statements import Statement
from promograph.store.stock import Stock
from promograph.store.tables.instants import from_micros, to_micros
from promograph.store.webhooks import outbox

Part = tuple[Promotion, Stock, list[IssueRequest]]
"""A promotion and those who want a code of it, in the order in which they asked."""

Found = dict[tuple[int, int], tuple[str, int | None]]
"""By promotion and number, a code's text and its own expiry in microseconds."""

_OCCASION = ""  # there is one alone


def _look(is_held: str) -> Statement:
    return Statement(
        f"SELECT r.promotion_id, r.seq, coalesce(c.text, c.key), c.expires_at, {is_held} "
        "FROM @rows(promotion_id bigint, seq bigint, customer text) r "
        "JOIN code c ON c.promotion_id = r.promotion_id AND c.seq = r.seq "
        "WHERE NOT c.blocked AND NOT c.void AND c.uses = 0 "
        "AND (c.expires_at IS NULL OR c.expires_at > :now) AND (SELECT i.number FROM issuance i @by(issuance_occasion) "
        "WHERE i.customer = r.customer AND i.promotion_id@aside = r.promotion_id AND i.occasion = '') IS NULL"
    )


_LOOK, _LOOK_AT_HOLDS = _look("false"), _look(line.HELD)


def issue(
    connection: Connection, requests: Sequence[IssueRequest], locked: Mapping[int, Locked], now: datetime
) -> list[IssueOutcome] | None:
    """An outcome each, in their order; None, and nothing done, where one of them is not of the usual kind."""
    parts = _parts(requests, locked, now)
    codes = None if parts is None else _codes(connection, parts, to_micros(now))
    if parts is None or codes is None:
        return None
    stocks = [counters for _, counters, _ in parts]
    issue_marks.mark(connection, stocks, to_micros(now))
    issued_to = _bound(connection, parts, codes, now)
    outcomes = [issued_to[request.promotion, request.customer] for request in requests]
    if stocks[0].is_heard:
        notices = (issued(outcome.issuance) for outcome in outcomes if outcome.issuance is not None)
        outbox.tell(connection, notices, WebhookType.CODE_ISSUED)
    stock_telling.tell(connection, ((promotion, counters) for promotion, counters, _ in parts), now)
    stock.save(connection, stocks)
    return outcomes


def _parts(requests: Sequence[IssueRequest], locked: Mapping[int, Locked], now: datetime) -> list[Part] | None:
    parts = {
        promotion.terms.handle: (promotion, counters, list[IssueRequest]())
        for promotion, counters in locked.values()
        if _is_usual(promotion, counters, now)
    }
    seen = set[tuple[str, str]]()
    for request in requests:
        part = parts.get(request.promotion)
        if part is None or request.tentative:
            return None
        seen.add((request.promotion, request.customer))
        part[2].append(request)
    return list(parts.values()) if parts and len(seen) == len(requests) else None


def _is_usual(promotion: Promotion, counters: Stock, now: datetime) -> bool:
    terms = promotion.terms
    return (
        terms.issue_policy is IssuePolicy.PER_CUSTOMER
        and terms.audience_cap is None
        and terms.code_kind is not CodeKind.SINGLE
        and not counters.booked
        and not counters.erased
        and promotion.status(now) is PromotionStatus.ACTIVE
    )


def _codes(connection: Connection, parts: Sequence[Part], now: int) -> Found | None:
    """The codes that are next in line, where there is a good one for each, and nobody has had one before."""
    if any(c.head + len(asking) > c.tail + 1 for _, c, asking in parts):
        return None  # codes above the tail belong to a load that has not ended
    wanted = [
        (counters.promotion_id, seq, request.customer)
        for _, counters, asking in parts
        for seq, request in enumerate(asking, counters.head)
    ]
    look = _LOOK_AT_HOLDS if any(counters.holds for _, counters, _ in parts) else _LOOK
    rows = look.fetch(connection, wanted, now=now)
    if len(rows) < len(wanted) or any(row[4] for row in rows):
        return None
    return {(promotion_id, seq): (text, expires_at) for promotion_id, seq, text, expires_at, _ in rows}


def _bound(
    connection: Connection, parts: Sequence[Part], codes: Found, now: datetime
) -> dict[tuple[str, str], IssueOutcome]:
    """By handle and customer. The issuances are written, and counted in the stocks."""
    made, rows, micros = dict[tuple[str, str], IssueOutcome](), list[NewRow](), to_micros(now)
    kind = IssuanceKind.INITIAL
    for promotion, counters, asking in parts:
        id_, handle, usual = promotion.id, promotion.terms.handle, promotion.expiry(now)
        seq, number = counters.head, counters.issuances
        for request in asking:
            customer, channel, send = request.customer, request.channel, request.send
            text, own = codes[id_, seq]
            number += 1
            issuance = Issuance(
                promotion_id=id_,
                handle=handle,
                number=number,
                seq=seq,
                text=text,
                customer=customer,
                kind=kind,
                issued_at=now,
                expires_at=usual if own is None else promotion.expiry(now, from_micros(own)),
                channel=channel,
                send=send,
            )
            made[handle, customer] = IssueOutcome(issuance)
            rows.append((id_, number, seq, customer, _OCCASION, kind, channel, send, micros, None))
            seq += 1
        counters.head, counters.issuances = seq, number
        counters.issued += len(asking)
        counters.available -= len(asking)
        counters.customers += len(asking)
    issuances.insert(connection, rows)
    return made
