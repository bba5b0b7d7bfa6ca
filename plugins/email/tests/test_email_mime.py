"""Messages as they go over the wire, read back by the standard library."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from promograph import Message
from promograph_email import EmailSettings
from promograph_email.mime import Envelope, Unsendable, composed, recipient

from .email_stage import parsed

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
ENVELOPE = Envelope.of("Grüße vom Laden <offers@shop.example>", None)

printable = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp", "Zs")) | st.just(" "))
texts = st.text(st.characters(codec="utf-8", exclude_characters="\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029\0"))


def message(**more: Any) -> Message:
    return Message(**{"key": "send-1.7", "to": "a@example.com", "subject": "Hi", "text": "Hello\n", **more})


def read(**more: Any) -> Any:
    return parsed(composed(message(**more), "a@example.com", ENVELOPE, NOW))


def unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def test_a_message_of_text_alone() -> None:
    made = read(text="Ihr Code: ÄÖÜ-17 = 5 €\n" + "long " * 60)
    assert made["From"] == "Grüße vom Laden <offers@shop.example>"
    assert (made["To"], made["Subject"]) == ("a@example.com", "Hi")
    assert made["Message-ID"] == "<send-1.7@shop.example>"
    assert made["Date"].datetime == NOW
    assert made.get_content_type() == "text/plain"
    assert unix(made.get_content()).rstrip("\n") == ("Ihr Code: ÄÖÜ-17 = 5 €\n" + "long " * 60).rstrip("\n")
    assert not made.defects


@settings(max_examples=50)
@given(subject=printable, text=texts, html=st.none() | texts)
def test_whatever_is_written_is_read(subject: str, text: str, html: str | None) -> None:
    content = composed(message(subject=subject, text=text, html=html), "a@example.com", ENVELOPE, NOW)
    assert all(len(line) <= 998 for line in content.split(b"\r\n"))
    assert b"\n" not in content.replace(b"\r\n", b"")
    made = parsed(content)
    assert " ".join(str(made["Subject"]).split()) == " ".join(subject.split())
    plain, rich = made.get_body(("plain",)), made.get_body(("html",))
    assert plain is not None
    assert unix(plain.get_content()).rstrip("\n") == unix(text).rstrip("\n")
    assert (rich is None) == (html is None)
    if rich is not None and html is not None:
        assert unix(rich.get_content()).rstrip("\n") == unix(html).rstrip("\n")


def test_one_click_unsubscribing_where_one_post_is_enough() -> None:
    https = read(headers={"List-Unsubscribe": "<https://shop.example/u/" + "x" * 200 + ">, <mailto:u@shop.example>"})
    assert https["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "<https://shop.example/u/" + "x" * 200 + ">" in https["List-Unsubscribe"]
    assert read(headers={"List-Unsubscribe": "<mailto:u@shop.example>"})["List-Unsubscribe-Post"] is None
    both = {"List-Unsubscribe": "<https://x.example>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    assert read(headers=both).get_all("List-Unsubscribe-Post") == ["List-Unsubscribe=One-Click"]


def test_every_message_says_where_to_unsubscribe() -> None:
    places = "https://shop.example/u?to={to}&m={key} mailto:u@shop.example"
    envelope = Envelope.of("offers@shop.example", None, places)
    said = parsed(composed(message(), "a+b@example.com", envelope, NOW))
    https = "https://shop.example/u?to=a%2Bb%40example.com&m=send-1.7"
    assert said["List-Unsubscribe"] == f"<{https}>, <mailto:u@shop.example>"
    assert said["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    own = message(headers={"list-unsubscribe": "<mailto:x@shop.example>"})
    assert parsed(composed(own, "a@example.com", envelope, NOW)).get_all("List-Unsubscribe") == [
        "<mailto:x@shop.example>"
    ]


@pytest.mark.parametrize("places", ["http://x.example", "x.example", "https://x.example/{name}", "https://x.example>"])
def test_what_is_no_place_to_unsubscribe_stops_the_start(places: str) -> None:
    with pytest.raises(ValidationError, match="https://"):
        EmailSettings(unsubscribe=places)


@pytest.mark.parametrize(
    "more",
    [
        {"subject": "Hi\r\nBcc: everybody@example.com"},
        {"subject": "Hi\nthere"},
        {"headers": {"X-Tag": "a\r\n\r\nbody"}},
        {"headers": {"X Tag": "a"}},
        {"headers": {"Bcc": "everybody@example.com"}},
        {"headers": {"Content-Type": "text/html"}},
        {"headers": {"message-id": "<another@example.com>"}},
    ],
)
def test_nobody_slips_a_header_in(more: dict[str, Any]) -> None:
    with pytest.raises(Unsendable):
        read(**more)


@pytest.mark.parametrize(
    "address",
    ["", "x", "@x.example", "a@", "a b@x.example", "a@x.example>", "a@x.example\r\nRCPT TO:<b@x.example>",
     "<a@x.example>", "a@x.example,b@x.example", "jürgen@x.example", "a@" + "x" * 300 + ".example", "a@b..example"],
)  # fmt: skip
def test_what_is_no_address_is_turned_down(address: str) -> None:
    with pytest.raises(Unsendable):
        recipient(address)


def test_domains_in_any_alphabet() -> None:
    assert recipient("a.b+c@münchen.example") == "a.b+c@xn--mnchen-3ya.example"
