"""Codes out of the store into files, and a workbook into it: how many a second, and in how much memory."""

import csv
import io
from collections.abc import Sequence

import xlsxwriter  # type: ignore[import-untyped]
from python_calamine import CalamineWorkbook

from promograph.api.nodes import global_id
from promograph.cli.benching.failures import expect
from promograph.cli.benching.figures import Row, Target, at_least, within
from promograph.cli.benching.parts.part import Part, Site
from promograph.cli.benching.parts.serving import Ground, served
from promograph.cli.benching.supplies import run_promotion
from promograph.domain.codes.formats import CodeFormat
from promograph.domain.codes.making import generate
from promograph.domain.promotions import OnEmpty, PromotionTerms
from promograph.services.app import Services

EXPORTED_A_SECOND = 200_000
WORKBOOK_SECONDS = 5.0
AS_MUCH_MEMORY = 1.25
"""Of what a file of a tenth takes; by so much two equal runs of a server differ."""

_WORKBOOK = 100_000

Promotions = dict[str, str]
"""Ids by handle."""


def measure(site: Site) -> list[Row]:
    tenth, workbook = site.count // 10, min(_WORKBOOK, site.count // 10)

    async def stock(services: Services) -> Promotions:
        sizes = {"tenth": tenth, "whole": site.count, "workbook": workbook, "filled": 0}
        with site.bars.waiting(f"generating {site.count:,} codes"):
            return {name: await _promotion(services, name, size) for name, size in sizes.items()}

    with served(site, stock) as ground, site.bars.waiting("exporting"):
        return [*_csv(ground, tenth, site.count), _workbook_out(ground, workbook), _workbook_in(ground, workbook)]


async def _promotion(services: Services, name: str, codes: int) -> str:
    terms = PromotionTerms(handle=name, name=name, on_empty=OnEmpty.REFUSE if codes else OnEmpty.GENERATE)
    return global_id("Promotion", (await run_promotion(services, terms, codes)).id)


def _csv(ground: Ground[Promotions], tenth: int, whole: int) -> list[Row]:
    """The shorter one first: what memory it takes is what the longer one may take."""
    rows, least = list[Row](), None
    for name, count in (("tenth", tenth), ("whole", whole)):
        content, seconds = _exported(ground, name, "CSV")
        peak = ground.server.peak_mb
        _check(list(csv.reader(io.StringIO(content.decode("utf-8-sig")))), count)
        targets = [at_least(count / seconds, EXPORTED_A_SECOND, "codes")] if count == whole else []
        if least is not None and peak is not None:
            ratio = peak / least
            wanted = f"as much memory as for {tenth:,} ({ratio:.2f} times)"
            targets.append(Target(wanted=wanted, reached=ratio <= AS_MUCH_MEMORY))
        rows.append(_row(f"codesExport, {count:,} as CSV", count, seconds, peak, *targets))
        least = peak
    return rows


def _workbook_out(ground: Ground[Promotions], count: int) -> Row:
    content, seconds = _exported(ground, "workbook", "XLSX")
    peak = ground.server.peak_mb
    _check(CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python(), count)
    return _row(f"codesExport, {count:,} as XLSX", count, seconds, peak, within(seconds, WORKBOOK_SECONDS))


def _workbook_in(ground: Ground[Promotions], count: int) -> Row:
    content = _workbook(count)

    def load() -> None:
        fields = "job { id } report { added }"
        made = ground.api.upload(
            "codesImport", fields, "codes.xlsx", content, promotion=ground.stocked["filled"], columns={"code": "1"}
        )
        ground.api.finished(made["job"])

    _, seconds = ground.timed(load)
    peak = ground.server.peak_mb
    inventory = ground.api.ask('{ promotion(handle: "filled") { inventory { total } } }')["promotion"]["inventory"]
    expect(inventory["total"] == count, "codesImport of a workbook", inventory)
    return _row(f"codesImport, {count:,} rows of XLSX", count, seconds, peak, within(seconds, WORKBOOK_SECONDS))


def _exported(ground: Ground[Promotions], name: str, kind: str) -> tuple[bytes, float]:
    """The file, and the seconds until it was there to be fetched."""

    def export() -> str:
        made = ground.api.act("codesExport", "job { id }", promotion=ground.stocked[name], format=kind)
        url: str = ground.api.finished(made["job"])["download"]["url"]
        return url

    url, seconds = ground.timed(export)
    return ground.api.download(url), seconds


def _check(table: Sequence[Sequence[object]], count: int) -> None:
    """A heading, and each code once."""
    heading, *rows = table
    place = heading.index("code")
    codes = len({row[place] for row in rows})
    expect(codes == len(rows) == count, "codesExport", f"{len(rows):,} rows with {codes:,} codes of {count:,}")


def _workbook(count: int) -> bytes:
    """Codes in the first column, something else in the second."""
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True})
    sheet = book.add_worksheet()
    for place, code in enumerate(generate(CodeFormat(prefix="BOOK-"), count)):
        sheet.write_string(place, 0, code)
        sheet.write_string(place, 1, "something else")
    book.close()
    return content.getvalue()


def _row(what: str, count: int, seconds: float, peak: float | None, *targets: Target) -> Row:
    rate = count / seconds
    return Row(what=what, unit="codes", connections=1, rate=rate, seconds=seconds, peak_mb=peak, targets=targets)


EXPORT = Part(
    name="export",
    about="1,000,000 codes as CSV and 100,000 as XLSX, and as many rows of XLSX imported (about a minute a store)",
    measure=measure,
    full=1_000_000,
    quick=100_000,
)
