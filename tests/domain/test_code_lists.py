"""Lists of codes as people have them: exported by spreadsheets, pasted, broken in many ways."""

import codecs
import tracemalloc
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from promograph.domain.codes import normalise
from promograph.domain.sheets import BLOCK_ROWS as BATCH_ROWS
from promograph.domain.sheets import Block, Reading, Sheet
from promograph.domain.sheets.lines import LONGEST_LINE
from promograph.domain.sheets.text import read_pasted as pasted_sheet
from promograph.domain.sheets.text import read_text
from promograph.domain.stock import lists as code_lists
from promograph.domain.stock.lists import CodeColumns
from promograph.domain.stock.rows import BadRow, Batch, read_bare, read_cells, read_column, shown
from promograph.errors import BadInput


@dataclass
class Read:
    """All batches of a list in one."""

    codes: list[tuple[int, str, str]]
    bad: list[BadRow]
    header: str = ""
    notes: list[str] = field(default_factory=list)


def gather(batches: Iterable[Batch]) -> Read:
    read = Read([], [])
    for batch in batches:
        assert len(batch.rows) == len(batch.texts) == len(batch.keys)
        assert len(batch.rows) + len(batch.bad) <= BATCH_ROWS
        read.codes += zip(batch.rows, batch.texts, batch.keys, strict=True)
        read.bad += batch.bad
        read.header += batch.header
        read.notes += batch.notes
    return read


def read_codes(chunks: Iterable[bytes], encoding: str | None = None, **columns: str) -> Iterator[Batch]:
    return code_lists.read_codes(read_text(chunks, Reading(encoding=encoding)), CodeColumns(**columns))


def read_pasted(text: str) -> Iterator[Batch]:
    return code_lists.read_codes(pasted_sheet(text))


def read_table(rows: Iterable[Sequence[str]]) -> Iterator[Batch]:
    """Of a workbook's sheet."""
    every = list(rows)
    blocks = [
        Block(numbers=range(at + 1, at + 1 + len(every[at : at + BATCH_ROWS])), rows=every[at : at + BATCH_ROWS])
        for at in range(0, len(every), BATCH_ROWS)
    ]
    return code_lists.read_codes(Sheet(blocks, is_table=True))


def of(data: bytes, encoding: str | None = None) -> Read:
    return gather(read_codes([data], encoding))


def outcome(chunks: Iterable[bytes]) -> Read | str:
    """What was read, or why it was not."""
    try:
        return gather(read_codes(chunks))
    except BadInput as problem:
        return str(problem)


def texts(read: Read) -> list[tuple[int, str]]:
    return [(row, text) for row, text, _ in read.codes]


def complaints(read: Read) -> list[tuple[int, str]]:
    return [(bad.row, bad.why) for bad in read.bad]


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (codecs.BOM_UTF8 + "Code\r\nÉTÉ1\r\nab-2\r\n".encode(), None),  # "CSV UTF-8" of Excel
        (codecs.BOM_UTF16_LE + "Code\r\nÉTÉ1\r\nab-2\r\n".encode("utf-16-le"), None),  # its "Unicode text"
        (codecs.BOM_UTF16_LE + "Code\t\r\nÉTÉ1\t\r\nab-2\t\r\n".encode("utf-16-le"), None),
        ("Code;\r\nÉTÉ1;\r\nab-2;\r\n".encode("cp1252"), "windows-1252"),  # its "CSV" in much of Europe
        ("Code,\rÉTÉ1,\rab-2".encode("mac-roman"), "macintosh"),
        ('"Code"\n"ÉTÉ1"\n"ab-2"\n'.encode(), None),  # a database's
    ],
)
def test_files_as_programs_write_them(data: bytes, encoding: str | None) -> None:
    read = of(data, encoding)
    assert read == Read([(2, "ÉTÉ1", "ÉTÉ1"), (3, "ab-2", "AB-2")], [], "Code")


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"\r\n\r\n", b' \n\t\n;;;\n""\n,\n', codecs.BOM_UTF8, codecs.BOM_UTF16_LE]
)
def test_nothing_is_an_empty_list(data: bytes) -> None:
    assert list(read_codes([data])) == []


def test_no_chunks_are_an_empty_list() -> None:
    assert list(read_codes([])) == []


def test_blank_rows_count_as_rows() -> None:
    assert texts(of(b"\nA\n\n \nB\n;;\nC")) == [(2, "A"), (5, "B"), (7, "C")]


@pytest.mark.parametrize(
    "header",
    [
        "code",
        "CODES",
        "Promo Code",
        "promo_code",
        "promocode",
        "Coupon",
        "coupon  code",
        "VOUCHER",
        "vouchers",
        " Code ",
        "Gutscheincode",
        "Code promo",
    ],
)
def test_a_header_is_recognised_and_told(header: str) -> None:
    assert of(f"\n{header}\nA\n".encode()) == Read([(3, "A", "A")], [], header.strip())


@pytest.mark.parametrize("first", ["CODE1", "COUPON-CODE", "SAVE", "coder"])
def test_other_first_rows_are_codes(first: str) -> None:
    assert of(f"{first}\nA\n".encode()).codes[0] == (1, first, first.upper())


def test_only_the_first_row_can_be_a_header() -> None:
    assert texts(of(b"A\ncode\n")) == [(1, "A"), (2, "code")]
    assert texts(of(b"code\ncode\n")) == [(2, "code")]
    assert texts(of(b"A B\ncode\n")) == [(2, "code")]
    assert texts(of(b"A\n" * BATCH_ROWS + b"code\n"))[-1] == (BATCH_ROWS + 1, "code")


def test_a_header_may_come_after_any_number_of_blank_rows() -> None:
    assert of(b"\n" * BATCH_ROWS + b"code\nA") == Read([(BATCH_ROWS + 2, "A", "A")], [], "code")
    assert of(b"\n" * (BATCH_ROWS - 1) + b"code\ncode") == Read([(BATCH_ROWS + 1, "code", "CODE")], [], "code")


def test_a_hint_for_spreadsheets_is_no_code() -> None:
    assert of(b"sep=;\r\nCode;\r\nA;\r\n") == Read([(3, "A", "A")], [], "Code")
    assert of(b"sep=,\nA\n") == Read([(2, "A", "A")], [])


def test_rows_of_two_columns_among_others_are_bad_rows() -> None:
    read = of(b'A\nB\nC,8\n"D"\t"9"\nE;;\n;F\nG\n')
    assert texts(read) == [(1, "A"), (2, "B"), (5, "E"), (6, "F"), (7, "G")]
    assert [bad.row for bad in read.bad] == [3, 4]
    assert all("2 columns of this row hold something" in bad.why for bad in read.bad)
    assert read.bad[1].shown == "D, 9"


def test_a_list_of_two_columns_asks_which_one_is_meant() -> None:
    with pytest.raises(BadInput, match="up to 2 columns: say which one holds the codes") as caught:
        of(b"A;7\nB;8\nC;9\n")
    assert caught.value.field == ("columns", "code")


def test_the_header_tells_the_column() -> None:
    read = of(b'Customer;Promo_Code;Note\n7;A;"x; y"\n8; b \n9;;z\n\n10;c d;\n')
    assert texts(read) == [(2, "A"), (3, "b")]
    assert complaints(read) == [(4, "This row has no code."), (6, "A code has no white space inside.")]
    assert read.header == "Promo_Code"
    assert read.notes == ["Of the file, these columns were not read: Customer, Note."]


def test_two_headers_that_may_be_the_codes_are_refused() -> None:
    with pytest.raises(BadInput, match="The columns Code and Coupon may each hold the codes"):
        of(b"Code;Coupon\nA;B\n")


@pytest.mark.parametrize("column", ["ref", "REF ", "2"])
def test_a_column_by_name_or_number(column: str) -> None:
    data = b"Codes of spring,,\n,,\nCode,Ref,\nA,x1,\nB,x2,\n"
    assert texts(gather(read_codes([data], code=column))) == [(4, "x1"), (5, "x2")]


def test_a_column_by_number_without_a_header() -> None:
    assert texts(gather(read_codes([b"7|A\n8|B\n"], code="2"))) == [(1, "A"), (2, "B")]


def test_a_column_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(BadInput, match="no column named 'ref'; it has Code, Name") as caught:
        gather(read_codes([b"Code,Name\nA,B\n"], code="ref"))
    assert caught.value.field == ("columns", "code")
    with pytest.raises(BadInput, match="no header was found"):
        gather(read_codes([b"A,B\n"], code="ref"))


def test_a_column_beyond_all_rows_holds_nothing() -> None:
    read = gather(read_codes([b"A,B\nC,D\n"], code="9"))
    assert complaints(read) == [(1, "This row has no code."), (2, "This row has no code.")]


def test_quotation_marks() -> None:
    read = of(b'"A,B"\n"C""D"\n "E" ;\n"F"\n"G;\nH"\nI"J\n"K"L\n""\n"M""\n')
    assert texts(read) == [(1, "A,B"), (2, 'C"D'), (3, "E"), (4, "F")]
    assert complaints(read) == [(row, "The quotation marks in this row do not match.") for row in (5, 6, 7, 8, 10)]


def test_a_quotation_mark_left_open_costs_one_row_and_not_the_file() -> None:
    read = of(b'A\n"B\n' + b"CODE-C\n" * 30_000)
    assert [bad.row for bad in read.bad] == [2]
    assert len(read.codes) == 30_001


def test_rows_that_are_no_codes_are_told_with_number_and_reason() -> None:
    read = of(b"OK\nA\x00B\nSAVE 20\n" + b"X" * 300 + b"\nA\x1b[31mB\n\x7f\n\xe2\x80\x8bZ\n")
    assert texts(read) == [(1, "OK")]
    assert [(bad.row, bad.shown) for bad in read.bad] == [
        (2, "A\\x00B"),
        (3, "SAVE 20"),
        (4, "X" * 39 + "…"),
        (5, "A\\x1b[31mB"),
        (6, "\\x7f"),
        (7, "\\u200bZ"),
    ]
    whys = [bad.why for bad in read.bad]
    assert "control" in whys[0]
    assert "white space" in whys[1]
    assert "at most 64 characters; this one has 300" in whys[2]


@given(st.text(max_size=100))
def test_what_is_shown_of_a_row_is_short_and_safe(line: str) -> None:
    seen = shown(line)
    assert len(seen) <= 40
    assert seen.isprintable()


def test_cells_beyond_the_csv_module_s_limit_are_bad_rows() -> None:
    huge = b"A" * 200_000
    read = of(huge + b"\nB\n" + b'"' + huge + b'"\nC\n' + b";" * 200_000 + b"\nD")
    assert texts(read) == [(2, "B"), (4, "C"), (6, "D")]
    assert complaints(read) == [(row, "This row has more than 32,768 characters.") for row in (1, 3, 5)]


@pytest.mark.parametrize("length", [LONGEST_LINE - 1, LONGEST_LINE, LONGEST_LINE + 1, LONGEST_LINE + 2])
def test_a_line_of_the_utmost_length_in_any_chunks(length: int) -> None:
    data = b"A" + b";" * (length - 1) + b"\nB"
    expected = of(data)
    assert [bad.row for bad in expected.bad] == ([1] if length > LONGEST_LINE else [])
    for size in (1000, LONGEST_LINE, LONGEST_LINE + 1):
        assert gather(read_codes(data[at : at + size] for at in range(0, len(data), size))) == expected


LINES = st.text(alphabet='Aa1é-"",;\t\r\n\x00\x1c\u2028\u3000 ', max_size=60)


@given(LINES.map(str.encode) | LINES.map(lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le")), st.data())
def test_it_does_not_matter_where_the_bytes_are_cut(data: bytes, drawn: st.DataObject) -> None:
    cuts = drawn.draw(st.lists(st.integers(0, len(data)), max_size=6).map(sorted))
    edges = [0, *cuts, len(data)]
    chunks = [data[start:end] for start, end in pairwise(edges)]
    assert outcome(chunks) == outcome([data])
    assert outcome(data[at : at + 1] for at in range(len(data))) == outcome([data])


CODE_CELLS = st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=66)
ODD_CELLS = st.text(alphabet='Aaß",;\t \x00\x1c\n', max_size=6)


@given(st.lists(CODE_CELLS | ODD_CELLS | CODE_CELLS.map(lambda cell: f'"{cell}"'), max_size=5), st.integers(1, 9))
@example(["A" * 64, "b"], 1)
@example(["A" * 65], 1)
@example(['"a"', "B"], 1)
@example(["A", "", "B"], 1)
@example(["A\nB"], 1)
def test_the_fast_way_reads_what_the_slow_way_reads(cells: list[str], first: int) -> None:
    block = Block(numbers=range(first, first + len(cells)), rows=[(cell,) for cell in cells])
    fast = read_bare(block)
    if fast is not None:
        assert gather([fast]) == gather([read_cells(block)])
    assert gather([read_column(block, 0)]) == gather([read_cells(block)])


@given(st.lists(CODE_CELLS.map(lambda cell: cell[:64]), min_size=1, max_size=5))
def test_the_fast_way_is_taken_for_plain_codes(cells: list[str]) -> None:
    assert read_bare(Block(numbers=range(1, 1 + len(cells)), rows=[(cell,) for cell in cells])) is not None


def test_batches_are_full_whatever_the_chunks() -> None:
    data = b"".join(b"C%d\n" % number for number in range(45_000))
    for size in (len(data), 70_000, 999):
        batches = list(read_codes(data[at : at + size] for at in range(0, len(data), size)))
        assert [len(batch.texts) for batch in batches] == [20_000, 20_000, 5_000]
        assert batches[2].rows[-1] == 45_000
        assert batches[2].texts[-1] == "C44999"


def test_a_large_file_is_not_held() -> None:
    """20 MB go through; a few batches' worth stays."""

    def chunks() -> Iterator[bytes]:
        for _ in range(320):
            yield b"CODE-12345\r\n" * 5_461

    tracemalloc.start()
    try:
        count = sum(len(batch.texts) for batch in read_codes(chunks()))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 320 * 5_461
    assert peak < 12_000_000


def test_bytes_that_are_no_text_end_the_reading() -> None:
    with pytest.raises(BadInput, match="Row 2 of the file is not UTF-8"):
        of("A\nÉ\n".encode("cp1252"))


def test_pasted_text_keeps_the_rules_of_files() -> None:
    read = gather(read_pasted("\ufeffCode\r\n summer-1 \n\nA\u2028B\rx,y\rß\r\n\ud800"))
    assert read.header == "Code"
    assert read.codes == [(2, "summer-1", "SUMMER-1"), (6, "ß", "SS")]
    assert [(bad.row, bad.shown) for bad in read.bad] == [(4, "A\\u2028B"), (5, "x, y"), (7, "\\ud800")]


@given(st.text(alphabet='Aa1é-" \r\n\x00\x1c\u2028\u3000', max_size=60))
def test_a_paste_reads_as_its_file_does(text: str) -> None:
    assert gather(read_pasted(text)) == of(text.encode())


def test_a_spreadsheet_s_rows() -> None:
    rows: list[Sequence[str]] = [[], ["Promo code", ""], ["A,B"], ["", " c "], ["D", "7"], ["E\nF"], [""], ['G"']]
    read = gather(read_table(iter(rows)))
    assert read.header == "Promo code"
    assert read.codes == [(3, "A,B", "A,B"), (4, "c", "C"), (8, 'G"', 'G"')]
    assert [(bad.row, bad.shown) for bad in read.bad] == [(5, "D, 7"), (6, "E\\nF")]


def test_a_long_spreadsheet_comes_in_batches() -> None:
    batches = list(read_table([f"C{number}"] for number in range(BATCH_ROWS + 5)))
    assert [len(batch.texts) for batch in batches] == [BATCH_ROWS, 5]
    assert batches[1].rows[0] == BATCH_ROWS + 1


@given(LINES)
def test_every_key_is_the_normalised_text(text: str) -> None:
    for _, shown_text, key in gather(read_pasted(text)).codes:
        assert key == normalise(shown_text)
        assert shown_text == shown_text.strip()
