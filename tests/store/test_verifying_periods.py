"""Recounting finds uses beyond a cap by the day, as the promotion's own zone has it."""

from datetime import UTC, datetime

import pytest

from promograph.domain.periods import Period
from promograph.domain.promotions import OnEmpty, PeriodCap
from promograph.store.tables.instants import to_micros

from .ground import Ground

pytestmark = pytest.mark.anyio


async def test_uses_in_a_period_are_recounted(ground: Ground) -> None:
    cap = PeriodCap(uses=1, period=Period.DAY)
    promotion = await ground.promotion("daily", on_empty=OnEmpty.GENERATE, uses_per_period=cap)
    insert = "INSERT INTO redemption (promotion_id, number, customer, redeemed_at) VALUES "
    # Midnight in UTC lies between the first two, and none between the last.
    moments = [datetime(2099, 1, day, hour, tzinfo=UTC) for day, hour in ((1, 23), (2, 1), (2, 2))]
    rows = [f"({promotion.id}, {n}, 'ada', {to_micros(at)})" for n, at in enumerate(moments, start=1)]

    async def found() -> list[str]:
        return [line for line in await ground.services.verify() if "in a day than allowed" in line]

    await ground.say(insert + rows[0], insert + rows[1])
    assert await found() == []
    await ground.say(insert + rows[2])
    (line,) = await found()
    assert "ada, from 2099-01-02" in line
    assert line.endswith("(2, expected 1)")
    rolled_back = f"VALUES ({promotion.id}, 3, 1, true, {to_micros(moments[2])})"
    await ground.say(f"INSERT INTO rollback (promotion_id, number, part, is_whole, rolled_back_at) {rolled_back}")
    assert await found() == []
