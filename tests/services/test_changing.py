"""Changing many codes: by what they are, by file, the expiry of a batch; exact counts back, nothing else touched."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from promograph.domain.codes.states import CodeState
from promograph.domain.jobs import Job
from promograph.domain.promotions import CodeKind, Promotion
from promograph.domain.stock.changes import CodeChange, Tally
from promograph.domain.stock.selections import CodeSelection
from promograph.errors import BadInput
from promograph.services.changing_many import tally_of
from promograph.store.databases.postgres import PostgresDatabase
from promograph.store.databases.sqlite import SqliteDatabase
from promograph.store.listing import Slice

from .world import World, why

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


async def change(world: World, promotion: Promotion, act: CodeChange, **asked: Any) -> tuple[int, int]:
    """How many changed and how many were so already."""
    states = frozenset(CodeState(state) for state in asked.pop("states", ()))
    selection = CodeSelection(promotion=await world.get(promotion), states=states, **asked)
    tally = await done(world, await world.services.changing_many.begin(selection, act))
    return tally.changed, tally.already


async def done(world: World, job: Job) -> Tally:
    """What became of the codes, when the job is over."""
    job = await world.services.jobs.wait(job.id, 300)
    if job.error is not None:
        raise job.error
    assert job.done == job.total
    return tally_of(job.report)


async def standing(world: World, texts: list[str]) -> str:
    """The first letter of each code's state."""
    found = [await world.services.lookup.code(text) for text in texts]
    return "".join("?" if code is None else code.state(world.clock.now)[0] for code in found)


async def batches_of(world: World, promotion: Promotion) -> list[int]:
    """The ids of its batches, the oldest first."""
    page = await world.services.stocking.batches(promotion.id, Slice(count=9))
    return sorted(row.id for _, row in page.rows)


async def test_codes_are_changed_by_state_customer_batch_channel_and_dates(world: World) -> None:
    promotion = await world.promotion(codes=["A1", "A2", "A3"])
    world.clock.move(hours=1)
    noon = world.clock.now
    await world.services.stocking.paste(promotion.id, "B1\nB2\nB3", channel="sms")
    await world.services.stocking.paste(promotion.id, "C1\nC2", channel="print")
    other = await world.promotion(codes=["X1"])
    await world.code(other, "ann")
    await world.issue_all(promotion, ["ann", "bob"])
    world.clock.move(hours=1)
    await world.issue_all(promotion, ["cy", "dee"])
    await world.redeem("A1", "ann")
    texts = ["A1", "A2", "A3", "B1", "B2", "B3", "C1", "C2"]
    assert await standing(world, texts) == "RIIIAAAA"
    assert await change(world, promotion, CodeChange.BLOCK, states=["ISSUED"], issued_until=noon + HOUR) == (1, 0)
    assert await change(world, promotion, CodeChange.BLOCK, customer="dee") == (1, 0)
    assert await change(world, promotion, CodeChange.BLOCK, customer="nobody") == (0, 0)
    assert await standing(world, texts) == "RBIBAAAA"
    assert await change(world, promotion, CodeChange.BLOCK, channel="sms") == (2, 1)
    assert await standing(world, texts) == "RBIBBBAA"
    assert await change(world, promotion, CodeChange.UNBLOCK, states=["BLOCKED"], added_from=noon) == (3, 0)
    assert await standing(world, texts) == "RBIIAAAA"
    _, sms, _ = await batches_of(world, promotion)
    assert await change(world, promotion, CodeChange.VOID, batch_id=sms, states=["AVAILABLE", "BLOCKED"]) == (2, 0)
    assert await change(world, promotion, CodeChange.VOID, added_until=noon) == (3, 0)
    assert await standing(world, texts) == "VVVIVVAA"
    assert await change(world, promotion, CodeChange.VOID) == (3, 5)
    assert await change(world, promotion, CodeChange.UNBLOCK) == (0, 8)
    assert await standing(world, ["X1"]) == "I"


async def test_a_selection_is_changed_in_pieces_and_codes_made_on_demand_with_it(world: World) -> None:
    promotion = await world.promotion(valid_for=HOUR)
    await world.issue_all(promotion, [f"c{n}" for n in range(1_203)])
    assert await change(world, promotion, CodeChange.BLOCK, states=["ISSUED"]) == (1_203, 0)
    found = await world.inventory(promotion)
    assert (found.total, found.blocked) == (1_203, 1_203)


async def in_file(world: World, content: bytes, act: CodeChange) -> Tally:
    return await done(world, await world.services.changing_many.begin_in_file([content], act))


async def test_the_codes_of_a_file_are_changed_and_unknown_rows_are_told(world: World) -> None:
    await world.promotion(codes=["A1", "A2", "A3"])
    await world.promotion(codes=["B1"], code_kind=CodeKind.MULTIPLE)
    await world.block("A2")
    tally = await in_file(world, b"code\na1\nNOPE\nA2\n\nA1\nB1\nnot a code\n", CodeChange.BLOCK)
    assert (tally.changed, tally.already, tally.unknown) == (2, 2, 2)
    assert sorted((row.row, row.shown) for row in tally.rows) == [(3, "NOPE"), (8, "not a code")]
    assert await standing(world, ["A1", "A2", "A3", "B1"]) == "BBAB"
    assert why(await world.redeem("B1")) == ["CODE_BLOCKED"]


@pytest.mark.parametrize("by", ["selection", "file"])
async def test_a_change_that_is_broken_off_is_gone_on_with_by_another_server(
    world: World, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in (SqliteDatabase, PostgresDatabase):
        monkeypatch.setattr(kind, "piece", 10)
    promotion = await world.promotion(codes=95)
    await world.block("P1-00003", "P1-00094")
    first, database = world.interposed()
    writes, reached = 0, asyncio.Event()

    async def count_down() -> None:
        nonlocal writes
        writes += 1
        if writes == 5:
            reached.set()
            await asyncio.Event().wait()
        database.before_write = count_down

    if by == "file":
        content = "\n".join(["code", "NONE-1", *(f"p1-{n:05}" for n in range(1, 96)), "a b", "NONE-2"]).encode()
        job = await first.changing_many.begin_in_file([content], CodeChange.BLOCK)
    else:
        job = await first.changing_many.begin(CodeSelection(promotion=promotion, channel=None), CodeChange.BLOCK)
    database.before_write = count_down
    await asyncio.wait_for(reached.wait(), 300)
    await first.close()
    world.opened.remove(first)
    assert 2 < (await world.inventory(promotion)).blocked < 95
    await world.services.runner.look()
    tally = await done(world, job)
    assert (tally.changed, tally.already) == (93, 2)
    assert [row.row for row in tally.rows] == ([2, 99, 98] if by == "file" else [])
    assert (await world.inventory(promotion)).blocked == 95


async def test_a_file_without_a_code_changes_nothing_and_one_that_cannot_be_read_says_so(world: World) -> None:
    promotion = await world.promotion(codes=["A1"])
    tally = await in_file(world, b"not a code\n", CodeChange.VOID)
    assert (tally.changed, tally.already, tally.unknown) == (0, 0, 1)
    with pytest.raises(BadInput, match="cannot be read"):
        await in_file(world, b"PK\x03\x04 and no more", CodeChange.VOID)
    assert (await world.inventory(promotion)).void == 0


async def test_a_batch_gets_another_expiry_and_what_had_expired_in_line_waits_again(world: World) -> None:
    promotion = await world.promotion(codes=[f"A{n}" for n in range(1, 7)])
    now = world.clock.now
    (batch,) = await batches_of(world, promotion)
    expire = world.services.changing.expire
    assert await expire(batch, now + HOUR) == 6
    assert await expire(batch, now + HOUR) == 0
    assert await world.code(promotion, "ann") == "A1"
    await world.block("A3")
    world.clock.move(hours=1)
    assert why(await world.issue(promotion, "bob")) == ["POOL_EMPTY"]
    assert why(await world.redeem("A1", "ann")) == ["EXPIRED"]
    found = await world.inventory(promotion)
    assert (found.available, found.issued, found.blocked, found.void) == (0, 1, 1, 4)
    await world.void("A6")
    assert await expire(batch, now + 3 * HOUR) == 6
    found = await world.inventory(promotion)
    assert (found.available, found.issued, found.blocked, found.void) == (3, 1, 1, 1)
    assert [await world.code(promotion, name) for name in ("bob", "cy")] == ["A2", "A4"]
    assert why(await world.redeem("A1", "ann")) == []
    world.clock.move(hours=2)
    assert why(await world.redeem("A2", "bob")) == ["EXPIRED"]
    assert await expire(batch, None) == 6
    assert why(await world.redeem("A2", "bob")) == []
    with pytest.raises(BadInput, match="No batch"):
        await expire(batch + 9, None)


async def test_codes_issued_while_they_are_being_stopped_are_counted_right(world: World) -> None:
    promotion = await world.promotion(codes=600)
    second = world.reopen()
    stopping = change(world, promotion, CodeChange.VOID, states=["AVAILABLE"])
    issuing = [world.issue(promotion, f"c{n}") for n in range(50)]
    (changed, _), *outcomes = await asyncio.gather(stopping, *issuing)
    assert await second.verify() == []
    given = sum(outcome.issuance is not None for outcome in outcomes)
    found = await world.inventory(promotion)
    assert (found.issued, found.void, found.available) == (given, changed, 600 - given - changed)
