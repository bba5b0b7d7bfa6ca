"""The bytes of uploaded files: marks, encodings, line ends, and cuts anywhere."""

import codecs
import re
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promograph.domain.sheets.decoding import decode
from promograph.errors import BadInput, InputProblem


def text_of(chunks: Iterable[bytes], encoding: str | None = None) -> str:
    return "".join(decode(chunks, encoding))


def result_of(chunks: Iterable[bytes], encoding: str | None = None) -> str:
    """The text, or the sentence of the error."""
    try:
        return text_of(chunks, encoding)
    except BadInput as fault:
        return f"fault: {fault}"


@pytest.mark.parametrize(
    ("data", "encoding", "text"),
    [
        (b"", None, ""),
        (b"A", None, "A"),
        (b"A\r\nB\rC\nD\r", None, "A\nB\nC\nD\n"),
        (b"A\n\rB\r\r\nC", None, "A\n\nB\n\nC"),
        (codecs.BOM_UTF8 + "É\r\n".encode(), None, "É\n"),
        (codecs.BOM_UTF8, None, ""),
        (codecs.BOM_UTF16_LE + "É\r\nβ".encode("utf-16-le"), None, "É\nβ"),
        (codecs.BOM_UTF16_BE + "É\r\n🎄".encode("utf-16-be"), None, "É\n🎄"),
        (codecs.BOM_UTF16_LE, None, ""),
        ("É🎄".encode(), None, "É🎄"),
        ("É".encode(), "windows-1252", "É"),  # UTF-8 is tried first
        ("É".encode(), "ascii", "É"),
        ("É\nŠ".encode("cp1252"), "windows-1252", "É\nŠ"),
        ("A\nBÉ".encode("cp1252"), "cp1252", "A\nBÉ"),
        ("ł".encode("iso-8859-2"), "latin2", "ł"),
        ("夏".encode("shift_jis"), "Shift_JIS", "夏"),
        ("AB".encode("utf-16-le"), "utf-16-le", "AB"),  # valid UTF-8 too, with a NUL after each letter
        (codecs.BOM_UTF16_BE + "AB".encode("utf-16-be"), "cp1252", "AB"),  # a mark outweighs a name
        (codecs.BOM_UTF8 + "É".encode(), "cp1252", "É"),
    ],
)
def test_encodings(data: bytes, encoding: str | None, text: str) -> None:
    assert text_of([data], encoding) == text
    assert text_of([data[at : at + 1] for at in range(len(data))], encoding) == text


@pytest.mark.parametrize(
    ("data", "encoding", "says"),
    [
        (b"A\r\nB\r\n\xc9T\xc9", None, "Row 3 of the file is not UTF-8: save it"),
        (b"A\rB\r\xff", None, "Row 3 "),
        (b"\xc3", None, "Row 1 of the file is not UTF-8"),
        (b"\xed\xa0\x80", None, "not UTF-8"),
        (codecs.BOM_UTF8 + b"A\n\xe9", "cp1252", "Row 2 of the file is not UTF-8, which is what its first bytes"),
        (codecs.BOM_UTF16_LE + "A\nB".encode("utf-16-le")[:-1], None, "Row 2 of the file is not UTF-16-LE"),
        (codecs.BOM_UTF16_LE + "🎄".encode("utf-16-le")[:2], None, "cut short"),
        ("é\n".encode() + b"\xe9\n", "cp1252", "Row 2 of the file is not UTF-8, though rows before"),
        (b"A\n\x81", "cp1252", "Row 2 of the file is not CP1252, the encoding that was named"),
        (b"A\n\xe9", "ascii", "not ASCII"),
        (b"ABC", "utf-16-be", "not UTF-16-BE"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_row(data: bytes, encoding: str | None, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        text_of([data], encoding)
    assert caught.value.problem is InputProblem.INVALID
    assert says in str(caught.value)
    with pytest.raises(BadInput, match=re.escape(says)):
        text_of([data[at : at + 1] for at in range(len(data))], encoding)


@pytest.mark.parametrize(
    "name", ["", "klingon", "zip", "rot13", "idna", "unicode_escape", "undefined", "a\0b", "utf-7", "é"]
)
def test_names_that_are_no_encoding_of_files(name: str) -> None:
    with pytest.raises(BadInput) as caught:
        text_of([b"A"], name)
    assert caught.value.field == ("encoding",)


ENCODED = st.one_of(
    st.binary(max_size=40),
    st.text(alphabet="A,\r\né🎄\ufeff", max_size=20).flatmap(
        lambda text: st.sampled_from(
            [
                text.encode(),
                codecs.BOM_UTF8 + text.encode(),
                codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
                codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
                text.encode("cp1252", "replace"),
                text.encode()[:-1],
            ]
        )
    ),
)


@given(ENCODED, st.lists(st.integers(0, 60), max_size=8), st.sampled_from([None, "cp1252", "utf-16-le", "shift_jis"]))
def test_it_does_not_matter_where_the_bytes_are_cut(data: bytes, cuts: list[int], encoding: str | None) -> None:
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    chunks = [data[start:end] for start, end in pairwise(edges)]
    assert result_of(chunks, encoding) == result_of([data], encoding)
    assert result_of((data[at : at + 1] for at in range(len(data))), encoding) == result_of([data], encoding)


def test_a_large_chunk_is_given_in_pieces() -> None:
    pieces = list(decode([b"ABCDEFG\n" * 500_000]))
    assert max(map(len, pieces)) <= 1 << 20
    assert sum(map(len, pieces)) == 4_000_000


def test_reading_asks_for_no_more_than_it_gives() -> None:
    taken = []

    def chunks() -> Iterable[bytes]:
        for number in range(5):
            taken.append(number)
            yield b"ABCD\n"

    text = decode(chunks())
    assert next(text) == "ABCD\n"
    assert taken == [0]
