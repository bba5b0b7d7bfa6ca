"""The life of a promotion: draft, activate, pause, end, archive, duplicate."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from promograph.domain.clock import Clock
from promograph.domain.keys import checked_optional
from promograph.domain.promotions import (
    CodeKind,
    EndReason,
    OnEmpty,
    Promotion,
    PromotionStatus,
    PromotionTerms,
    check_may,
)
from promograph.domain.terms import check_change, checked_terms, is_storable
from promograph.errors import BadInput, InputProblem, PromographError
from promograph.services.shared_code import set_shared_code
from promograph.store import inventories, limits, promotions, replays, shared_codes, stock
from promograph.store.database import Connection, Database, Work
from promograph.store.inventories import Inventory
from promograph.store.listing import Page, PromotionQuery, Slice, count_promotions, promotion_page
from promograph.store.stock import Stock
from promograph.store.tables import to_micros


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

        def work(connection: Connection) -> Promotion:
            return _once(
                connection, "promotionCreate", key, _asked(checked), now, lambda: _create(connection, checked, now)
            )

        now = self._clock()
        return await self._write(work)

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
            promotions.update(connection, id_, terms, to_micros(now))
            shared = shared_codes.one(connection, id_)
            text = draft.shared_code if not keeps_shared_code else (shared.text if shared else None)
            set_shared_code(connection, promotion, terms, text, counters)
            changed = _read(connection, id_)
            if changed.stored_status is not PromotionStatus.DRAFT:
                _check_ready(connection, changed, counters)
                limits.check_above_what_happened(connection, promotion, changed, counters)
            return changed

        now = self._clock()
        return await self._write(work)

    async def activate(self, id_: int) -> Promotion:
        return await self._move(id_, "activate", PromotionStatus.ACTIVE, check=_check_ready)

    async def pause(self, id_: int) -> Promotion:
        return await self._move(id_, "pause", PromotionStatus.PAUSED)

    async def end(self, id_: int, *, stop_redeeming: bool) -> Promotion:
        """End by hand. One that has ended already keeps its reason, and may yet be told to stop redeeming."""

        def work(connection: Connection) -> Promotion:
            promotion, _ = _locked(connection, id_)
            check_may("end", promotion, now)
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
            asked = [id_, handle, name]
            return _once(connection, "promotionDuplicate", key, asked, now, lambda: copy(connection))

        now = self._clock()
        return await self._write(work)

    async def get(self, *, id_: int | None = None, handle: str | None = None) -> Promotion | None:
        if handle is not None and not is_storable(handle):
            return None

        def work(connection: Connection) -> Promotion | None:
            if id_ is not None:
                return promotions.by_id(connection, [id_]).get(id_)
            return promotions.by_handle(connection, [str(handle)]).get(str(handle))

        return await self._database.read(work)

    async def get_many(self, ids: list[int]) -> dict[int, Promotion]:
        return await self._database.read(lambda connection: promotions.by_id(connection, sorted(set(ids))))

    async def inventories(self, ids: list[int]) -> dict[int, Inventory]:
        """By promotion id; the cost does not depend on how many codes there are."""
        now = self._clock()
        return await self._database.read(lambda connection: inventories.read(connection, sorted(set(ids)), now))

    async def shared_codes(self, ids: list[int]) -> dict[int, str]:
        found = await self._database.read(lambda connection: shared_codes.many(connection, sorted(set(ids))))
        return {id_: code.text for id_, code in found.items()}

    async def page(self, query: PromotionQuery, part: Slice) -> Page:
        if query.search is not None and not is_storable(query.search):
            return Page([])
        now = self._clock()
        return await self._database.read(lambda connection: promotion_page(connection, query, part, now))

    async def count(self, query: PromotionQuery) -> int:
        now = self._clock()
        return await self._database.read(lambda connection: count_promotions(connection, query, now))

    async def _write(self, work: Work[Promotion]) -> Promotion:
        """Run a transaction, and once more where it fell over what was written beside it: a handle, a key."""
        try:
            return await self._database.write(work)
        except PromographError:
            raise
        except Exception:
            return await self._database.write(work)

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
            return _read(connection, id_)

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


def _once(
    connection: Connection, operation: str, key: str | None, asked: Any, now: datetime, make: Callable[[], Promotion]
) -> Promotion:
    """What `make` makes, or what it made when this key came before; BadInput where that asked for something else."""
    if key is None:
        return make()
    kept = replays.recall(connection, operation, key, asked)
    if kept is not None:
        return _read(connection, int(kept))
    made = make()
    replays.remember(connection, operation, key, asked, made.id, to_micros(now))
    return made


def _asked(draft: Draft) -> Any:
    """The draft as something that JSON can say."""
    seconds = None if draft.terms.valid_for is None else draft.terms.valid_for.total_seconds()
    return [replace(draft, terms=replace(draft.terms, valid_for=None)), seconds]


def _create(connection: Connection, draft: Draft, now: datetime) -> Promotion:
    _check_handle_free(connection, draft.terms.handle, None)
    id_ = promotions.insert(connection, draft.terms, to_micros(now))
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


def _check_ready(connection: Connection, promotion: Promotion, counters: Stock) -> None:
    """A promotion that could give nothing to anybody is not made active."""
    terms = promotion.terms
    shared = shared_codes.one(connection, promotion.id)
    if terms.code_kind is CodeKind.SINGLE and shared is None:
        raise BadInput(
            InputProblem.STATE, "A promotion with a single code needs that code: set `singleCode`.", field=("code",)
        )
    if terms.on_empty is OnEmpty.FALLBACK and terms.code_kind is not CodeKind.SINGLE and shared is None:
        raise BadInput(
            InputProblem.STATE, "onEmpty FALLBACK needs a fallback code: set `fallbackCode`.", field=("fallbackCode",)
        )
    if counters.total == 0 and terms.on_empty is OnEmpty.REFUSE:
        raise BadInput(
            InputProblem.STATE,
            "The promotion has no codes: generate, import or paste some, or let onEmpty GENERATE them.",
            field=("id",),
        )


def handle_from(name: str) -> str:
    """A handle made of a name: lower case letters and digits, words joined by hyphens."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64].strip("-")


def _with_handle(terms: PromotionTerms) -> PromotionTerms:
    return terms if terms.handle else replace(terms, handle=handle_from(terms.name))


def _not_found() -> BadInput:
    return BadInput(InputProblem.NOT_FOUND, "No promotion has this id.", field=("id",))
