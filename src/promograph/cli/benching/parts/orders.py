"""Order news shuffled and repeated, told to a server that dies, against the same told in order and once."""

import asyncio
import random
import time
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from promograph.cli.benching.failures import BenchFailed, expect
from promograph.cli.benching.figures import Row, Target, at_least
from promograph.cli.benching.parts.order_news import Shop, request
from promograph.cli.benching.parts.order_post import Mortal, Post
from promograph.cli.benching.parts.part import Part, Site
from promograph.domain.carts import Money
from promograph.domain.promotions import CodeKind, PromotionTerms
from promograph.services.app import Services
from promograph.services.promoting import Draft
from promograph.store.databases.database import Database
from promograph.store.databases.opening import open_database
from promograph.store.statements import Statement

ACCEPTED_A_SECOND = 500

_REPEATED = 5
"""Of so many deliveries one comes twice."""
_KILLS = 2
_IN_ORDER = 500
"""So many are told at a time where each order's are to be in order: the next ones when these are worked on."""
_PATIENCE_SECONDS = 600.0
_LOOK_SECONDS = 0.2

_DUE = Statement("SELECT count(*) FROM inbound_event WHERE due_at IS NOT NULL")
# What a killed server had taken is its own for two minutes more, for which nobody wants to wait here.
_LAPSE = Statement("UPDATE inbound_event SET due_at = 0 WHERE due_at IS NOT NULL")
_RETRY = Statement("UPDATE order_code SET due_at = 0 WHERE due_at IS NOT NULL")
_ENDS = Statement(
    "SELECT o.ref, c.state, d.discount_minor - coalesce((SELECT sum(b.minor) FROM rollback b "
    "WHERE b.promotion_id = d.promotion_id AND b.number = d.number), 0), (SELECT count(*) FROM rollback b "
    "WHERE b.promotion_id = d.promotion_id AND b.number = d.number AND b.is_whole) "
    "FROM shop_order o JOIN order_code c ON c.order_id = o.id LEFT JOIN redemption d "
    "ON d.promotion_id = c.promotion_id AND d.number = c.redemption WHERE o.shop = :shop ORDER BY o.ref, c.key"
)

Ends = dict[str, tuple[int, bool]]
"""By order: the discount that stands in the end, and whether a code is redeemed on it."""


def measure(site: Site) -> list[Row]:
    return asyncio.run(_measured(site))


async def _measured(site: Site) -> list[Row]:
    shops = {name: Shop(name=name, opened=datetime.now(UTC)) for name in ("straight", "shuffled", "fast")}
    services, database = Services.open(site.url), open_database(site.url)
    try:
        await services.prepare()
        for shop in shops.values():
            await _stock(services, shop, site.count)
        with Mortal(site.url, site.folder) as mortal:
            with site.bars.waiting("orders, in order"):
                await _straight(mortal, database, shops["straight"], site.count)
            with site.bars.waiting("orders, shuffled, with kills"):
                rows = [await _shuffled(mortal, database, services, shops["shuffled"], site.count)]
            rows.append(await _compared(database, shops["shuffled"], shops["straight"]))
            with site.bars.waiting("orders, as fast as they go"):
                return rows + await _fast(mortal, database, shops["fast"], site.count)
    finally:
        await database.close()
        await services.close()


async def _stock(services: Services, shop: Shop, events: int) -> None:
    terms = PromotionTerms(
        handle=shop.name, name=shop.name, code_kind=CodeKind.MULTIPLE, budget=Money(minor=10**11, currency="EUR")
    )
    promotion = await services.promoting.create(Draft(terms=terms))
    codes = "\n".join(shop.code(number) for number in range(events // 2))
    await services.stocking.paste(promotion.id, codes, channel=None)
    await services.promoting.activate(promotion.id)


async def _straight(mortal: Mortal, database: Database, shop: Shop, events: int) -> None:
    requests = [request(news, f"straight-{number}") for number, news in enumerate(shop.news(events))]
    for start in range(0, events, _IN_ORDER):
        await Post(mortal, requests[start : start + _IN_ORDER]).delivered()
        await _worked_on(database)


async def _shuffled(mortal: Mortal, database: Database, services: Services, shop: Shop, events: int) -> Row:
    draws = random.Random(11)
    told = [request(news, f"shuffled-{number}") for number, news in enumerate(shop.news(events))]
    told += draws.sample(told, events // _REPEATED)
    draws.shuffle(told)
    kills = [len(told) * number // (_KILLS + 1) for number in range(1, _KILLS + 1)]
    seconds = await Post(mortal, told, kills).delivered()
    await database.write(_LAPSE.run)
    await _worked_on(database)
    await database.write(_RETRY.run)
    await services.orders.retry_due()
    what = f"order news, {len(told):,} shuffled, a sixth repeated, {_KILLS} kills"
    return Row(what=what, unit="requests", connections=16, rate=len(told) / seconds, seconds=seconds)


async def _compared(database: Database, shuffled: Shop, straight: Shop) -> Row:
    first, second = [await _ends(database, shop) for shop in (shuffled, straight)]
    nothing = (0, False)
    differing = [ref for ref in first.keys() | second.keys() if first.get(ref, nothing) != second.get(ref, nothing)]
    expect(not differing, "Orders told in any order", [(ref, first.get(ref), second.get(ref)) for ref in differing[:5]])
    expect(any(is_redeemed for _, is_redeemed in second.values()), "Orders", "none has redeemed a code")
    return Row(
        what=f"{len(second):,} orders, against the same told in order and once",
        unit="",
        targets=(Target(wanted="0 that differ", reached=not differing),),
    )


async def _fast(mortal: Mortal, database: Database, shop: Shop, events: int) -> list[Row]:
    requests = [request(news, f"fast-{number}") for number, news in enumerate(shop.news(events))]
    before = mortal.server.cpu_seconds
    seconds = await Post(mortal, requests).delivered()
    began = perf_counter()
    await _worked_on(database)
    late = perf_counter() - began
    after = mortal.server.cpu_seconds
    rate = events / seconds
    cpu = None if before is None or after is None else (after - before) / events * 1e6
    accepted = Row(
        what="order news, accepted",
        unit="requests",
        connections=16,
        rate=rate,
        seconds=seconds,
        targets=(at_least(rate, ACCEPTED_A_SECOND, "events"),),
    )
    whole = seconds + late
    return [
        accepted,
        Row(what="order news, worked on", unit="requests", rate=events / whole, cpu_us=cpu, seconds=whole),
    ]


async def _worked_on(database: Database) -> None:
    """Return once nothing that was accepted is yet to be worked on."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (await database.read(_DUE.fetch))[0][0]:
        if time.monotonic() > deadline:
            raise BenchFailed("Order news were accepted and not worked on.")
        await asyncio.sleep(_LOOK_SECONDS)


async def _ends(database: Database, shop: Shop) -> Ends:
    rows: list[Any] = await database.read(lambda connection: _ENDS.fetch(connection, shop=shop.name))
    return {
        ref: (0 if whole or discount is None else int(discount), state == "REDEEMED")
        for ref, state, discount, whole in rows
    }


ORDERS = Part(
    name="orders",
    about="10,000 order news shuffled and repeated, with kills, against the same in order (about a minute a store)",
    measure=measure,
    full=10_000,
    quick=600,
)
