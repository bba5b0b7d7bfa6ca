"""Replacing codes that people have, and taking back unseen ones: one transaction, with the promotions locked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import itemgetter

from sqlalchemy import Connection

from promograph.domain.codes.words import OURS, Words
from promograph.domain.decisions import CodeFacts
from promograph.domain.issuing import Issuance, IssuanceKind, IssueOutcome, given_up
from promograph.domain.promotions import OnEmpty
from promograph.domain.redeeming import ValidateRequest
from promograph.domain.refusals import Refusal, RefusalCode, refuse
from promograph.domain.sending.settling import ReturnedCode
from promograph.domain.stock.events import CodeEventKind
from promograph.domain.stock.replacing import ReplaceRequest, own_expiry, why_not_replaced, why_not_returned
from promograph.domain.webhooks.events import WebhookType, replaced
from promograph.store import issuances, line, stock, stock_telling
from promograph.store.codes.events import write_lineage
from promograph.store.codes.giving_back import Unseen, give_back, touched
from promograph.store.line import Code
from promograph.store.statements import Statement
from promograph.store.subjects import Subject, Subjects
from promograph.store.tables.instants import to_micros
from promograph.store.webhooks import outbox

_HELD_BY = Statement(
    "SELECT i.promotion_id, i.seq, i.number, i.occasion, i.channel, i.send, i.state "
    "FROM @rows(promotion_id bigint, seq bigint) r JOIN issuance i "
    "ON i.promotion_id = r.promotion_id AND i.seq = r.seq AND i.kind = 'INITIAL' AND i.seq <> 0"
)
_VOID = Statement(
    "UPDATE code SET void = true, blocked = false FROM @rows(promotion_id bigint, seq bigint) r "
    "WHERE code.promotion_id = r.promotion_id AND code.seq = r.seq"
)
_EXPIRE = Statement(
    "UPDATE code SET expires_at = r.expires_at FROM @rows(promotion_id bigint, seq bigint, expires_at bigint) r "
    "WHERE code.promotion_id = r.promotion_id AND code.seq = r.seq"
)
# The occasion goes to the new issuance: whoever asks for it again gets the new code.
_GIVE_UP_OCCASION = Statement(
    "UPDATE issuance SET occasion = r.occasion FROM @rows(promotion_id bigint, number bigint, occasion text) r "
    "WHERE issuance.promotion_id = r.promotion_id AND issuance.number = r.number"
)


@dataclass(frozen=True, slots=True)
class _Old:
    """A code that is to be replaced, and its issuance."""

    place: int
    request: ReplaceRequest
    subject: Subject
    code: CodeFacts
    number: int
    occasion: str
    channel: str | None
    send: str | None


def replace_codes(
    connection: Connection, requests: Sequence[ReplaceRequest], now: datetime, words: Words = OURS
) -> list[IssueOutcome]:
    """For each request another code for the same customer, on the same occasion, with the same expiry.

    No code that is made for one of them holds any of the words.
    """
    asked = [ValidateRequest(code=request.code) for request in requests]
    subjects = Subjects.locked(connection, asked, now)
    outcomes: dict[int, IssueOutcome] = {}
    olds: list[_Old] = []
    for old, refusal, place in _judged(connection, subjects, requests, asked):
        if old is None:
            outcomes[place] = IssueOutcome(problem=refusal)
        else:
            olds.append(old)
    new = _taken(connection, olds, now, words)
    lucky: list[tuple[_Old, Code]] = []
    for old in olds:
        codes = new[old.subject.promotion.id]
        if codes:
            lucky.append((old, codes.pop(0)))
        else:
            outcomes[old.place] = IssueOutcome(problem=refuse(RefusalCode.POOL_EMPTY))
    outcomes |= _write(connection, lucky, now)
    touched = {old.subject.promotion.id: (old.subject.promotion, old.subject.stock) for old in olds}
    stock_telling.tell(connection, touched.values(), now)
    changed = subjects.changed | {id_: counters for id_, (_, counters) in touched.items()}
    stock.save(connection, changed.values())
    return [outcomes[place] for place in range(len(requests))]


def return_code(connection: Connection, text: str, now: datetime) -> ReturnedCode | Refusal:
    """Give a code that nobody has seen back to its pool; why not, if not."""
    request = ValidateRequest(code=text)
    subjects = Subjects.locked(connection, [request], now)
    subject = subjects.of(request)
    if subject is None or subject.code is None:
        return refuse(RefusalCode.NOT_FOUND)
    promotion, counters, code = subject.promotion, subject.stock, _with_holds(subject, subject.code)
    place = (promotion.id, code.seq)
    was_used, was_held = touched(connection, [place])[place]
    issuance = _HELD_BY.fetch(connection, [place])
    state = issuance[0][6] if issuance else None
    refusal = why_not_returned(promotion, code, was_used=was_used, maybe_seen=was_held or state is not None)
    if refusal is None:
        assert code.holder is not None, "or it would not be issued"
        given = Unseen(
            promotion_id=promotion.id,
            seq=code.seq,
            number=issuance[0][2],
            customer=code.holder,
            blocked=code.blocked,
        )
        give_back(connection, [(promotion, counters)], [given], now)
    stock.save(connection, (subjects.changed | {promotion.id: counters}).values())
    if refusal is not None:
        return refusal
    return ReturnedCode(
        promotion=promotion.terms.handle,
        number=given.number,
        customer=given.customer,
        code=code.text,
        channel=issuance[0][4],
    )


def _judged(
    connection: Connection, subjects: Subjects, requests: Sequence[ReplaceRequest], asked: Sequence[ValidateRequest]
) -> list[tuple[_Old | None, Refusal | None, int]]:
    """Each request as something to do, or why not; a code that comes twice is void the second time."""
    found = [subjects.of(one) for one in asked]
    places = {(one.promotion.id, one.code.seq) for one in found if one is not None and one.code is not None}
    held = {(row[0], row[1]): row[2:] for row in _HELD_BY.fetch(connection, sorted(places))} if places else {}
    judged: list[tuple[_Old | None, Refusal | None, int]] = []
    seen = set[tuple[int, int]]()
    for place, (request, subject) in enumerate(zip(requests, found, strict=True)):
        if subject is None or subject.code is None:
            judged.append((None, refuse(RefusalCode.NOT_FOUND), place))
            continue
        code, key = _with_holds(subject, subject.code), (subject.promotion.id, subject.code.seq)
        refusal = why_not_replaced(subject.promotion, replace(code, void=code.void or key in seen), subjects.now)
        if refusal is not None:
            judged.append((None, refusal, place))
            continue
        seen.add(key)
        number, occasion, channel, send, _ = held[key]
        judged.append((_Old(place, request, subject, code, number, occasion, channel, send), None, place))
    return judged


def _with_holds(subject: Subject, code: CodeFacts) -> CodeFacts:
    return replace(code, holds=subject.holders, held_until=subject.held_until) if subject.holders else code


def _taken(connection: Connection, olds: Sequence[_Old], now: datetime, words: Words) -> dict[int, list[Code]]:
    """New codes by promotion: what sends have booked is left to them."""
    wanted: dict[int, list[_Old]] = {}
    for old in olds:
        wanted.setdefault(old.subject.promotion.id, []).append(old)
    counts = [(group[0].subject.stock, min(len(group), group[0].subject.stock.free)) for group in wanted.values()]
    taken = line.take(connection, counts, to_micros(now))
    for id_, group in wanted.items():
        counters, terms = group[0].subject.stock, group[0].subject.promotion.terms
        counters.available -= len(taken[id_])
        short = len(group) - len(taken[id_])
        if short and terms.on_empty is OnEmpty.GENERATE:
            taken[id_] += line.make(connection, terms.code_format, counters, short, words)
    return taken


def _write(connection: Connection, lucky: Sequence[tuple[_Old, Code]], now: datetime) -> dict[int, IssueOutcome]:
    if not lucky:
        return {}
    outcomes: dict[int, IssueOutcome] = {}
    rows: list[issuances.NewRow] = []
    expiries: list[tuple[int, int, int | None]] = []
    for old, (seq, text, _) in lucky:
        issuance, own = _issuance(old, seq, text, now)
        outcomes[old.place] = IssueOutcome(issuance)
        expiries.append((issuance.promotion_id, seq, own))
        rows.append(
            (
                issuance.promotion_id,
                issuance.number,
                seq,
                issuance.customer,
                old.occasion,
                issuance.kind,
                issuance.channel,
                issuance.send,
                to_micros(now),
                None,
            )
        )
        counters = old.subject.stock
        counters.void += 1
        if old.code.blocked:
            counters.blocked -= 1
            counters.issued += 1
        # Else one code more is out and one less: `issued` stays.
    places = [(old.subject.promotion.id, old.code.seq) for old, _ in lucky]
    freed = [(old.subject.promotion.id, old.number, given_up(old.number)) for old, _ in lucky]
    lineage = [(id_, seq, new[0]) for (id_, seq), (_, new) in zip(places, lucky, strict=True)]
    _VOID.run(connection, sorted(places))
    _EXPIRE.run(connection, sorted(expiries, key=itemgetter(0, 1)))
    _GIVE_UP_OCCASION.run(connection, sorted(freed))
    issuances.insert(connection, rows)
    write_lineage(connection, lineage, CodeEventKind.REPLACED, now)
    write_lineage(connection, [(id_, new, seq) for id_, seq, new in lineage], CodeEventKind.REPLACES, now)
    if any(old.subject.stock.is_heard for old, _ in lucky):
        made = [(old.code.text, outcomes[old.place].issuance) for old, _ in lucky]
        new = (replaced(text, issuance) for text, issuance in made if issuance is not None)
        outbox.tell(connection, new, WebhookType.CODE_REPLACED)
    return outcomes


def _issuance(old: _Old, seq: int, text: str, now: datetime) -> tuple[Issuance, int | None]:
    """The new issuance, and the expiry that its code is given for its own."""
    promotion, counters, code = old.subject.promotion, old.subject.stock, old.code
    assert code.holder is not None, "or it would not be issued"
    counters.issuances += 1
    own = own_expiry(promotion, code)
    issuance = Issuance(
        promotion_id=promotion.id,
        handle=promotion.terms.handle,
        number=counters.issuances,
        seq=seq,
        text=text,
        customer=code.holder,
        kind=IssuanceKind.INITIAL,
        issued_at=now,
        expires_at=promotion.expiry(now, own),
        channel=old.request.channel or old.channel,
        send=old.request.send or old.send,
    )
    return issuance, None if own is None else to_micros(own)
