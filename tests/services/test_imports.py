"""Imports of files: proposals, codes for people, expiries, channels, reports, and whatever breaks one off."""

import asyncio
import csv
import io
from datetime import datetime
from functools import partial
from typing import Any

import pytest

from promograph.domain.jobs import Job, JobStatus
from promograph.domain.promotions import EndReason, IssuePolicy, Promotion
from promograph.domain.sheets import lines
from promograph.domain.stock.import_orders import ImportOrder
from promograph.domain.stock.lists import CodeColumns
from promograph.domain.windows import Window
from promograph.errors import BadInput, InputProblem
from promograph.services.app import Services
from promograph.services.exporting import Download
from promograph.services.importing.codes import REPORT, Upload
from promograph.services.jobs.runs import Run
from promograph.store.databases.database import Connection
from promograph.store.databases.opening import open_database
from promograph.store.jobs import running as job_running
from promograph.store.jobs.running import InHand, Overtaken
from promograph.store.listing import Slice

from .world import Interposed, World, issued, why

pytestmark = pytest.mark.anyio

PEOPLE = CodeColumns(customer="customer")
CHANNELS = CodeColumns(channel="channel")


async def report_of(services: Services, job: Job) -> list[tuple[int, str, str]]:
    """The file with the whole report, without the reasons, which must be there."""
    (file,) = [file for file in await services.job_files.of_job(job.id) if file.role == REPORT]
    content = b"".join([part async for part in services.job_files.parts(file.id)])
    head, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    assert head == ["row", "code", "outcome", "why"]
    assert all(row[3].endswith(".") for row in rows)
    return [(int(row[0]), row[1], row[2]) for row in rows]


async def job_of(world: World, promotion: Promotion, content: bytes, **order: Any) -> Job:
    upload = Upload([content])
    begun = await world.services.code_imports.submit(ImportOrder(promotion_id=promotion.id, **order), upload)
    return await world.services.jobs.wait(begun.id, 300)


async def sizes(world: World, promotion: Promotion) -> dict[str | None, int]:
    """Of the batches, by their channels."""
    page = await world.services.stocking.batches(promotion.id, Slice(count=99))
    return {row.channel: row.size for _, row in page.rows}


# Proposals


async def test_a_dry_run_says_what_would_happen_and_changes_nothing(world: World) -> None:
    await world.promotion(codes=["ELSE"], active=False)
    promotion = await world.promotion(codes=["HERE"], active=False)
    content = b"code\nNEW\nhere\nnew\nELSE\nb c\n=X1\n+here\n"
    job = await job_of(world, promotion, content, dry_run=True)
    assert (job.status, job.batch_id) == (JobStatus.DONE, None)
    seen = job.report
    assert (seen["read"], seen["added"], seen["repeated"], seen["bad"]) == (7, 3, 1, 1)
    assert (seen["already_here"], seen["already_elsewhere"]) == (1, 1)
    rows = await report_of(world.services, job)
    link = await world.services.exporting.download(job)
    assert link is not None
    opened = await world.services.exporting.open(link.token)
    assert isinstance(opened, Download)
    assert (opened.file.name, opened.file.role) == (f"import-{job.id}-report.csv", REPORT)
    assert sorted(rows) == [
        (3, "here", "ALREADY_HERE"),
        (4, "new", "REPEATED"),
        (5, "ELSE", "ALREADY_ELSEWHERE"),
        (6, "b c", "BAD"),
    ]
    assert (await world.inventory(promotion)).total == 1
    assert (await world.services.stocking.paste(promotion.id, "Z", channel=None)).report.added == 1, "the line is free"
    added = (await world.import_file(promotion, content)).report
    assert (added.added, added.already_here, added.already_elsewhere) == (3, 1, 1)
    assert await world.verify() == []


async def test_the_report_names_all_rows_and_calculates_nothing(world: World) -> None:
    promotion = await world.promotion(codes=["=1+1"], active=False)
    job = await job_of(world, promotion, b"=1+1\n" + b"A\n" * 1_500 + b"b c\n" * 1_500)
    rows = await report_of(world.services, job)
    assert rows[0] == (1, "'=1+1", "ALREADY_HERE")
    assert [outcome for _, _, outcome in rows].count("REPEATED") == 1_499
    assert [row for row, _, outcome in rows if outcome == "BAD"] == list(range(1_502, 3_002))


async def test_the_same_file_again_adds_nothing_and_says_so(world: World) -> None:
    promotion = await world.promotion(active=False)
    first = await world.import_file(promotion, b"A\nB\n")
    assert (first.report.added, first.report.notes) == (2, ())
    again = await world.import_file(promotion, b"A\nB\n")
    assert (again.batch, again.report.added, again.report.already_here) == (None, 0, 2)
    assert again.report.notes == ("Nothing was added: no row of the file holds a code that is new.",)


# Codes for people


async def test_codes_for_people_are_theirs_and_nobody_else_s(world: World) -> None:
    promotion = await world.promotion(codes=["POOL-1"])
    content = b"Code;Customer\nANN-1;ann\nFREE-1;\nBOB-1;bob\nann-2;ann\n"
    added = await world.import_file(promotion, content, columns=PEOPLE, channel="letter")
    report = added.report
    assert (report.read, report.added, report.unassigned) == (4, 3, 1)
    assert [await world.code(promotion, name) for name in ("ann", "bob", "cy", "di")] == [
        "ANN-1",
        "BOB-1",
        "POOL-1",
        "FREE-1",
    ]
    assert why(await world.issue(promotion, "ed")) == ["POOL_EMPTY"]
    assert why(await world.redeem("ann-1", "ann")) == []
    profile = issued(await world.issue(promotion, "bob"))
    assert (profile.channel, profile.number) == ("letter", 2)
    inventory = await world.inventory(promotion)
    assert (inventory.total, inventory.issued, inventory.customers) == (4, 4, 4)
    assert await world.verify() == []


async def test_codes_for_people_of_a_draft(world: World) -> None:
    promotion = await world.promotion(active=False)
    await world.import_file(promotion, b"code,customer\nA-1,ann\n", columns=PEOPLE)
    active = await world.services.promoting.activate(promotion.id)
    assert await world.code(active, "ann") == "A-1"
    assert await world.verify() == []


async def test_whom_no_code_can_be_given(world: World) -> None:
    promotion = await world.promotion(codes=["P"], audience_cap=3)
    await world.code(promotion, "ann")
    content = b"code,customer\nA,ann\nB,bob\nB2,bob\nC,cy\nD,di\nP,ed\n"
    proposed = await job_of(world, promotion, content, columns=PEOPLE, dry_run=True)
    job = await job_of(world, promotion, content, columns=PEOPLE)
    for seen in (proposed.report, job.report):
        assert (seen["added"], seen["unassigned"], seen["already_here"]) == (2, 3, 1)
    rows = await report_of(world.services, job)
    assert rows == await report_of(world.services, proposed)
    assert rows == [(2, "A", "UNASSIGNED"), (4, "B2", "UNASSIGNED"), (6, "D", "UNASSIGNED"), (7, "P", "ALREADY_HERE")]
    assert (await world.get(promotion)).stored_end_reason is EndReason.AUDIENCE_CAP
    assert (await world.inventory(promotion)).total == 3
    assert await world.verify() == []


async def test_a_cap_that_ends_the_promotion_ends_no_import(world: World) -> None:
    promotion = await world.promotion(audience_cap=3)
    content = b"code,customer\n" + b"".join(b"C-%05d,c%d\n" % (n, n) for n in range(25_000))
    report = (await world.import_file(promotion, content, columns=PEOPLE)).report
    assert (report.added, report.unassigned) == (3, 24_997)
    assert await world.verify() == []


async def test_where_an_occasion_is_no_customer_codes_are_not_given_ahead(world: World) -> None:
    promotion = await world.promotion(codes=1, issue_policy=IssuePolicy.PER_SEND)
    with pytest.raises(BadInput) as caught:
        await world.import_file(promotion, b"code,customer\nA,ann\n", columns=PEOPLE)
    assert (caught.value.problem, caught.value.field) == (InputProblem.STATE, ("columns", "customer"))


async def test_many_codes_for_people(world: World) -> None:
    promotion = await world.promotion()
    content = b"code,customer\n" + b"".join(b"C-%05d,c%d\n" % (n, n) for n in range(25_000))
    added = await world.import_file(promotion, content, columns=PEOPLE)
    assert added.report.added == 25_000
    assert await world.code(promotion, "c24999") == "C-24999"
    assert await sizes(world, promotion) == {None: 25_000}
    assert await world.verify() == []


# Expiries and channels


async def test_codes_with_expiries_of_their_own(world: World) -> None:
    promotion = await world.promotion(codes=[], window=Window(time_zone="Europe/Paris"))
    content = b"code,until,customer\nA,2027-03-01,\nB,,\nC,2027-03-01T12:30:00Z,cy\n"
    await world.import_file(promotion, content, columns=CodeColumns(expires_at="until", customer="customer"))
    assert issued(await world.issue(promotion, "ann")).expires_at == datetime.fromisoformat("2027-03-01T23:00:00Z")
    assert issued(await world.issue(promotion, "bob")).expires_at is None
    assert issued(await world.issue(promotion, "cy")).expires_at == datetime.fromisoformat("2027-03-01T12:30:00Z")
    world.clock.move(hours=1)
    assert (await world.validate("C", "cy")).is_valid is False
    assert (await world.validate("A", "ann")).is_valid is True
    assert await world.verify() == []


async def test_each_channel_becomes_a_batch(world: World) -> None:
    promotion = await world.promotion(codes=["P"])
    content = b"code,channel,customer\nA,sms,\nB,,\nC,sms,\nD,e-mail,\nE,sms,ann\nF,sms,ann\n"
    columns = CodeColumns(channel="channel", customer="customer")
    added = await world.import_file(promotion, content, columns=columns, channel="print")
    assert (added.report.added, added.report.unassigned) == (5, 1)
    page = await world.services.stocking.batches(promotion.id, Slice(count=99))
    found = [(row.channel, row.size, row.report.get("added")) for _, row in page.rows]
    assert sorted(found[:-1]) == [("e-mail", 1, 5), ("print", 1, 5), ("sms", 1, 5), ("sms", 2, 5)]
    assert [await world.code(promotion, name) for name in ("b", "c", "d", "e", "f")] == ["P", "A", "C", "B", "D"]
    assert issued(await world.issue(promotion, "ann")).channel == "sms"
    assert await world.verify() == []


async def test_a_column_of_anything_is_not_one_of_channels(world: World) -> None:
    promotion = await world.promotion(active=False)
    content = b"code,channel\n" + b"".join(b"C%d,x%d\n" % (n, n) for n in range(101))
    with pytest.raises(BadInput, match="more than 100 channels") as caught:
        await world.import_file(promotion, content, columns=CHANNELS)
    assert caught.value.field == ("columns", "channel")
    assert (await world.inventory(promotion)).total == 0
    assert (await world.import_file(promotion, b"X\n")).report.added == 1


# Broken off


async def test_a_file_that_cannot_be_read_to_its_end_gives_nobody_a_code(world: World) -> None:
    promotion = await world.promotion()
    content = b"code,customer\n" + b"".join(b"C%d,c%d\nF%d,\n" % (n, n, n) for n in range(15_000)) + b"\xff\n"
    with pytest.raises(BadInput, match="30,002"):
        await world.import_file(promotion, content, columns=PEOPLE)
    inventory = await world.inventory(promotion)
    assert (inventory.total, inventory.customers) == (0, 0)
    assert await world.verify() == []


async def test_who_was_taken_for_dead_does_not_undo_what_another_has_in_hand(world: World) -> None:
    promotion = await world.promotion(codes=["A"])
    upload = Upload([b"B\nC\n"])
    begun = await world.services.code_imports.submit(ImportOrder(promotion_id=promotion.id), upload)
    await world.services.runner.close()

    def taken_by(owner: str, connection: Connection) -> InHand:
        seen = job_running.look(connection, begun.id)
        assert seen is not None
        taken = job_running.take(connection, seen, owner, world.clock.now)
        assert taken is not None
        return taken

    owners = ["there/1/1/slow", "there/2/2/quick"]
    slow, _ = [await world.write(partial(taken_by, owner)) for owner in owners]
    after = world.reopen()
    beside = open_database(world.store)
    run = Run(beside, world.clock, owners[0], slow)
    run.is_undoing = True
    with pytest.raises(Overtaken):
        await after.code_imports.undo(run)
    await beside.close()
    await world.write(lambda connection: job_running.give_back(connection, begun.id, owners[1]))
    await after.runner.look()
    assert (await after.jobs.wait(begun.id, 300)).status is JobStatus.DONE
    assert (await world.inventory(promotion)).total == 3


@pytest.mark.parametrize("stop", [1, 2, 3, 4, 5, 7, 9, 11])
async def test_a_job_that_breaks_off_anywhere_goes_on_elsewhere(world: World, stop: int) -> None:
    """The process that has it stops before its n-th transaction, and another one takes it up."""
    promotion = await world.promotion(codes=["P", "TAKEN"])
    content = b"code,channel,customer\nA,sms,\nB,,\nTAKEN,sms,\nD,e-mail,\nE,sms,ann\nF,sms,ann\na,sms,\nG,sms,bob\n"
    columns = CodeColumns(channel="channel", customer="customer")
    services, database = world.interposed()
    left, stopped = stop, asyncio.Event()

    async def count() -> None:
        nonlocal left
        left -= 1
        database.before_write = count
        if left <= 0:
            stopped.set()
            await asyncio.Event().wait()  # for ever, as the dead do

    upload = Upload([content])
    begun = await services.code_imports.submit(ImportOrder(promotion_id=promotion.id, columns=columns), upload)
    database.before_write = count
    waiting = [asyncio.ensure_future(stopped.wait()), asyncio.ensure_future(services.jobs.wait(begun.id, 300))]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    database.before_write = None
    for task in waiting:
        task.cancel()
    await services.runner.close()
    await world.services.runner.look()
    job = await world.services.jobs.wait(begun.id, 300)
    assert job.status is JobStatus.DONE
    assert (job.report["added"], job.report["unassigned"], job.report["already_here"]) == (5, 1, 1)
    assert sorted(await report_of(world.services, job)) == [
        (4, "TAKEN", "ALREADY_HERE"),
        (7, "F", "UNASSIGNED"),
        (8, "a", "REPEATED"),
    ]
    page = await world.services.stocking.batches(promotion.id, Slice(count=99))
    found = [row.size for _, row in page.rows if row.source == "IMPORTED"]
    assert sorted(found) == [1, 1, 1, 2]
    assert (await world.inventory(promotion)).total == 7
    assert await world.verify() == []


async def test_a_job_that_breaks_off_within_a_batch_goes_on_there(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While others wait a transaction has one code; who takes the job up, alone, puts the rest in at once."""
    promotion = await world.promotion(codes=["C-3"])
    monkeypatch.setattr(lines, "BLOCK_ROWS", 3)
    services, database = world.interposed()
    monkeypatch.setattr(Interposed, "load_piece", 1)
    monkeypatch.setattr(Interposed, "is_waited_for", True)
    steps, stopped = 0, asyncio.Event()

    async def count() -> None:
        nonlocal steps
        steps += 1
        database.before_write = count
        if steps == 6:  # the plan, and four codes
            stopped.set()
            await asyncio.Event().wait()

    content = "".join(f"C-{number}\n" for number in range(8)).encode()
    begun = await services.code_imports.submit(ImportOrder(promotion_id=promotion.id), Upload([content]))
    database.before_write = count
    await stopped.wait()
    database.before_write = None
    await services.runner.close()
    half = await world.services.jobs.get(begun.id)
    assert half is not None
    await world.services.runner.look()
    job = await world.services.jobs.wait(begun.id, 300)
    assert job.status is JobStatus.DONE
    assert (half.done, job.done, job.report["added"], job.report["already_here"]) == (3, 8, 7, 1)
    assert await report_of(world.services, job) == [(4, "C-3", "ALREADY_HERE")]
    assert (await world.inventory(promotion)).total == 8
    assert await world.verify() == []
