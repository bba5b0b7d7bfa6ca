"""Lists with further columns: whose each code is, when it expires, where it is meant to be given out."""

from datetime import datetime

import pytest

from promograph.domain.sheets import Reading
from promograph.domain.sheets.text import read_text
from promograph.domain.stock.abouts import read_expiry
from promograph.domain.stock.lists import CodeColumns, read_codes
from promograph.domain.stock.rows import About, Batch
from promograph.errors import BadInput, InputProblem

ALL = CodeColumns(customer="customer", expires_at="until", channel="4")


def batch_of(text: str, columns: CodeColumns = ALL) -> Batch:
    (batch,) = read_codes(read_text([text.encode()], Reading()), columns, time_zone="Europe/Paris")
    return batch


def test_what_the_columns_say() -> None:
    batch = batch_of("code;Customer;Until;Where\nA; ann ;2026-12-15;e-mail\nB;;;\nC;bob;2026-12-15T10:00:00Z\n")
    assert list(batch.texts) == ["A", "B", "C"]
    assert list(batch.about) == [
        About(customer="ann", expires_at=datetime.fromisoformat("2026-12-15T23:00Z"), channel="e-mail"),
        About(),
        About(customer="bob", expires_at=datetime.fromisoformat("2026-12-15T10:00Z")),
    ]
    assert batch.notes == ()


def test_what_cannot_be_is_a_bad_row() -> None:
    rows = ["A;ann;;", f"B;{'x' * 129};;", "C;a\tb;;", "D;;12/11/2026;", f"E;;;{'y' * 65}", "two words;;;", "F;bob;;"]
    batch = batch_of("code;customer;until;where\n" + "\n".join(rows))
    assert list(batch.texts) == ["A", "F"]
    assert [about.customer for about in batch.about] == ["ann", "bob"]
    assert [bad.row for bad in batch.bad] == [3, 4, 5, 6, 7]
    assert [word in bad.why for word, bad in zip(("128", "print", "12/11/2026", "64", "space"), batch.bad, strict=True)]
    assert all(bad.why.endswith(".") for bad in batch.bad)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-12-15", "2026-12-15T23:00Z"),
        ("15.12.2026", "2026-12-15T23:00Z"),
        ("1.7.2026", "2026-07-01T22:00Z"),
        ("2026-12-15 00:00:00", "2026-12-15T23:00Z"),
        ("15.12.2026 00:00", "2026-12-15T23:00Z"),
        ("2026-12-15 18:30", "2026-12-15T17:30Z"),
        ("5.12.2026 18:30", "2026-12-05T17:30Z"),
        ("2026-12-15T18:30:00-05:00", "2026-12-15T23:30Z"),
        ("20261215", "2026-12-15T23:00Z"),
    ],
)
def test_days_and_instants(text: str, instant: str) -> None:
    assert read_expiry(text, "Europe/Paris") == datetime.fromisoformat(instant)


@pytest.mark.parametrize(
    "text", ["12/11/2026", "2026-13-01", "31.2.2026", "31.12.20261", "never", "9999-12-31", "0001-01-01T00:00+23:00"]
)
def test_what_is_no_day(text: str) -> None:
    with pytest.raises(BadInput, match=r"2026-12-31|9999"):
        read_expiry(text, "Europe/Paris")


def test_the_codes_column_must_be_known() -> None:
    with pytest.raises(BadInput, match="which column holds the codes") as caught:
        batch_of("ref;customer\nA;ann\n", CodeColumns(customer="customer"))
    assert (caught.value.problem, caught.value.field) == (InputProblem.REQUIRED, ("columns", "code"))


def test_a_column_that_is_not_there_is_told() -> None:
    for name in ("customer", "expires_at", "channel"):
        with pytest.raises(BadInput, match="no column named 'nobody'") as caught:
            batch_of("code;a\nA;b\n", CodeColumns(**{name: "nobody"}))
        assert caught.value.field == ("columns", {"expires_at": "expiresAt"}.get(name, name))


def test_the_batch_without_some_of_its_codes() -> None:
    batch = batch_of("code;customer;until;where\nA;ann;;\nB;bob;;\nC;cy;;\n").only([0, 2])
    assert (list(batch.rows), list(batch.texts), list(batch.keys)) == ([2, 4], ["A", "C"], ["A", "C"])
    assert [about.customer for about in batch.about] == ["ann", "cy"]
