"""Messages triggered one by one: kept before the caller is answered, sent by whichever server comes first."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from promograph.channels import MessageTrigger, TriggerOutcome
from promograph.domain.clock import Clock
from promograph.domain.keys import checked_key
from promograph.domain.people.audiences import ADDRESSES
from promograph.domain.people.customers import Customer
from promograph.domain.sending.outbox import SkipReason, message_key, why_unreached
from promograph.domain.sending.sends import check_may
from promograph.domain.storable import is_storable
from promograph.errors import BadInput, InputProblem
from promograph.services.batching import Gatherer
from promograph.services.sending.sends import unknown
from promograph.store import sends
from promograph.store.databases.database import Connection, Database
from promograph.store.people import customers
from promograph.store.sends import Going, outbox
from promograph.store.sends.outbox import Kept

_UNREACHED = {
    SkipReason.UNKNOWN_CUSTOMER: (InputProblem.NOT_FOUND, "Nobody told of this customer; tell of them first."),
    SkipReason.NO_ADDRESS: (InputProblem.STATE, "The channel has no address of this customer."),
    SkipReason.NO_CONSENT: (InputProblem.STATE, "This customer did not agree to be written to by this channel."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerRequest:
    """`message` is the caller's own key: the same one for the same customer and send is the same message."""

    send: int
    customer: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Triggered:
    """A message and the key under which channels know it, or why there is none. `replayed`: it was there before."""

    message: Kept | None = None
    key: str = ""
    replayed: bool = False
    problem: BadInput | None = None


class Triggers:
    """`wake` has the messages sent."""

    def __init__(self, database: Database, clock: Clock, wake: Callable[[], None]) -> None:
        self._database = database
        self._clock = clock
        self._wake = wake
        self._gatherer = Gatherer(self._write)

    async def trigger(self, request: TriggerRequest) -> Triggered:
        """The message, which is durable. BadInput where there is none, and there will be none."""
        checked_key(request.customer, "customer")
        checked_key(request.message, "messageKey")
        found = await self._gatherer.submit(request)
        if found.problem is not None:
            raise found.problem
        if not found.replayed:
            self._wake()
        return found

    async def trigger_many(self, triggers: Sequence[MessageTrigger]) -> list[TriggerOutcome]:
        """An outcome each, in their order, by the keys of their sends."""
        keys = {one.send for one in triggers if is_storable(one.send)}
        ids = await self._database.read(lambda connection: sends.by_key(connection, keys))
        return list(await asyncio.gather(*(self._outcome(one, ids.get(one.send)) for one in triggers)))

    async def _outcome(self, trigger: MessageTrigger, send: int | None) -> TriggerOutcome:
        if send is None:
            return TriggerOutcome(why=f"There is no send with the key {trigger.send!r}.")
        try:
            found = await self.trigger(TriggerRequest(send=send, customer=trigger.customer, message=trigger.message))
        except BadInput as problem:
            return TriggerOutcome(why=str(problem))
        return TriggerOutcome(key=found.key, replayed=found.replayed)

    async def _write(self, requests: Sequence[TriggerRequest]) -> Sequence[Triggered]:
        now = self._clock()

        def work(connection: Connection) -> list[Triggered]:
            locked = sends.lock(connection, {request.send for request in requests})
            known = customers.read(connection, sorted({request.customer for request in requests}))
            problems: dict[TriggerRequest, BadInput] = {}
            for request in requests:
                problem = _why_not(request, locked.get(request.send), known)
                if problem is not None:
                    problems[request] = problem
            found: dict[TriggerRequest, Triggered] = {}
            for going in locked.values():
                id_ = going.send.id
                wanted = [(one.customer, one.message) for one in requests if one.send == id_ and one not in problems]
                for message, is_new in _kept(connection, going, wanted, now):
                    request = TriggerRequest(send=id_, customer=message.customer, message=message.trigger_key)
                    key = message_key(going.send.token, message.number)
                    found[request] = Triggered(message=message, key=key, replayed=not is_new)
            answers = []
            for one in requests:
                answers.append(found.get(one) or Triggered(problem=problems[one]))
                if one in found:
                    found[one] = replace(found[one], replayed=True)
            return answers

        return await self._database.write(work)


def _kept(
    connection: Connection, going: Going, wanted: Sequence[tuple[str, str]], now: datetime
) -> list[tuple[Kept, bool]]:
    """The messages to these (customer, key): those that were there, and those that are new, which it tells."""
    if not wanted:
        return []
    there = outbox.triggered(connection, going.send.id, wanted)
    known = {(one.customer, one.trigger_key) for one in there}
    missing = dict.fromkeys(one for one in wanted if one not in known)
    new = outbox.await_turn(connection, going.send.id, missing, first=going.messages + 1, now=now)
    if new:
        going.messages += len(new)
        sends.save(connection, going, now)
    return [*((one, False) for one in there), *((one, True) for one in new)]


def _why_not(request: TriggerRequest, going: Going | None, known: Mapping[str, Customer]) -> BadInput | None:
    if going is None:
        problem = unknown()
        return BadInput(problem.problem, str(problem), field=("send",))
    terms = going.send.terms
    if not terms.is_triggered:
        sentence = "This send goes to its audience; only one without an audience can be triggered."
        return BadInput(InputProblem.STATE, sentence, field=("send",))
    try:
        check_may("trigger", going.send)
    except BadInput as problem:
        return BadInput(problem.problem, str(problem), field=("send",))
    why = why_unreached(known.get(request.customer), terms.channel, ADDRESSES)
    if why is None:
        return None
    kind, sentence = _UNREACHED[why]
    return BadInput(kind, sentence, field=("customer",))
