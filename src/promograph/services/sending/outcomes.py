"""What becomes of the messages of a handful, written down: from what a channel said to the outbox's answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from promograph.channels import Delivery, DeliveryStatus, Message
from promograph.domain.issuing import IssuanceKind
from promograph.domain.sending.outbox import MOST_TRIES, MessageStatus, SkipReason, pause, skip_reason
from promograph.services.sending.filling import Rendering
from promograph.store.sends import outbox
from promograph.store.sends.outbox import Answer, Taken

_LONGEST_REST = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Written:
    """A message as it is to go, with the codes in it."""

    taken: Taken
    message: Message
    codes: outbox.Issued


def why_skipped(one: Rendering, fallback: bool) -> SkipReason | None:
    if one.problem is not None or one.message is None:
        return skip_reason(one.problem)
    if fallback:
        return None
    if one.missing is not None:
        return skip_reason(one.missing)
    shared = any(issuance.kind is IssuanceKind.FALLBACK for issuance in one.issuances)
    return SkipReason.POOL_EMPTY if shared else None


def skipped(taken: Taken, why: SkipReason, codes: outbox.Issued) -> Answer:
    return Answer(number=taken.number, tries=taken.tries, status=MessageStatus.SKIPPED, why=why, codes=codes)


def answered(one: Written, said: Delivery, now: datetime) -> Answer:
    taken = one.taken
    answer = partial(Answer, number=taken.number, tries=taken.tries, codes=one.codes)
    if said.status is DeliveryStatus.ACCEPTED:
        return answer(status=MessageStatus.ACCEPTED)
    if said.status is DeliveryStatus.REFUSED:
        return answer(status=MessageStatus.REFUSED, why=said.why)
    if taken.tries >= MOST_TRIES:
        why = f"Given up after {taken.tries} tries: {said.why}"
        return answer(status=MessageStatus.REFUSED, why=why, maybe_seen=said.maybe_taken)
    due_at = now + pause(taken.tries, said.after)
    return answer(status=MessageStatus.WAITING, why=said.why, due_at=due_at, maybe_seen=said.maybe_taken)


def put_back(one: Written, now: datetime) -> Answer:
    """Of a message that was not handed over: whichever server comes next has it."""
    return Answer(
        number=one.taken.number, tries=one.taken.tries, status=MessageStatus.WAITING, codes=one.codes, due_at=now
    )


def resting(deliveries: Sequence[Delivery]) -> timedelta | None:
    """How long the whole send rests where nothing goes any more: else it would use up its audience's first tries."""
    if not deliveries or any(said.status is not DeliveryStatus.TRY_AGAIN for said in deliveries):
        return None
    asked = max((said.after or timedelta() for said in deliveries), default=timedelta())
    return min(max(asked, timedelta(seconds=5)), _LONGEST_REST)
