"""The life of a promotion: draft, activate, pause, end, archive, duplicate."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from promograph.domain.clock import Clock
from promograph.domain.keys import checked_optional
from promograph.domain.people.segments import UserKind
from promograph.domain.promotions import EndReason, Promotion, PromotionStatus, PromotionTerms, check_may
from promograph.domain.reviews import reviewing
from promograph.domain.reviews.findings import Concern
from promograph.domain.terms import check_change, checked_terms
from promograph.errors import BadInput, InputProblem
from promograph.services.handles import handle_from
from promograph.services.keyed_writes import Once, write_again
from promograph.services.reviewing import supply_of
from promograph.services.reward_types import check_reward
from promograph.services.shared_code import set_shared_code
from promograph.store import (
    budget_changes,
    events,
    limits,
    promotions,
    shared_codes,
    stock,
    stock_telling,
    used_up,
)
from promograph.store.databases.database import Connection, Database
from promograph.store.people import segments
from promograph.store.stock import Stock
from promograph.store.tables.instants import to_micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a marketer sets up. `shared_code` is the text of a SINGLE promotion's code, or of the fallback of others."""

    terms: PromotionTerms
    shared_code: str | None = None


class Promoting:
    """Promotions by id or handle. Every method that changes one returns it as it is then."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def create(self, draft: Draft, *, key: str | None = None) -> Promotion:
        """A new draft, or the one that this idempotency key made before."""
        checked_optional(key, "idempotencyKey")
        checked = replace(draft, terms=checked_terms(_with_handle(draft.terms)))
        now = self._clock()

        def work(connection: Connection) -> Promotion:
            once = _once(connection, "promotionCreate", key, _asked(checked), now)
            return once.answer(connection, lambda: _create(connection, checked, now))

        return await write_again(self._database, work)

    async def update(self, id_: int, change: Callable[[PromotionTerms], tuple[Draft, bool]]) -> Promotion:
        """Replace the terms by what `change` makes of them, under the promotion's lock.

        With the new draft it says whether the shared code stays as it is, whatever the draft says of it.
        """

        def work(connection: Connection) -> Promotion:
            promotion, counters = _locked(connection, id_)
            draft, keeps_shared_code = change(promotion.terms)
            terms = checked_terms(draft.terms)
            check_change(promotion, terms, now, has_codes=counters.tail > 0)
            _check_handle_free(connection, terms.handle, id_)
            if terms.reward != promotion.terms.reward:
                check_reward(connection, terms.reward)
            budget_changes.recount(connection, promotion, terms, counters, now)
            promotions.update(connection, id_, terms, to_micros(now))
            if terms.condition != promotion.terms.condition:
                segments.set_uses(connection, UserKind.PROMOTION, id_, terms.condition)
            shared = shared_codes.one(connection, id_)
            text = draft.shared_code if not keeps_shared_code else (shared.text if shared else None)
            set_shared_code(connection, promotion, terms, text, counters)
            changed = _read(connection, id_)
            if changed.stored_status is not PromotionStatus.DRAFT:
                _check_ready(connection, changed, counters)
                limits.check_above_what_happened(connection, promotion, changed, counters, now)
                used_up.end_where_reached(connection, [(changed, counters)], now)
            stock_telling.tell(connection, [(changed, counters)], now)
            stock.save(connection, [counters])
            return _read(connection, id_)

        now = self._clock()
        return await write_again(self._database, work)

    async def activate(self, id_: int) -> Promotion:
        return await self._move(id_, "activate", PromotionStatus.ACTIVE, check=_check_ready)

    async def pause(self, id_: int) -> Promotion:
        return await self._move(id_, "pause", PromotionStatus.PAUSED)

    async def end(self, id_: int, *, stop_redeeming: bool) -> Promotion:
        """End by hand. One that has ended already keeps its reason, and may yet be told to stop redeeming."""

        def work(connection: Connection) -> Promotion:
            promotion, _ = _locked(connection, id_)
            check_may("end", promotion, now)
            if promotion.status(now) is not PromotionStatus.ENDED:
                events.append(connection, [events.ended(id_, EndReason.BY_HAND)], now)
            promotions.set_status(
                connection,
                id_,
                PromotionStatus.ENDED,
                now=to_micros(now),
                end_reason=promotion.end_reason(now) or EndReason.BY_HAND,
                stop_redeeming=stop_redeeming or promotion.stop_redeeming,
            )
            return _read(connection, id_)

        now = self._clock()
        return await self._database.write(work)

    async def archive(self, id_: int) -> Promotion:
        return await self._move(id_, "archive", PromotionStatus.ARCHIVED)

    async def duplicate(self, id_: int, *, handle: str | None, name: str | None, key: str | None = None) -> Promotion:
        """A new draft with the same terms and no codes (a code has one promotion); one for an idempotency key."""
        checked_optional(key, "idempotencyKey")

        def copy(connection: Connection) -> Promotion:
            original = _read(connection, id_)
            copy_name = name or f"{original.terms.name} (copy)"[:200]
            copy_handle = handle or _free_handle(connection, f"{original.terms.handle[:56]}-copy")
            terms = checked_terms(replace(original.terms, name=copy_name, handle=copy_handle))
            return _create(connection, Draft(terms=terms), now)

        def work(connection: Connection) -> Promotion:
            once = _once(connection, "promotionDuplicate", key, [id_, handle, name], now)
            return once.answer(connection, lambda: copy(connection))

        now = self._clock()
        return await write_again(self._database, work)

    async def _move(
        self,
        id_: int,
        act: str,
        status: PromotionStatus,
        *,
        check: Callable[[Connection, Promotion, Stock], None] | None = None,
    ) -> Promotion:
        def work(connection: Connection) -> Promotion:
            promotion, counters = _locked(connection, id_)
            check_may(act, promotion, now)
            if check is not None:
                check(connection, promotion, counters)
            promotions.set_status(
                connection,
                id_,
                status,
                now=to_micros(now),
                end_reason=promotion.end_reason(now),
                stop_redeeming=promotion.stop_redeeming,
            )
            changed = _read(connection, id_)
            stock_telling.tell(connection, [(changed, counters)], now)
            stock.save(connection, [counters])
            return changed

        now = self._clock()
        return await self._database.write(work)


def _locked(connection: Connection, id_: int) -> tuple[Promotion, Stock]:
    """Lock whatever issues from the promotion, then read it."""
    counters = stock.lock(connection, [id_]).get(id_)
    if counters is None:
        raise _not_found()
    return _read(connection, id_), counters


def _read(connection: Connection, id_: int) -> Promotion:
    promotion = promotions.by_id(connection, [id_]).get(id_)
    if promotion is None:
        raise _not_found()
    return promotion


def _once(connection: Connection, operation: str, key: str | None, asked: Any, now: datetime) -> Once[Promotion]:
    """A promotion is kept by its id, and a repeated call told what it is by then."""
    return Once(
        operation=operation,
        key=key,
        asked=asked,
        now=now,
        dump=lambda promotion: promotion.id,
        load=lambda kept: _read(connection, kept),
    )


def _asked(draft: Draft) -> Any:
    """The draft as something that JSON can say."""
    return [promotions.as_row(draft.terms), draft.shared_code]


def _create(connection: Connection, draft: Draft, now: datetime) -> Promotion:
    _check_handle_free(connection, draft.terms.handle, None)
    check_reward(connection, draft.terms.reward)
    id_ = promotions.insert(connection, draft.terms, to_micros(now))
    if draft.terms.condition is not None:
        segments.set_uses(connection, UserKind.PROMOTION, id_, draft.terms.condition)
    promotion, counters = _locked(connection, id_)
    set_shared_code(connection, promotion, draft.terms, draft.shared_code, counters)
    return promotion


def _check_handle_free(connection: Connection, handle: str, id_: int | None) -> None:
    other = promotions.by_handle(connection, [handle]).get(handle)
    if other is not None and other.id != id_:
        raise BadInput(
            InputProblem.TAKEN,
            f"The handle {handle!r} belongs to the promotion {other.terms.name!r}; choose another.",
            field=("handle",),
        )


def _free_handle(connection: Connection, wish: str) -> str:
    tries = [wish, *(f"{wish}-{n}" for n in range(2, 100))]
    taken = promotions.by_handle(connection, tries)
    free = next((handle for handle in tries if handle not in taken), None)
    if free is None:
        raise BadInput(
            InputProblem.TAKEN, "There are too many copies of this promotion; name a handle.", field=("handle",)
        )
    return free


# What is missing, by the one word for both kinds of shared code, and by the promotion itself for a pool.
_MISSING = {
    Concern.SINGLE_CODE_MISSING: "code",
    Concern.FALLBACK_MISSING: "fallbackCode",
    Concern.NO_CODES: "id",
}


def _check_ready(connection: Connection, promotion: Promotion, counters: Stock) -> None:
    """A promotion that could give nothing to anybody is not made active."""
    for finding in reviewing.obstacles(promotion.terms, supply_of(connection, promotion, counters)):
        raise BadInput(InputProblem.STATE, finding.message, field=(_MISSING[finding.concern],))


def _with_handle(terms: PromotionTerms) -> PromotionTerms:
    return terms if terms.handle else replace(terms, handle=handle_from(terms.name))


def _not_found() -> BadInput:
    return BadInput(InputProblem.NOT_FOUND, "No promotion has this id.", field=("id",))
