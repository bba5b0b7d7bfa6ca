"""The tags that are written into plain text: `[iai:promotional_code(campaign)]` and `*|PROMOCODE:a text instead|*`.

They are found in what Jinja leaves alone, once it has read the rest: nothing that stands in them can become Jinja.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from promograph.domain.sending.messages import CodeAct
from promograph.templates.facts import OWN, Fact, Source

_TAG = re.compile(
    r"""\[iai:(?P<macro>\w+)\((?P<campaign>[^()\[\]\n]{0,200})\)\]"""
    r"""|\*\|(?P<merge>[A-Z][A-Z0-9_]{0,63})(?P<default>:[^|\n]{0,500})?\|\*"""
)
_BEGUN = re.compile(r"\[iai:|\*\|[A-Z]")
_MERGE = {"PROMOCODE": CodeAct.ISSUE, "LAST_PROMOCODE": CodeAct.REPEAT}


@dataclass(frozen=True, slots=True)
class Tag:
    """A code in plain text; `default`: what stands there where there is no code."""

    fact: Fact
    default: str | None = None


@dataclass(frozen=True, slots=True)
class BadTag:
    """Something that looks like a tag and is none."""

    message: str


Piece = str | Tag | BadTag


def pieces(text: str) -> Iterator[tuple[int, Piece]]:
    """The text in pieces, each with the number of line breaks before it."""
    at = 0
    for found in _TAG.finditer(text):
        yield from _plain(text, at, found.start())
        yield text.count("\n", 0, found.start()), _tag(found)
        at = found.end()
    yield from _plain(text, at, len(text))


def _plain(text: str, start: int, end: int) -> Iterator[tuple[int, Piece]]:
    if start == end:
        return
    begun = _BEGUN.search(text, start, end)
    if begun is not None:
        sentence = f"A tag begins here and does not end: {text[begun.start() : min(end, begun.start() + 40)]!r}. "
        sentence += "Write [iai:promotional_code(handle)] or *|PROMOCODE:text instead|*, on one line."
        yield text.count("\n", 0, begun.start()), BadTag(sentence)
    yield text.count("\n", 0, start), text[start:end]


def _tag(found: re.Match[str]) -> Piece:
    merge = found["merge"]
    if merge is not None:
        act = _MERGE.get(merge)
        if act is None:
            known = " and ".join(f"*|{name}|*" for name in _MERGE)
            return BadTag(
                f"There is no *|{merge}|*, only {known}; what is known of a customer is {{{{ client.email }}}}."
            )
        default = found["default"]
        return Tag(Fact(Source.CODE, act, OWN), None if default is None else default[1:])
    if found["macro"] != "promotional_code":
        return BadTag(f"There is no [iai:{found['macro']}(…)], only [iai:promotional_code(handle)].")
    campaign = found["campaign"].strip().strip("'\"").strip()
    if not campaign:
        return BadTag("Name the promotion: [iai:promotional_code(spring-sale)].")
    return Tag(Fact(Source.CODE, CodeAct.ISSUE, campaign))
