"""Use cases of segments: saved conditions over customers, who is in them, and who rests on them."""

import asyncio
from dataclasses import dataclass, replace

from promograph.domain import conditions
from promograph.domain.clock import Clock
from promograph.domain.conditions.nodes import Condition
from promograph.domain.keys import checked_handle, checked_optional
from promograph.domain.people.names import checked_name
from promograph.domain.people.segments import (
    Segment,
    SegmentUse,
    check_about_customers,
    check_together,
)
from promograph.domain.storable import is_storable
from promograph.errors import BadInput, InputProblem
from promograph.services.handles import handle_from
from promograph.services.keyed_writes import Once, write_again
from promograph.store.databases.database import Connection, Database
from promograph.store.databases.statistics import freshen
from promograph.store.people import segment_members, segments
from promograph.store.people.segment_members import Match

MOST_SEGMENTS = 500
PREVIEWED = 20
_A_SEGMENT = "A segment"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSegment:
    """What somebody sets up. A handle that is left out is made of the name."""

    name: str
    condition: Condition
    handle: str | None = None


class Segmenting:
    """Segments by id or handle. Every method that changes one returns it as it is then, or as it was last."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def create(self, new: NewSegment, *, key: str | None = None) -> Segment:
        """A new segment, or the one that this idempotency key made before."""
        checked_optional(key, "idempotencyKey")
        name = checked_name(new.name, _A_SEGMENT)
        handle = checked_handle(new.handle or handle_from(name))
        check_about_customers(new.condition)
        now = self._clock()
        asked = [handle, name, conditions.dump(new.condition)]

        def make(connection: Connection) -> int:
            segments.lock_all(connection)
            known = segments.every_condition(connection)
            _check_free(connection, handle, known)
            check_together({**known, handle: new.condition})
            return segments.insert(connection, handle=handle, name=name, condition=new.condition, now=now)

        once = Once(operation="segmentCreate", key=key, asked=asked, now=now, dump=lambda id_: id_, load=int)
        return await write_again(
            self._database, lambda connection: _read(connection, once.answer(connection, lambda: make(connection)))
        )

    async def update(self, id_: int, *, name: str | None = None, condition: Condition | None = None) -> Segment:
        """What is None stays. BadInput where the segment would rest on itself, or something on too much."""
        new_name = None if name is None else checked_name(name, _A_SEGMENT)
        if condition is not None:
            check_about_customers(condition)
        now = self._clock()

        def work(connection: Connection) -> Segment:
            segments.lock_all(connection)
            there = _read(connection, id_)
            wanted = replace(there, name=new_name or there.name, condition=condition or there.condition)
            check_together({**segments.every_condition(connection), there.handle: wanted.condition})
            segments.update(connection, id_, name=wanted.name, condition=wanted.condition, now=now)
            return _read(connection, id_)

        return await write_again(self._database, work)

    async def delete(self, id_: int) -> Segment:
        """The segment that was; BadInput (STATE) while something rests on it."""

        def work(connection: Connection) -> Segment:
            segments.lock_all(connection)
            there = _read(connection, id_)
            uses = segments.uses_of(connection, id_)
            if uses:
                raise BadInput(
                    InputProblem.STATE,
                    f"The {uses[0].kind.lower()} {uses[0].name!r} rests on this segment; change that first.",
                    field=("id",),
                )
            segments.delete(connection, id_)
            return there

        return await write_again(self._database, work)

    async def every(self) -> list[Segment]:
        """All of them, the oldest first."""
        return await self._database.read(segments.every)

    async def get(self, *, id_: int | None = None, handle: str | None = None) -> Segment | None:
        if handle is not None and not is_storable(handle):
            return None

        def work(connection: Connection) -> Segment | None:
            if id_ is not None:
                return segments.by_id(connection, [id_]).get(id_)
            return segments.by_handle(connection, [str(handle)]).get(str(handle))

        return await self._database.read(work)

    async def names(self, condition: Condition) -> dict[str, str]:
        """What the segments that the condition means are called, by handle."""
        return await self._database.read(lambda connection: _names(connection, condition))

    async def count(self, condition: Condition) -> int:
        """How many customers it holds for. BadInput for what is not about customers.

        Each customer is counted on one state of the store; PostgreSQL counts many of them in two halves at the
        same time, and what changes in that moment may be seen by the one half and not yet by the other.
        """
        await freshen(self._database)
        now = self._clock()
        parts = await self._database.read(
            lambda connection: segment_members.parts(connection, condition, now), heavy=True
        )
        return sum(await asyncio.gather(*(self._database.snapshot(part.count) for part in parts)))

    async def preview(self, condition: Condition) -> list[Match]:
        """The first twenty for whom it holds, by their ids, and why."""
        await freshen(self._database)
        now = self._clock()

        def work(connection: Connection) -> list[Match]:
            names = _names(connection, condition)
            return segment_members.preview(connection, condition, most=PREVIEWED, names=names, now=now)

        return await self._database.snapshot(work)

    async def uses(self, id_: int) -> list[SegmentUse]:
        """What rests on the segment."""
        return await self._database.read(lambda connection: segments.uses_of(connection, id_))


def _names(connection: Connection, condition: Condition) -> dict[str, str]:
    handles = sorted(condition.needs().segments)
    return {handle: found.name for handle, found in segments.by_handle(connection, handles).items()} if handles else {}


def _read(connection: Connection, id_: int) -> Segment:
    segment = segments.by_id(connection, [id_]).get(id_)
    if segment is None:
        raise BadInput(InputProblem.NOT_FOUND, "No segment has this id.", field=("id",))
    return segment


def _check_free(connection: Connection, handle: str, known: dict[str, Condition]) -> None:
    if handle in known:
        name = segments.by_handle(connection, [handle])[handle].name
        sentence = f"The handle {handle!r} belongs to the segment {name!r}; choose another."
        raise BadInput(InputProblem.TAKEN, sentence, field=("handle",))
    if len(known) >= MOST_SEGMENTS:
        raise BadInput(InputProblem.TOO_MANY, f"There are at most {MOST_SEGMENTS} segments; delete some.")
