"""What a message to customers is made of, before and after it is rendered for one of them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from promograph.domain.storable import is_storable
from promograph.errors import BadInput, InputProblem


class Medium(StrEnum):
    """What a message travels by: an E-MAIL has a subject, a text, an HTML part or both; an SMS is a text."""

    EMAIL = "EMAIL"
    SMS = "SMS"


class MessagePart(StrEnum):
    SUBJECT = "SUBJECT"
    TEXT = "TEXT"
    HTML = "HTML"


LONGEST_SOURCE = {MessagePart.SUBJECT: 500, MessagePart.TEXT: 50_000, MessagePart.HTML: 300_000}
"""Characters of a part as it is written."""

LONGEST_RENDERED = {part: 2 * longest for part, longest in LONGEST_SOURCE.items()}
"""Characters of a part as a customer gets it."""

LONGEST_SMS = 1_600
"""Characters of an SMS as a customer gets it: what providers take."""

_FIELDS = {MessagePart.SUBJECT: "subject", MessagePart.TEXT: "text", MessagePart.HTML: "html"}
_WANTED = {
    Medium.EMAIL: (MessagePart.SUBJECT, MessagePart.TEXT, MessagePart.HTML),
    Medium.SMS: (MessagePart.TEXT,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageContent:
    """The parts of a message, each a template. None: there is no such part."""

    subject: str | None = None
    text: str | None = None
    html: str | None = None

    def parts(self) -> Iterator[tuple[MessagePart, str]]:
        for part, field in _FIELDS.items():
            source = getattr(self, field)
            if source is not None:
                yield part, source


def checked_content(content: MessageContent, medium: Medium) -> MessageContent:
    """The content itself; BadInput for parts that are missing, too many or too long for this medium."""
    given = dict(content.parts())
    for part, source in given.items():
        field = _FIELDS[part]
        if part not in _WANTED[medium]:
            raise _bad(InputProblem.INVALID, f"An SMS is a text: leave out {field}.", field)
        if len(source) > LONGEST_SOURCE[part]:
            raise _bad(InputProblem.OUT_OF_RANGE, f"{field} has at most {LONGEST_SOURCE[part]:,} characters.", field)
        if not is_storable(source):
            raise _bad(InputProblem.INVALID, f"{field} holds a character that cannot be stored.", field)
    if medium is Medium.EMAIL and not (content.subject or "").strip():
        raise _bad(InputProblem.REQUIRED, "An e-mail needs a subject.", "subject")
    if not (content.text or content.html or "").strip():
        raise _bad(InputProblem.REQUIRED, "A message needs something to say.", "text")
    return content


class CodeAct(StrEnum):
    """What a template asks about a code: a customer's own, or the one that they were given last, again."""

    ISSUE = "ISSUE"
    REPEAT = "REPEAT"


@dataclass(frozen=True, slots=True)
class CodeAsk:
    """A code that a message asks for: of which promotion, and how."""

    promotion: str
    act: CodeAct

    def of(self, promotion: str) -> "CodeAsk":
        return replace(self, promotion=promotion)


@dataclass(frozen=True, slots=True)
class MessageCode:
    """A code as a message shows it."""

    text: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as one customer gets it. `codes`: the texts of the codes in it."""

    subject: str | None = None
    text: str | None = None
    html: str | None = None
    codes: tuple[str, ...] = ()


class TemplateFault(StrEnum):
    """What is wrong with a template."""

    SYNTAX = "SYNTAX"
    NOT_ALLOWED = "NOT_ALLOWED"
    UNKNOWN_NAME = "UNKNOWN_NAME"
    UNKNOWN_PROMOTION = "UNKNOWN_PROMOTION"
    PROMOTION_OVER = "PROMOTION_OVER"
    TOO_LARGE = "TOO_LARGE"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateProblem:
    """One thing to mend: where it is (lines count from 1), and a sentence that says how."""

    part: MessagePart
    line: int
    fault: TemplateFault
    message: str


def _bad(problem: InputProblem, sentence: str, field: str) -> BadInput:
    return BadInput(problem, sentence, field=(field,))
