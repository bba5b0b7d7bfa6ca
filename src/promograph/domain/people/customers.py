"""Customers as callers tell of them, and as they are kept."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Required, TypedDict

from promograph.domain.conditions.values import Value
from promograph.domain.keys import checked_key
from promograph.domain.people.attributes import Written
from promograph.errors import BadInput, InputProblem

MOST_CHANNELS = 20
_LONGEST_CHANNEL = 64
LONGEST_EMAIL = 254
_LONGEST_LOCALE = 35

# Whether an address exists is for its channel to find out; this keeps out what cannot be one.
_IN_EMAIL = r"[^@\s\x00-\x1f\x7f\ud800-\udfff]"
EMAIL = rf"{_IN_EMAIL}++@{_IN_EMAIL}++"
_EMAIL = re.compile(EMAIL)
_LOCALE = re.compile(r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*", re.ASCII)
PHONE = r"\+[1-9][0-9]{5,14}"
_PHONE = re.compile(PHONE)
IN_PHONES = re.compile(r"[ ().\-/\u00a0]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A person, by the caller's own id. `consent`: by channel, whether they agreed to be written to there.

    A channel that is not in `consent` is one that nobody asked them about.
    """

    id: str
    email: str | None = None
    phone: str | None = None
    locale: str | None = None
    consent: Mapping[str, bool] = field(default_factory=dict)
    attributes: Mapping[str, Value] = field(default_factory=dict)
    created_at: datetime
    updated_at: datetime


class CustomerChange(TypedDict, total=False):
    """What becomes of a customer, who is made if there is none: what is not in here stays as it is. Nobody changes it.

    None takes a field away, and so it does an attribute and the consent of a channel. Attributes are values, or plain
    data that means the same: see `attributes.Written`. It is a dictionary because most are taken just as they were
    told: to make ten thousand objects of a class costs as much as to check all that is in them.
    """

    id: Required[str]
    email: str | None
    phone: str | None
    locale: str | None
    consent: Mapping[str, bool | None]
    attributes: Mapping[str, Written]


def followed(first: CustomerChange, later: CustomerChange) -> CustomerChange:
    """Both in one."""
    both: CustomerChange = {**first, **later}
    if "consent" in both:
        both["consent"] = {**first.get("consent", {}), **later.get("consent", {})}
    if "attributes" in both:
        both["attributes"] = {**first.get("attributes", {}), **later.get("attributes", {})}
    return both


def checked_email(text: str) -> str:
    """The address with its domain in lower case."""
    shown = text.strip()
    if len(shown) > LONGEST_EMAIL or not _EMAIL.fullmatch(shown):
        raise _bad("email must be an address such as ada@example.com, at most 254 characters.", "email")
    return shown if shown.islower() else with_lower_domain(shown)


def with_lower_domain(email: str) -> str:
    name, _, domain = email.rpartition("@")
    return f"{name}@{domain.lower()}"


def checked_phone(text: str) -> str:
    """The number as E.164 writes it: `+` and digits."""
    number = IN_PHONES.sub("", text[:64].strip())
    if not _PHONE.fullmatch(number):
        raise _bad("phone must be in its international form, such as +1 514 555 0100.", "phone")
    return number


@lru_cache(maxsize=1024)
def checked_locale(text: str) -> str:
    """A language tag as BCP 47 writes it, in the caller's letter case."""
    if len(text) > _LONGEST_LOCALE or not _LOCALE.fullmatch(text):
        raise _bad("locale must be a language tag such as fr-CA.", "locale")
    return text.replace("_", "-")


def checked_consent(data: object) -> dict[str, bool | None]:
    """By channel, true or false, or None for one that is to be forgotten."""
    if not isinstance(data, Mapping):
        raise _bad('consent must be an object of channels, such as {"email": true}.', "consent")
    if len(data) > MOST_CHANNELS:
        sentence = f"A customer has the consent of at most {MOST_CHANNELS} channels."
        raise BadInput(InputProblem.TOO_MANY, sentence, field=("consent",))
    for channel, given in data.items():
        check_channel(channel)
        if not (given is None or isinstance(given, bool)):
            raise BadInput(
                InputProblem.INVALID, "consent is true or false (in a file, yes or no).", field=("consent", channel)
            )
    return dict(data)


@lru_cache(maxsize=256)
def check_channel(channel: object) -> None:
    if not isinstance(channel, str):
        raise _bad("A channel is named by a text.", "consent")
    try:
        checked_key(channel, "channel", longest=_LONGEST_CHANNEL)
    except BadInput as bad:
        raise BadInput(bad.problem, str(bad), field=("consent",)) from None


CHECKS: Mapping[str, Callable[[str], str]] = {"email": checked_email, "phone": checked_phone, "locale": checked_locale}
"""Of each field that is a text, what makes it fit to be kept; BadInput where nothing does."""


def _bad(sentence: str, name: str) -> BadInput:
    return BadInput(InputProblem.INVALID, sentence, field=(name,))
