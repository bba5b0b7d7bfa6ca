"""Repeats within a list and the report on it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promograph.domain.codes import normalise
from promograph.domain.sheets.text import read_pasted
from promograph.domain.stock.checks import checked
from promograph.domain.stock.lists import read_codes
from promograph.domain.stock.reports import ROWS_KEPT, ListReport, Repeats, Tally
from promograph.domain.stock.rows import BadRow, Batch, RepeatedRow
from promograph.errors import BadInput, InputProblem


def batch_of(texts: list[str], first: int = 1) -> Batch:
    return Batch(rows=range(first, first + len(texts)), texts=texts, keys=[normalise(text) for text in texts])


def test_the_same_code_in_another_case_or_spelling_is_a_repeat() -> None:
    kept = Repeats().drop(batch_of(["save", "A", "SAVE", "straße", "STRASSE", "\uff33AVE"], first=10))
    assert (list(kept.rows), list(kept.texts), list(kept.keys)) == (
        [10, 11, 13],
        ["save", "A", "straße"],
        ["SAVE", "A", "STRASSE"],
    )
    assert kept.repeated == [RepeatedRow(12, "SAVE"), RepeatedRow(14, "STRASSE"), RepeatedRow(15, "\uff33AVE")]


def test_what_a_spreadsheet_left_where_a_code_was_is_no_code() -> None:
    left = ["1.23457E+12", "1,2e+11", "5E+10", "#N/A", "#wert!", "#####"]
    codes = ["A", "#1", "1E10", "SPRING#N/A", "1.5E+3X"]
    (kept,) = checked(iter([batch_of([*left, *codes])]), Repeats())
    assert list(kept.texts) == codes
    assert [(bad.row, bad.shown) for bad in kept.bad] == list(enumerate(left, 1))
    assert "shortened" in kept.bad[0].why
    assert "formula" in kept.bad[-1].why


def test_a_code_of_an_earlier_batch_is_a_repeat() -> None:
    repeats = Repeats()
    repeats.drop(batch_of(["A", "B"]))
    kept = repeats.drop(batch_of(["C", "a"], first=3))
    assert list(kept.texts) == ["C"]
    assert kept.repeated == [RepeatedRow(4, "a")]
    assert repeats.drop(batch_of(["c"], first=5)).repeated == [RepeatedRow(5, "c")]


@given(st.lists(st.lists(st.sampled_from("aAbBcCdDß"), max_size=6), max_size=6))
def test_each_key_is_kept_once_and_its_first_row_is_the_one(lists: list[list[str]]) -> None:
    repeats, first, kept_rows, repeated_rows = Repeats(), 1, [], []
    for texts in lists:
        kept = repeats.drop(batch_of(texts, first))
        first += len(texts)
        kept_rows += list(kept.rows)
        repeated_rows += [again.row for again in kept.repeated]
    keys = [normalise(text) for texts in lists for text in texts]
    assert kept_rows == [row for row, key in enumerate(keys, 1) if keys.index(key) == row - 1]
    assert sorted(kept_rows + repeated_rows) == list(range(1, len(keys) + 1))


def test_a_list_may_hold_so_many_codes_and_no_more() -> None:
    repeats = Repeats(most=3)
    repeats.drop(batch_of(["A", "B", "C"]))
    assert repeats.drop(batch_of(["A", "B"])).texts == []
    with pytest.raises(BadInput, match="at most 3 codes") as caught:
        repeats.drop(batch_of(["D"]))
    assert caught.value.problem is InputProblem.TOO_MANY


def test_a_report_counts_every_row_that_holds_something() -> None:
    tally, repeats = Tally(), Repeats()
    for batch in read_codes(read_pasted("Coupon\nA\n\nb\nB\nx y\nC\na")):
        tally.add(repeats.drop(batch))
    assert tally.report() == ListReport(
        read=6,
        good=3,
        repeated=2,
        repeated_rows=(RepeatedRow(5, "B"), RepeatedRow(8, "a")),
        bad=1,
        bad_rows=(BadRow(6, "x y", "A code has no white space inside."),),
        header_skipped="Coupon",
    )


def test_a_report_names_the_first_rows_and_counts_the_rest() -> None:
    tally, repeats = Tally(), Repeats()
    for _ in range(3):
        for batch in read_codes(read_pasted("A\n" * 700 + "x y\n" * 700)):
            tally.add(repeats.drop(batch))
    report = tally.report()
    assert (report.read, report.good, report.repeated, report.bad) == (4200, 1, 2099, 2100)
    assert len(report.repeated_rows) == len(report.bad_rows) == ROWS_KEPT
    assert report.repeated_rows[0].row == 2
    assert report.bad_rows[699].row == 1400


def test_nothing_read_is_an_empty_report() -> None:
    report = Tally().report()
    assert (report.read, report.header_skipped, report.bad_rows) == (0, "", ())
