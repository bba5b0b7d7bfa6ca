"""Check characters: every mistyped letter and every two that changed places show, whatever the alphabet."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promograph.domain.codes.check_characters import check_places, is_right
from promograph.domain.codes.formats import DEFAULT_ALPHABET, CodeFormat
from promograph.domain.codes.making import generate
from promograph.errors import BadInput

ALPHABETS = {2: "AB", 9: "ABCDEFGHI", 10: "0123456789", 31: DEFAULT_ALPHABET, 32: DEFAULT_ALPHABET + "L"}


def right_for(places: list[int], letters: int) -> int:
    return check_places([bytes([place]) for place in places], letters)[0]


@pytest.mark.parametrize("letters", [2, 9, 10, 31, 32])
def test_there_is_one_right_character_at_most(letters: int) -> None:
    for places in product(range(letters), repeat=2):
        right = [last for last in range(letters) if is_right([*places, last], letters)]
        wanted = right_for(list(places), letters)
        assert right == ([wanted] if wanted < letters else [])


@pytest.mark.parametrize("length", [4, 10])
def test_every_mistyped_letter_and_every_swap_shows_in_the_default_alphabet(length: int) -> None:
    """Each of all pairs of letters, in each place: what the other letters are makes no difference to the sum."""
    look = CodeFormat(length=length, check=True)
    for text in generate(look, 3):
        for at, letter in product(range(length), DEFAULT_ALPHABET):
            assert look.is_mistyped(text[:at] + letter + text[at + 1 :]) == (letter != text[at])
    for at, first, second in product(range(length - 1), DEFAULT_ALPHABET, DEFAULT_ALPHABET):
        whole = _completed(look, at, first + second)
        swapped = whole[:at] + whole[at + 1] + whole[at] + whole[at + 2 :]
        assert not look.is_mistyped(whole)
        assert look.is_mistyped(swapped) == (whole[at] != whole[at + 1])


def _completed(look: CodeFormat, at: int, pair: str) -> str:
    """A good code with these two letters there; where they hold the check character, with the one that fits."""
    begun = ("2" * at + pair + "2" * look.length)[: look.length - 1]
    return next(begun + last for last in DEFAULT_ALPHABET if not look.is_mistyped(begun + last))


@given(st.sampled_from(sorted(ALPHABETS)), st.data())
def test_made_codes_are_right_and_mistyped_ones_are_not(size: int, data: st.DataObject) -> None:
    pattern = data.draw(st.sampled_from([None, "A-####-#x####", "########"]))
    look = CodeFormat(prefix="P-", suffix="-ß", alphabet=ALPHABETS[size], pattern=pattern, check=True)
    (text,) = generate(look, 1)
    key = text.upper()
    assert not look.is_mistyped(key.replace("ß", "SS"))
    at = data.draw(st.sampled_from([place for place in range(len(key)) if key[place] != "-"]))
    drawn = look._drawn(key)
    assert drawn is not None
    assert len(drawn) == look.places
    letter = data.draw(st.sampled_from(look.letters))
    other = key[:at] + letter + key[at + 1 :]
    if look._drawn(other) is not None:
        assert look.is_mistyped(other) == (other != key)


def test_what_looks_like_another_code_is_not_called_mistyped() -> None:
    look = CodeFormat(prefix="AB-", length=6, check=True)
    (text,) = generate(look, 1)
    assert look.is_mistyped(text[:-2] + "I" + text[-1]), "one that no code has"
    for other in ("AB-", "SUMMER", "AC-" + text[3:], text + "2", text[:-1], "AB-OIL10L", ""):
        assert not look.is_mistyped(other)
    assert not CodeFormat(prefix="AB-", length=6).is_mistyped(text[:-1] + "?")


@pytest.mark.parametrize(
    ("look", "field"), [(CodeFormat(length=1, check=True), "length"), (CodeFormat(pattern="A#", check=True), "pattern")]
)
def test_a_check_character_checks_something(look: CodeFormat, field: str) -> None:
    with pytest.raises(BadInput, match="others before it") as caught:
        look.validate()
    assert caught.value.field == (field,)


@pytest.mark.parametrize(("alphabet", "length"), [("AB", 8), ("ABC", 6), ("0123456789", 4)])
def test_the_number_of_codes_is_never_overstated(alphabet: str, length: int) -> None:
    look = CodeFormat(alphabet=alphabet, length=length, check=True)
    there_are = sum(not look.is_mistyped("".join(text)) for text in product(alphabet, repeat=length))
    assert there_are * 0.7 < look.space() <= there_are
