"""Making codes of a format: unguessable, and a million in a fraction of a second.

The random characters come from the operating system's randomness and are drawn evenly from the alphabet, so that
knowing any number of codes says nothing about another. Texts are made as columns of bytes, 20,000 texts at a time:
drawing character by character takes forty times as long.
"""

import codecs
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from promograph.domain.codes.check_characters import check_places
from promograph.domain.codes.formats import CodeFormat
from promograph.domain.codes.words import OURS, Words, folded
from promograph.errors import BadInput, InputProblem

RandomBytes = Callable[[int], bytes]
"""Gives exactly as many random bytes as it is asked for."""

_TEXTS_AT_ONCE = 20_000  # bounds the memory that making takes besides the texts themselves
_IDLE_ROUNDS = 100


def generate(look: CodeFormat, count: int, random_bytes: RandomBytes = os.urandom, *, words: Words = OURS) -> list[str]:
    """`count` texts of the format, no two with the same key, none with one of the `words` in it.

    A word that the prefix, the suffix or the pattern holds by itself was wanted. Each text is its own key wherever the
    prefix, the suffix and the pattern are theirs. Whether a text is new to the store is not known here. Raises BadInput
    for a format that is not valid, and for more than half of a format's codes: the last ones of a small format would be
    found by luck only, and `check_room` forbids such crowds anyway; and where nearly every code would hold a word.
    """
    plan = _plan(look, words)
    if not 0 <= count <= plan.space // 2:
        sentence = f"This format has {plan.space:,} codes, at most half of which can be made; {count:,} were asked for."
        raise BadInput(InputProblem.OUT_OF_RANGE, sentence, field=("count",))
    made: list[str] = []
    seen: set[str] = set()
    idle = drawn = 0
    while len(made) < count:
        before = len(made)
        texts = plan.texts(min(count - before, _TEXTS_AT_ONCE), random_bytes)
        drawn += len(texts)
        seen.update(texts)
        made += texts
        if len(seen) != len(made):  # in a roomy format this hardly ever happens
            made = list(dict.fromkeys(made))
        idle = idle + 1 if len(made) == before else 0
        if idle == _IDLE_ROUNDS and not drawn:
            sentence = "Nearly every code of these letters would hold an offensive word: choose others."
            raise BadInput(InputProblem.INVALID, sentence, field=("alphabet",))
        if idle == _IDLE_ROUNDS:  # by chance: less often than once in 2**100
            raise RuntimeError("the source of randomness repeats itself")
    return made


@dataclass(frozen=True, slots=True)
class _Plan:
    """A valid format, ready for use. A text is a row of bytes, each of them the index of a character in `symbols`.

    The letters come first, from 1 on.
    """

    symbols: str
    row: bytes  # one text and its line feed; the random places hold anything
    columns: tuple[int, ...]  # where in the row the random places are
    check: int | None  # where the check character is
    letters: int
    letter_of: bytes  # by random byte: the letter's index
    refused: bytes  # random bytes that would make the first letters likelier than the others
    space: int
    reading: "_Reading"

    def texts(self, count: int, random_bytes: RandomBytes) -> list[str]:
        """At most `count` texts, among which one may be twice."""
        drawn = self._draw(count * len(self.columns), random_bytes)
        columns = [drawn[place :: len(self.columns)] for place in range(len(self.columns))]
        width, rows = len(self.row), bytearray(self.row * count)
        for column, letters in zip(self.columns, columns, strict=True):
            rows[column::width] = letters
        bad: set[int] = set()
        if self.check is not None:
            bad.update(self._add_check(rows, columns))
        bad.update(self.reading.bad(rows))
        if bad:
            good = (row for row in range(count) if row not in bad)
            rows = bytearray().join([rows[row * width : (row + 1) * width] for row in good])
        text, _ = codecs.charmap_decode(rows, "strict", self.symbols)
        return text.split("\n")[:-1]

    def _add_check(self, rows: bytearray, columns: list[bytes]) -> Iterator[int]:
        """Write the check characters; the rows for which there is none."""
        places = check_places([column.translate(_LESS_ONE) for column in columns], self.letters)
        rows[self.check :: len(self.row)] = places.translate(_MORE_ONE)
        return _found(bytes([self.letters]), places)

    def _draw(self, count: int, random_bytes: RandomBytes) -> bytes:
        letters = b""
        while len(letters) < count:
            missing = count - len(letters)
            likely = 256 * missing // (256 - len(self.refused))
            letters += random_bytes(likely + 16).translate(self.letter_of, self.refused)
        return letters[:count]


# A letter's index, and its place in the alphabet.
_LESS_ONE = bytes([0, *range(255)])
_MORE_ONE = bytes([*range(1, 256), 0])


@dataclass(frozen=True, slots=True)
class _Reading:
    """Rows as people read them: a byte for each group of characters that look alike, punctuation left out."""

    looks: bytes  # by symbol
    left_out: bytes
    width: int  # of a row without these
    words: tuple[bytes, ...]

    def bad(self, rows: bytearray) -> Iterator[int]:
        """The numbers of the rows that hold a word."""
        read = bytes(rows.translate(self.looks, self.left_out))
        for word in self.words:
            for at in _found(word, read):
                yield at // self.width


def _found(word: bytes, text: bytes) -> Iterator[int]:
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + 1)


@lru_cache(maxsize=1024)
def _plan(look: CodeFormat, words: Words = OURS) -> _Plan:
    look.validate()
    letters, literals = look.letters, look.literals
    symbols = "\n" + letters + "".join(sorted(set("".join(literals)) - set(letters)))
    pieces = [bytes(map(symbols.index, literal)) for literal in literals]
    even = 256 - 256 % len(letters)
    row = b"\0".join(pieces) + b"\0"
    places = [sum(map(len, pieces[: place + 1])) + place for place in range(look.places)]
    return _Plan(
        symbols=symbols,
        row=row,
        columns=tuple(places[:-1] if look.check else places),
        check=places[-1] if look.check else None,
        letters=len(letters),
        letter_of=bytes(1 + value % len(letters) for value in range(256)),
        refused=bytes(range(even, 256)),
        space=look.space(),
        reading=_reading(look, symbols, row, words),
    )


def _reading(look: CodeFormat, symbols: str, row: bytes, words: Words) -> _Reading:
    shown = [folded(symbol) if symbol not in look.letters else folded(symbol) or symbol for symbol in symbols]
    groups = {text: number for number, text in enumerate(dict.fromkeys(filter(None, shown)), start=1)}
    looks = bytearray(256)
    for symbol, text in enumerate(shown):
        looks[symbol] = groups.get(text, 0)
    left_out = bytes(symbol for symbol, text in enumerate(shown) if not text and symbol)
    wanted = [folded(literal) for literal in look.literals]
    possible = [
        bytes(groups[letter] for letter in word)
        for word in words.folded
        if set(word) <= groups.keys() and not any(word in literal for literal in wanted)
    ]
    return _Reading(bytes(looks), left_out, len(row.translate(None, left_out)), tuple(possible))
