"""Sends: one run of a message through a channel, to an audience or to one customer at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from promograph.domain.keys import checked_key, checked_optional
from promograph.domain.people.audiences import ADDRESSES
from promograph.domain.sending.messages import Medium, MessageContent
from promograph.domain.storable import check_storable
from promograph.errors import BadInput, InputProblem

LONGEST_NAME = 200
MOST_A_SECOND = 100_000


class SendStatus(StrEnum):
    """`DRAFT → SCHEDULED | RUNNING ⇄ PAUSED → DONE | CANCELLED`. A send without an audience is never DONE by itself."""

    DRAFT = "DRAFT"
    SCHEDULED = "SCHEDULED"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    DONE = "DONE"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendTerms:
    """What a marketer decides about a send.

    `key` is the send's key in issuing, booking and comparing; `audience` an id, None for a send whose messages are
    triggered one by one; `promotion` the handle or name of the one whose code `promocode` is. Without `fallback` only
    those are written to for whom there is a code of their own. `rate`: messages a second, None as fast as it goes.
    """

    key: str
    name: str
    channel: str
    content: MessageContent
    audience: int | None = None
    promotion: str | None = None
    campaign: str | None = None
    fallback: bool = True
    rate: int | None = None
    start_at: datetime | None = None

    @property
    def medium(self) -> Medium:
        return MEDIA[ADDRESSES[self.channel]]

    @property
    def is_triggered(self) -> bool:
        return self.audience is None


MEDIA = {"email": Medium.EMAIL, "phone": Medium.SMS}
"""By the field of a customer that has the address, what goes there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """A send as kept. `token` begins the keys of its messages, which count from 1.

    `planned`: how many its audience had when it started. `problem` says why it paused by itself.
    """

    id: int
    terms: SendTerms
    status: SendStatus
    token: str
    messages: int
    planned: int | None
    problem: str | None
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def is_over(self) -> bool:
        return self.status in (SendStatus.DONE, SendStatus.CANCELLED)

    def is_due(self, now: datetime) -> bool:
        """Whether it was to begin by itself, and its time has come."""
        return self.status is SendStatus.SCHEDULED and (self.terms.start_at is None or self.terms.start_at <= now)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendProgress:
    """How far a send is; `counts` are its messages by status and, of those SKIPPED, by reason (else empty)."""

    send: Send
    counts: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def count(self, *statuses: str) -> int:
        return sum(count for (status, _), count in self.counts.items() if status in statuses)

    @property
    def is_settled(self) -> bool:
        """Whether nothing of it will move by itself any more, later news from providers aside."""
        return self.send.is_over and not self.count("WAITING", "TAKEN")

    @property
    def skipped(self) -> dict[str, int]:
        return {why: count for (status, why), count in sorted(self.counts.items()) if status == "SKIPPED" and count}


def checked_terms(terms: SendTerms) -> SendTerms:
    """The terms themselves; BadInput for what cannot be, the content aside."""
    checked_key(terms.key, "key")
    if not terms.name.strip():
        raise BadInput(InputProblem.REQUIRED, "A send needs a name.", field=("name",))
    if len(terms.name) > LONGEST_NAME:
        sentence = f"A name has at most {LONGEST_NAME} characters."
        raise BadInput(InputProblem.OUT_OF_RANGE, sentence, field=("name",))
    check_storable(terms.name, "name")
    if terms.channel not in ADDRESSES:
        sentence = f"Addresses are known for the channels {', '.join(ADDRESSES)}."
        raise BadInput(InputProblem.NOT_FOUND, sentence, field=("channel",))
    checked_optional(terms.promotion, "promotion", longest=200)
    checked_optional(terms.campaign, "campaign")
    if terms.rate is not None and not 1 <= terms.rate <= MOST_A_SECOND:
        sentence = f"messagesPerSecond must be 1 to {MOST_A_SECOND:,}."
        raise BadInput(InputProblem.OUT_OF_RANGE, sentence, field=("messagesPerSecond",))
    if terms.start_at is not None and terms.is_triggered:
        sentence = "A send without an audience has no time of its own: its messages go when they are triggered."
        raise BadInput(InputProblem.INVALID, sentence, field=("startAt",))
    return terms


# From which states each act may start.
_MAY = {
    "change": frozenset({SendStatus.DRAFT}),
    "start": frozenset({SendStatus.DRAFT, SendStatus.SCHEDULED, SendStatus.PAUSED}),
    "pause": frozenset({SendStatus.SCHEDULED, SendStatus.RUNNING}),
    "cancel": frozenset({SendStatus.DRAFT, SendStatus.SCHEDULED, SendStatus.RUNNING, SendStatus.PAUSED}),
    "trigger": frozenset({SendStatus.RUNNING}),
}


def check_may(act: str, send: Send) -> None:
    """BadInput (STATE) when `act` (change, start, pause, cancel, trigger) may not start from where the send is."""
    if send.status in _MAY[act]:
        return
    allowed = ", ".join(status for status in SendStatus if status in _MAY[act])
    did = {"change": "changed", "trigger": "triggered"}.get(act, f"told to {act}")
    raise BadInput(InputProblem.STATE, f"A send that is {send.status} cannot be {did}; it must be one of {allowed}.")
