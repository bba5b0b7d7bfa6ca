"""Text files with columns: separators, quotation marks, rows over several lines, headers."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promograph.domain.sheets import Block, Reading, Sheet
from promograph.domain.sheets.heads import Head, find_head
from promograph.domain.sheets.lines import LONGEST_LINE
from promograph.domain.sheets.text import read_text
from promograph.errors import BadInput, InputProblem

Rows = list[tuple[int, list[str]]]


def rows_of(data: bytes, separator: str | None = None) -> Rows:
    sheet = read_text([data], Reading(separator=separator))
    return [
        (number, list(cells))
        for block in sheet.blocks()
        for number, cells in zip(block.numbers, block.rows, strict=True)
    ]


def faults_of(data: bytes) -> list[tuple[int, str]]:
    sheet = read_text([data], Reading())
    return [(block.numbers[place], why) for block in sheet.blocks() for place, why in block.faults.items()]


@pytest.mark.parametrize(
    ("data", "cells"),
    [
        (b"A;10,50\nB;9,00\n", ["A", "10,50"]),  # decimal commas
        (b"A,x;y\nB,z\n", ["A", "x;y"]),
        (b"A\tx, y\nB\tz, w\n", ["A", "x, y"]),
        (b"A|1\nB|2\n", ["A", "1"]),
        (b"A|1\nB2\n", ["A|1"]),  # a pipe is at home in codes
        (b"sep=|\nA|1\nB2\n", [""]),
        (b'"A;1"\n"B;2"\n', ["A;1"]),
        (b"A\nB;1\nC\n", ["A"]),
        (b"A;\nB;\n", ["A", ""]),
    ],
)
def test_separators_are_found(data: bytes, cells: Sequence[str]) -> None:
    assert rows_of(data)[0] == (1, list(cells))


def test_a_hint_names_the_separator_and_is_no_row() -> None:
    assert rows_of(b"sep=|\nA|1\n") == [(1, [""]), (2, ["A", "1"])]


@pytest.mark.parametrize(("told", "found"), [(":", ":"), ("tab", "\t"), ("\\t", "\t"), ("Semicolon", ";"), (" ", " ")])
def test_separators_are_told(told: str, found: str) -> None:
    assert rows_of(f"A{found}1\nB,2\n".encode(), told) == [(1, ["A", "1"]), (2, ["B,2"])]


@pytest.mark.parametrize("told", ["", ";;", "a", "1", '"', "\n", "tabs"])
def test_what_separates_nothing(told: str) -> None:
    with pytest.raises(BadInput) as caught:
        rows_of(b"A", told)
    assert (caught.value.problem, caught.value.field) == (InputProblem.INVALID, ("separator",))


def test_a_text_file_has_no_sheets() -> None:
    with pytest.raises(BadInput, match="has no sheets") as caught:
        read_text([b"A"], Reading(sheet="1"))
    assert caught.value.field == ("sheet",)


def test_a_row_may_go_on_over_lines() -> None:
    data = b'id;note\n1;"two\nlines; here"\n2;"say ""hi"""\n3; "x" \n'
    assert rows_of(data) == [
        (1, ["id", "note"]),
        (2, ["1", "two\nlines; here"]),
        (4, ["2", 'say "hi"']),
        (5, ["3", "x"]),
    ]


def test_a_quotation_mark_left_open_costs_one_row() -> None:
    data = b'id;note\n1;"open\n2;"x"\n3;y"z\n' + b"".join(b"%d;w\n" % number for number in range(4, 400))
    assert len(rows_of(data)) == 400
    assert faults_of(data) == [(row, "The quotation marks in this row do not match.") for row in (2, 4)]


def test_a_mark_left_open_in_the_last_line_is_told() -> None:
    assert faults_of(b'a;b\n1;"x') == [(2, "The quotation marks in this row do not match.")]


def test_a_row_over_two_blocks_is_whole() -> None:
    data = b"a;b\n" * 19_999 + b'1;"x\ny"\n2;z\n'
    assert rows_of(data)[-2:] == [(20_000, ["1", "x\ny"]), (20_002, ["2", "z"])]


def test_a_line_that_is_too_long_is_told() -> None:
    data = b"a;b\n" + b"x" * (LONGEST_LINE + 1) + b"\n1;2\n"
    assert faults_of(data) == [(2, "This row has more than 32,768 characters.")]
    assert rows_of(data)[2] == (3, ["1", "2"])


TABLES = st.text(alphabet='a;"\n ', max_size=60)


@given(TABLES, st.data())
def test_it_does_not_matter_where_the_bytes_are_cut(text: str, drawn: st.DataObject) -> None:
    data = text.encode()
    edges = [0, *sorted(drawn.draw(st.lists(st.integers(0, len(data)), max_size=6))), len(data)]
    sheet = read_text([data[start:end] for start, end in pairwise(edges)], Reading(separator=";"))
    whole = read_text([data], Reading(separator=";"))
    assert [block.rows for block in sheet.blocks()] == [block.rows for block in whole.blocks()]


@given(st.lists(st.lists(st.text(alphabet='ab;",\n ', min_size=1, max_size=8), min_size=2, max_size=2), max_size=9))
def test_what_is_written_by_the_rules_is_read_back(table: list[list[str]]) -> None:
    quoted = [";".join('"' + cell.replace('"', '""') + '"' for cell in cells) for cells in table]
    assert [cells for _, cells in rows_of("\n".join(quoted).encode(), ";")] == table


# Headers


def head_of(*rows: Sequence[str], wanted: Sequence[str] = (), told: bool | None = None, merged: int = 0) -> Head:
    sheet = Sheet([Block(numbers=range(1, len(rows) + 1), rows=rows)], is_table=True, merged=merged)
    return find_head(sheet, wanted, lambda cell: cell == "code", told)


def test_where_the_header_is() -> None:
    assert head_of(("code", "x"), ("A", "1")) == Head(("code", "x"), 1)
    assert head_of((), ("A", "1")) == Head((), 0)
    assert head_of(("A", "1"), told=True) == Head(("A", "1"), 1)
    assert head_of((" ",), ("A", "1"), told=True) == Head(("A", "1"), 2)
    assert head_of(("code", "x"), told=False) == Head((), 0)
    assert head_of(("Title", ""), (), ("code", "x"), ("A", "1")) == Head(("code", "x"), 3)
    assert head_of(("code",), ("A",), ("B",)) == Head(("code",), 1)
    assert head_of(("A",), ("code",), ("B",)) == Head((), 0)
    assert head_of(("A", "1"), ("code", "x")) == Head((), 0)


def test_a_name_that_was_asked_for_makes_a_header() -> None:
    assert head_of(("E-mail", "N_r"), ("a", "1"), wanted=["n r"]) == Head(("E-mail", "N_r"), 1)
    assert head_of(("List", "of", "May"), ("E-mail", "Nr"), wanted=["nr"]) == Head(("E-mail", "Nr"), 2)
    assert head_of(("7", "2"), ("8", "3"), wanted=["2"]) == Head((), 0)


def test_merged_cells_are_titles_or_levels_of_the_header() -> None:
    title = ("Codes", "Codes", "Codes")
    assert head_of(title, ("code", "a", "b"), ("A", "1", "2"), merged=1) == Head(("code", "a", "b"), 2)
    assert head_of(title, ("A",), merged=1) == Head((), 1)
    levels = (("code", "who", "who"), ("code", "nr", "name"))
    assert head_of(*levels, ("A", "1", "2"), merged=2) == Head(("code", "nr", "name"), 2)
    assert head_of(("k", "w", "w"), ("k", "n", "m"), ("A", "1", "2"), merged=2, told=True) == Head(("k", "n", "m"), 2)


def test_columns_by_name_and_number() -> None:
    head = Head(("Code", "E-mail", "x", "x"), 1)
    assert (head.place("code"), head.place(" E-MAIL"), head.place("4")) == (0, 1, 3)
    for column, problem, says in (
        ("nr", InputProblem.NOT_FOUND, "no column named 'nr'; it has Code, E-mail, x, x."),
        ("x", InputProblem.INVALID, "2 columns named 'x'"),
        ("0", InputProblem.NOT_FOUND, "no column named '0'"),
        ("99999", InputProblem.NOT_FOUND, "no column named '99999'"),
    ):
        with pytest.raises(BadInput, match=says) as caught:
            head.place(column, ("columns", "code"))
        assert (caught.value.problem, caught.value.field) == (problem, ("columns", "code"))
