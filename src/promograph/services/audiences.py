"""Use cases of audiences: who a send goes to, listed or looked up in a segment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from promograph.domain.clock import Clock
from promograph.domain.conditions.nodes import Condition
from promograph.domain.keys import checked_handle, checked_key, checked_optional
from promograph.domain.people.audiences import (
    MOST_MEMBERS_AT_ONCE,
    Audience,
    AudienceKind,
    AudienceSource,
    Reach,
)
from promograph.domain.people.names import checked_name
from promograph.errors import BadInput, InputProblem
from promograph.services.handles import handle_from
from promograph.services.keyed_writes import Once, write_again
from promograph.services.pacing import Pace
from promograph.store import sends
from promograph.store.databases.database import Connection, Database
from promograph.store.databases.statistics import freshen
from promograph.store.listing import Page, Slice
from promograph.store.people import audience_members, audiences, segments

MOST_AUDIENCES = 10_000
_AN_AUDIENCE = "An audience"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAudience:
    """What somebody sets up: of the members listed, or of a segment. A handle that is left out is made of the name."""

    name: str
    kind: AudienceKind
    handle: str | None = None
    segment: str | None = None
    customers: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceChange:
    """What becomes of an audience; what is None stays."""

    name: str | None = None
    segment: str | None = None
    add: Sequence[str] = ()
    remove: Sequence[str] = ()


class Audiences:
    """Audiences by id. Every method that changes one returns it as it is then, or as it was last."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def create(self, new: NewAudience, *, key: str | None = None) -> Audience:
        """A new audience, or the one that this idempotency key made before."""
        checked_optional(key, "idempotencyKey")
        name = checked_name(new.name, _AN_AUDIENCE)
        handle = checked_handle(new.handle or handle_from(name))
        _check_source(new)
        now = self._clock()
        asked = [handle, name, new.kind, new.segment, None if new.customers is None else list(new.customers)]
        once = Once(operation="audienceCreate", key=key, asked=asked, now=now, dump=lambda id_: id_, load=int)
        await self.clear_abandoned()
        if new.kind is AudienceKind.STATIC and new.segment is not None:
            return await self._frozen(handle, name, new.segment, once)

        def make(connection: Connection) -> int:
            id_ = _begin(connection, handle, name, new, now, is_filled=True)
            if new.customers is not None:
                audiences.grow(connection, id_, audience_members.add(connection, id_, new.customers), now)
            return id_

        return await write_again(
            self._database,
            lambda connection: _read(connection, once.answer(connection, lambda: make(connection))),
            heavy=True,
        )

    async def update(self, id_: int, change: AudienceChange) -> Audience:
        """BadInput for members of a DYNAMIC audience, and for the segment of a STATIC one."""
        name = None if change.name is None else checked_name(change.name, _AN_AUDIENCE)
        _check_members(change.add, "add")
        _check_members(change.remove, "remove")
        now = self._clock()

        def work(connection: Connection) -> Audience:
            there = audiences.lock(connection, id_)
            if there is None:
                raise not_found()
            _check_change(there, change)
            if change.segment is not None:
                _check_segment(connection, change.segment)
            audiences.update(
                connection, there, name=name or there.name, segment=change.segment or there.segment, now=now
            )
            joined = audience_members.add(connection, id_, change.add)
            left = audience_members.remove(connection, id_, change.remove)
            if joined != left:
                audiences.grow(connection, id_, joined - left, now)
            return _read(connection, id_)

        return await write_again(self._database, work, heavy=bool(change.add or change.remove))

    async def delete(self, id_: int) -> Audience:
        """The audience that was. Its members are taken out piece by piece once nobody sees it any more."""

        def work(connection: Connection) -> Audience:
            there = audiences.lock(connection, id_)
            if there is None:
                raise not_found()
            user = sends.user_of_audience(connection, id_)
            if user is not None:
                sentence = f"The send {user!r} goes to this audience and is not over; cancel it first."
                raise BadInput(InputProblem.STATE, sentence, field=("id",))
            audiences.abandon(connection, id_)
            return there

        there = await self._database.write(work)
        await self.clear_abandoned()
        return there

    async def get(self, id_: int) -> Audience | None:
        return (await self._database.read(lambda connection: audiences.by_id(connection, [id_]))).get(id_)

    async def page(self, part: Slice) -> Page:
        """The latest first."""
        return await self._database.read(lambda connection: audiences.page(connection, part))

    async def count(self, audience: Audience) -> int:
        """How many members it has now."""
        if audience.size is not None:
            return audience.size
        await freshen(self._database)
        now = self._clock()
        return await self._database.snapshot(lambda connection: audience_members.count(connection, audience, now))

    async def reach(self, audience: Audience) -> list[Reach]:
        """How many of its members each channel reaches now."""
        await freshen(self._database)
        now = self._clock()
        return await self._database.snapshot(lambda connection: audience_members.reach(connection, audience, now))

    async def members(self, audience: Audience, part: Slice) -> Page:
        """Rows (customer,) by their ids."""
        now = self._clock()
        return await self._database.snapshot(lambda connection: audience_members.page(connection, audience, part, now))

    async def _frozen(self, handle: str, name: str, segment: str, once: Once[int]) -> Audience:
        """Made of whoever is in the segment now, each customer looked at once, in pieces that others can wait for.

        Nobody sees the audience before it is whole. What a process leaves that dies in between is taken down by the
        next one that makes an audience.
        """
        new = NewAudience(name=name, kind=AudienceKind.STATIC, segment=segment)
        await freshen(self._database)

        def begin(connection: Connection) -> tuple[int, Condition | None]:
            kept = once.kept(connection)
            if kept is not None:
                return kept, None
            id_ = _begin(connection, handle, name, new, once.now, is_filled=False)
            return id_, segments.by_handle(connection, [segment])[segment].condition

        id_, condition = await write_again(self._database, begin)
        if condition is None:
            return await self._database.read(lambda connection: _read(connection, id_))
        try:
            await self._fill(id_, condition, once.now)

            def publish(connection: Connection) -> Audience:
                once.answer(connection, lambda: id_)
                audiences.publish(connection, id_, self._clock())
                return _read(connection, id_)

            return await self._database.write(publish)
        except BaseException:
            await self._database.write(lambda connection: audiences.give_up(connection, id_))
            await self.clear_abandoned()
            raise

    async def _fill(self, id_: int, condition: Condition, now: datetime) -> None:
        after: str | None = ""
        pace = Pace(self._database)
        while after is not None:
            start, most = after, self._most

            def piece(connection: Connection, start: str = start, most: int = most) -> str | None:
                until, count = audience_members.freeze(connection, id_, condition, after=start, most=most, now=now)
                audiences.fill(connection, id_, count, self._clock())
                return until

            after = await pace.write(piece)

    async def clear_abandoned(self) -> None:
        """Take down, piece by piece, what nobody fills any more."""
        now, pace = self._clock(), Pace(self._database)
        if not await self._database.read(lambda connection: audiences.any_abandoned(connection, now)):
            return
        for id_ in await self._database.write(lambda connection: audiences.abandoned(connection, now)):
            while await pace.write(partial(audience_members.clear, audience_id=id_, most=self._most)):
                pass
            await self._database.write(partial(audiences.delete, id_=id_))

    @property
    def _most(self) -> int:
        return self._database.piece if self._database.dialect == "sqlite" else audience_members.PIECE


def not_found() -> BadInput:
    return BadInput(InputProblem.NOT_FOUND, "No audience has this id.", field=("id",))


def _begin(connection: Connection, handle: str, name: str, new: NewAudience, now: datetime, *, is_filled: bool) -> int:
    if new.segment is not None:
        _check_segment(connection, new.segment)
    audiences.check_free(connection, handle)
    if audiences.count(connection) >= MOST_AUDIENCES:
        raise BadInput(InputProblem.TOO_MANY, f"There are at most {MOST_AUDIENCES:,} audiences; delete some.")
    return audiences.insert(
        connection,
        handle=handle,
        name=name,
        kind=new.kind,
        source=AudienceSource.LIST if new.segment is None else AudienceSource.SEGMENT,
        segment=new.segment,
        now=now,
        is_filled=is_filled,
    )


def _read(connection: Connection, id_: int) -> Audience:
    found = audiences.by_id(connection, [id_]).get(id_)
    if found is None:
        raise not_found()
    return found


def _check_source(new: NewAudience) -> None:
    if new.kind is AudienceKind.DYNAMIC and new.segment is None:
        raise BadInput(InputProblem.REQUIRED, "A dynamic audience is made of a segment: name one.", field=("segment",))
    if new.kind is AudienceKind.DYNAMIC and new.customers is not None:
        sentence = "A dynamic audience has no list of members; leave customers out, or make it static."
        raise BadInput(InputProblem.INVALID, sentence, field=("customers",))
    if new.segment is not None and new.customers is not None:
        raise BadInput(InputProblem.INVALID, "Give either customers or a segment, not both.", field=("customers",))
    if new.segment is not None:
        checked_key(new.segment, "segment")
    _check_members(new.customers or (), "customers")


def _check_members(customers: Sequence[str], field: str) -> None:
    if len(customers) > MOST_MEMBERS_AT_ONCE:
        sentence = f"One call names at most {MOST_MEMBERS_AT_ONCE:,} customers; these are {len(customers):,}."
        raise BadInput(InputProblem.TOO_MANY, sentence, field=(field,))
    for place, customer in enumerate(customers):
        try:
            checked_key(customer, "A customer's id")
        except BadInput as bad:
            raise BadInput(bad.problem, str(bad), field=(field, str(place))) from None


def _check_change(there: Audience, change: AudienceChange) -> None:
    if there.kind is AudienceKind.DYNAMIC and (change.add or change.remove):
        sentence = "This audience is dynamic: its members are those of its segment. Change the segment."
        raise BadInput(InputProblem.STATE, sentence, field=("add" if change.add else "remove",))
    if there.kind is AudienceKind.STATIC and change.segment is not None:
        sentence = "This audience is static: it has a list of members, and no segment. Make a new one of the segment."
        raise BadInput(InputProblem.STATE, sentence, field=("segment",))


def _check_segment(connection: Connection, handle: str) -> None:
    if handle not in segments.by_handle(connection, [handle]):
        raise BadInput(InputProblem.NOT_FOUND, f"No segment has the handle {handle!r}.", field=("segment",))
