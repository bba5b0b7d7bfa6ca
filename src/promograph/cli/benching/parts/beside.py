"""Issuing and redeeming alone, and while the same server generates a million codes."""

from itertools import count
from statistics import median

from promograph.api.nodes import global_id
from promograph.cli.benching.driving import Job, Window
from promograph.cli.benching.figures import Row, Target, Yardstick
from promograph.cli.benching.operations import ISSUE, REDEEM
from promograph.cli.benching.parts.part import Part, Site
from promograph.cli.benching.parts.serving import Ground, served
from promograph.cli.benching.supplies import HOT, LARGE, Held, Supply, issued, run_promotion, to_issue, to_redeem
from promograph.domain.promotions import OnEmpty, PromotionTerms
from promograph.services.app import Services

OF_THE_RATE = 0.8
AS_LONG = 3.0
P99_MS = 250.0

_CONNECTIONS = 16

Stocked = tuple[str, list[Held]]
"""The id of the promotion for which codes are generated, and codes of another to be redeemed."""

Seen = dict[str, list[Window]]
"""Windows by operation."""


class _Load:
    """Windows of issuing and of redeeming in turns."""

    def __init__(self, site: Site, ground: Ground[Stocked]) -> None:
        self._site, self._ground = site, ground
        self.before, self.beside, self.after = (1, 3, 1) if site.quick else (3, 10, 2)
        held = ground.stocked[1]
        shares = self.before + self.beside + self.after
        self._supplies: dict[str, Supply] = {
            ISSUE: to_issue((HOT,), len(held), shares=shares),
            REDEEM: to_redeem(held, shares=shares),
        }
        self._seconds = 0.2 if site.quick else 2.0

    def round(self, seen: Seen) -> None:
        for operation, supply in self._supplies.items():
            job = Job(
                port=self._ground.server.port,
                token=self._ground.api.token,
                operation=operation,
                inputs=supply.offer(),
                connections=_CONNECTIONS,
                seconds=self._seconds,
            )
            window = self._site.window(job)
            supply.used(window.used)
            seen[operation].append(window)


def measure(site: Site) -> list[Row]:
    codes = 6_000 if site.quick else 180_000

    async def stock(services: Services) -> Stocked:
        with site.bars.waiting("preparing codes"):
            await run_promotion(services, PromotionTerms(handle=HOT, name=HOT), codes * 2)
            large = await run_promotion(
                services, PromotionTerms(handle=LARGE, name=LARGE, on_empty=OnEmpty.GENERATE), 0
            )
            return global_id("Promotion", large.id), await issued(services, (HOT,), codes)

    with served(site, stock) as ground:
        load = _Load(site, ground)
        alone, beside = Seen({ISSUE: [], REDEEM: []}), Seen({ISSUE: [], REDEEM: []})
        for _ in site.bars.each(range(load.before), "alone", load.before):
            load.round(alone)
        with site.bars.waiting(f"beside generating {site.count:,} codes"):
            rate = _generated(site, ground, load, beside)
        for _ in site.bars.each(range(load.after), "alone again", load.after):
            load.round(alone)
    generation = Row(what=f"codesGenerate, {site.count:,}, beside them", unit="codes", promotions=1, rate=rate)
    return [*(_row(site, operation, alone[operation], beside[operation]) for operation in alone), generation]


def _generated(site: Site, ground: Ground[Stocked], load: _Load, seen: Seen) -> float:
    """Codes a second of a generation, under the load for its first rounds and alone for the rest of it."""

    def generate() -> None:
        payload = ground.api.act(
            "codesGenerate", "job { id }", promotion=ground.stocked[0], count=site.count, waitSeconds=0
        )
        for number in count():
            if number == load.beside or (number and ground.api.is_over(payload["job"])):
                break
            load.round(seen)
        ground.api.finished(payload["job"])

    _, seconds = ground.timed(generate)
    return site.count / seconds


def _row(site: Site, operation: str, alone: list[Window], beside: list[Window]) -> Row:
    rate, rate_alone = (median(window.rate for window in windows) for windows in (beside, alone))
    p99, p99_alone = (median(window.p99_ms for window in windows) for windows in (beside, alone))
    kept, worst = rate / rate_alone, max(window.p99_ms for window in beside)
    if site.is_sqlite:
        targets = [Target(wanted=f"p99 < {P99_MS:g} ms (at worst {worst:.0f})", reached=worst < P99_MS)]
    else:
        longer = p99 / p99_alone
        targets = [
            Target(wanted=f"≥ {OF_THE_RATE} of its rate alone", reached=kept >= OF_THE_RATE),
            Target(wanted=f"p99 ≤ {AS_LONG:g} times that alone ({longer:.1f})", reached=longer <= AS_LONG),
        ]
    return Row(
        what=f"{operation}, beside a generation",
        unit="requests",
        connections=_CONNECTIONS,
        promotions=1,
        rate=rate,
        p50_ms=median(window.p50_ms for window in beside),
        p99_ms=p99,
        yardstick=Yardstick(name="alone", rate=rate_alone, ratio=kept),
        targets=tuple(targets),
    )


BESIDE = Part(
    name="beside",
    about="issuing and redeeming while 1,000,000 codes are generated (about two minutes a store)",
    measure=measure,
    full=1_000_000,
    quick=60_000,
)
