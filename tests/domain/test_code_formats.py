"""What a format of codes may say, and how many codes it leaves room for."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promograph.domain.codes import normalise
from promograph.domain.codes.formats import DEFAULT_ALPHABET, MAX_ALPHABET, SAFE_ODDS, CodeFormat
from promograph.errors import BadInput, InputProblem


def test_the_default_alphabet_has_no_characters_that_look_alike() -> None:
    assert set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") - set(DEFAULT_ALPHABET) == set("0O1IL")
    assert len(DEFAULT_ALPHABET) == 31
    assert normalise(DEFAULT_ALPHABET) == DEFAULT_ALPHABET


@pytest.mark.parametrize(
    "look",
    [
        CodeFormat(),
        CodeFormat(prefix="SUMMER-", suffix="-26"),
        CodeFormat(prefix="Größe-", length=8),
        CodeFormat(pattern="VIP-####-####"),
        CodeFormat(prefix="#", pattern="#", suffix="#"),
        CodeFormat(alphabet="abcdef"),
        CodeFormat(alphabet="АБВГДЕЖЗ", prefix="ЛЕТО-"),
        CodeFormat(alphabet="AB", length=64),
        CodeFormat(alphabet="".join(map(chr, range(0x4E00, 0x4E00 + MAX_ALPHABET)))),
    ],
)
def test_good_formats(look: CodeFormat) -> None:
    look.validate()


@pytest.mark.parametrize(
    ("given_as", "field", "problem", "says"),
    [
        ({"length": 0}, "length", "OUT_OF_RANGE", "1 to 64"),
        ({"length": 65}, "length", "OUT_OF_RANGE", "1 to 64"),
        ({"length": 10**12}, "length", "OUT_OF_RANGE", "1 to 64"),
        ({"prefix": "P" * 55}, "length", "OUT_OF_RANGE", "65"),
        ({"pattern": "#" * 65}, "pattern", "OUT_OF_RANGE", "65"),
        ({"pattern": "##", "length": 4}, "length", "INVALID", "one of the two"),
        ({"pattern": "VIP"}, "pattern", "INVALID", "at least one '#'"),
        ({"pattern": ""}, "pattern", "INVALID", "at least one '#'"),
        ({"pattern": "## ##"}, "pattern", "INVALID", "white space"),
        ({"prefix": " A"}, "prefix", "INVALID", "white space"),
        ({"suffix": "A "}, "suffix", "INVALID", "white space"),
        ({"prefix": " "}, "prefix", "INVALID", ""),
        ({"prefix": "A\x00"}, "prefix", "INVALID", "control"),
        ({"suffix": "\u200b"}, "suffix", "INVALID", "control"),
        ({"alphabet": ""}, "alphabet", "OUT_OF_RANGE", "has 0"),
        ({"alphabet": "A"}, "alphabet", "OUT_OF_RANGE", "has 1"),
        ({"alphabet": "A" * 129}, "alphabet", "OUT_OF_RANGE", "has 129"),
        ({"alphabet": "ABa"}, "alphabet", "INVALID", "'A' and 'a' are the same"),
        ({"alphabet": "Aﬁ"}, "alphabet", "INVALID", "cannot be a letter"),
        ({"alphabet": "Aß"}, "alphabet", "INVALID", "cannot be a letter"),
        ({"alphabet": "A "}, "alphabet", "INVALID", "cannot be a letter"),
        ({"alphabet": "A\x07"}, "alphabet", "INVALID", "'\\x07' cannot be a letter"),
        ({"alphabet": "A\u0301"}, "alphabet", "INVALID", "cannot be a letter"),
        ({"alphabet": "\u1100\u1161"}, "alphabet", "INVALID", "side by side"),
        ({"suffix": "\u0301"}, "length", "INVALID", "becomes one"),
        ({"pattern": "#\u0301#"}, "pattern", "INVALID", "becomes one"),
        ({"prefix": "\u1100", "alphabet": "\u1161\u1162"}, "length", "INVALID", "becomes one"),
        ({"suffix": "ß" * 30}, "length", "INVALID", "In upper case"),
        ({"prefix": "A\u00a8"}, "prefix", "INVALID", "a space among them"),
    ],
)
def test_bad_formats_name_the_field(given_as: dict[str, Any], field: str, problem: str, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        CodeFormat(**given_as).validate()
    assert (caught.value.field, caught.value.problem) == ((field,), InputProblem(problem))
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("look", "space"),
    [
        (CodeFormat(), 31**10),
        (CodeFormat(length=3, alphabet="AB", prefix="X"), 8),
        (CodeFormat(pattern="A#-##", alphabet="0123456789"), 1000),
        (CodeFormat(prefix="##", length=1, alphabet="AB"), 2),
    ],
)
def test_the_number_of_possible_codes(look: CodeFormat, space: int) -> None:
    assert look.space() == space


def test_the_odds_of_a_guess() -> None:
    look = CodeFormat(length=4, alphabet="0123456789")
    assert look.guess_odds(10) == 1000
    assert look.guess_odds(3) == 3333
    assert look.guess_odds(0) == 10_000


def test_room_ends_exactly_at_one_in_a_million() -> None:
    look = CodeFormat(length=9, alphabet="0123456789")
    look.check_room(existing=600, wanted=400)
    with pytest.raises(BadInput) as caught:
        look.check_room(existing=600, wanted=401)
    assert caught.value.problem is InputProblem.OUT_OF_RANGE
    assert caught.value.field == ("length",)
    assert "1,001 codes" in str(caught.value)
    assert "one guess in 999,000" in str(caught.value)
    assert "a length of 10 would do" in str(caught.value)


def test_a_pattern_is_told_how_many_places_would_do() -> None:
    with pytest.raises(BadInput) as caught:
        CodeFormat(pattern="VIP-####").check_room(existing=0, wanted=1000)
    assert caught.value.field == ("pattern",)
    assert "7 '#' would do" in str(caught.value)


def test_where_no_length_would_do_the_alphabet_has_to() -> None:
    with pytest.raises(BadInput, match="larger alphabet"):
        CodeFormat(alphabet="AB", prefix="P" * 40).check_room(existing=0, wanted=10_000_000)
    with pytest.raises(BadInput, match="larger alphabet"):
        CodeFormat(alphabet="AB").check_room(existing=0, wanted=10**30)


@given(st.integers(1, 20), st.integers(2, 31), st.integers(0, 10**9), st.integers(1, 10**9))
def test_the_length_that_is_told_is_the_least_that_would_do(
    length: int, letters: int, existing: int, wanted: int
) -> None:
    look = CodeFormat(length=length, alphabet=DEFAULT_ALPHABET[:letters])
    try:
        look.check_room(existing, wanted)
    except BadInput as refusal:
        told = int(str(refusal).split("a length of ")[1].split()[0])
        assert letters ** (told - 1) < (existing + wanted) * SAFE_ODDS <= letters**told
    else:
        assert look.guess_odds(existing + wanted) >= SAFE_ODDS
