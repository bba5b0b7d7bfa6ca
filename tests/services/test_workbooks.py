"""Workbooks as people have them, and those that are made to bring a reader down."""

import io
import zipfile
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from promograph.domain.people.sheets import CustomerColumns, read_customer_rows
from promograph.domain.sheets import Reading
from promograph.domain.stock.lists import CodeColumns, read_codes
from promograph.errors import BadInput, InputProblem
from promograph.services.importing import workbooks
from promograph.services.importing.sheet_files import open_sheet

FILES = Path(__file__).parent.parent / "files"


def book(*rows: Iterable[Any], left: int = 0, **sheets: str) -> bytes:
    """An XLSX with a sheet of rows that begin in a column; `sheets` are further ones, `hidden` or not."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as written:
        for name, state in sheets.items():
            sheet = written.add_worksheet(name)
            sheet.write(0, 0, f"IN-{name}")
            if state == "hidden":
                sheet.hide()
        sheet = written.add_worksheet("Rows")
        sheet.activate()
        sheet.set_first_sheet()
        for number, cells in enumerate(rows):
            sheet.write_row(number, left, cells)
    return content.getvalue()


def of_parts(cells: str) -> bytes:
    """An XLSX of the fewest parts that has these cells."""
    office = "http://schemas.openxmlformats.org"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("[Content_Types].xml", f'<Types xmlns="{office}/package/2006/content-types"/>')
        packed.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{office}/package/2006/relationships"><Relationship Id="r1" '
            f'Type="{office}/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/>'
            "</Relationships>",
        )
        packed.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{office}/spreadsheetml/2006/main" xmlns:r="{office}/officeDocument/2006/relationships">'
            '<sheets><sheet name="A" sheetId="1" r:id="r1"/></sheets></workbook>',
        )
        packed.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{office}/package/2006/relationships"><Relationship Id="r1" '
            f'Type="{office}/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>'
            "</Relationships>",
        )
        packed.writestr(
            "xl/worksheets/sheet1.xml",
            f'<worksheet xmlns="{office}/spreadsheetml/2006/main"><sheetData>{cells}</sheetData></worksheet>',
        )
    return content.getvalue()


FAR_APART = of_parts('<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>')


def codes_of(content: bytes, *, column: str | None = None, **reading: Any) -> list[tuple[int, str]]:
    sheet = open_sheet([content[at : at + 1000] for at in range(0, len(content), 1000)], Reading(**reading))
    batches = list(read_codes(sheet, CodeColumns(code=column)))
    assert [bad for batch in batches for bad in batch.bad] == []
    return [each for batch in batches for each in zip(batch.rows, batch.texts, strict=True)]


def notes_of(content: bytes) -> str:
    return " ".join(note for batch in read_codes(open_sheet([content])) for note in batch.notes)


@pytest.mark.parametrize("name", ["spring.xls", "spring.xlsx"])
def test_files_of_a_spreadsheet(name: str) -> None:
    content = (FILES / name).read_bytes()
    expected = [(4, "SPRING-A1"), (5, "20261234"), (6, "00042"), (8, "spring-b2")]
    assert codes_of(content) == expected
    assert codes_of(content, column="promo code", sheet="CODES") == expected
    assert codes_of(content, column="number") == [(4, "1001"), (5, "1002"), (6, "1003"), (8, "1004")]
    assert codes_of(content, sheet="prices") == [(2, "SECRET-1")]
    assert codes_of(content, sheet="1") == [(2, "SECRET-1")]
    notes = notes_of(content)
    assert "Only the sheet Codes was read; the workbook has Notes too." in notes
    assert "these columns were not read: Number, Name, Note." in notes
    assert "numbers in the spreadsheet: 1;" in notes
    assert "began with zeros" in notes


def test_a_text_file_of_a_spreadsheet_with_german_settings() -> None:
    content = (FILES / "fruehling.csv").read_bytes()
    codes = [(2, "FRÜHLING-1"), (3, "FRÜHLING-2"), (4, "00012345"), (5, "GRÖSSE-3")]
    assert codes_of(content, column="gutscheincode", encoding="windows-1252") == codes
    assert codes_of(content, column="kundennummer", encoding="cp1252") == [(row, f"0004{row}") for row in range(2, 6)]
    with pytest.raises(BadInput, match="encoding"):
        codes_of(content, column="gutscheincode")


def test_numbers_are_shown_as_a_spreadsheet_shows_them() -> None:
    content = book([42], [12.5], [999_999_999_999_999], [0.1 + 0.2], [True], left=2)
    assert [text for _, text in codes_of(content)] == ["42", "12.5", "999999999999999", "0.3", "TRUE"]
    assert notes_of(content) == ""


def test_a_number_of_more_than_15_digits_is_refused() -> None:
    with pytest.raises(BadInput, match=r"Row 3: this number has more than the 15 digits .* column as text"):
        codes_of(book(["code", "n"], ["A", 1], [1234567890123456, 2]))
    content = book(["code", "n"], ["A", 1], ["B", 1234567890123456])
    assert codes_of(content) == [(2, "A"), (3, "B")], "another column's number spoils no code"


@pytest.mark.parametrize("name", ["errors.xlsx", "errors.xls"])
def test_a_cell_with_an_error_makes_its_row_a_bad_one(name: str) -> None:
    """Only where its column is read: a formula that has broken is no blank."""
    content = (FILES / name).read_bytes()

    def read(columns: CodeColumns) -> tuple[list[str], list[tuple[int, str]]]:
        batches = list(read_codes(open_sheet([content], Reading(sheet="Codes")), columns))
        bad = [(each.row, each.why) for batch in batches for each in batch.bad]
        return [text for batch in batches for text in batch.texts], bad

    texts, bad = read(CodeColumns(code="code"))
    assert texts == ["A1", "A2", "A3", "A4"]
    assert [row for row, _ in bad] == [5, 8], "an error under `customer` or `note` is nobody's business"
    assert "the spreadsheet's error #N/A where" in bad[0][1]
    assert "the spreadsheet's error #DIV/0! where" in bad[1][1]
    texts, bad = read(CodeColumns(code="code", customer="customer"))
    assert (texts, [row for row, _ in bad]) == (["A1", "A3", "A4"], [5, 6, 8])


def test_a_customer_with_an_error_for_a_name_is_a_bad_row() -> None:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as written:
        sheet = written.add_worksheet()
        sheet.write_row(0, 0, ["id", "locale", "note"])
        for row, (column, error) in enumerate([(2, "#REF!"), (1, "#NAME?"), (0, "#VALUE!")], 1):
            sheet.write_row(row, 0, [f"ann-{row}", "de"])
            sheet.write_formula(row, column, "=X", None, error)
    columns = CustomerColumns(locale="locale")
    pieces = list(read_customer_rows(open_sheet([content.getvalue()]), columns, Reading()))
    assert [row["id"] for piece in pieces for row in piece.customers] == ["ann-1"]
    faults = [fault for piece in pieces for fault in piece.faults]
    assert [number for number, _ in faults] == [3, 4]
    assert "#NAME?" in faults[0][1]


def test_days_are_read_without_a_time() -> None:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as written:
        written.add_worksheet().write_datetime(0, 0, date(2026, 12, 15), written.add_format({"num_format": "d.m.yyyy"}))
    assert codes_of(content.getvalue()) == [(1, "2026-12-15")]


def test_sheets() -> None:
    content = book(["X"], Old="hidden", Other="")
    assert codes_of(content) == [(1, "IN-Other")]
    assert codes_of(content, sheet="rows") == [(1, "X")]
    assert codes_of(content, sheet="1") == [(1, "IN-Old")]
    for sheet in ("4", "0", "none", ""):
        with pytest.raises(BadInput, match=r"no such sheet\. It has Old, Other, Rows\.") as caught:
            codes_of(content, sheet=sheet)
        assert (caught.value.problem, caught.value.field) == (InputProblem.NOT_FOUND, ("sheet",))


@pytest.mark.parametrize("name", ["encoding", "separator"])
def test_a_workbook_has_no_such_thing(name: str) -> None:
    with pytest.raises(BadInput) as caught:
        codes_of(book(["X"]), **{name: ";"})
    assert caught.value.field == (name,)


def test_many_rows_come_in_their_order() -> None:
    content = book(["code"], *([f"C-{number:05}"] for number in range(5_000)))
    assert codes_of(content) == [(number + 2, f"C-{number:05}") for number in range(5_000)]


def test_cells_far_apart_bring_nobody_down() -> None:
    assert len(FAR_APART) < 2_000
    with pytest.raises(BadInput, match="unpacks to more than can be read"):
        codes_of(FAR_APART)


def test_an_archive_that_says_it_is_huge_is_not_unpacked() -> None:
    content = bytearray(FAR_APART)
    at = content.index(b"PK\x01\x02")  # its first entry in the directory; the size unpacked is 24 bytes on
    content[at + 24 : at + 28] = (3 << 30).to_bytes(4, "little")
    with pytest.raises(BadInput, match="unpacks to more than can be read"):
        codes_of(bytes(content))


def test_a_reader_that_takes_too_long_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "_PATIENCE_SECONDS", 0.0)
    with pytest.raises(BadInput, match="more than can be read"):
        codes_of(book(["X"]))


def test_an_empty_sheet_before_the_codes_is_passed_over() -> None:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as written:
        written.add_worksheet("Sheet1")
        written.add_worksheet("Sheet2").write(0, 0, "A-1")
        written.add_worksheet("Sheet3")
    assert codes_of(content.getvalue()) == [(1, "A-1")]
    assert notes_of(content.getvalue()) == "Only the sheet Sheet2 was read; the workbook has Sheet1, Sheet3 too."


def test_a_workbook_with_a_password_is_refused_for_that() -> None:
    """A spreadsheet puts it, encrypted, into a file of the kind that XLS is; all we see is a name in there."""
    content = workbooks.COMPOUND + bytes(504) + "EncryptedPackage".encode("utf-16-le") + bytes(512)
    with pytest.raises(BadInput, match="has a password: save it without one"):
        open_sheet([content])


@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04 and then nothing of an archive",
        workbooks.COMPOUND + b"\0" * 600,
        of_parts("<row><c"),
        (FILES / "spring.xls").read_bytes()[:3_000],
        (FILES / "spring.xlsx").read_bytes()[:3_000],
    ],
)
def test_broken_workbooks_are_refused_with_a_sentence(content: bytes) -> None:
    with pytest.raises(BadInput, match=r"^This workbook .*\.$"):
        codes_of(content)


@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE html>\n<table><tr><td>CODE1</td></tr></table>",
        b"\xef\xbb\xbf\n<html><body>CODE1",
        b'<?xml version="1.0"?><codes/>',
        b"%PDF-1.6\nCODE1\n",
    ],
)
def test_what_is_no_list_at_all_is_refused_with_a_sentence(content: bytes) -> None:
    with pytest.raises(BadInput, match="save it as XLSX or CSV"):
        codes_of(content)


def test_no_file_of_ours_is_left_open_in_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sheet that nobody reads to its end ends its child."""
    children = []
    begin = workbooks.subprocess.Popen
    monkeypatch.setattr(
        workbooks.subprocess, "Popen", lambda *given, **more: children.append(begin(*given, **more)) or children[-1]
    )
    sheet = open_sheet([book(*([number] for number in range(20_000)))])
    assert sheet.first.rows
    assert children[0].poll() is None
    del sheet
    assert children[0].returncode is not None
