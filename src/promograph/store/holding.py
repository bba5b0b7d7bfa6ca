"""Holding and releasing: one transaction for any number of carts, decided as redeeming is."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from promograph.domain.carts import Money
from promograph.domain.discounts import load_discount
from promograph.domain.redeeming import Hold, HoldOutcome, HoldRequest, HoldState
from promograph.domain.refusals import Refusal, RefusalCode, refuse
from promograph.store import holds, locking, stock
from promograph.store.replays import Replays
from promograph.store.subjects import Subjects
from promograph.store.tables.instants import to_micros
from promograph.store.taking import NotTaken, Taken, Taking


def _dump(outcome: HoldOutcome) -> Any:
    if outcome.problem is not None:
        return None
    return {
        "hold": outcome.hold,
        "refusals": [(refusal.code, dict(refusal.data)) for refusal in outcome.refusals],
        "holder_named": outcome.holder_named,
    }


def _load(kept: Any) -> HoldOutcome:
    return HoldOutcome(
        hold=None if kept["hold"] is None else _loaded(kept["hold"]),
        refusals=tuple(Refusal(RefusalCode(code), data) for code, data in kept["refusals"]),
        holder_named=kept["holder_named"],
        replayed=True,
    )


def _loaded(fields: dict[str, Any]) -> Hold:
    for name in ("held_at", "expires_at"):
        fields[name] = datetime.fromisoformat(fields[name])
    if fields["discount"] is not None:
        fields["discount"] = Money(**fields["discount"])
    if fields["taken"] is not None:
        fields["taken"] = load_discount(fields["taken"])
    return Hold(**fields)


REPLAYS: Replays[HoldRequest, HoldOutcome] = Replays(
    operation="codeHold", dump=_dump, load=_load, turn_down=lambda problem: HoldOutcome(problem=problem)
)


def hold(connection: Connection, requests: Sequence[HoldRequest], now: datetime) -> list[HoldOutcome]:
    """An outcome a request, in their order, each a cart of its own."""
    return REPLAYS.answer(connection, requests, lambda fresh: _hold(connection, fresh, now), now=to_micros(now))


def _hold(connection: Connection, requests: Sequence[HoldRequest], now: datetime) -> list[HoldOutcome]:
    subjects = Subjects.locked(connection, requests, now)
    taking = Taking(subjects)
    outcomes: list[HoldOutcome] = []
    made: list[Hold] = []
    replaced: list[tuple[Hold, HoldState, int | None]] = []
    changed = dict(subjects.changed)
    for request in requests:
        (verdict,) = taking.decide([request], taking.count_hold)
        if isinstance(verdict, NotTaken):
            outcomes.append(
                HoldOutcome(refusals=verdict.refusals, problem=verdict.problem, holder_named=verdict.names_holder)
            )
            continue
        made.append(_made(request, verdict, now))
        # For whoever comes later in this batch and wants to know until when.
        subject, until = verdict.subject, made[-1].expires_at
        subject.held_until = until if subject.held_until is None else max(subject.held_until, until)
        outcomes.append(HoldOutcome(made[-1], holder_named=verdict.names_holder))
        changed[made[-1].promotion_id] = verdict.subject.stock
        if verdict.own is not None:
            replaced.append((verdict.own, HoldState.RELEASED, None))
    if made:
        holds.insert(connection, made)
    holds.end(connection, replaced, now)
    stock.save(connection, changed.values())
    return outcomes


def _made(request: HoldRequest, taken: Taken, now: datetime) -> Hold:
    promotion, code = taken.subject.promotion, taken.subject.code
    taken.subject.stock.hold_number += 1
    return Hold(
        promotion_id=promotion.id,
        handle=promotion.terms.handle,
        number=taken.subject.stock.hold_number,
        seq=None if code is None else code.seq,
        text=None if code is None else code.text,
        token=secrets.token_urlsafe(24),
        held_at=now,
        expires_at=now + request.ttl,
        customer=taken.customer,
        order=request.order,
        discount=taken.decision.money,
        channel=request.channel,
        taken=taken.decision.discount,
    )


@dataclass(frozen=True, slots=True)
class ReleaseOutcome:
    """The hold as it is then; refused for a token that is none, and for a hold that was redeemed."""

    hold: Hold | None = None
    refusals: tuple[Refusal, ...] = ()


def release(connection: Connection, token: str, now: datetime) -> ReleaseOutcome:
    """End an open hold. One that is over already, released or lapsed, is fine too: there is nothing to give back."""
    found = holds.by_token(connection, [token]).get(token)
    if found is None:
        return ReleaseOutcome(refusals=(refuse(RefusalCode.HOLD_NOT_FOUND),))
    locked = locking.by_id(connection, [found.promotion_id])
    promotion, counters = locked[found.promotion_id]
    holds.lapse(connection, [counters], now)
    found = holds.by_token(connection, [token])[token]
    if found.ended is None:
        counters.holds -= 1
        counters.held -= promotion.counted(found.discount)
        holds.end(connection, [(found, HoldState.RELEASED, None)], now)
        found = replace(found, ended=HoldState.RELEASED, ended_at=now)
    stock.save(connection, [counters])  # whatever the answer: others may have lapsed
    if found.ended is HoldState.REDEEMED:
        return ReleaseOutcome(found, (refuse(RefusalCode.HOLD_OVER, state=HoldState.REDEEMED),))
    return ReleaseOutcome(found)
