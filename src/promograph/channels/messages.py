"""Messages, and what a provider answered to each."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

# Fits a Message-ID, a URL and the references of SMS providers without being written differently in any of them.
_KEY = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
LONGEST_KEY = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message to one recipient, ready to go.

    `key` is the same at every try, so that a repeat can be told from a second message: letters, digits, `_`, `-` and
    single dots between them, at most 100 characters; ValueError otherwise. `to` is an address as the channel takes it
    (e-mail address, phone number in E.164). `headers` are for channels that have such, e.g. `List-Unsubscribe`.
    """

    key: str
    to: str
    text: str
    subject: str | None = None
    html: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.key) > LONGEST_KEY or not _KEY.fullmatch(self.key):
            raise ValueError(f"{self.key!r} is no key of a message")


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageTrigger:
    """A message to one customer, by the send whose message it is: its key, as whoever set the send up chose it.

    `message` is your own key of what triggers it: the same one for the same customer is the same message and code.
    """

    send: str
    customer: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerOutcome:
    """`key` is that of the message, which is kept and will be sent; `replayed`: it was there before.

    Without one, `why` is a sentence that says why there is no message.
    """

    key: str | None = None
    replayed: bool = False
    why: str | None = None


class DeliveryStatus(StrEnum):
    """ACCEPTED: the provider has it. REFUSED: it will never take this one. TRY_AGAIN: everything else."""

    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"
    TRY_AGAIN = "TRY_AGAIN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What came of one message. `why` is a sentence for people, without secrets; `after`: not sooner than that.

    `maybe_taken`: the provider may have it all the same (the answer was lost), so that its code may have been seen.
    """

    key: str
    status: DeliveryStatus
    provider_id: str | None = None
    why: str | None = None
    after: timedelta | None = None
    maybe_taken: bool = False

    @classmethod
    def accepted(cls, key: str, provider_id: str | None = None) -> "Delivery":
        return cls(key=key, status=DeliveryStatus.ACCEPTED, provider_id=provider_id)

    @classmethod
    def refused(cls, key: str, why: str) -> "Delivery":
        return cls(key=key, status=DeliveryStatus.REFUSED, why=why)

    @classmethod
    def try_again(cls, key: str, why: str, *, after: timedelta | None = None, maybe_taken: bool = False) -> "Delivery":
        return cls(key=key, status=DeliveryStatus.TRY_AGAIN, why=why, after=after, maybe_taken=maybe_taken)
