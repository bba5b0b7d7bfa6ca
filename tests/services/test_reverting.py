"""Taking a batch back: what goes, what stays and why, and what the line makes of the gap."""

import pytest

from promograph.domain.jobs import Job, JobStatus
from promograph.domain.promotions import CodeKind, Promotion
from promograph.errors import BadInput, InputProblem
from promograph.services import reverting
from promograph.store.listing import Slice

from .world import World

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reverting, "_AT_ONCE", 3)


async def batches(world: World, promotion: Promotion) -> list[int]:
    """Their ids, the first one first."""
    page = await world.services.stocking.batches(promotion.id, Slice(count=9))
    return sorted(row.id for _, row in page.rows)


async def reverted(world: World, batch: int) -> Job:
    services = world.services
    return await services.jobs.wait((await services.reverting.begin(services.jobs, batch)).id, 300)


async def test_what_nobody_has_goes_and_may_come_again(world: World) -> None:
    promotion = await world.promotion(codes=["A", "B"])
    await world.services.stocking.paste(promotion.id, "C\nD\nE\nF\nG\nH\nI", channel=None)
    await world.services.stocking.paste(promotion.id, "X\nY", channel=None)
    _, wrong, _ = await batches(world, promotion)
    assert [await world.code(promotion, each) for each in ("ann", "bob", "cy")] == ["A", "B", "C"]
    assert await world.block("E") == 1
    job = await reverted(world, wrong)
    assert (job.status, job.report) == (JobStatus.DONE, {"gone": 6, "issued": 1, "used": 0, "void": 0})
    assert (job.done, job.total, job.failed) == (7, 7, 1)
    numbers = await world.inventory(promotion)
    assert (numbers.total, numbers.available, numbers.issued, numbers.blocked) == (5, 2, 3, 0)
    assert await world.code(promotion, "dee") == "X"
    again = await world.services.stocking.paste(promotion.id, "C\nD\nE", channel=None)
    assert (again.report.added, again.report.already_here) == (2, 1)
    assert [await world.code(promotion, each) for each in ("eve", "fay", "gil")] == ["Y", "D", "E"]
    assert (await reverted(world, wrong)).report == {"gone": 0, "issued": 1, "used": 0, "void": 0}


async def test_what_somebody_had_and_gave_back_stays(world: World) -> None:
    promotion = await world.promotion(codes=["A", "B"])
    await world.code(promotion, "ann")
    assert await world.services.replacing.give_back("A") is None
    (batch,) = await batches(world, promotion)
    assert (await reverted(world, batch)).report == {"gone": 1, "issued": 0, "used": 1, "void": 0}
    assert [one.text for one in await world.services.people.issuances_of("ann")] == ["A"]
    assert await world.code(promotion, "bob") == "A"


async def test_the_line_steps_over_the_gap(world: World) -> None:
    promotion = await world.promotion(codes=["A"])
    await world.services.stocking.paste(promotion.id, "\n".join(f"GAP{n}" for n in range(20)), channel=None)
    await world.services.stocking.paste(promotion.id, "Z", channel=None)
    await reverted(world, (await batches(world, promotion))[1])
    codes = [outcome.issuance for outcome in await world.issue_all(promotion, ["ann", "bob"])]
    assert [code and code.text for code in codes] == ["A", "Z"]


async def test_a_batch_at_the_head_and_one_at_the_end(world: World) -> None:
    promotion = await world.promotion(codes=["A", "B"])
    await world.services.stocking.paste(promotion.id, "Y\nZ", channel=None)
    first, last = await batches(world, promotion)
    await reverted(world, first)
    assert await world.code(promotion, "ann") == "Y"
    await reverted(world, last)
    assert (await world.inventory(promotion)).total == 1
    await world.services.stocking.paste(promotion.id, "NEXT", channel=None)
    assert await world.code(promotion, "bob") == "NEXT"


async def test_what_a_checkout_had_stays(world: World) -> None:
    promotion = await world.promotion(codes=["USED", "B", "FREE", "D"], code_kind=CodeKind.MULTIPLE)
    await world.redeem("USED")
    (batch,) = await batches(world, promotion)
    assert (await reverted(world, batch)).report == {"gone": 3, "issued": 1, "used": 0, "void": 0}
    assert (await world.validate("USED")).refusals[0].code == "ALREADY_REDEEMED"
    assert (await world.validate("FREE")).refusals[0].code == "NOT_FOUND"


async def test_no_such_batch(world: World) -> None:
    with pytest.raises(BadInput) as caught:
        await reverted(world, 99)
    assert (caught.value.problem, caught.value.field) == (InputProblem.NOT_FOUND, ("batch",))
