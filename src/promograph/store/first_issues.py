"""Large calls in which everybody gets a first code out of the pool, which most large calls are from end to end.

Nothing is looked up customer by customer: the unique index of occasions says for nothing whether all of them are new.
What is done is what `issuing` does, with columns in place of requests; where anything is not as plain as that, that is
done instead.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import repeat

from sqlalchemy import Connection

from promograph.domain.codes.words import Words
from promograph.domain.issuing import Issuance, IssuanceKind, IssueRequest, occasion, why_not_open
from promograph.domain.issuing_many import Alike, FirstIssues
from promograph.domain.promotions import CodeKind, IssuePolicy, OnEmpty, Promotion
from promograph.domain.webhooks.events import WebhookType, issued
from promograph.errors import BadInput
from promograph.store import issuances, issue_marks, line, locking, stock, stock_telling, used_up
from promograph.store.bulk import TAKEN
from promograph.store.line import Code
from promograph.store.statements import savepoint
from promograph.store.stock import Stock
from promograph.store.tables.instants import from_micros, to_micros
from promograph.store.webhooks import outbox

# From how many customers on it pays to hope, and how many are looked up first, since some calls are repeats.
_FROM = 50
_LOOKED_UP = 20


class _NotPlain(Exception):
    """It is to be looked at request by request."""


def issue(connection: Connection, many: Alike, now: datetime, words: Words) -> FirstIssues | None:
    """A first code for each of the customers, or None and nothing done."""
    if len(many) < _FROM or len(set(many.customers)) < len(many) or many.like.tentative:
        return None
    try:
        with savepoint(connection):
            return _issue(connection, many.like, many.customers, now, words)
    except (_NotPlain, *TAKEN):
        return None


def _issue(
    connection: Connection, like: IssueRequest, customers: Sequence[str], now: datetime, words: Words
) -> FirstIssues:
    micros = to_micros(now)
    promotion, counters = _locked(connection, like.promotion)
    name = _occasion(promotion, like)
    known = _known(connection, promotion, customers, name)
    _check(promotion, counters, len(customers) - known, now)
    issue_marks.mark(connection, [counters], micros)
    codes = _take(connection, promotion, counters, len(customers), micros, words)
    answer = _answer(promotion, counters, like, customers, codes, now)
    seqs = [seq for seq, _, _ in codes]
    numbers = range(counters.issuances + 1, counters.issuances + 1 + len(customers))
    shared = map(repeat, (name, IssuanceKind.INITIAL, like.channel, like.send, micros, None))
    issuances.insert(connection, list(zip(repeat(promotion.id), numbers, seqs, customers, *shared, strict=False)))
    counters.issuances += len(customers)
    counters.customers += len(customers) - known
    if counters.is_heard:
        notices = (issued(outcome.issuance) for outcome in answer if outcome.issuance is not None)
        outbox.tell(connection, notices, WebhookType.CODE_ISSUED)
    stock_telling.tell(connection, [(promotion, counters)], now)
    stock.save(connection, [counters])
    used_up.end_where_reached(connection, [(promotion, counters)], now)
    return answer


def _locked(connection: Connection, handle: str) -> locking.Locked:
    for locked in locking.by_handle(connection, [handle]).values():
        return locked
    raise _NotPlain


def _occasion(promotion: Promotion, like: IssueRequest) -> str:
    try:
        return occasion(promotion.terms.issue_policy, like)
    except BadInput as problem:
        raise _NotPlain from problem


def _known(connection: Connection, promotion: Promotion, customers: Sequence[str], name: str) -> int:
    """How many of them have had something of the promotion, on other occasions."""
    some = customers[:: -(-len(customers) // _LOOKED_UP)]
    if issuances.at_occasions(connection, [(promotion.id, customer, name) for customer in some]):
        raise _NotPlain
    if promotion.terms.issue_policy is IssuePolicy.PER_CUSTOMER:
        return 0  # there is no other occasion
    return len(issuances.reached_before(connection, promotion.id, customers))


def _check(promotion: Promotion, counters: Stock, new: int, now: datetime) -> None:
    """Whether all may have a code of their own, of those that nobody has booked, under the ids that they come with."""
    cap = promotion.terms.audience_cap
    is_plain = (
        why_not_open(promotion, now) is None
        and promotion.terms.code_kind is not CodeKind.SINGLE
        and not counters.booked
        and not counters.erased
        and (cap is None or counters.customers + new <= cap)
    )
    if not is_plain:
        raise _NotPlain


def _take(
    connection: Connection, promotion: Promotion, counters: Stock, count: int, micros: int, words: Words
) -> list[Code]:
    codes = line.take(connection, [(counters, count)], micros)[promotion.id]
    counters.available -= len(codes)
    if len(codes) < count and promotion.terms.on_empty is OnEmpty.GENERATE:
        codes += line.make(connection, promotion.terms.code_format, counters, count - len(codes), words)
    if len(codes) < count:
        raise _NotPlain
    counters.issued += count
    return codes


def _answer(
    promotion: Promotion,
    counters: Stock,
    like: IssueRequest,
    customers: Sequence[str],
    codes: Sequence[Code],
    now: datetime,
) -> FirstIssues:
    seq, text, _ = codes[0]
    first = Issuance(
        promotion_id=promotion.id,
        handle=promotion.terms.handle,
        number=counters.issuances + 1,
        seq=seq,
        text=text,
        customer=customers[0],
        kind=IssuanceKind.INITIAL,
        issued_at=now,
        expires_at=None,
        channel=like.channel,
        send=like.send,
    )
    usual = promotion.expiry(now)
    ends = [(seq, text, usual if own is None else promotion.expiry(now, from_micros(own))) for seq, text, own in codes]
    return FirstIssues(first, customers, ends)
