"""Importing customers from files, and audiences of them: a job that survives whatever happens to the server."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from tempfile import TemporaryFile
from typing import IO, Any

from promograph.domain.clock import Clock
from promograph.domain.conditions.values import ValueType
from promograph.domain.jobs import Job, JobKind, Progress, Result
from promograph.domain.keys import checked_handle, checked_optional
from promograph.domain.people.audiences import AudienceKind, AudienceSource
from promograph.domain.people.names import checked_name
from promograph.domain.people.reading import ReadCustomers, read_customers
from promograph.domain.people.sheets import PIECE_ROWS, CustomerColumns, Piece, read_customer_rows
from promograph.domain.sheets import Reading
from promograph.errors import StoreBusy
from promograph.services.ahead import ahead
from promograph.services.audiences import Audiences
from promograph.services.handles import handle_from
from promograph.services.importing.sheet_files import open_sheet
from promograph.services.jobs import Asking, Jobs
from promograph.services.jobs.files import JobFiles
from promograph.services.jobs.runs import Run
from promograph.services.pacing import Pace
from promograph.store.databases.database import Connection, Database
from promograph.store.jobs import NewJob
from promograph.store.jobs import files as job_files
from promograph.store.people import attributes, audience_members, audiences, customers, upserting

_KEPT = timedelta(days=1)
_CHUNK = 1 << 20
_SHOWN = 100
_TRIES = 5

BadRow = tuple[int, str | None, str]
"""Of a row that is left out: its number, the field that is wrong, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerOrder:
    """What to read from a file. `audience` is the name of a new one that its customers become, `handle` its handle.

    `piece_rows`: how many rows are written at a time. A job that goes on counts what it has done in these.
    """

    columns: CustomerColumns = field(default_factory=CustomerColumns)
    reading: Reading = field(default_factory=Reading)
    dry_run: bool = False
    audience: str | None = None
    handle: str | None = None
    piece_rows: int = PIECE_ROWS

    @classmethod
    def of(cls, kept: dict[str, Any]) -> "CustomerOrder":
        """From `asdict` of one."""
        columns, reading = CustomerColumns.of(kept["columns"]), Reading(**kept["reading"])
        return cls(**{**kept, "columns": columns, "reading": reading})


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """How far it is; JSON can say all of it. `bad_rows` are the first ones: number, field, sentence."""

    audience: int | None = None
    pieces: int = 0
    read: int = 0
    created: int = 0
    updated: int = 0
    members: int = 0
    bad: int = 0
    bad_rows: tuple[BadRow, ...] = ()


class CustomerImports:
    """Imports are begun here, and this is what carries them out."""

    def __init__(self, database: Database, clock: Clock, jobs: Jobs, files: JobFiles, audiences: Audiences) -> None:
        self._database = database
        self._clock = clock
        self._jobs = jobs
        self._files = files
        self._audiences = audiences

    async def submit(self, order: CustomerOrder, content: Iterable[bytes], name: str, *, key: str | None = None) -> Job:
        """The job of an import, begun. BadInput for columns, names and types that cannot be."""
        checked_optional(key, "idempotencyKey")
        known = await self._database.read(attributes.every)
        columns = order.columns.checked(known)
        order = replace(order, columns=columns, piece_rows=columns.piece_rows)
        if order.audience is not None:
            named = checked_name(order.audience, "An audience")
            order = replace(order, audience=named, handle=checked_handle(order.handle or handle_from(named)))
            await self._audiences.clear_abandoned()
        file = await self._files.keep(content, name)
        kept = asdict(order)

        def begin(connection: Connection, job: Job) -> Any:
            now = self._clock()
            job_files.give(connection, file.id, job.id, now + _KEPT)
            return asdict(_State(audience=_new_audience(connection, order, job, now)))

        said = {name: value for name, value in kept.items() if name != "piece_rows"}
        new = NewJob(kind=JobKind.CUSTOMERS_IMPORT, input={**kept, "file": file.id})
        operation = "customersImport" if order.audience is None else "audienceImport"
        job = await self._jobs.submit(new, Asking(operation=operation, key=key, asked=[said, file.digest]), begin)
        await self._files.drop(file.id)  # where the key had its job already, nobody wants it
        return job

    async def run(self, run: Run) -> None:
        """A `Kind`'s."""
        asked = dict(run.input)
        file_id = asked.pop("file")
        order = CustomerOrder.of(asked)
        state = _State(**run.progress.state)
        with TemporaryFile() as copy:
            async for part in self._files.parts(file_id):
                await asyncio.to_thread(copy.write, part)
            number = 0
            async with aclosing(_pieces(copy, order, run.pace)) as coming:
                types: dict[str, ValueType] = {}
                async for piece in coming:
                    if number == state.pieces:
                        state = await self._take(run, order, piece, state, types)
                    number += 1
        await run.finish(lambda connection: self._end(connection, state, order))

    async def undo(self, run: Run) -> None:
        """A `Kind`'s: an audience that nobody has seen goes; customers who were told of stay."""
        audience = _State(**run.progress.state).audience

        def work(connection: Connection) -> Progress:
            if audience is not None:
                audiences.give_up(connection, audience)
            return run.progress

        await run.step(work)

    async def _take(
        self, run: Run, order: CustomerOrder, piece: Piece, state: _State, types: dict[str, ValueType]
    ) -> _State:
        """Put a piece into the store; once more where an attribute got another type meanwhile."""
        for _ in range(_TRIES):
            types |= await self._database.read(attributes.every)
            read = read_customers(piece.customers, types)
            now = self._clock()
            done: list[_State] = []

            def work(
                connection: Connection, read: ReadCustomers = read, done: list[_State] = done, now: datetime = now
            ) -> Progress:
                after = _written(connection, order, piece, read, state, now)
                if after.audience is not None:
                    ids = [change["id"] for change in read.changes]
                    joined = audience_members.add(connection, after.audience, ids)
                    audiences.fill(connection, after.audience, joined, now)
                    after = replace(after, members=after.members + joined)
                done[:] = [after]
                return Progress(state=asdict(after), done=after.read, total=None, failed=after.bad)

            try:
                await run.step(work)
            except _OtherTypes:
                continue
            types |= read.learned
            return done[-1]
        raise StoreBusy("Others keep giving new attributes other types; try again.")

    def _end(self, connection: Connection, state: _State, order: CustomerOrder) -> Result:
        if state.audience is not None:
            audiences.publish(connection, state.audience, self._clock())
        report = {**asdict(state), "dry_run": order.dry_run}
        del report["pieces"]
        return Result(report=report, done=state.read, total=state.read, failed=state.bad)


class _OtherTypes(Exception):
    """Somebody else gave an attribute its first type, and it is not what this piece took it for."""


def _new_audience(connection: Connection, order: CustomerOrder, job: Job, now: datetime) -> int | None:
    if order.audience is None:
        return None
    handle = str(order.handle)
    audiences.check_free(connection, handle)
    if order.dry_run:
        return None
    return audiences.insert(
        connection,
        handle=handle,
        name=order.audience,
        kind=AudienceKind.STATIC,
        source=AudienceSource.FILE,
        segment=None,
        now=now,
        is_filled=False,
        job=job.id,
    )


def _written(
    connection: Connection, order: CustomerOrder, piece: Piece, read: ReadCustomers, state: _State, now: datetime
) -> _State:
    """The state after a piece, whose customers are told of unless there is nothing to tell."""
    count = len(read.changes)
    if order.dry_run:
        created = count - len(customers.read(connection, [change["id"] for change in read.changes]))
    elif order.audience is not None and order.columns.only_ids:
        created = count = 0
    else:
        if not attributes.learn(connection, read.learned, now):
            raise _OtherTypes
        created = upserting.upsert(connection, read.changes, now) if read.changes else 0
    bad: list[BadRow] = [(number, None, why) for number, why in piece.faults]
    bad += [(piece.numbers[at], ".".join(problem.field), str(problem)) for at, problem in read.problems]
    bad.sort(key=lambda row: row[0])
    return replace(
        state,
        pieces=state.pieces + 1,
        read=state.read + len(piece.numbers) + len(piece.faults),
        created=state.created + created,
        updated=state.updated + count - created,
        bad=state.bad + len(bad),
        bad_rows=(*state.bad_rows, *bad[: _SHOWN - len(state.bad_rows)]),
    )


async def _pieces(copy: IO[bytes], order: CustomerOrder, pace: Pace) -> AsyncGenerator[Piece, None]:
    """All of the file's, each read in a thread while the one before it is written."""

    def read() -> Iterator[Piece]:
        copy.seek(0)
        sheet = open_sheet(iter(lambda: copy.read(_CHUNK), b""), order.reading)
        yield from read_customer_rows(sheet, order.columns, order.reading, piece_rows=order.piece_rows)

    async with aclosing(ahead(read(), pace)) as coming:
        async for piece in coming:
            yield piece
