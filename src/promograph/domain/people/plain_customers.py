"""Lists of customers that are plainly right, field by field.

To look at each field of each customer takes several times as long as everything that is done with them afterwards; to
look at one field of hundreds of customers together, next to nothing. Where anything is off, `reading` looks at each.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from types import NoneType
from typing import Any, cast

from promograph.domain.keys import are_keys
from promograph.domain.people.attributes import AttributeReader
from promograph.domain.people.customers import (
    EMAIL,
    IN_PHONES,
    LONGEST_EMAIL,
    MOST_CHANNELS,
    PHONE,
    CustomerChange,
    check_channel,
    checked_locale,
    with_lower_domain,
)
from promograph.errors import BadInput

_NOTHING: Mapping[str, Any] = {}
_NAMES = CustomerChange.__annotations__.keys()
_EMAILS = re.compile(rf"(?:{EMAIL}\n)*+")
_PHONES = re.compile(rf"(?:{PHONE}\n)*+")
_LONGEST_PHONE = 64
"""As it is written, with whatever stands between its digits."""


def plain_changes(
    told: Sequence[Mapping[str, Any]], attributes: AttributeReader
) -> Sequence[CustomerChange | None] | None:
    """What becomes of these customers, the very objects where they can be taken as they are; None for those to look at.

    None as a whole: look at each of them.
    """
    if set(map(type, told)) != {dict} or not set[str]().union(*told) <= _NAMES:
        return None
    if not are_keys([one.get("id", "") for one in told]):
        return None
    if not _are_consents([one["consent"] for one in told if "consent" in one]):
        return None
    given = [one.get("attributes", _NOTHING) for one in told]
    if set(map(type, given)) != {dict}:
        return None
    odd = attributes.odd(given)
    for name, settle in _SETTLED.items():
        texts = [one[name] for one in told if one.get(name) is not None]
        settled = settle(texts) if texts else texts
        if settled is None:
            return None
        if settled != texts:
            told = _replaced(told, name, settled)
    return cast(
        Sequence[CustomerChange | None], [None if n in odd else one for n, one in enumerate(told)] if odd else told
    )


def _replaced(told: Sequence[Mapping[str, Any]], name: str, settled: Sequence[str]) -> list[Mapping[str, Any]]:
    coming = iter(settled)
    return [one if one.get(name) is None else {**one, name: next(coming)} for one in told]


def _are_consents(given: Sequence[Any]) -> bool:
    if not set(map(type, given)) <= {dict} or max(map(len, given), default=0) > MOST_CHANNELS:
        return False
    try:
        for channel in set[object]().union(*given):
            check_channel(channel)
    except BadInput:
        return False
    return set(map(type, chain.from_iterable(map(dict.values, given)))) <= {bool, NoneType}


def _settled_emails(texts: Sequence[str]) -> Sequence[str] | None:
    lines = _lines(texts, LONGEST_EMAIL)
    if lines is None or not _EMAILS.fullmatch(lines):
        return None
    return texts if lines.islower() else list(map(with_lower_domain, texts))


def _settled_phones(texts: Sequence[str]) -> Sequence[str] | None:
    lines = _lines(texts, _LONGEST_PHONE)
    if lines is None or _PHONES.fullmatch(lines):
        return lines and texts
    lines = IN_PHONES.sub("", lines)
    return lines.splitlines() if _PHONES.fullmatch(lines) else None


def _settled_locales(texts: Sequence[str]) -> Sequence[str] | None:
    if set(map(type, texts)) != {str}:
        return None
    try:
        tags = {text: checked_locale(text) for text in set(texts)}
    except BadInput:
        return None
    return list(map(tags.__getitem__, texts))


_SETTLED: Mapping[str, Callable[[Sequence[str]], Sequence[str] | None]] = {
    "email": _settled_emails,
    "phone": _settled_phones,
    "locale": _settled_locales,
}
"""Of texts, what `customers.CHECKS` makes of each; None where it might turn one of them down."""


def _lines(texts: Sequence[str], longest: int) -> str | None:
    """A line of each, to be looked at as one text; None where they are no texts, not of one line, or too long."""
    if set(map(type, texts)) != {str} or len(max(texts, key=len)) > longest:
        return None
    lines = "\n".join(texts) + "\n"
    return lines if lines.count("\n") == len(texts) else None
