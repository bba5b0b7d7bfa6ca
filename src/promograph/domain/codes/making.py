"""Making codes of a format: unguessable, and a million in a fraction of a second.

The random characters come from the operating system's randomness and are drawn evenly from the alphabet, so that
knowing any number of codes says nothing about another. Texts are made as columns of bytes, 20,000 texts at a time:
drawing character by character takes forty times as long.
"""

import codecs
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from promograph.domain.codes.formats import CodeFormat
from promograph.errors import BadInput, InputProblem

RandomBytes = Callable[[int], bytes]
"""Gives exactly as many random bytes as it is asked for."""

_TEXTS_AT_ONCE = 20_000  # bounds the memory that making takes besides the texts themselves
_IDLE_ROUNDS = 100


def generate(look: CodeFormat, count: int, random_bytes: RandomBytes = os.urandom) -> list[str]:
    """`count` texts of the format, no two with the same key.

    Each text is its own key wherever the prefix, the suffix and the pattern are theirs. Whether a text is new to the
    store is not known here. Raises BadInput for a format that is not valid, and for more than half of a format's codes:
    the last ones of a small format would be found by luck only, and `check_room` forbids such crowds anyway.
    """
    plan = _plan(look)
    if not 0 <= count <= plan.space // 2:
        sentence = f"This format has {plan.space:,} codes, at most half of which can be made; {count:,} were asked for."
        raise BadInput(InputProblem.OUT_OF_RANGE, sentence, field=("count",))
    made: list[str] = []
    seen: set[str] = set()
    idle = 0
    while len(made) < count:
        before = len(made)
        texts = plan.texts(min(count - before, _TEXTS_AT_ONCE), random_bytes)
        seen.update(texts)
        made += texts
        if len(seen) != len(made):  # in a roomy format this hardly ever happens
            made = list(dict.fromkeys(made))
        idle = idle + 1 if len(made) == before else 0
        if idle == _IDLE_ROUNDS:  # by chance: less often than once in 2**100
            raise RuntimeError("the source of randomness repeats itself")
    return made


@dataclass(frozen=True, slots=True)
class _Plan:
    """A valid format, ready for use. A text is a row of bytes, each of them the index of a character in `symbols`."""

    symbols: str
    row: bytes  # one text and its line feed; the random places hold anything
    columns: tuple[int, ...]  # where in the row the random places are
    letter_of: bytes  # by random byte: the letter's index
    refused: bytes  # random bytes that would make the first letters likelier than the others
    space: int

    def texts(self, count: int, random_bytes: RandomBytes) -> list[str]:
        """`count` texts, among which one may be twice."""
        letters = self._draw(count * len(self.columns), random_bytes)
        rows = bytearray(self.row * count)
        for place, column in enumerate(self.columns):
            rows[column :: len(self.row)] = letters[place :: len(self.columns)]
        text, _ = codecs.charmap_decode(rows, "strict", self.symbols)
        return text.split("\n")[:-1]

    def _draw(self, count: int, random_bytes: RandomBytes) -> bytes:
        letters = b""
        while len(letters) < count:
            missing = count - len(letters)
            likely = 256 * missing // (256 - len(self.refused))
            letters += random_bytes(likely + 16).translate(self.letter_of, self.refused)
        return letters[:count]


@lru_cache(maxsize=1024)
def _plan(look: CodeFormat) -> _Plan:
    look.validate()
    letters, literals = look.letters, look.literals
    symbols = "\n" + letters + "".join(sorted(set("".join(literals)) - set(letters)))
    pieces = [bytes(map(symbols.index, literal)) for literal in literals]
    even = 256 - 256 % len(letters)
    return _Plan(
        symbols=symbols,
        row=b"\0".join(pieces) + b"\0",
        columns=tuple(sum(map(len, pieces[: place + 1])) + place for place in range(look.places)),
        letter_of=bytes(1 + value % len(letters) for value in range(256)),
        refused=bytes(range(even, 256)),
        space=look.space(),
    )
