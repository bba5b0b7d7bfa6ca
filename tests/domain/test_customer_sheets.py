"""Cells that tell numbers mean the same whichever way they are handed on."""

from decimal import Decimal
from typing import Any

import pytest

from promograph.domain.conditions.values import ValueType
from promograph.domain.people import sheets
from promograph.domain.people.reading import read_customers


@pytest.mark.parametrize(
    ("text", "day"),
    [("2026-12-31", "2026-12-31"), ("31.12.2026", "2026-12-31"), ("1.2.2026", "2026-02-01"), ("1/2/2026", "1/2/2026")],
)
def test_a_day_in_a_cell_may_have_dots(text: str, day: str) -> None:
    assert sheets._day(text) == {"date": day}


def read(value: Any) -> Decimal | str:
    found = read_customers([{"id": "a", "attributes": {"n": value}}], {"n": ValueType.NUMBER})
    for _, problem in found.problems:
        return str(problem)
    return Decimal(str(found.changes[0]["attributes"]["n"]))


PLAIN = ("0", "-0", "7", "-7", "007", "12.50", "12.00", "-0.0", "0.0001", "999999999.9999", "0.1")
OTHERS = ("1234567890", "12345678901234567.123456789", "0.00001", ".5", "5.", "1e3", "+1", "1,5", "\u0661", "NaN", "")


@pytest.mark.parametrize("text", PLAIN + OTHERS)
def test_a_number_in_a_cell_is_the_number_that_it_says(text: str) -> None:
    assert read(sheets._number(text)) == read({"number": text})
