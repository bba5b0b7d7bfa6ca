"""Undoing redemptions, whole or in part, any time later: the money comes back at once, the use with the last of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from promograph.domain.carts import Money
from promograph.domain.promotions import CodeKind, Promotion
from promograph.domain.redeeming import Redemption, Rollback, RollbackOutcome, RollbackRequest
from promograph.domain.refusals import RefusalCode, refuse
from promograph.errors import BadInput, InputProblem
from promograph.store import histories, issuances, line, locking, stock, stock_telling
from promograph.store.locking import Locked
from promograph.store.replays import Replays
from promograph.store.statements import Statement
from promograph.store.stock import Stock
from promograph.store.tables.instants import from_micros, to_micros

_EARLIER = Statement(
    "SELECT part, is_whole, minor, currency, reason, rolled_back_at FROM rollback "
    "WHERE promotion_id = :promotion_id AND number = :number ORDER BY part"
)
_NEW = Statement(
    "INSERT INTO rollback (promotion_id, number, part, is_whole, minor, currency, reason, rolled_back_at) "
    "VALUES (:promotion_id, :number, :part, :is_whole, :minor, :currency, :reason, :now)"
)
_UNUSE = Statement(
    "UPDATE code SET uses = uses - 1 WHERE promotion_id = :promotion_id AND seq = :seq RETURNING uses, blocked, void"
)


def _dump(outcome: RollbackOutcome) -> Any:
    if outcome.problem is not None or outcome.rollback is None:
        return None
    return {
        "promotion_id": outcome.rollback.promotion_id,
        "number": outcome.rollback.number,
        "part": outcome.rollback.part,
    }


def roll_back(connection: Connection, request: RollbackRequest, now: datetime) -> RollbackOutcome:
    """One redemption's; the first answer again where the key has one.

    The promotion is locked before the key is looked up: of two calls under one key the later finds the first's answer,
    and not what the first has left of the redemption.
    """
    locked = locking.by_id(connection, [request.promotion_id]).get(request.promotion_id)
    replays: Replays[RollbackRequest, RollbackOutcome] = Replays(
        operation="redemptionRollback",
        dump=_dump,
        load=lambda kept: _again(connection, **kept),
        turn_down=lambda problem: RollbackOutcome(problem=problem),
    )
    (outcome,) = replays.answer(
        connection,
        [request],
        lambda fresh: [_roll_back(connection, locked, one, now) for one in fresh],
        now=to_micros(now),
    )
    return outcome


def rollbacks_of(connection: Connection, promotion_id: int, number: int) -> list[Rollback]:
    """What was undone of a redemption, in order."""
    rows = _EARLIER.fetch(connection, promotion_id=promotion_id, number=number)
    return [
        Rollback(
            promotion_id=promotion_id,
            number=number,
            part=part,
            is_whole=bool(is_whole),
            rolled_back_at=from_micros(at),
            amount=None if minor is None else Money(minor=minor, currency=currency),
            reason=reason,
        )
        for part, is_whole, minor, currency, reason, at in rows
    ]


def _again(connection: Connection, promotion_id: int, number: int, part: int) -> RollbackOutcome:
    made = rollbacks_of(connection, promotion_id, number)[part - 1]
    return RollbackOutcome(made, histories.redemption_at(connection, promotion_id, number), replayed=True)


def _roll_back(
    connection: Connection, locked: Locked | None, request: RollbackRequest, now: datetime
) -> RollbackOutcome:
    redemption = histories.redemption_at(connection, request.promotion_id, request.number) if locked else None
    if locked is None or redemption is None:
        return RollbackOutcome(problem=_bad(InputProblem.NOT_FOUND, "No redemption has this id.", "id"))
    promotion, counters = locked
    earlier = rollbacks_of(connection, request.promotion_id, request.number)
    if earlier and earlier[-1].is_whole:
        return RollbackOutcome(None, redemption, (refuse(RefusalCode.NOTHING_LEFT),))
    left = _left(redemption, earlier)
    problem = _why_not(request.amount, left)
    if problem is not None:
        return RollbackOutcome(problem=problem)
    amount = left if request.amount is None else request.amount
    made = Rollback(
        promotion_id=promotion.id,
        number=redemption.number,
        part=len(earlier) + 1,
        is_whole=amount == left,
        rolled_back_at=now,
        amount=amount,
        reason=request.reason,
    )
    _write(connection, promotion, counters, redemption, made)
    return RollbackOutcome(made, redemption)


def _left(redemption: Redemption, earlier: Sequence[Rollback]) -> Money | None:
    """What is left of its discount; None for one without."""
    if redemption.discount is None:
        return None
    undone = sum(one.amount.minor for one in earlier if one.amount is not None)
    return replace(redemption.discount, minor=redemption.discount.minor - undone)


def _why_not(amount: Money | None, left: Money | None) -> BadInput | None:
    if amount is None:
        return None
    if left is None:
        return _bad(InputProblem.INVALID, "This redemption has no discount: leave the amount out.", "amount")
    if amount.currency != left.currency:
        return _bad(InputProblem.INVALID, f"This redemption is in {left.currency}.", "amount")
    if not 0 < amount.minor <= left.minor:
        return _bad(
            InputProblem.OUT_OF_RANGE, f"Give an amount above zero and of at most {left}, which is left.", "amount"
        )
    return None


def _write(
    connection: Connection, promotion: Promotion, counters: Stock, redemption: Redemption, made: Rollback
) -> None:
    amount = made.amount
    _NEW.run(
        connection,
        promotion_id=made.promotion_id,
        number=made.number,
        part=made.part,
        is_whole=made.is_whole,
        minor=None if amount is None else amount.minor,
        currency=None if amount is None else amount.currency,
        reason=made.reason,
        now=to_micros(made.rolled_back_at),
    )
    counters.spent -= promotion.counted(amount)
    if made.is_whole:
        counters.redemptions -= 1
        if redemption.seq is not None:
            _give_back_use(connection, promotion, counters, redemption.seq)
    stock_telling.tell(connection, [(promotion, counters)], made.rolled_back_at)
    stock.save(connection, [counters])


def _give_back_use(connection: Connection, promotion: Promotion, counters: Stock, seq: int) -> None:
    uses, blocked, void = _UNUSE.fetch(connection, promotion_id=promotion.id, seq=seq)[0]
    is_shared = seq == 0
    if uses or (is_shared and promotion.terms.code_kind is not CodeKind.SINGLE):
        return
    counters.redeemed -= 1
    issued = counters.issuances > 0 if is_shared else bool(issuances.issued_codes(connection, [(promotion.id, seq)]))
    if issued or blocked or void:
        return  # it is where it was: with its holder, or stopped
    counters.issued -= 1
    counters.available += 1
    if not is_shared and seq < counters.head:
        line.put_back(connection, [(promotion.id, seq)])


def _bad(problem: InputProblem, sentence: str, field: str) -> BadInput:
    return BadInput(problem, sentence, field=(field,))
