"""How well a promotion does, against an independent count over the rows."""

import random
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from promograph.domain.carts import Money
from promograph.domain.performing import By, Group, Origin, offsets
from promograph.domain.promotions import CodeKind, OnEmpty, Promotion
from promograph.domain.windows import Window
from promograph.errors import BadInput, InputProblem

from .till import roll_back
from .world import World, issued

pytestmark = pytest.mark.anyio

ZONE = "America/Toronto"
ROWS = {
    "issuance": "SELECT number, seq, customer, kind, channel, send, issued_at FROM issuance ORDER BY number",
    "redemption": "SELECT number, seq, customer, order_minor, order_currency, discount_minor, discount_currency, "
    "redeemed_at FROM redemption ORDER BY number",
    "rollback": "SELECT number, is_whole, minor FROM rollback",
    "batch": "SELECT id, channel, first_seq, last_seq FROM batch",
}


async def rows(world: World, table: str) -> list[Any]:
    return list(await world.write(lambda connection: connection.exec_driver_sql(ROWS[table]).fetchall()))


async def counted(world: World, by: By) -> dict[Any, list[Any]]:
    """The same numbers, one row after the other: issued, redeemed, redemptions, discounts, orders."""
    given = [row for row in await rows(world, "issuance") if row.kind != "REPEAT"]
    batches = await rows(world, "batch")
    undone, whole = defaultdict[int, int](int), set[int]()
    for row in await rows(world, "rollback"):
        undone[row.number] += row.minor or 0
        if row.is_whole:
            whole.add(row.number)

    def batch_of(seq: int) -> Any:
        return next((batch for batch in batches if batch.first_seq <= seq <= batch.last_seq), None)

    def part(row: Any, issuance: Any, at: int) -> Any:
        if by is By.DAY:
            return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).astimezone(ZoneInfo(ZONE)).date()
        if by is By.SEND:
            return issuance and issuance.send
        batch = batch_of(row.seq) if row.seq else None
        if by is By.CHANNEL:
            return (issuance and issuance.channel) or (batch and batch.channel)
        if not row.seq:
            return Origin.NO_CODE if row.seq is None else Origin.SHARED
        return batch.id if batch else Origin.MADE_ON_DEMAND

    found: dict[Any, list[Any]] = defaultdict(lambda: [0, set(), 0, defaultdict(int), defaultdict(int), set()])
    for row in given:
        found[part(row, row, row.issued_at)][0] += 1
    for row in await rows(world, "redemption"):
        if row.number in whole:
            continue
        own = [i for i in given if i.seq == row.seq and (row.seq or i.customer == row.customer)]
        issuance = own[0] if own else None
        group = found[part(row, issuance, row.redeemed_at)]
        group[2] += 1
        if row.seq is not None:
            group[1].add(row.seq or f"use {row.number}")
        if row.seq and issuance is None and by is not By.DAY:
            group[5].add(row.seq)
        if row.discount_minor is not None:
            group[3][row.discount_currency] += row.discount_minor - undone[row.number]
        if row.order_minor is not None:
            group[4][row.order_currency] += row.order_minor
    return {
        key: [given + len(more), len(codes), uses, dict(discount), dict(order)]
        for key, (given, codes, uses, discount, order, more) in found.items()
    }


def key_of(by: By) -> Callable[[Group], Any]:
    if by is By.DAY:
        return lambda group: group.day
    return lambda group: (group.batch_id or group.origin) if by is By.BATCH else group.name


async def sell(world: World, promotion: Promotion) -> None:
    """Three batches for three ways out, and everything that can happen to a code, unevenly and over some weeks."""
    chance = random.Random(7)
    stocking = world.services.stocking
    for channel in ("e-mail", "sms", "print"):
        await stocking.paste(promotion.id, "\n".join(f"{channel}-{n:03}".upper() for n in range(40)), channel=channel)
    texts = []
    for n in range(90):
        channel = ("e-mail", "sms", None)[n % 3]
        send = f"week-{n // 30}" if channel else None
        given = issued(await world.issue(promotion, f"c{n}", channel=channel, send=send))
        texts.append((given.text, given.customer))
        world.clock.move(hours=chance.randrange(12))
    await world.reissue(promotion, "c1")
    texts += [(f"PRINT-{n:03}", f"p{n}") for n in range(20, 40)]  # never issued to anybody
    for text, customer in chance.sample(texts, 60):
        currency = chance.choice(["EUR", "EUR", "CAD"])
        done = await world.redeem(
            text,
            customer,
            order_amount=chance.choice([None, Money(minor=chance.randrange(10_000), currency=currency)]),
            discount=Money(minor=chance.randrange(2, 1_000), currency=currency),
        )
        assert done.redemption is not None, done
        world.clock.move(hours=chance.randrange(12))
        if chance.random() < 0.2:
            await roll_back(world, done.redemption)
        elif chance.random() < 0.2:
            await roll_back(world, done.redemption, amount=Money(minor=1, currency=currency))


async def test_every_group_is_what_the_rows_say(world: World) -> None:
    world.clock.now = datetime(2027, 2, 20, 12, tzinfo=UTC)  # clocks change in Toronto on 14 March
    promotion = await world.promotion(code_kind=CodeKind.MULTIPLE, window=Window(time_zone=ZONE))
    other = await world.promotion(on_empty=OnEmpty.GENERATE)
    await sell(world, promotion)
    for by in By:
        groups = await world.services.happenings.performance(promotion, by)
        found = {
            key_of(by)(group): [
                group.issued,
                group.redeemed,
                group.redemptions,
                dict(group.discount),
                dict(group.order_value),
            ]
            for group in groups
        }
        assert len(found) == len(groups)
        assert found == await counted(world, by), by
    numbers = await world.inventory(promotion)
    by_batch = await world.services.happenings.performance(promotion, By.BATCH)
    assert sum(group.redeemed for group in by_batch) == numbers.redeemed
    assert sum(group.redemptions for group in by_batch) == numbers.redemptions
    assert await world.services.happenings.performance(other, By.CHANNEL) == []
    days = [group.day for group in await world.services.happenings.performance(promotion, By.DAY)]
    assert days == sorted(days) and date(2027, 3, 13) in days and date(2027, 3, 15) in days


async def test_codes_that_are_shared_or_made_on_demand_are_groups_of_their_own(world: World) -> None:
    promotion = await world.promotion(codes=["POOL-1"], shared="ALL", on_empty=OnEmpty.FALLBACK, uses_per_code=1)
    for customer, channel in (("ann", "e-mail"), ("bob", "e-mail"), ("cy", "sms")):
        await world.issue(promotion, customer, channel=channel)
    for code, customer in (("POOL-1", "ann"), ("ALL", "bob"), ("ALL", "nobody")):
        await world.redeem(code, customer, discount=Money(minor=100, currency="EUR"))

    async def summed(of: Promotion, by: By) -> list[tuple[Any, int, int, dict[str, int]]]:
        groups = await world.services.happenings.performance(of, by)
        return [(key_of(by)(group), group.issued, group.redeemed, dict(group.discount)) for group in groups]

    (batch, *_), shared = await summed(promotion, By.BATCH)
    assert isinstance(batch, int)
    assert shared == (Origin.SHARED, 2, 2, {"EUR": 200})
    assert await summed(promotion, By.CHANNEL) == [
        ("e-mail", 2, 2, {"EUR": 200}),
        ("sms", 1, 0, {}),
        (None, 0, 1, {"EUR": 100}),
    ]
    made = await world.promotion(on_empty=OnEmpty.GENERATE)
    await world.code(made, "ann")
    (group,) = await world.services.happenings.performance(made, By.BATCH)
    assert (group.origin, group.issued, group.rate) == (Origin.MADE_ON_DEMAND, 1, 0.0)


async def test_too_many_groups_are_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("promograph.store.performance.MOST_GROUPS", 2)
    promotion = await world.promotion(codes=3)
    for n in range(3):
        await world.issue(promotion, f"c{n}", send=f"s{n}")
    with pytest.raises(BadInput) as refused:
        await world.services.happenings.performance(promotion, By.SEND)
    assert (refused.value.problem, refused.value.field) == (InputProblem.TOO_MANY, ("by",))


def test_a_zone_changes_its_offset_when_it_does() -> None:
    start = datetime(2027, 1, 1, tzinfo=UTC)
    found = list(offsets(ZONE, start, datetime(2028, 1, 1, tzinfo=UTC)))
    assert found == [
        (start, timedelta(hours=-5)),
        (datetime(2027, 3, 14, 7, tzinfo=UTC), timedelta(hours=-4)),
        (datetime(2027, 11, 7, 6, tzinfo=UTC), timedelta(hours=-5)),
    ]
