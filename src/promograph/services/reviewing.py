"""A look over a promotion before it runs."""

from dataclasses import dataclass

from promograph.domain import conditions
from promograph.domain.clock import Clock
from promograph.domain.promotions import CodeKind, Promotion
from promograph.domain.reviews import reviewing, summarising
from promograph.domain.reviews.findings import Finding, Reviewed, Supply
from promograph.domain.reviews.summarising import SummaryStep
from promograph.domain.rewards import Single
from promograph.domain.storable import is_storable
from promograph.store import promotions, reward_types, shared_codes, stock
from promograph.store.databases.database import Connection, Database
from promograph.store.people import segments
from promograph.store.stock import Stock


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What the steps of setting it up gathered, and what was found on looking it over."""

    promotion: Promotion
    supply: Supply
    steps: tuple[SummaryStep, ...]
    findings: tuple[Finding, ...]


class Reviewing:
    """Promotions by id or handle."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def summary(self, *, id_: int | None = None, handle: str | None = None) -> Summary | None:
        """None where there is no such promotion."""
        if handle is not None and not is_storable(handle):
            return None
        now = self._clock()

        def work(connection: Connection) -> Summary | None:
            promotion = _find(connection, id_, handle)
            if promotion is None:
                return None
            supply = supply_of(connection, promotion, stock.read(connection, [promotion.id])[promotion.id])
            reviewed = Reviewed(promotion=promotion, supply=supply, now=now, unknown=_unknown(connection, promotion))
            steps = summarising.summarise(
                promotion.terms,
                supply,
                segments=_segment_names(connection, promotion),
                reward_types=_type_names(connection, promotion),
            )
            return Summary(promotion=promotion, supply=supply, steps=steps, findings=reviewing.review(reviewed))

        return await self._database.read(work)


def supply_of(connection: Connection, promotion: Promotion, counters: Stock) -> Supply:
    """What the promotion has to give, by its counters."""
    shared = shared_codes.one(connection, promotion.id)
    is_single = promotion.terms.code_kind is CodeKind.SINGLE
    return Supply(
        codes=counters.total - counters.void, blocked=0 if is_single else counters.blocked, shared=shared is not None
    )


def _find(connection: Connection, id_: int | None, handle: str | None) -> Promotion | None:
    if handle is not None:
        return promotions.by_handle(connection, [handle]).get(handle)
    return None if id_ is None else promotions.by_id(connection, [id_]).get(id_)


def _type_names(connection: Connection, promotion: Promotion) -> dict[str, str]:
    reward = promotion.terms.reward
    if not isinstance(reward, Single):
        return {}
    return {handle: there.type.name for handle, there in reward_types.by_handle(connection, [reward.type]).items()}


def _segment_names(connection: Connection, promotion: Promotion) -> dict[str, str]:
    if promotion.terms.condition is None:
        return {}
    named = conditions.needs(promotion.terms.condition).segments
    return {handle: segment.name for handle, segment in segments.by_handle(connection, sorted(named)).items()}


def _unknown(connection: Connection, promotion: Promotion) -> list[str]:
    """What the promotion's condition names and is not there. Its segments are: they cannot be deleted."""
    if promotion.terms.condition is None:
        return []
    needs = conditions.needs(promotion.terms.condition)
    named = sorted(needs.held | needs.redeemed | {key.promotion for key in needs.issued if key.promotion is not None})
    there = promotions.by_handle(connection, named)
    return [f"promotion {handle!r}" for handle in named if handle not in there]
