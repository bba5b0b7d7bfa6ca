"""The messages of a send, one a recipient: what becomes of each, and when it is tried again."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from promograph.domain.pauses import pause_after
from promograph.domain.people.customers import Customer
from promograph.domain.refusals import Refusal, RefusalCode
from promograph.domain.sending.deliveries import DeliveryState


class MessageStatus(StrEnum):
    """WAITING to be tried (again), TAKEN by a server that is at it; the others are over, as far as we know.

    ACCEPTED by the provider, who may later tell of DELIVERED or BOUNCED. REFUSED for good, or given up. SKIPPED: there
    was nothing to send, or nowhere. CANCELLED with its send before anybody had it.
    """

    WAITING = "WAITING"
    TAKEN = "TAKEN"
    ACCEPTED = "ACCEPTED"
    DELIVERED = "DELIVERED"
    BOUNCED = "BOUNCED"
    REFUSED = "REFUSED"
    SKIPPED = "SKIPPED"
    CANCELLED = "CANCELLED"


ACCEPTED = (MessageStatus.ACCEPTED, MessageStatus.DELIVERED, MessageStatus.BOUNCED)
"""What the provider has, or had."""

OPEN = (MessageStatus.WAITING, MessageStatus.TAKEN)


class SkipReason(StrEnum):
    """Why somebody in the audience is not in the final one."""

    UNKNOWN_CUSTOMER = "UNKNOWN_CUSTOMER"
    NO_ADDRESS = "NO_ADDRESS"
    NO_CONSENT = "NO_CONSENT"
    POOL_EMPTY = "POOL_EMPTY"
    AUDIENCE_CAP_REACHED = "AUDIENCE_CAP_REACHED"
    PROMOTION_INACTIVE = "PROMOTION_INACTIVE"
    CODE_STOPPED = "CODE_STOPPED"
    NOTHING_HELD = "NOTHING_HELD"
    NOT_RENDERED = "NOT_RENDERED"


_REFUSED = {
    RefusalCode.POOL_EMPTY: SkipReason.POOL_EMPTY,
    RefusalCode.AUDIENCE_CAP_REACHED: SkipReason.AUDIENCE_CAP_REACHED,
    RefusalCode.PROMOTION_INACTIVE: SkipReason.PROMOTION_INACTIVE,
    RefusalCode.NOT_STARTED: SkipReason.PROMOTION_INACTIVE,
    RefusalCode.CODE_BLOCKED: SkipReason.CODE_STOPPED,
    RefusalCode.CODE_VOID: SkipReason.CODE_STOPPED,
    RefusalCode.NOTHING_HELD: SkipReason.NOTHING_HELD,
}

_FIRST_PAUSE = timedelta(seconds=15)
_LONGEST_PAUSE = timedelta(minutes=30)
MOST_TRIES = 60
"""With the pauses between them a little over a day."""


def skip_reason(problem: object) -> SkipReason:
    """For what kept a message from being rendered."""
    if isinstance(problem, Refusal):
        return _REFUSED.get(problem.code, SkipReason.NOT_RENDERED)
    return SkipReason.NOT_RENDERED


def why_unreached(customer: Customer | None, channel: str, addresses: Mapping[str, str]) -> SkipReason | None:
    """Why a channel does not reach somebody; None where it does."""
    if customer is None:
        return SkipReason.UNKNOWN_CUSTOMER
    if not getattr(customer, addresses[channel]):
        return SkipReason.NO_ADDRESS
    return None if customer.consent.get(channel) is True else SkipReason.NO_CONSENT


def pause(tries: int, after: timedelta | None) -> timedelta:
    """How long to wait after so many tries; not shorter than the provider asked for."""
    own = pause_after(tries, first=_FIRST_PAUSE, longest=_LONGEST_PAUSE)
    return max(own, after or timedelta())


def told(status: MessageStatus, state: DeliveryState) -> MessageStatus | None:
    """What a message becomes when its provider tells of it; None where that changes nothing.

    Who may have seen it has it, whatever bounced besides; and what the provider speaks of, it has taken.
    """
    if state is DeliveryState.DELIVERED and status is not MessageStatus.DELIVERED:
        return MessageStatus.DELIVERED
    if state is DeliveryState.FAILED and status in (*OPEN, MessageStatus.ACCEPTED):
        return MessageStatus.BOUNCED
    return None


def message_key(token: str, number: int) -> str:
    """The key under which channels know the message, the same at every try: the Message-ID of an e-mail."""
    return f"{token}.{number}"


def read_message_key(key: str) -> tuple[str, int] | None:
    """Token of the send, and number; None for a key that is no send's."""
    token, dot, number = key.rpartition(".")
    return (token, int(number)) if dot and number.isdecimal() and len(number) < 18 else None
