"""How many segments an SMS takes, and keeping a code inside one of them.

A phone network carries 140 bytes at a time: 160 characters of 7 bits where all are of the GSM alphabet, else 70 of 16
bits. A longer text goes in several segments, each of which gives up 6 bytes to say which one it is. Whoever pays, pays
a segment. The alphabet and its extension table are those of 3GPP TS 23.038, section 6.2.1.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")
"""Each takes two places: an escape and itself."""

_MOST_NAMED = 10


class SmsEncoding(StrEnum):
    GSM_7 = "GSM_7"
    UCS_2 = "UCS_2"


_ALONE = {SmsEncoding.GSM_7: 160, SmsEncoding.UCS_2: 70}
_IN_A_ROW = {SmsEncoding.GSM_7: 153, SmsEncoding.UCS_2: 67}


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsSize:
    """`units` are the places that the text takes: septets of GSM_7, 16-bit units of UCS_2.

    `beyond`: the first few characters that are not of the GSM alphabet, each once: what makes it UCS_2. `split` are
    those of the codes asked about that lie across two segments.
    """

    encoding: SmsEncoding
    units: int
    segments: int
    beyond: tuple[str, ...] = ()
    split: tuple[str, ...] = ()


def measure(text: str, codes: Iterable[str] = ()) -> SmsSize:
    """The size of a text, and which of these codes it splits."""
    cut = _Cut(text)
    return SmsSize(
        encoding=cut.encoding,
        units=sum(cut.units),
        segments=len(cut.starts),
        beyond=cut.beyond,
        split=tuple(code for code in dict.fromkeys(codes) if any(cut.splits(*place) for place in _places(text, code))),
    )


def keep_whole(text: str, codes: Sequence[str]) -> str:
    """The text with spaces put in so that codes begin on a segment of their own where they would be split.

    A code moves with the word that it ends: an address stays an address. One whose word is longer than a segment stays
    where it is, and `measure` says that it is split.
    """
    at = 0
    while codes:
        cut = _Cut(text)
        moved = next(((start, gap) for start, gap in _moves(cut, text, codes) if start >= at), None)
        if moved is None:
            return text
        start, gap = moved
        text = text[:start] + " " * gap + text[start:]
        at = start + gap + 1
    return text


def _moves(cut: "_Cut", text: str, codes: Sequence[str]) -> list[tuple[int, int]]:
    """Where words begin that are to move to the next segment, in the order of the text, and by how many places."""
    found = []
    for code in dict.fromkeys(codes):
        for start, end in _places(text, code):
            if not cut.splits(start, end):
                continue
            word = start
            while word and not text[word - 1].isspace():
                word -= 1
            if sum(cut.units[word:end]) <= _IN_A_ROW[cut.encoding] and word not in cut.starts:
                border = next(border for border in cut.starts if border > word)
                found.append((word, sum(cut.units[word:border])))
    return sorted(found)


def _places(text: str, code: str) -> Iterable[tuple[int, int]]:
    at = text.find(code) if code else -1
    while at >= 0:
        yield at, at + len(code)
        at = text.find(code, at + len(code))


class _Cut:
    """A text as it goes out: `units` by character, `starts` the place of each segment's first character."""

    def __init__(self, text: str) -> None:
        beyond = dict.fromkeys(letter for letter in text if letter not in _BASIC and letter not in _EXTENSION)
        self.beyond = tuple(beyond)[:_MOST_NAMED]
        self.encoding = SmsEncoding.UCS_2 if beyond else SmsEncoding.GSM_7
        if beyond:
            self.units = [2 if letter > "\uffff" else 1 for letter in text]
        else:
            self.units = [2 if letter in _EXTENSION else 1 for letter in text]
        self.starts = [0]
        if sum(self.units) > _ALONE[self.encoding]:
            self._cut(_IN_A_ROW[self.encoding])

    def _cut(self, room: int) -> None:
        left = room
        for place, units in enumerate(self.units):
            if units > left:  # what takes two places goes to the next segment as a whole
                self.starts.append(place)
                left = room
            left -= units

    def splits(self, start: int, end: int) -> bool:
        return any(start < border < end for border in self.starts)
