"""Use cases of customers: told of by the thousand, looked up one by one."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from promograph.domain.clock import Clock
from promograph.domain.conditions.facts import Needs
from promograph.domain.conditions.values import ValueType
from promograph.domain.issuing import Issuance
from promograph.domain.keys import LONGEST, checked_optional
from promograph.domain.people.attributes import Attribute
from promograph.domain.people.customers import Customer
from promograph.domain.people.reading import ReadCustomers, read_customers
from promograph.domain.people.segments import Segment
from promograph.domain.redeeming import Redemption
from promograph.domain.storable import is_storable
from promograph.errors import BadInput, InputProblem, StoreBusy
from promograph.services.keyed_writes import Once, write_again
from promograph.services.uncollected import uncollected
from promograph.store import profiles
from promograph.store.databases.database import Connection, Database
from promograph.store.people import attributes, customers, segments, upserting
from promograph.store.people import facts as customer_facts

_TRIES = 5
_LARGE = 1_000
_HEAVY = 50
"""More customers than these take more than a few milliseconds to write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upserted:
    """`created` are new, `updated` were there already, changed or not. `problems`: by the place in the call."""

    created: int
    updated: int
    problems: tuple[tuple[int, BadInput], ...] = ()
    replayed: bool = False


class People:
    """Customers by the caller's own ids."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        # An attribute never changes its type and never goes away: what is here is true, if not all there is.
        self._types: dict[str, ValueType] = {}

    async def upsert(self, data: Sequence[Mapping[str, Any]], *, key: str | None = None) -> Upserted:
        """Make or change customers, each told as `read_customers` has it; those that are bad are left out.

        BadInput for the call as a whole: too many, a key that was used for another call.
        """
        checked_optional(key, "idempotencyKey")
        with uncollected() if len(data) >= _LARGE else nullcontext():
            for _ in range(_TRIES):
                read = read_customers(data, self._types)
                if read.learned and not await self._is_news(read.learned):
                    read = read_customers(data, self._types)
                answer = await self._write(data, read, key)
                if answer is not None:
                    self._types |= read.learned
                    return answer
                self._types = await self._database.read(attributes.every)
        raise StoreBusy("Others keep giving new attributes other types; try again.")

    async def _is_news(self, learned: Mapping[str, ValueType]) -> bool:
        """Whether the store knows none of these attributes either; otherwise they are known here from now on."""
        self._types = await self._database.read(attributes.every)
        return learned.keys().isdisjoint(self._types)

    async def _write(self, data: Sequence[Mapping[str, Any]], read: ReadCustomers, key: str | None) -> Upserted | None:
        """None where an attribute that was new got another type meanwhile."""
        now = self._clock()
        once = Once(operation="customersUpsert", key=key, asked=data, now=now, dump=_dumped, load=_loaded)

        def work(connection: Connection) -> Upserted:
            return once.answer(connection, lambda: _upsert(connection, read, now))

        try:
            return await write_again(self._database, work, heavy=len(data) > _HEAVY)
        except _OtherTypes:
            return None

    async def get(self, id_: str) -> Customer | None:
        if not is_customer_id(id_):
            return None
        return (await self._database.read(lambda connection: customers.read(connection, [id_]))).get(id_)

    async def get_many(self, ids: Sequence[str]) -> dict[str, Customer]:
        """By id, those that there are."""
        return await self._database.read(lambda connection: customers.read(connection, ids))

    async def attributes(self) -> list[Attribute]:
        """The names that attributes have, and their types, in the order of names."""
        found = await self._database.read(attributes.every)
        return [Attribute(name, type_) for name, type_ in found.items()]

    async def types(self) -> dict[str, ValueType]:
        """Of the attributes, by name."""
        return await self._database.read(attributes.every)

    async def issuances_of(self, id_: str) -> list[Issuance]:
        """The codes that the customer was given, the latest first, at most the last 100."""
        return await self._database.read(lambda connection: profiles.issuances_of(connection, id_))

    async def redemptions_of(self, id_: str) -> list[Redemption]:
        """The uses, the latest first, at most the last 100."""
        return await self._database.read(lambda connection: profiles.redemptions_of(connection, id_))

    async def segments_of(self, id_: str) -> list[Segment]:
        """Those that the customer is in."""

        now = self._clock()

        def work(connection: Connection) -> list[Segment]:
            known = segments.every(connection)
            needs = Needs(segments=frozenset(segment.handle for segment in known))
            facts = customer_facts.read(connection, {id_: needs}, now)[id_]
            return [segment for segment in known if segment.handle in facts.segments]

        return await self._database.read(work)


class _OtherTypes(Exception):
    """Somebody else gave an attribute its first type, and it is not what this call took it for."""


def is_customer_id(text: str) -> bool:
    """Whether a customer may have this id; one that may not need not be looked up."""
    return 0 < len(text) <= LONGEST and is_storable(text)


def _upsert(connection: Connection, read: ReadCustomers, now: datetime) -> Upserted:
    if not attributes.learn(connection, read.learned, now):
        raise _OtherTypes
    created = upserting.upsert(connection, read.changes, now) if read.changes else 0
    return Upserted(created=created, updated=len(read.changes) - created, problems=tuple(read.problems))


def _dumped(answer: Upserted) -> Any:
    problems = [(place, problem.problem, str(problem), problem.field) for place, problem in answer.problems]
    return {"created": answer.created, "updated": answer.updated, "problems": problems}


def _loaded(kept: Any) -> Upserted:
    problems = tuple(
        (place, BadInput(InputProblem(problem), message, field=field))
        for place, problem, message, field in kept["problems"]
    )
    return Upserted(created=kept["created"], updated=kept["updated"], problems=problems, replayed=True)
