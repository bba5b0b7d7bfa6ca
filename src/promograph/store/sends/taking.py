"""Taking messages of a send in hand, one server at a time: what is due again first, then the next of its audience.

Nobody is enlisted ahead of time. A message is written down when a server takes it, in the transaction that moves the
send past its recipient: so each recipient has one, whoever dies when, and a pause stops all servers at their next turn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from promograph.domain.people.audiences import ADDRESSES, Audience
from promograph.domain.people.customers import Customer
from promograph.domain.sending.outbox import why_unreached
from promograph.domain.sending.sends import Send, SendStatus
from promograph.store import sends, stock
from promograph.store.listing import Slice
from promograph.store.people import audience_members, customers
from promograph.store.sends import Going, outbox
from promograph.store.sends.outbox import NewMessage, Taken
from promograph.store.tables.instants import from_micros, to_micros

_SECOND = 1_000_000
_TURNS_A_SECOND = 5
"""A send with a rate takes its turns so often, so that it is even."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """The next of an audience behind the customer `after`, in the order of ids; whether they are the last."""

    after: str
    people: Sequence[tuple[str, Customer | None]]
    is_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Who takes, how many at most, and until when they are its own."""

    owner: str
    most: int
    now: datetime
    lease: timedelta

    @property
    def until(self) -> datetime:
        return self.now + self.lease


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Messages in hand, which may go at `begins_at`; of a send that was `cancelled` they are to be taken back."""

    taken: Sequence[Taken]
    begins_at: datetime
    is_cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Later:
    """Nothing to do before then."""

    at: datetime


@dataclass(slots=True)
class Outcome:
    """`batch` or `later`; neither: there is nothing to do for this send any more, or nothing that is known of."""

    batch: Batch | None = None
    later: Later | None = None


def at_a_time(rate: int | None, most: int) -> int:
    """How many messages a turn takes at a rate a second."""
    return most if rate is None else max(1, min(most, rate // _TURNS_A_SECOND))


def next_of(connection: Connection, audience: Audience | None, after: str, most: int, now: datetime) -> Next:
    """An audience that is gone has nobody any more."""
    if audience is None:
        return Next(after=after, people=(), is_last=True)
    page = audience_members.page(connection, audience, Slice(count=most, start=(after,) if after else None), now)
    ids = [row[0] for _, row in page.rows]
    known = customers.read(connection, ids)
    return Next(after=after, people=[(id_, known.get(id_)) for id_ in ids], is_last=not page.has_next)


def take(connection: Connection, send_id: int, following: Next | None, turn: Turn) -> Outcome:
    """A turn of this owner's. `following` was read before; where another server has been quicker it is not taken."""
    going = sends.lock(connection, [send_id])[send_id]
    if going.status is SendStatus.CANCELLED:
        return _take_back(connection, send_id, turn)
    if going.status is not SendStatus.RUNNING:
        return Outcome()
    micros = to_micros(turn.now)
    begins = max(micros, going.paced_to)
    if begins - micros > _SECOND:
        return Outcome(later=Later(from_micros(begins)))
    most = at_a_time(going.send.terms.rate, turn.most)
    taken = outbox.take_due(
        connection, send_id, most=most, owner=turn.owner, now=turn.now, until=from_micros(begins) + turn.lease
    )
    is_new = not taken and following is not None and not going.is_read and going.reached == following.after
    if is_new and following is not None:
        taken = _enlist(connection, going, following, turn, begins)
    if not taken and not is_new:
        return _nothing(connection, going, turn)
    rate = going.send.terms.rate
    if rate is not None:
        going.paced_to = begins + len(taken) * _SECOND // rate
    if is_new or rate is not None:
        sends.save(connection, going, turn.now)
    return Outcome(batch=Batch(taken=taken, begins_at=from_micros(begins)))


def note_spans(connection: Connection, going: Going, promotions: Sequence[int]) -> None:
    """From here on its issuances are, as far as these promotions are concerned."""
    for id_, counters in stock.read(connection, [id_ for id_ in promotions if id_ not in going.spans]).items():
        going.spans[id_] = [counters.issuances]


def finish(connection: Connection, going: Going, status: SendStatus, now: datetime) -> None:
    """It is over. The going send is for the caller to save."""
    going.status = status
    going.finished_at = now
    going.reached = ""
    if status is SendStatus.DONE and going.spans:
        for id_, counters in stock.read(connection, list(going.spans)).items():
            going.spans[id_] = [going.spans[id_][0], counters.issuances]


def _enlist(connection: Connection, going: Going, following: Next, turn: Turn, begins: int) -> list[Taken]:
    channel = going.send.terms.channel
    new = [
        NewMessage(customer=id_, skip=why_unreached(customer, channel, ADDRESSES)) for id_, customer in following.people
    ]
    until = from_micros(begins) + turn.lease
    taken = outbox.enlist(
        connection, going.send.id, new, first=going.messages + 1, owner=turn.owner, now=turn.now, until=until
    )
    going.messages += len(new)
    going.is_read = following.is_last
    if following.people:
        # Whoever came last is named no longer than it takes to go on from there: people are erased.
        going.reached = "" if following.is_last else following.people[-1][0]
    return taken


def _nothing(connection: Connection, going: Going, turn: Turn) -> Outcome:
    send: Send = going.send
    if not going.is_read:
        return Outcome(later=Later(turn.now))  # another server was quicker: look again
    due = outbox.next_due(connection, send.id)
    if due is not None:
        return Outcome(later=Later(due))
    if not send.terms.is_triggered:
        finish(connection, going, SendStatus.DONE, turn.now)
        sends.save(connection, going, turn.now)
    return Outcome()


def _take_back(connection: Connection, send_id: int, turn: Turn) -> Outcome:
    """Of a send that was cancelled, what nobody has in hand."""
    taken = outbox.take_waiting(connection, send_id, most=turn.most, owner=turn.owner, now=turn.now, until=turn.until)
    if taken:
        return Outcome(batch=Batch(taken=taken, begins_at=turn.now, is_cancelled=True))
    due = outbox.next_due(connection, send_id)
    if due is None:
        return Outcome()
    return Outcome(later=Later(due))
