"""When a pool runs dry, from how fast it was issued of late."""

from datetime import UTC, datetime, timedelta

import pytest

from promograph.domain.promotions import OnEmpty, Promotion
from promograph.domain.stock.forecasting import LONGEST, WINDOWS, runs_out_at
from promograph.domain.windows import Window

from .world import World

pytestmark = pytest.mark.anyio

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
MINUTES, HOUR, DAY = WINDOWS


async def left(world: World, promotion: Promotion) -> timedelta | None:
    at = (await world.inventory(promotion)).runs_out_at
    return None if at is None else at - world.clock.now


async def issue(world: World, promotion: Promotion, count: int, prefix: str) -> None:
    await world.issue_all(promotion, [f"{prefix}-{n}" for n in range(count)])


async def test_a_steady_pace_says_when(world: World) -> None:
    promotion = await world.promotion(codes=700)
    assert await left(world, promotion) is None
    for minute in range(121):
        await issue(world, promotion, 2, f"m{minute}")
        world.clock.move(minutes=1)
    # 242 in two hours, of which 120 in the last one: 458 are left.
    found = await left(world, promotion)
    assert found is not None
    assert timedelta(hours=3.7) < found < timedelta(hours=3.9)


async def test_a_burst_counts_at_once_and_is_forgotten_after_a_day(world: World) -> None:
    promotion = await world.promotion(codes=1_000)
    await issue(world, promotion, 100, "a")
    assert await left(world, promotion) == timedelta(minutes=9), "at least a minute"
    world.clock.move(minutes=10)
    assert await left(world, promotion) == timedelta(minutes=90)
    world.clock.move(minutes=80)
    assert await left(world, promotion) == timedelta(minutes=9 * 90)
    world.clock.move(hours=22)
    assert await left(world, promotion) == timedelta(hours=9 * 23.5)
    world.clock.move(hours=1)
    assert await left(world, promotion) is None
    await issue(world, promotion, 90, "b")
    assert await left(world, promotion) == timedelta(minutes=5 * 9), "the last five minutes are the fastest"
    world.clock.move(minutes=6)
    assert await left(world, promotion) == timedelta(hours=9)


async def test_what_counts_is_demand(world: World) -> None:
    promotion = await world.promotion(codes=2, shared="ALL", on_empty=OnEmpty.FALLBACK)
    await issue(world, promotion, 10, "a")
    assert await left(world, promotion) is None, "it is empty already"
    for _ in range(20):
        await world.reissue(promotion, "a-0")
    await world.services.stocking.generate(promotion.id, 100, None, channel=None)
    assert await left(world, promotion) == timedelta(minutes=10), "eight fallbacks count, twenty repeats do not"
    await world.services.promoting.pause(promotion.id)
    assert await left(world, promotion) is None


async def test_a_pool_that_outlasts_its_promotion_does_not_run_out(world: World) -> None:
    window = Window(ends_at=world.clock.now + timedelta(minutes=9))
    promotion = await world.promotion(codes=100, window=window)
    await issue(world, promotion, 10, "a")
    assert await left(world, promotion) is None
    await issue(world, promotion, 10, "b")
    assert await left(world, promotion) == timedelta(minutes=4)


async def test_marks_are_one_a_minute_and_kept_for_a_day(world: World) -> None:
    promotion = await world.promotion(codes=100)

    async def marks() -> int:
        return int(
            await world.write(lambda connection: connection.exec_driver_sql("SELECT count(*) FROM issue_mark").scalar())
        )

    for n in range(10):
        await issue(world, promotion, 1, f"a{n}")
        world.clock.move(seconds=20)
    assert await marks() == 4
    world.clock.move(seconds=LONGEST.total_seconds())
    await issue(world, promotion, 1, "b")
    assert await marks() == 2, "the last of them is not a day and a minute old"


@pytest.mark.parametrize(
    ("available", "counts", "age", "expected"),
    [
        (100, (0, 0, 0), DAY, None),
        (0, (5, 5, 5), DAY, None),
        (100, (0, 10, 10), DAY, timedelta(hours=10)),
        (240, (0, 0, 24), timedelta(days=9), timedelta(days=10)),
        (100, (1, 1, 1), timedelta(seconds=1), timedelta(minutes=100)),
        (10**9, (0, 0, 1), timedelta(days=9), None),
    ],
)
def test_the_fastest_of_three_paces(
    available: int, counts: tuple[int, int, int], age: timedelta, expected: timedelta | None
) -> None:
    issued = dict(zip(WINDOWS, counts, strict=True))
    found = runs_out_at(available, issued, since=NOW - age, now=NOW, until=None)
    assert found == (None if expected is None else NOW + expected)
