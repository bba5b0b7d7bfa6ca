"""Segments of SMS: sizes as 3GPP TS 23.038 and 23.040 have them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promograph.domain.sending.sms_segments import SmsEncoding, keep_whole, measure

GSM, UCS = SmsEncoding.GSM_7, SmsEncoding.UCS_2


@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments"),
    [
        ("", GSM, 0, 1),
        ("a" * 160, GSM, 160, 1),
        ("a" * 161, GSM, 161, 2),
        ("a" * 306, GSM, 306, 2),
        ("a" * 307, GSM, 307, 3),
        ("€" * 80, GSM, 160, 1),
        ("€" * 81, GSM, 162, 2),
        # 153 places hold 76 of them: an escape and its character are not parted.
        ("€" * 152, GSM, 304, 2),
        ("€" * 153, GSM, 306, 3),
        ("Ç£Øø\n" * 32, GSM, 160, 1),
        ("ç" + "a" * 69, UCS, 70, 1),
        ("ç" + "a" * 70, UCS, 71, 2),
        ("я" * 134, UCS, 134, 2),
        ("я" * 135, UCS, 135, 3),
        ("😀" * 35, UCS, 70, 1),
        ("😀" * 36, UCS, 72, 2),
        # 67 places hold 33 of them.
        ("😀" * 66, UCS, 132, 2),
        ("😀" * 67, UCS, 134, 3),
    ],
)
def test_sizes(text: str, encoding: SmsEncoding, units: int, segments: int) -> None:
    size = measure(text)
    assert (size.encoding, size.units, size.segments) == (encoding, units, segments)


def test_the_whole_alphabet_is_gsm() -> None:
    text = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    text += "¿abcdefghijklmnopqrstuvwxyzäöñüà"
    assert len(text) == 127  # 128 places, of which one is the escape
    assert measure(text) == measure("x" * 127)
    assert measure("^{}\\[~]|€\f").units == 20


def test_what_makes_it_ucs_2_is_named_once() -> None:
    assert measure("“Hi”, “you” 😀").beyond == ("“", "”", "😀")


def test_a_code_that_would_be_split_moves_to_the_next_segment() -> None:
    text = "a" * 148 + " CODE-1234 " + "b" * 20
    assert measure(text, ["CODE-1234"]).split == ("CODE-1234",)
    kept = keep_whole(text, ["CODE-1234"])
    assert kept.index("CODE-1234") == 153
    assert kept.replace(" ", "") == text.replace(" ", "")
    assert measure(kept, ["CODE-1234"]).split == ()


def test_an_address_moves_with_its_code() -> None:
    text = "a" * 120 + " https://shop.example/?code=CODE-1234 " + "b" * 20
    kept = keep_whole(text, ["CODE-1234"])
    assert "https://shop.example/?code=CODE-1234" in kept
    assert measure(kept, ["CODE-1234"]).split == ()


def test_a_code_that_cannot_be_moved_is_named() -> None:
    text = "a" * 150 + "CODE-1234" + "b" * 20
    assert keep_whole(text, ["CODE-1234"]) == text
    assert measure(text, ["CODE-1234"]).split == ("CODE-1234",)


def test_a_text_of_one_segment_stays_as_it_is() -> None:
    text = "a" * 150 + " CODE-1234"
    assert keep_whole(text, ["CODE-1234"]) == text


@given(
    st.lists(st.sampled_from(["word ", "längere Wörter ", "€ ", "я ", "😀", "C0DE-11 ", "x" * 60, "\n"]), max_size=60)
)
def test_only_spaces_are_put_in_and_codes_are_split_no_more_often(parts: list[str]) -> None:
    text = "".join(parts)
    kept = keep_whole(text, ["C0DE-11"])
    assert "".join(kept.split()) == "".join(text.split())
    assert measure(kept).encoding is measure(text).encoding
    size = measure(kept, ["C0DE-11"])
    words = [word for word in text.split() if "C0DE-11" in word]
    if all(word.startswith("C0DE-11") for word in words):
        assert size.split == ()
