"""Undoing redemptions, whole or in part, any time later: the money comes back at once, the use with the last of it."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from promograph.domain.carts import Money
from promograph.domain.promotions import CodeKind
from promograph.domain.redeeming import Redemption, Rollback, RollbackOutcome, RollbackRequest
from promograph.domain.refusals import RefusalCode, refuse
from promograph.domain.webhooks.events import WebhookType, rolled_back
from promograph.errors import BadInput, InputProblem
from promograph.store import histories, issuances, line, locking, stock, stock_telling
from promograph.store.bulk import Insertion
from promograph.store.locking import Locked
from promograph.store.replays import Replays
from promograph.store.statements import Statement
from promograph.store.tables.instants import from_micros, to_micros
from promograph.store.webhooks import outbox

Place = tuple[int, int]
"""A redemption: its promotion and its number there."""

_EARLIER = Statement(
    "SELECT b.promotion_id, b.number, b.part, b.is_whole, b.minor, b.currency, b.reason, b.rolled_back_at "
    "FROM @rows(promotion_id bigint, number bigint) r JOIN rollback b "
    "ON b.promotion_id = r.promotion_id AND b.number = r.number ORDER BY b.promotion_id, b.number, b.part"
)
_NEW = Insertion(
    "rollback",
    "promotion_id bigint, number bigint, part bigint, is_whole boolean, minor bigint, currency text, reason text, "
    "rolled_back_at bigint",
)
_UNUSE = Statement(
    "UPDATE code SET uses = code.uses - r.times FROM @rows(promotion bigint, place bigint, times bigint) r "
    "WHERE code.promotion_id = r.promotion AND code.seq = r.place RETURNING promotion_id, seq, uses, blocked, void"
)


def _dump(outcome: RollbackOutcome) -> Any:
    if outcome.problem is not None or outcome.rollback is None:
        return None
    return {
        "promotion_id": outcome.rollback.promotion_id,
        "number": outcome.rollback.number,
        "part": outcome.rollback.part,
    }


def roll_back(connection: Connection, requests: Sequence[RollbackRequest], now: datetime) -> list[RollbackOutcome]:
    """An outcome a request, in their order; the first answer again where a key has one.

    The promotions are locked before the keys are looked up: of two calls under one key the later finds the first's
    answer, and not what the first has left of the redemption.
    """
    locked = locking.by_id(connection, {request.promotion_id for request in requests})
    replays: Replays[RollbackRequest, RollbackOutcome] = Replays(
        operation="redemptionRollback",
        dump=_dump,
        load=lambda kept: _again(connection, **kept),
        turn_down=lambda problem: RollbackOutcome(problem=problem),
    )
    return replays.answer(
        connection,
        requests,
        lambda fresh: _Undoing(connection, locked, now).run(fresh),
        now=to_micros(now),
    )


def rollbacks_of(connection: Connection, places: Collection[Place]) -> dict[Place, list[Rollback]]:
    """What was undone of each of these redemptions, in order; empty where nothing was."""
    found: dict[Place, list[Rollback]] = {place: [] for place in places}
    rows = _EARLIER.fetch(connection, sorted(found)) if found else []
    for promotion_id, number, part, is_whole, minor, currency, reason, at in rows:
        made = Rollback(
            promotion_id=promotion_id,
            number=number,
            part=part,
            is_whole=bool(is_whole),
            rolled_back_at=from_micros(at),
            amount=None if minor is None else Money(minor=minor, currency=currency),
            reason=reason,
        )
        found[promotion_id, number].append(made)
    return found


def undone_by(rollbacks: Iterable[Rollback]) -> int:
    """How much of the discount these took back together."""
    return sum(one.amount.minor for one in rollbacks if one.amount is not None)


def _left_of(redemption: Redemption, earlier: Iterable[Rollback]) -> Money | None:
    """What is left of its discount; None for one without."""
    if redemption.discount is None:
        return None
    return replace(redemption.discount, minor=redemption.discount.minor - undone_by(earlier))


def _again(connection: Connection, promotion_id: int, number: int, part: int) -> RollbackOutcome:
    place = (promotion_id, number)
    made = rollbacks_of(connection, [place])[place][part - 1]
    return RollbackOutcome(made, histories.redemptions_at(connection, [place])[place], replayed=True)


class _Undoing:
    """One batch, with its promotions locked: a later request finds what an earlier one has left."""

    def __init__(self, connection: Connection, locked: Mapping[int, Locked], now: datetime) -> None:
        self._connection = connection
        self._locked = locked
        self._now = now
        self._redemptions: Mapping[Place, Redemption] = {}
        self._rollbacks: dict[Place, list[Rollback]] = {}

    def run(self, requests: Sequence[RollbackRequest]) -> list[RollbackOutcome]:
        places = {(request.promotion_id, request.number) for request in requests}
        self._redemptions = histories.redemptions_at(self._connection, places)
        self._rollbacks = rollbacks_of(self._connection, places)
        outcomes = [self._decide(request) for request in requests]
        self._write([outcome.rollback for outcome in outcomes if outcome.rollback is not None])
        return outcomes

    def _decide(self, request: RollbackRequest) -> RollbackOutcome:
        place = (request.promotion_id, request.number)
        redemption = self._redemptions.get(place)
        if redemption is None:
            return RollbackOutcome(problem=_bad(InputProblem.NOT_FOUND, "No redemption has this id.", "id"))
        earlier = self._rollbacks[place]
        if earlier and earlier[-1].is_whole:
            return RollbackOutcome(None, redemption, (refuse(RefusalCode.NOTHING_LEFT),))
        left = _left_of(redemption, earlier)
        problem = _why_not(request.amount, left)
        if problem is not None:
            return RollbackOutcome(problem=problem)
        amount = left if request.amount is None else request.amount
        made = Rollback(
            promotion_id=request.promotion_id,
            number=request.number,
            part=len(earlier) + 1,
            is_whole=amount == left,
            rolled_back_at=self._now,
            amount=amount,
            reason=request.reason,
        )
        earlier.append(made)
        return RollbackOutcome(made, redemption)

    def _write(self, made: Sequence[Rollback]) -> None:
        if not made:
            return
        _NEW.run(self._connection, [_row(one) for one in made])
        used: Counter[Place] = Counter()
        for one in made:
            promotion, counters = self._locked[one.promotion_id]
            counters.spent -= promotion.counted(one.amount)
            if one.is_whole:
                counters.redemptions -= 1
                seq = self._redemptions[one.promotion_id, one.number].seq
                if seq is not None:
                    used[one.promotion_id, seq] += 1
        self._give_back(used)
        changed = [self._locked[id_] for id_ in sorted({one.promotion_id for one in made})]
        if any(counters.is_heard for _, counters in changed):
            notices = (rolled_back(one, self._redemptions[one.promotion_id, one.number]) for one in made)
            outbox.tell(self._connection, notices, WebhookType.REDEMPTION_ROLLED_BACK)
        stock_telling.tell(self._connection, changed, self._now)
        stock.save(self._connection, [counters for _, counters in changed])

    def _give_back(self, used: Counter[Place]) -> None:
        """Take the uses off these codes. One that no other use is left of is where it was before the first."""
        if not used:
            return
        rows = [(*place, times) for place, times in sorted(used.items())]
        unused: dict[Place, bool] = {}
        for promotion_id, seq, uses, blocked, void in _UNUSE.fetch(self._connection, rows):
            is_fallback = not seq and self._locked[promotion_id][0].terms.code_kind is not CodeKind.SINGLE
            if not uses and not is_fallback:
                self._locked[promotion_id][1].redeemed -= 1
                unused[promotion_id, seq] = bool(blocked or void)
        issued = issuances.issued_codes(self._connection, sorted(unused))
        back = []
        for (promotion_id, seq), is_stopped in sorted(unused.items()):
            counters = self._locked[promotion_id][1]
            is_out = (promotion_id, seq) in issued if seq else counters.issuances > 0
            if is_out or is_stopped:
                continue  # it is where it was: with its holder, or stopped
            counters.issued -= 1
            counters.available += 1
            if seq and seq < counters.head:
                back.append((promotion_id, seq))
        if back:
            line.put_back(self._connection, back)


def _row(made: Rollback) -> tuple[Any, ...]:
    minor, currency = (None, None) if made.amount is None else (made.amount.minor, made.amount.currency)
    at = to_micros(made.rolled_back_at)
    return made.promotion_id, made.number, made.part, made.is_whole, minor, currency, made.reason, at


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


def _bad(problem: InputProblem, sentence: str, field: str) -> BadInput:
    return BadInput(problem, sentence, field=(field,))
