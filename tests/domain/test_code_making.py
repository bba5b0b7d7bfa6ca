"""Generated codes: of their format, never twice the same, evenly drawn."""

import inspect
import os
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promograph.domain.codes import check_text, normalise
from promograph.domain.codes.formats import DEFAULT_ALPHABET, CodeFormat
from promograph.domain.codes.making import _plan, generate
from promograph.domain.codes.words import ANY, OURS, Words
from promograph.errors import BadInput, InputProblem


def test_texts_are_of_the_format_and_their_own_keys() -> None:
    texts = generate(CodeFormat(), 30_000)
    assert len(texts) == len(set(texts)) == 30_000
    assert {len(text) for text in texts} == {10}
    assert set("".join(texts)) == set(DEFAULT_ALPHABET)
    assert all(normalise(text) == text for text in texts[:100])


def test_prefix_suffix_and_pattern_stand_where_they_were_put() -> None:
    look = CodeFormat(prefix="A#", pattern="V-##:#", suffix="#Z", alphabet="0123456789")
    for text in generate(look, 100):
        assert (text[:4], text[6], text[8:]) == ("A#V-", ":", "#Z")
        assert (text[4:6] + text[7]).isdigit()


def test_a_text_keeps_the_case_that_was_given_and_letters_are_in_upper_case() -> None:
    for text in generate(CodeFormat(prefix="Größe-", alphabet="äöü", length=12), 50):
        assert text.startswith("Größe-")
        assert set(text[6:]) <= set("ÄÖÜ")
        assert normalise(text) == "GRÖSSE-" + text[6:]


@given(
    prefix=st.text(max_size=6),
    suffix=st.text(max_size=6),
    pattern=st.none() | st.text(alphabet="#-aß가\u0301\u1161", max_size=8),
    alphabet=st.text(min_size=2, max_size=6) | st.just(DEFAULT_ALPHABET) | st.just("\u1100\u1162\u11a8"),
    length=st.integers(1, 12),
)
def test_whatever_validates_makes_good_codes_with_distinct_keys(
    prefix: str, suffix: str, pattern: str | None, alphabet: str, length: int
) -> None:
    look = CodeFormat(
        prefix=prefix, suffix=suffix, pattern=pattern, alphabet=alphabet, length=10 if pattern is not None else length
    )
    try:
        look.validate()
    except BadInput:
        return
    count = min(look.space() // 2, 40)
    texts = generate(look, count)
    assert len(texts) == count
    assert len({normalise(text) for text in texts}) == count
    assert [check_text(text) for text in texts] == [None] * count
    assert all(text.startswith(prefix) and text.endswith(suffix) for text in texts)


@pytest.mark.parametrize("letters", [2, 3, 7, 10, 31, 36, 100, 128])
def test_all_values_of_a_byte_give_all_letters_equally_often(letters: int) -> None:
    plan = _plan(CodeFormat(alphabet="".join(map(chr, range(0x4E00, 0x4E00 + letters))), length=5))
    drawn = Counter(bytes(range(256)).translate(plan.letter_of, plan.refused))
    assert len(drawn) == letters
    assert set(drawn.values()) == {256 // letters}


@pytest.mark.parametrize("look", [CodeFormat(), CodeFormat(pattern="##-########", prefix="P")])
def test_letters_are_even_in_every_place(look: CodeFormat) -> None:
    """Chi-square with 30 degrees of freedom: above 130 in less than one of 10**11 runs; letters taken by
    `byte % 31` would give about 280."""
    count = 100_000
    texts = generate(look, count)
    places = [column for column in zip(*texts, strict=True) if len(set(column)) > 1]
    assert len(places) == 10
    for column in places:
        drawn = Counter(column)
        expected = count / len(DEFAULT_ALPHABET)
        assert sum((drawn[letter] - expected) ** 2 / expected for letter in DEFAULT_ALPHABET) < 130


def test_neighbouring_places_know_nothing_of_each_other() -> None:
    count = 100_000
    pairs = Counter(text[2:4] for text in generate(CodeFormat(alphabet="ABCDEFG"), count, words=ANY))
    expected = count / 49
    # 48 degrees of freedom: above 170 in less than one of 10**14 runs.
    assert sum((pairs[first + second] - expected) ** 2 / expected for first in "ABCDEFG" for second in "ABCDEFG") < 170


def test_all_randomness_comes_from_the_source() -> None:
    look = CodeFormat(pattern="A-####-######")
    assert generate(look, 5000, random.Random(7).randbytes) == generate(look, 5000, random.Random(7).randbytes)
    assert generate(look, 5000, random.Random(7).randbytes) != generate(look, 5000, random.Random(8).randbytes)


def test_the_source_is_the_operating_system_s() -> None:
    assert inspect.signature(generate).parameters["random_bytes"].default is os.urandom


def test_a_crowded_format_still_gives_distinct_codes() -> None:
    look = CodeFormat(length=4, alphabet="0123456789")
    texts = generate(look, 5000)
    assert len(set(texts)) == len(texts) == 5000


def test_more_than_half_of_a_format_is_refused() -> None:
    look = CodeFormat(length=4, alphabet="0123456789")
    with pytest.raises(BadInput) as caught:
        generate(look, 5001)
    assert caught.value.field == ("count",)
    assert caught.value.problem is InputProblem.OUT_OF_RANGE
    assert "10,000 codes" in str(caught.value)


@pytest.mark.parametrize("count", [-1, 31**10])
def test_counts_that_cannot_be(count: int) -> None:
    with pytest.raises(BadInput):
        generate(CodeFormat(), count)


def test_no_codes_are_no_codes() -> None:
    assert generate(CodeFormat(), 0) == []


def test_a_format_that_is_not_valid_makes_nothing() -> None:
    with pytest.raises(BadInput, match="alphabet"):
        generate(CodeFormat(alphabet="A", length=5), 1)


def test_a_source_that_repeats_itself_is_found_out() -> None:
    with pytest.raises(RuntimeError, match="repeats itself"):
        generate(CodeFormat(), 2, lambda count: bytes(count))


def test_no_code_holds_an_offensive_word_however_it_is_written() -> None:
    look = CodeFormat(alphabet="A4SHIT5170", pattern="A-####-####")
    wild = generate(look, 20_000, random.Random(1).randbytes, words=ANY)  # in which there is some of each
    assert sum(map(OURS.are_in, wild)) > 200
    assert any("5H1T" in text for text in wild), "digits for letters"
    assert any("S-HIT" in text or "SH-IT" in text for text in wild), "past a hyphen"
    assert not any(map(OURS.are_in, generate(look, 20_000)))


def test_a_word_that_was_asked_for_is_no_obstacle_and_others_are() -> None:
    texts = generate(CodeFormat(prefix="ASSETS-", alphabet="ABCDEFGU"), 2_000)
    assert not any("FAG" in text or "CUM" in text for text in texts)
    assert all(text.startswith("ASSETS-") for text in texts)


def test_words_of_one_s_own_take_the_place_of_ours() -> None:
    words = Words.of(["Müll", "  # a remark", "x", ""])
    assert words.are_in("9-MU11-9")
    assert not words.are_in("SHIT-9X")
    texts = generate(CodeFormat(alphabet="MUL1X", length=12), 3_000, words=words)
    assert not any(words.are_in(text) for text in texts)


def test_letters_that_hardly_make_anything_else_are_refused() -> None:
    look = CodeFormat(alphabet="XY", length=60)
    with pytest.raises(BadInput, match="offensive word") as caught:
        generate(look, 1, words=Words.of(["xx", "yy", "xyxyxy"]))
    assert caught.value.field == ("alphabet",)
