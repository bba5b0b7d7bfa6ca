"""Amounts in smallest units: exact, or refused."""

from decimal import Decimal

import pytest

from promograph.domain.currencies import DIGITS, from_minor, to_minor
from promograph.errors import BadInput, InputProblem


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("1.05", "EUR", 105),
        ("7", "EUR", 700),
        ("-0", "EUR", 0),
        ("-1.05", "EUR", -105),
        ("1E+2", "EUR", 10_000),
        ("1.000", "JPY", 1),
        ("0.125", "KWD", 125),
        ("5." + "0" * 40, "EUR", 500),
        ("0E-99999", "EUR", 0),
        ("1E+15", "KWD", 10**18),
        ("999999999999999.99", "EUR", 99_999_999_999_999_999),
    ],
)
def test_an_amount_in_smallest_units(amount: str, currency: str, minor: int) -> None:
    assert to_minor(Decimal(amount), currency, "orderAmount") == minor


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("1.005", "EUR"),
        ("0.1", "JPY"),
        ("0.0001", "KWD"),
        ("5." + "0" * 30 + "1", "EUR"),
        ("999999999999999.99" + "0" * 20 + "1", "EUR"),
        ("1E-30", "EUR"),
        ("1E-1000000", "EUR"),
        ("1E-999999999", "EUR"),
    ],
)
def test_an_amount_that_the_currency_cannot_express(amount: str, currency: str) -> None:
    with pytest.raises(BadInput, match=f"^{currency} has {DIGITS[currency]} decimal places") as caught:
        to_minor(Decimal(amount), currency, "orderAmount")
    assert (caught.value.problem, caught.value.field) == (InputProblem.INVALID, ("orderAmount", "amount"))


@pytest.mark.parametrize("amount", ["NaN", "-NaN", "sNaN", "Infinity", "-Infinity", "1E+16", "1E+999999999", "-1E+16"])
def test_what_is_no_amount_of_money(amount: str) -> None:
    with pytest.raises(BadInput) as caught:
        to_minor(Decimal(amount), "EUR", "discount")
    assert (caught.value.problem, caught.value.field) == (InputProblem.OUT_OF_RANGE, ("discount", "amount"))


@pytest.mark.parametrize(("minor", "currency", "shown"), [(105, "EUR", "1.05"), (1, "JPY", "1"), (0, "KWD", "0.000")])
def test_an_amount_is_shown_with_the_decimal_places_of_its_currency(minor: int, currency: str, shown: str) -> None:
    assert f"{from_minor(minor, currency):f}" == shown
