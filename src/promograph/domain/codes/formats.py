"""How the codes that a promotion makes for itself look, and how hard they are to guess.

A code is a row of literal characters (prefix, suffix, what a pattern says) and of random ones. `code_making` draws the
random ones.
"""

import unicodedata
from dataclasses import dataclass

from promograph.domain.codes import MAX_LENGTH, check_text, normalise
from promograph.domain.codes.check_characters import is_right, modulus
from promograph.errors import BadInput, InputProblem

DEFAULT_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Digits and upper case letters without 0 O 1 I L, which people take for one another."""

DEFAULT_LENGTH = 10

SAFE_ODDS = 1_000_000
"""A guess may hit a code at most once in so many tries."""

PLACE = "#"
"""In a pattern: one random character."""

_FEWEST_CHECKED = 2

# Half the values of a byte: the other half is enough to name every literal character of a code (see `code_making`).
MAX_ALPHABET = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFormat:
    """The look of generated codes: `prefix`, then the middle, then `suffix`.

    The middle is `length` random characters of `alphabet`, or what `pattern` says: `#` is a random character and all
    others stand for themselves. With a pattern, `length` stays at its default, for the pattern knows its own.
    With `check`, the last of these characters is not random but worked out from the others (see `check_characters`).
    Only `validate` may be called before `validate` has passed.
    """

    prefix: str = ""
    suffix: str = ""
    length: int = DEFAULT_LENGTH
    alphabet: str = DEFAULT_ALPHABET
    pattern: str | None = None
    check: bool = False

    @property
    def letters(self) -> str:
        """The alphabet as it appears in codes: each character normalised."""
        return "".join(normalise(letter) for letter in self.alphabet)

    @property
    def places(self) -> int:
        """How many characters of a code are random, the check character among them."""
        return self.length if self.pattern is None else self.pattern.count(PLACE)

    @property
    def literals(self) -> list[str]:
        """What stands before, between and after the random characters: one text more than there are places."""
        middle = [""] * (self.length + 1) if self.pattern is None else self.pattern.split(PLACE)
        middle[0] = self.prefix + middle[0]
        middle[-1] += self.suffix
        return middle

    def validate(self) -> None:
        """Raise BadInput, naming the field, unless every code of this format is a good text with a key of its own."""
        _check_places(self)
        _check_size(self)
        _check_alphabet(self.alphabet)
        for field in ("prefix", "pattern", "suffix"):
            _check_literal(field, getattr(self, field) or "")
        _check_joins(self)

    def space(self) -> int:
        """How many different codes there can be; with a check character, at least so many."""
        size, places = len(self.alphabet), self.places
        space: int
        if not self.check:
            space = size**places
        elif modulus(size) == size:
            space = size ** (places - 1)
        else:
            space = size ** (places - 2) * (
                size - 1
            )  # of the last random letter, at most one leaves no check character
        return space

    def is_mistyped(self, key: str) -> bool:
        """Whether a normalised text looks like a code of this format whose check character is wrong.

        One character that is not of the alphabet may be among it: that is a typing error, too.
        """
        if not self.check:
            return False
        drawn = self._drawn(key)
        if drawn is None:
            return False
        letters = self.letters
        places = [letters.find(letter) for letter in drawn]
        strange = places.count(-1)
        return strange == 1 or (not strange and not is_right(places, len(letters)))

    def _drawn(self, key: str) -> str | None:
        """What stands where a code of this format has its random characters; None where the others differ."""
        literals = [normalise(literal) for literal in self.literals]
        if len(key) != self.places + sum(map(len, literals)):
            return None
        at, drawn = 0, ""
        for number, literal in enumerate(literals):
            if not key.startswith(literal, at):
                return None
            at += len(literal)
            drawn += key[at : at + 1]
            at += number < self.places
        return drawn

    def guess_odds(self, codes: int) -> int:
        """With so many codes in use, a guess of this format hits one in *this many* tries, rounded down."""
        return self.space() // max(codes, 1)

    def check_room(self, existing: int, wanted: int) -> None:
        """Raise BadInput if, with `wanted` codes on top of the `existing` ones, guessing would become too easy."""
        codes = existing + wanted
        if codes * SAFE_ODDS <= self.space():
            return
        raise _bad(
            _middle_field(self),
            f"With {codes:,} codes of this format one guess in {self.guess_odds(codes):,} hits one, and it must not be "
            f"more than one in {SAFE_ODDS:,}: {self._remedy(codes)}.",
            InputProblem.OUT_OF_RANGE,
        )

    def _remedy(self, codes: int) -> str:
        places, space = self.places, self.space()
        while codes * SAFE_ODDS > space and places <= MAX_LENGTH:
            places, space = places + 1, space * len(self.alphabet)
        if places + sum(map(len, self.literals)) > MAX_LENGTH:
            return "only a larger alphabet would do"
        return f"a length of {places} would do" if self.pattern is None else f"{places} '{PLACE}' would do"


def _check_places(look: CodeFormat) -> None:
    if look.check and (look.length if look.pattern is None else look.pattern.count(PLACE)) < _FEWEST_CHECKED:
        sentence = "The last random character is the check character: there must be others before it."
        raise _bad(_middle_field(look), sentence, InputProblem.OUT_OF_RANGE)
    if look.pattern is None:
        if not 1 <= look.length <= MAX_LENGTH:
            sentence = f"A code has 1 to {MAX_LENGTH} random characters, not {look.length:,}."
            raise _bad("length", sentence, InputProblem.OUT_OF_RANGE)
        return
    if look.length != DEFAULT_LENGTH:
        raise _bad("length", "A pattern says itself how long a code is: give one of the two.")
    if not look.places:
        raise _bad("pattern", f"A pattern needs at least one '{PLACE}', which stands for a random character.")


def _check_size(look: CodeFormat) -> None:
    size = look.places + sum(map(len, look.literals))
    if size > MAX_LENGTH:
        sentence = f"A code has at most {MAX_LENGTH} characters; these would have {size:,}."
        raise _bad(_middle_field(look), sentence, InputProblem.OUT_OF_RANGE)


def _check_alphabet(alphabet: str) -> None:
    if not 2 <= len(alphabet) <= MAX_ALPHABET:
        sentence = f"An alphabet has 2 to {MAX_ALPHABET} characters; this one has {len(alphabet):,}."
        raise _bad("alphabet", sentence, InputProblem.OUT_OF_RANGE)
    givers: dict[str, str] = {}
    for character in alphabet:
        letter = normalise(character)
        if len(letter) != 1 or check_text(character) is not None or unicodedata.category(letter).startswith("M"):
            raise _bad("alphabet", f"{character!a} cannot be a letter: it is not one visible character by itself.")
        if letter in givers:
            raise _bad("alphabet", f"{givers[letter]!a} and {character!a} are the same letter in a code.")
        givers[letter] = character
    # Side by side some scripts' letters become one character (Hangul does): two codes could then share a key.
    pairs = "".join(first + second for first in givers for second in givers)
    if unicodedata.normalize("NFKC", pairs) != pairs:
        raise _bad("alphabet", "Some of these letters become one character when they stand side by side.")


def _check_literal(field: str, text: str) -> None:
    fault = check_text(text) if text else None
    if fault is not None:
        raise _bad(field, f"This {field} makes no code. {fault}")
    if text != text.strip():
        raise _bad(field, f"This {field} makes no code. A code has no white space inside.")


def _check_joins(look: CodeFormat) -> None:
    """Keys must be made of the pieces' keys: a suffix that begins with an accent, say, would change a random letter."""
    literals = look.literals
    keys = [normalise(literal) for literal in literals]
    for letter in look.letters:
        text = letter.join(literals)
        if normalise(text) != letter.join(keys):
            raise _bad(_middle_field(look), "A literal character becomes one with the random character beside it.")
        fault = check_text(text)
        if fault is not None:
            raise _bad(_middle_field(look), f"This format makes no code. {fault}")


def _middle_field(look: CodeFormat) -> str:
    return "length" if look.pattern is None else "pattern"


def _bad(field: str, sentence: str, problem: InputProblem = InputProblem.INVALID) -> BadInput:
    return BadInput(problem, sentence, field=(field,))
