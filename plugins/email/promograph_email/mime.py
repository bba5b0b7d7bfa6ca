"""A message as it goes over the wire.

Written out here, with the standard library's encoders: its message objects take ten times as long to say the same, and
a send has a hundred thousand of them. The tests read everything back with its parser.
"""

import re
from binascii import b2a_base64, b2a_qp
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, formataddr, parseaddr
from functools import lru_cache
from urllib.parse import quote

from promograph import Message

_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\\\"\x00-\x1f\x7f]+@[A-Za-z0-9.-]+")
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,76}")
_OURS = frozenset({"from", "to", "cc", "bcc", "sender", "subject", "date", "message-id", "mime-version", "return-path"})
_LONGEST_LINE = 76
_LONGEST_WORD = 42  # bytes, which are 56 signs in base64 and 68 with what stands around them
_LONGEST_HEADER = 900


class Unsendable(ValueError):
    """No server would take this message; the text says why."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """The parts that are the same for every message of a sender."""

    sender: str
    sender_header: str
    domain: str
    unsubscribe: tuple[str, ...] = ()

    @classmethod
    def of(cls, sender: str, bounces: str | None, unsubscribe: str | None = None) -> "Envelope":
        """`unsubscribe`: addresses with blanks between, as in the settings."""
        name, address = parseaddr(sender)
        envelope_sender = parseaddr(bounces)[1] if bounces else address
        places = tuple((unsubscribe or "").split())
        return cls(envelope_sender, formataddr((name, address)), address.rpartition("@")[2], places)

    def message_id(self, key: str) -> str:
        return f"<{key}@{self.domain}>"

    def unsubscribing(self, key: str, to: str) -> str:
        """What `List-Unsubscribe` says for one message."""
        there, message = quote(to, safe=""), quote(key, safe="")
        return ", ".join(f"<{place.replace('{to}', there).replace('{key}', message)}>" for place in self.unsubscribe)


_dated = lru_cache(maxsize=16)(format_datetime)


@lru_cache(maxsize=4096)
def _in_ascii(domain: str) -> str:
    """As it is known to the domain name system; UnicodeError where there is no such name."""
    return domain.encode("idna").decode()


def recipient(to: str) -> str:
    """The address for the envelope; Unsendable where it is none."""
    local, _, domain = to.strip().rpartition("@")
    try:
        address = f"{local}@{_in_ascii(domain)}"
    except UnicodeError:
        address = ""
    if not _ADDRESS.fullmatch(address) or len(address) > 254:
        raise Unsendable("This is no e-mail address.")
    if not address.isascii():
        raise Unsendable("Addresses with letters beyond ASCII before the @ are not supported.")
    return address


def composed(message: Message, to: str, envelope: Envelope, now: datetime) -> bytes:
    """The whole message; Unsendable where a header could be taken for several."""
    lines = [
        f"From: {envelope.sender_header}",
        f"To: {to}",
        f"Subject: {_encoded('Subject', message.subject or '')}",
        f"Date: {_dated(now)}",
        f"Message-ID: {envelope.message_id(message.key)}",
        "MIME-Version: 1.0",
        *_further(_headers(message, to, envelope)),
    ]
    head = "\r\n".join(lines).encode("ascii")
    text = _part("plain", message.text)
    if message.html is None:
        return head + b"\r\n" + text
    # A line of a body begins with -- and this key only by intent, and then it hurts this one message.
    mark = f"=_{message.key}".encode()
    kind = b'Content-Type: multipart/alternative; boundary="' + mark + b'"\r\n\r\n'
    parts = b"--" + mark + b"\r\n" + text + b"\r\n--" + mark + b"\r\n" + _part("html", message.html)
    return head + b"\r\n" + kind + parts + b"\r\n--" + mark + b"--\r\n"


def _headers(message: Message, to: str, envelope: Envelope) -> Mapping[str, str]:
    """The message's own, and where to unsubscribe unless it says that itself."""
    if not envelope.unsubscribe or any(name.lower() == "list-unsubscribe" for name in message.headers):
        return message.headers
    return {**message.headers, "List-Unsubscribe": envelope.unsubscribing(message.key, to)}


def _further(headers: Mapping[str, str]) -> list[str]:
    lines = []
    names = set()
    for name, value in headers.items():
        small = name.lower()
        if small in _OURS or small.startswith("content-") or not _HEADER_NAME.fullmatch(name):
            raise Unsendable(f"The header {name!r} is not for a message to set.")
        names.add(small)
        lines.append(f"{name}: {_encoded(name, value)}")
    # RFC 8058: mail programs show a button of their own where one POST to an https address is enough.
    one_click = any(name.lower() == "list-unsubscribe" and "<https://" in value for name, value in headers.items())
    if one_click and "list-unsubscribe-post" not in names:
        lines.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click")
    return lines


def _encoded(name: str, value: str) -> str:
    """The value of a header, in encoded words where it needs them."""
    if not value.isprintable():
        raise Unsendable(f"The header {name} has a line break or another sign that cannot be printed.")
    if value.isascii() and len(value) + len(name) < _LONGEST_LINE and "=?" not in value:
        return value
    if value.isascii() and name.lower().startswith("list-") and len(value) < _LONGEST_HEADER:
        return value  # addresses, which encoding would spoil
    return _in_words(value)


def _in_words(value: str) -> str:
    """RFC 2047, a line each: no sign is cut in two, and no line is longer than such a word may be."""
    words = [b""]
    for sign in value:
        encoded = sign.encode()
        if len(words[-1]) + len(encoded) > _LONGEST_WORD:
            words.append(b"")
        words[-1] += encoded
    return "\r\n ".join(f"=?utf-8?b?{b2a_base64(word, newline=False).decode()}?=" for word in words)


def _part(kind: str, text: str) -> bytes:
    # Lines end in LF until all is encoded: the encoder's own line breaks follow those that it has seen.
    body = text.replace("\r\n", "\n").replace("\r", "\n").encode()
    encoded = b2a_qp(body, istext=True).replace(b"\n", b"\r\n")
    return (
        b"Content-Type: text/" + kind.encode() + b"; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + encoded
    )
