"""Cells that tell numbers mean the same whichever way they are handed on."""

from decimal import Decimal
from typing import Any

import pytest

from promograph.domain.conditions.values import ValueType
from promograph.domain.people import sheets
from promograph.domain.people.reading import read_customers


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
