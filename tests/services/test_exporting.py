"""Exports: every code with what is known of it, as CSV and as a workbook, broken off and gone on with; the link."""

import asyncio
import csv
import io
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from promograph.domain.carts import Money
from promograph.domain.codes.states import CodeState
from promograph.domain.jobs import JobStatus
from promograph.domain.promotions import CodeKind, Promotion
from promograph.domain.redeeming import HoldRequest
from promograph.domain.stock.exports import COLUMNS, BatchFacts, ExportFormat, ExportPage, Shower, harmless
from promograph.domain.stock.replacing import ReplaceRequest
from promograph.domain.stock.selections import CodeSelection
from promograph.services.export_files import code_lines
from promograph.services.exporting import KEPT, Download, Gone

from .world import World

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


async def exported(world: World, promotion: Promotion, format_: ExportFormat, **asked: Any) -> bytes:
    """The file's content."""
    selection = CodeSelection(promotion=await world.get(promotion), **asked)
    job = await world.services.exporting.begin(selection, format_)
    job = await world.services.jobs.wait(job.id, 300)
    assert job.status is JobStatus.DONE, job
    assert job.done == job.total
    download = await world.services.exporting.download(job)
    assert download is not None
    content = b"".join([part async for part in world.services.job_files.parts(download.file.id)])
    assert len(content) == download.file.size
    return content


def read_csv(content: bytes) -> list[dict[str, str]]:
    rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    assert tuple(rows.fieldnames or ()) == COLUMNS
    return list(rows)


def read_xlsx(content: bytes) -> list[dict[str, Any]]:
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert tuple(rows[0]) == COLUMNS
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows[1:]]


async def furnished(world: World) -> Promotion:
    """Generated, imported and made codes in every state, with names that a spreadsheet would run."""
    promotion = await world.promotion(codes=["A1", "A2", "A3", "A4"], valid_for=5 * HOUR)
    await world.import_file(promotion, b"code\n=B1+1\n-B2\nB3\nB4\nB5\n", channel="@print")
    await world.issue(promotion, "+ann", channel="email", send="=send")
    await world.issue_all(promotion, ["bob", "cy"])
    await world.redeem("A1", "+ann", order="-o1", discount=Money(minor=1250, currency="EUR"))
    await world.block("B4")
    await world.void("A3")
    await world.services.redeeming.hold(HoldRequest(code="A2", customer="bob", ttl=HOUR))
    await world.set_expiry("B3", at=world.clock.now)
    return promotion


async def test_every_code_is_there_with_what_is_known_of_it(world: World) -> None:
    promotion = await furnished(world)
    rows = read_csv(await exported(world, promotion, ExportFormat.CSV))
    found = {row["code"]: row for row in rows}
    assert [row["code"] for row in rows] == ["A1", "A2", "A3", "A4", "'=B1+1", "'-B2", "B3", "B4", "B5"]
    states = [row["state"][0] for row in rows]
    assert "".join(states) == "RIVAAAEBA"
    now = world.clock.now.isoformat()
    first = found["A1"]
    assert (first["source"], first["channel"], first["added_at"], first["kind"]) == ("PASTED", "", now, "PERSONALIZED")
    assert (first["customer"], first["issued_at"], first["issued_through"]) == ("'+ann", now, "email")
    assert (first["send"], first["expires_at"]) == ("'=send", (world.clock.now + 5 * HOUR).isoformat())
    assert (first["uses"], first["uses_left"], first["open_holds"]) == ("1", "0", "0")
    assert (first["redeemed_at"], first["order"], first["discount"], first["currency"]) == (now, "'-o1", "12.50", "EUR")
    held = found["A2"]
    assert (held["uses"], held["uses_left"], held["open_holds"], held["redeemed_at"]) == ("0", "0", "1", "")
    last = found["B5"]
    assert (last["source"], last["channel"], last["customer"], last["expires_at"]) == ("IMPORTED", "'@print", "", "")


@pytest.mark.parametrize("odd", ["plain", 'a"b', "a,b", "a\nb", "a\r\nb"])
@pytest.mark.parametrize("in_code", [True, False])
async def test_rows_are_written_as_they_are_whatever_their_neighbours_share(odd: str, *, in_code: bool) -> None:
    same, other = ("AVAILABLE", ""), ("ISSUED", "plain" if in_code else odd)
    code = odd if in_code else "plain"
    stretches = [(["A", "B"], same), ([code], other), (["C", code], same), (["D"], ("ISSUED", other[1])), (["E"], same)]
    read = list(csv.reader(io.StringIO(code_lines(stretches).decode(), newline="")))
    assert read == [[text, *tail] for texts, tail in stretches for text in texts]
    assert code_lines(stretches).endswith(b"\r\n")


async def test_codes_of_which_the_same_is_told_are_told_of_together(world: World) -> None:
    promotion = await world.promotion(codes=["A1", "=A2", "A3", "A4"])
    page = ExportPage(
        codes=[(n, text, False, False, 0, None) for n, text in enumerate(["A1", "=A2", "A3", "A4"], start=1)],
        batches=[BatchFacts(7, 1, 4, "PASTED", "web", 0)],
    )
    shower = Shower(promotion, world.clock.now, is_safe=False)
    ((texts, tail),) = shower.stretches(page)
    assert list(texts) == ["A1", "'=A2", "A3", "A4"]
    blocked = replace(page, codes=[*page.codes[:1], (2, "=A2", True, False, 0, None), *page.codes[2:]])
    apart = list(shower.stretches(blocked))
    assert [list(texts) for texts, _ in apart] == [["A1"], ["'=A2"], ["A3", "A4"]]
    assert apart[0][1] == apart[2][1] == tail != apart[1][1]
    halves = replace(page, batches=[BatchFacts(7, 1, 2, "PASTED", "web", 0), BatchFacts(8, 3, 4, "PASTED", "web", 0)])
    assert [(list(texts), tail[2]) for texts, tail in shower.stretches(halves)] == [
        (["A1", "'=A2"], "7"),
        (["A3", "A4"], "8"),
    ]
    issued = replace(page, issued={3: ("ann", 0, None, None)})
    assert [list(texts) for texts, _ in shower.stretches(issued)] == [["A1", "'=A2"], ["A3"], ["A4"]]


async def test_a_workbook_says_the_same_and_every_cell_is_a_text(world: World) -> None:
    promotion = await furnished(world)
    plain = read_csv(await exported(world, promotion, ExportFormat.CSV))
    rows = read_xlsx(await exported(world, promotion, ExportFormat.XLSX))
    assert [{name: harmless(value) for name, value in row.items()} for row in rows] == plain
    assert rows[4]["code"] == "=B1+1"


async def test_a_selection_is_exported_alone(world: World) -> None:
    promotion = await furnished(world)

    async def codes(**asked: Any) -> list[str]:
        return [row["code"] for row in read_csv(await exported(world, promotion, ExportFormat.CSV, **asked))]

    assert await codes(states=frozenset({CodeState.ISSUED, CodeState.BLOCKED})) == ["A2", "B4"]
    assert await codes(channel="@print", states=frozenset({CodeState.AVAILABLE})) == ["'=B1+1", "'-B2", "B5"]
    assert await codes(customer="cy") == ["A3"]
    assert await codes(channel="nobody") == []
    assert read_xlsx(await exported(world, promotion, ExportFormat.XLSX, channel="nobody")) == []


async def test_a_code_and_the_one_in_its_place_name_each_other(world: World) -> None:
    promotion = await world.promotion(codes=["A1", "A2"])
    await world.code(promotion, "ann")
    await world.services.replacing.replace([ReplaceRequest(code="A1")], operation="codeReplace")
    rows = read_csv(await exported(world, promotion, ExportFormat.CSV))
    assert [(row["state"], row["replaces"], row["replaced_by"]) for row in rows] == [
        ("VOID", "", "A2"),
        ("ISSUED", "A1", ""),
    ]


async def test_shared_codes_and_codes_made_on_demand_are_exported(world: World) -> None:
    single = await world.promotion(shared="SAVE", code_kind=CodeKind.SINGLE, uses_per_code=None)
    await world.code(single, "ann")
    await world.redeem("SAVE", "ann")
    (row,) = read_csv(await exported(world, single, ExportFormat.CSV))
    assert (row["code"], row["state"], row["uses"], row["uses_left"]) == ("SAVE", "REDEEMED", "1", "")
    made = await world.promotion()
    texts = {await world.code(made, "ann"), await world.code(made, "bob")}
    rows = read_csv(await exported(world, made, ExportFormat.CSV))
    assert {row["code"] for row in rows} == texts
    assert {row["state"] for row in rows} == {"ISSUED"}


@pytest.mark.parametrize("format_", ExportFormat)
async def test_an_export_that_is_broken_off_is_gone_on_with_by_another_server(
    world: World, format_: ExportFormat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("promograph.services.exporting._ROWS", 10)
    promotion = await world.promotion(codes=95)
    selection = CodeSelection(promotion=promotion)
    first, database = world.interposed()
    writes, reached = 0, asyncio.Event()

    async def count_down() -> None:
        nonlocal writes
        writes += 1
        if writes == 6:
            reached.set()
            await asyncio.Event().wait()
        database.before_write = count_down

    job = await first.exporting.begin(selection, format_)
    database.before_write = count_down
    await asyncio.wait_for(reached.wait(), 300)
    await first.close()
    world.opened.remove(first)
    await world.services.runner.look()
    job = await world.services.jobs.wait(job.id, 300)
    assert job.status is JobStatus.DONE, job
    download = await world.services.exporting.download(job)
    assert download is not None
    content = b"".join([part async for part in world.services.job_files.parts(download.file.id)])
    rows = read_csv(content) if format_ is ExportFormat.CSV else read_xlsx(content)
    assert [row["code"] for row in rows] == [f"P1-{n:05}" for n in range(1, 96)]


async def test_only_the_token_opens_the_link_and_only_for_a_day(world: World) -> None:
    promotion = await world.promotion(codes=1)
    job = await world.services.exporting.begin(CodeSelection(promotion=promotion), ExportFormat.CSV)
    job = await world.services.jobs.wait(job.id, 300)
    exporting = world.services.exporting
    download = await exporting.download(job)
    assert download is not None
    token = download.token
    assert isinstance(await exporting.open(token), Download)
    for wrong in (
        "",
        "1",
        "-",
        f"{job.id}-",
        token[:-1],
        f"{job.id + 1}-{token.partition('-')[2]}",
        "9" * 30 + "-x",
        "²-x",
    ):
        assert await exporting.open(wrong) is None, wrong
    world.clock.now += KEPT
    assert isinstance(await exporting.open(token), Gone)
    assert await exporting.download(job) is None


async def test_a_repeated_call_under_a_key_is_the_same_job(world: World) -> None:
    promotion = await world.promotion(codes=1)
    selection = CodeSelection(promotion=promotion)
    first = await world.services.exporting.begin(selection, ExportFormat.CSV, "k")
    second = await world.services.exporting.begin(selection, ExportFormat.CSV, "k")
    assert first.id == second.id
