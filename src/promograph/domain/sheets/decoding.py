"""From the bytes of an uploaded text file to its text, piece by piece.

Nothing is guessed: a byte-order mark decides, then strict UTF-8, then the encoding that the caller names. Detectors
were tried and got real files wrong.
"""

import codecs
import re
from collections.abc import Iterable, Iterator
from itertools import chain

from promograph.errors import BadInput, InputProblem

_PIECE = 1 << 20  # however much arrives at once, so much of it is text at a time
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_LONGEST_MARK = len(codecs.BOM_UTF8)

# Python's names. Codecs that are no character sets (zip, rot13, punycode, escapes …) are not for uploads, nor are those
# of seven bits (ISO 2022, HZ), which pass for ASCII.
_CHARACTER_SETS = re.compile(
    r"ascii|utf-(8|8-sig|16|16-le|16-be)|cp\d+|iso8859-\d+|koi8-\w+|mac-\w+|hp-roman8|tis-620"
    r"|gb2312|gbk|gb18030|big5(hkscs)?|shift_jis\w*|euc_\w+|johab"
)
_PLAIN = b"".join(bytes([value]) for value in (9, 10, 13, *range(32, 127)))


def decode(chunks: Iterable[bytes], encoding: str | None = None) -> Iterator[str]:
    """The text of a file in pieces, every line end as a line feed; where the bytes were cut does not matter.

    `encoding` is what the caller says the file is in, for files that have no byte-order mark and are not UTF-8.
    Raises BadInput for a name that is not known, and, *after* the pieces before it, for bytes that cannot be read.
    """
    named = None if encoding is None else _character_set(encoding)
    pieces = (chunk[at : at + _PIECE] for chunk in chunks for at in range(0, len(chunk), _PIECE))
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= _LONGEST_MARK:
            break
    text, head = _begun(head, named)
    for piece in chain((head,), pieces):
        yield text.feed(piece)
    yield text.feed(b"", final=True)


def unify_line_ends(text: str) -> str:
    """The text with a line feed for each carriage return, with or without a line feed behind it."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _begun(head: bytes, named: str | None) -> tuple["_Text", bytes]:
    """What reads a file that begins with `head`, and `head` without its mark."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            why = ", which is what its first bytes announce: was it cut short?"
            return _Text(encoding, why=why), head.removeprefix(mark)
    return _unmarked(named), head


def _unmarked(named: str | None) -> "_Text":
    if named is None or named.startswith("utf-8"):
        return _Text("utf-8", why=": save it as UTF-8, or name its encoding (windows-1252, for example).")
    why = ", the encoding that was named: save it as UTF-8, or name another."
    # UTF-16 without a mark, say, would pass for UTF-8 and be read wrong: such a name is believed from the first byte.
    if _PLAIN.decode(named, "replace") != _PLAIN.decode():
        return _Text(named, why=why)
    return _Text("utf-8", why=why, fallback=named)


def _character_set(encoding: str) -> str:
    """Python's name of an encoding."""
    try:
        name = codecs.lookup(encoding).name
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        name = ""
    if not _CHARACTER_SETS.fullmatch(name):
        sentence = f"There is no encoding {encoding[:40]!a}; windows-1252, iso-8859-2 and utf-16-le are examples."
        raise BadInput(InputProblem.INVALID, sentence, field=("encoding",))
    return name


class _Text:
    """The state between two pieces of one file."""

    def __init__(self, encoding: str, *, why: str, fallback: str | None = None) -> None:
        self._why = why
        self._fallback = fallback
        self._rows = 0
        self._plain = True  # all text so far was ASCII, which is the same in the encoding and in the fallback
        self._return_waits = False  # the last piece ended in a carriage return, perhaps the half of a line end
        self._begin(encoding)

    def _begin(self, encoding: str) -> None:
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder(encoding)("strict")

    def feed(self, data: bytes, *, final: bool = False) -> str:
        """The text of what can be read by now; `final` says that nothing follows."""
        text = self._one_line_end(self._decoded(data, final=final), final=final)
        self._rows += text.count("\n")
        return text

    def _decoded(self, data: bytes, *, final: bool) -> str:
        try:
            text = self._decoder.decode(data, final)
        except UnicodeDecodeError as fault:
            return self._decoded_otherwise(fault, final=final)
        self._plain = self._plain and text.isascii()
        return text

    def _decoded_otherwise(self, fault: UnicodeDecodeError, *, final: bool) -> str:
        waiting = fault.object  # with what the decoder had kept of the piece before
        before = waiting[: fault.start]
        if self._fallback is None:
            raise self._unreadable(before, self._why) from None
        if not (self._plain and before.isascii()):
            why = ", though rows before it have letters in UTF-8: save it anew, in one encoding."
            raise self._unreadable(before, why) from None
        self._begin(self._fallback)
        self._fallback = None
        return self._decoded(waiting, final=final)

    def _unreadable(self, before: bytes, why: str) -> BadInput:
        text = self._one_line_end(before.decode(self._encoding, "replace"), final=True)
        row = self._rows + text.count("\n") + 1
        return BadInput(InputProblem.INVALID, f"Row {row:,} of the file is not {self._encoding.upper()}{why}")

    def _one_line_end(self, text: str, *, final: bool) -> str:
        if self._return_waits:
            text = "\r" + text
        self._return_waits = not final and text.endswith("\r")
        if self._return_waits:
            text = text[:-1]
        return unify_line_ends(text)
