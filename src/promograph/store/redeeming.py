"""Validating and redeeming: one transaction for any number of carts, decided as `taking` says."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import Any

from sqlalchemy import Connection

from promograph.domain.decisions import expiry, uses_limit
from promograph.domain.promotions import CodeKind
from promograph.domain.redeeming import (
    HoldState,
    RedeemCall,
    RedeemOutcome,
    RedeemRequest,
    Redemption,
    ValidateRequest,
    Validation,
)
from promograph.domain.webhooks.events import WebhookType, redeemed
from promograph.store import code_uses, holds, line, plain_redeeming, redemptions, stock, stock_telling, used_up
from promograph.store.replays import Replays
from promograph.store.subjects import Subject, Subjects
from promograph.store.tables.instants import to_micros
from promograph.store.taking import NotTaken, Taken, Taking, Verdict
from promograph.store.webhooks import outbox


def _on_time(request: RedeemRequest) -> RedeemRequest:
    """A sale reported late is the one that was asked for on time, should that have come through unanswered."""
    return request if request.redeemed_at is None else replace(request, redeemed_at=None)


REPLAYS: Replays[RedeemRequest, RedeemOutcome] = Replays(
    operation="codeRedeem",
    dump=redemptions.dump_outcome,
    load=redemptions.load_outcome,
    turn_down=lambda problem: RedeemOutcome(problem=problem),
    meant=_on_time,
)


def _dump_call(outcomes: list[RedeemOutcome]) -> Any:
    dumped = [redemptions.dump_outcome(outcome) for outcome in outcomes]
    return None if None in dumped else dumped


CALL_REPLAYS: Replays[RedeemCall, list[RedeemOutcome]] = Replays(
    operation="codesRedeem",
    dump=_dump_call,
    load=lambda kept: [redemptions.load_outcome(one) for one in kept],
    turn_down=lambda problem: [RedeemOutcome(problem=problem)],
    meant=lambda call: replace(call, requests=tuple(_on_time(request) for request in call.requests)),
)


def look(connection: Connection, carts: Sequence[Sequence[ValidateRequest]], now: datetime) -> list[list[Validation]]:
    """What redeeming would say now of each cart's requests, in their order. Changes nothing, takes no lock."""
    taking = Taking(Subjects.looked_at(connection, list(chain.from_iterable(carts)), now), is_rehearsal=True)
    return [_validations(taking, requests) for requests in carts]


def redeem(
    connection: Connection, requests: Sequence[RedeemRequest], now: datetime, sold_at: datetime | None = None
) -> list[RedeemOutcome]:
    """An outcome a request, in their order, each a cart of its own. The first of those who want the last use has it.

    `sold_at` is when all of these sales were, where they are reported late.
    """

    def run(fresh: Sequence[RedeemRequest]) -> list[RedeemOutcome]:
        return _redeem_each(Subjects.under_lock(connection, fresh, now, sold_at), fresh)

    return REPLAYS.answer(connection, requests, run, now=to_micros(now))


def redeem_calls(
    connection: Connection, calls: Sequence[RedeemCall], now: datetime, sold_at: datetime | None = None
) -> list[list[RedeemOutcome]]:
    """The outcomes of each call's requests, in their order: all of a call are redeemed, or none."""

    def run(fresh: Sequence[RedeemCall]) -> list[list[RedeemOutcome]]:
        carts = [call.requests for call in fresh]
        return _redeem(Subjects.under_lock(connection, list(chain.from_iterable(carts)), now, sold_at), carts)

    return CALL_REPLAYS.answer(connection, calls, run, now=to_micros(now))


def _redeem_each(subjects: Subjects, requests: Sequence[RedeemRequest]) -> list[RedeemOutcome]:
    plain = plain_redeeming.redeem(subjects, requests)
    others = [[request] for place, request in enumerate(requests) if place not in plain]
    rest = chain.from_iterable(_redeem(subjects, others) if others else ())
    return [plain[place] if place in plain else next(rest) for place in range(len(requests))]


def _redeem(subjects: Subjects, carts: Sequence[Sequence[RedeemRequest]]) -> list[list[RedeemOutcome]]:
    subjects.learn(list(chain.from_iterable(carts)))
    taking = Taking(subjects)
    verdicts = [taking.decide(requests, taking.count_use) for requests in carts]
    accepted = [one for one in chain.from_iterable(verdicts) if isinstance(one, Taken)]
    made = iter(_write(subjects, accepted))
    return [[_outcome(one, made) for one in of_cart] for of_cart in verdicts]


def _outcome(verdict: Verdict, made: Iterator[Redemption]) -> RedeemOutcome:
    if isinstance(verdict, NotTaken):
        return RedeemOutcome(refusals=verdict.refusals, problem=verdict.problem, holder_named=verdict.names_holder)
    return RedeemOutcome(next(made), holder_named=verdict.names_holder)


def _write(subjects: Subjects, accepted: Sequence[Taken]) -> list[Redemption]:
    """Count the uses and write the redemptions, each with its number."""
    connection, now = subjects.connection, subjects.now
    made = [_redemption(taken, subjects) for taken in accepted]
    used = list({id(taken.subject): taken.subject for taken in accepted}.values())
    coded = [subject for subject in used if subject.code is not None]
    code_uses.add(connection, (_use(subject) for subject in coded))
    for subject in coded:
        _count_first_use(subjects, subject)
    if made:
        redemptions.insert(connection, [redemptions.new_row(one) for one in made])
    if any(subject.stock.is_heard for subject in used):
        outbox.tell(connection, map(redeemed, made), WebhookType.CODE_REDEEMED)
    ended = [
        (taken.own, HoldState.REDEEMED, one.number)
        for taken, one in zip(accepted, made, strict=True)
        if taken.own is not None and taken.own.ended is None
    ]
    holds.end(connection, ended, now)
    used_up.end_where_reached(connection, ((subject.promotion, subject.stock) for subject in used), now)
    changed = subjects.changed | {subject.promotion.id: subject.stock for subject in used}
    stock_telling.tell(connection, ((subject.promotion, subject.stock) for subject in used), now)
    stock.save(connection, changed.values())
    return made


def _use(subject: Subject) -> tuple[int, int, int]:
    assert subject.code is not None
    return subject.promotion.id, subject.code.seq, subject.fresh_uses


def _redemption(taken: Taken, subjects: Subjects) -> Redemption:
    request, promotion, code = taken.request, taken.subject.promotion, taken.subject.code
    assert isinstance(request, RedeemRequest)
    taken.subject.stock.redemption_number += 1
    own = taken.own
    return Redemption(
        promotion_id=promotion.id,
        handle=promotion.terms.handle,
        number=taken.subject.stock.redemption_number,
        seq=None if code is None else code.seq,
        text=None if code is None else code.text,
        customer=taken.customer,
        redeemed_at=subjects.sold_at,
        reported_at=subjects.now if subjects.is_late else None,
        order=request.order or (None if own is None else own.order),
        order_amount=request.order_amount,
        discount=taken.decision.money,
        channel=request.channel or (None if own is None else own.channel),
        taken=taken.decision.discount,
    )


def _count_first_use(subjects: Subjects, subject: Subject) -> None:
    code, counters = subject.code, subject.stock
    assert code is not None
    if code.uses or (code.is_shared and subject.promotion.terms.code_kind is not CodeKind.SINGLE):
        return  # it was used before, or it is a fallback, which is outside the counts
    counters.redeemed += 1
    waited = not counters.issued if code.is_shared else code.issued_at is None
    if waited:
        # Used by somebody to whom it was never issued by name (print, partners): it has left the line all the same.
        # One that a hold was promised may have expired since, and the line may have come past it.
        own_expiry = None if code.expires_at is None else to_micros(code.expires_at)
        if line.has_passed_for_good(subjects.connection, counters, code.seq, own_expiry, to_micros(subjects.now)):
            counters.void -= 1
        else:
            counters.available -= 1
        counters.issued += 1


def _validations(taking: Taking, requests: Sequence[ValidateRequest]) -> list[Validation]:
    verdicts = taking.decide(requests, taking.count_use)
    answers = [_validation(request, verdict) for request, verdict in zip(requests, verdicts, strict=True)]
    for verdict in verdicts:
        if isinstance(verdict, Taken):
            taking.count_use(verdict, -1)  # the next cart is looked at as if this one had only asked
    return answers


def _validation(request: ValidateRequest, verdict: Verdict) -> Validation:
    subject = verdict.subject
    if subject is None:
        assert isinstance(verdict, NotTaken), "what is taken has a subject"
        return Validation(text=request.code, refusals=verdict.refusals, problem=verdict.problem)
    promotion, code = subject.promotion, subject.code
    limit = None if code is None else uses_limit(promotion, code)
    uses = 0 if code is None else code.uses + subject.holders
    return Validation(
        text=None if code is None else code.text,
        refusals=verdict.refusals if isinstance(verdict, NotTaken) else (),
        promotion=promotion,
        expires_at=expiry(promotion, code),
        uses_left=None if limit is None else max(limit - uses, 0),
        discount=None if isinstance(verdict, NotTaken) else verdict.decision.discount,
        holder_named=verdict.names_holder,
        is_valid=isinstance(verdict, Taken),
    )
