"""Keys and texts: what makes two codes the same, and what a code may not be."""

# ruff: noqa: RUF001  (characters that look like others are what this file is about)

import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from promograph.domain.codes import MAX_LENGTH, check_text, normalise

# Letters that grow, shrink, compose, decompose, turn into a space, or come in several cases.
TRICKY = (
    "ßŉǰΐΰևẖẚﬀﬁﬃﷺſıİiIKÅΩµªº²½ǅǆᾳᾼ가ςσΣ"
    "\u0345\u0301\u0307\u0323\u00a8\u00b4\u2002\u3000\u115f\uff21\uff5a\u1100\u1161\u11a8"
)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("save20", "SAVE20"),
        ("  Save-20\t\n", "SAVE-20"),
        ("", ""),
        ("straße", "STRASSE"),
        ("STRAẞE", "STRASSE"),
        ("\ufb01nal", "FINAL"),
        ("ＳＡＶＥ２０", "SAVE20"),
        ("\u3000été\u00a0", "ÉTÉ"),
        ("e\u0301te\u0301", "ÉTÉ"),
        ("\u1fb3\u0301", "ΆΙ"),
        ("½", "1⁄2"),
    ],
)
def test_the_key_is_trimmed_folded_and_in_upper_case(text: str, key: str) -> None:
    assert normalise(text) == key


@given(
    st.text() | st.text(alphabet=TRICKY, max_size=12) | st.text(alphabet="aß\u0301\u0345 ", min_size=200, max_size=300)
)
@example("\u1fb3\u0301")
@example(" \u00a8a")
@example("ﷺ" * 100)
def test_a_key_is_its_own_key(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


def test_a_key_is_its_own_key_for_every_character_there_is() -> None:
    moved = []
    for point in range(sys.maxunicode + 1):
        for text in (chr(point), f"A{chr(point)}\u0301"):
            key = normalise(text)
            if normalise(key) != key or unicodedata.normalize("NFKC", key) != key or key.upper() != key:
                moved.append(hex(point))
    assert moved == []


def test_changing_the_case_of_a_character_never_makes_another_code() -> None:
    changed = []
    for point in range(sys.maxunicode + 1):
        character = chr(point)
        if {normalise(f"A{character.lower()}B"), normalise(f"A{character.upper()}B")} != {normalise(f"A{character}B")}:
            changed.append(hex(point))
    assert changed == []


@given(st.text(alphabet=TRICKY + "aZ09-", max_size=12))
def test_the_ways_to_encode_a_text_make_one_key(text: str) -> None:
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert normalise(unicodedata.normalize(form, text)) == normalise(text)
    assert normalise(f"\u3000 {text}\n") == normalise(text)


def test_a_text_too_long_for_a_code_is_not_folded() -> None:
    """Folding takes the square of the number of marks; it must not be done to what a stranger sends."""
    marks = "a" + "\u0315\u0316" * 200
    assert unicodedata.normalize("NFKC", marks) != marks
    assert normalise(marks) == marks.upper()


@pytest.mark.parametrize(
    "text", ["A", "save20", " SAVE20 \r\n", "A" * 64, "=1+1", "'x\"", "ÉTÉ", "夏祭り", "🎄XMAS", "ß" * 32, "½"]
)
def test_good_texts(text: str) -> None:
    assert check_text(text) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "at least one"),
        (" \t\u3000", "at least one"),
        ("A" * 65, "at most 64 characters; this one has 65"),
        ("A" * 1300, "1,300"),
        ("SAVE 20", "white space"),
        ("SAVE\t20", "white space"),
        ("SAVE\n20", "white space"),
        ("SAVE\u00a020", "white space"),
        ("SAVE\u202820", "white space"),
        ("A\x00B", "control"),
        ("A\x7f", "control"),
        ("A\u200bB", "control"),  # zero width space
        ("\ufeffA", "control"),
        ("A\u202eB", "control"),  # right to left
        ("A\ud800", "control"),  # half of a character
        ("A\u3164", "cannot be seen"),  # a Hangul filler: a letter without a shape
        ("A\ufe0f", "cannot be seen"),
        ("ß" * 33, "In upper case a code has at most 64 characters; this one has 66"),
        ("A\u00a8", "a space among them"),
        ("ﷺ", "a space among them"),
    ],
)
def test_bad_texts_are_told_why(text: str, says: str) -> None:
    fault = check_text(text)
    assert fault is not None
    assert says in fault
    assert fault.endswith(".")


@given(st.text(max_size=70) | st.text(alphabet=TRICKY + "A", max_size=70))
def test_the_key_of_a_good_text_is_a_good_text(text: str) -> None:
    if check_text(text) is None:
        key = normalise(text)
        assert 0 < len(key) <= MAX_LENGTH
        assert check_text(key) is None


def test_every_character_is_either_good_with_a_good_key_or_explained() -> None:
    odd = []
    for point in range(sys.maxunicode + 1):
        fault, key = check_text(f"A{chr(point)}B"), normalise(f"A{chr(point)}B")
        seen = key.isprintable() and " " not in key
        if fault is None and not seen:
            odd.append(hex(point))
        if fault is not None and "space among" in fault and " " not in key:
            odd.append(hex(point))
    assert odd == []
