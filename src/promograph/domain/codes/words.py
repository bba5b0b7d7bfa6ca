"""Words that no code may hold: a code is read by the person it is made for.

Compared as people read them: without regard to letter case and accents, with digits for the letters that they look like
(`5H1T`), and past the punctuation of a pattern. A few of ours are there from the beginning; a file takes their place.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

# Letters and digits that are read for one another become the same one.
_LOOKALIKE = str.maketrans("01l!|23456789$@v", "oiiiizeasgtbgsau")
_SHORTEST = 2


def folded(text: str) -> str:
    """The text as it is compared: one character for each of its letters and digits, others left out."""
    plain = unicodedata.normalize("NFKD", text.casefold()).translate(_LOOKALIKE)
    return "".join(character for character in plain if character.isalnum())


@dataclass(frozen=True, slots=True)
class Words:
    """A list of such words, `folded` already."""

    folded: tuple[str, ...] = ()

    @classmethod
    def of(cls, words: Iterable[str]) -> "Words":
        """Blank ones, those of a single letter, and what follows a `#` do not count."""
        read = {folded(word.partition("#")[0]) for word in words}
        return cls(tuple(sorted(word for word in read if len(word) >= _SHORTEST)))

    def are_in(self, text: str) -> bool:
        """Whether one of them is."""
        compared = folded(text)
        return any(word in compared for word in self.folded)


ANY = Words()
"""No word is left out."""

_LIST = """
anal anus arsch arse ass bastard bitch bloody bollock boner boob bugger bumm cabron cazzo clit cock coon crap cum cunt
damn dick dildo dyke encul fag fanny fck fick fotze fuck fuk gook heil hitler hure jerk jizz kacke kike kkk kurwa kys
merd mierda muff nazi negro nigg nutte paki penis piss poof poop porn puta pute pussy queer rape sack salop scheis
screw sex shag shit skank slut spast spic tits tosser turd twat vagin wank wetback whore wichs wtf
"""

OURS = Words.of(_LIST.split())
"""The ones that shops hear complaints of, in the languages of most of them."""
