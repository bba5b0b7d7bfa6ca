"""Files of jobs: an upload put where it survives a restart and every server can read it, and read again."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import timedelta
from functools import partial
from hashlib import sha256

from promograph.domain.clock import Clock
from promograph.services.jobs.runs import INPUT
from promograph.services.pacing import Pace
from promograph.store.databases.database import Connection, Database
from promograph.store.jobs import files as job_files
from promograph.store.jobs.files import PART_BYTES, JobFile

_ABANDONED = timedelta(hours=6)
"""An upload for which no job was made in this time is deleted."""


class JobFiles:
    """An upload becomes its job's with `store.job_files.give`, in the transaction that makes the job."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def keep(self, content: Iterable[bytes], name: str) -> JobFile:
        """Put a file into the store as it comes, a part at a time; `content` is read in a thread."""
        now = self._clock()
        file = await self._database.write(
            lambda connection: job_files.make(
                connection, INPUT, name, job_id=None, now=now, expires_at=now + _ABANDONED
            )
        )
        digest, parts = sha256(), _in_parts(content)
        number, pace = 0, Pace(self._database)
        while part := await asyncio.to_thread(next, parts, b""):
            digest.update(part)
            await pace.write(partial(job_files.add, id_=file.id, part=number, content=part))
            number += 1
        return await self._close(file.id, digest.hexdigest())

    async def get(self, id_: int) -> JobFile | None:
        """None too for one that has expired."""
        found = await self._database.read(lambda connection: job_files.read(connection, id_))
        return None if found is None or found.expires_at <= self._clock() else found

    async def of_job(self, job_id: int) -> list[JobFile]:
        found = await self._database.read(lambda connection: job_files.of_job(connection, job_id))
        return [file for file in found if file.expires_at > self._clock()]

    async def parts(self, id_: int, start: int = 0) -> AsyncIterator[bytes]:
        """Its content from part `start` on."""
        number = start
        while (part := await self._part(id_, number)) is not None:
            yield part
            number += 1

    async def drop(self, id_: int) -> None:
        """Have a file deleted that no job wants."""
        now = self._clock()
        await self._database.write(lambda connection: job_files.forget(connection, id_, now))

    async def _part(self, id_: int, number: int) -> bytes | None:
        return await self._database.read(lambda connection: job_files.part_of(connection, id_, number), heavy=True)

    async def _close(self, id_: int, digest: str) -> JobFile:
        def work(connection: Connection) -> JobFile | None:
            job_files.close(connection, id_, digest)
            return job_files.read(connection, id_)

        file = await self._database.write(work)
        assert file is not None, "it was made a moment ago"
        return file


def _in_parts(content: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, a part's worth at a time."""
    waiting = bytearray()
    for piece in content:
        waiting += piece
        while len(waiting) >= PART_BYTES:
            yield bytes(waiting[:PART_BYTES])
            del waiting[:PART_BYTES]
    if waiting:
        yield bytes(waiting)
