"""Use cases that change codes which are there, by list, by file or by what they are: stop them, let them go, expire."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial

from promograph.domain.clock import Clock
from promograph.domain.codes import normalise
from promograph.domain.sheets import Reading
from promograph.domain.stock.changes import CodeChange, Tally
from promograph.domain.stock.lists import CodeColumns, read_codes
from promograph.domain.stock.rows import BadRow, Batch
from promograph.domain.stock.selections import CodeSelection
from promograph.domain.terms import is_storable
from promograph.errors import BadInput, InputProblem
from promograph.services.importing.sheet_files import open_sheet
from promograph.store import listing
from promograph.store.codes import expiries as code_expiries
from promograph.store.codes import selecting as code_selecting
from promograph.store.codes import stopping
from promograph.store.codes.selecting import Range
from promograph.store.databases.database import Connection, Database

MOST_LISTED = 10_000
_HEAVY = 500
_UNKNOWN = "There is no such code."


class Changing:
    """Many codes are changed in transactions of a piece each: repeated after a break, the rest is done."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def listed(self, texts: Sequence[str], change: CodeChange) -> tuple[int, list[int]]:
        """Change these codes: how many changed, and the places in `texts` of those that are no codes.

        All of them are known, or nothing changes.
        """
        if len(texts) > MOST_LISTED:
            raise BadInput(
                InputProblem.TOO_MANY, f"One call takes at most {MOST_LISTED:,} codes: send a file.", field=("codes",)
            )
        keys = [normalise(text) for text in texts]
        asked = sorted({key for key in keys if is_storable(key)})
        known = await self._database.read(lambda connection: stopping.places_of(connection, asked))
        missing = [place for place, key in enumerate(keys) if key not in known]
        if missing:
            return 0, missing
        now = self._clock()
        changed, _ = await self._database.write(
            lambda connection: stopping.change_keys(connection, asked, change, now), heavy=len(keys) > _HEAVY
        )
        return changed, []

    async def in_file(
        self,
        chunks: Iterable[bytes],
        change: CodeChange,
        reading: Reading | None = None,
        columns: CodeColumns | None = None,
    ) -> Tally:
        """Change the codes of a list in a file. Rows without a code that there is are told, and hold up nobody."""
        tally = Tally()
        async for batch in _read(chunks, reading, columns):
            for fault in batch.bad:
                tally.miss(fault)
            start = 0
            while start < len(batch.keys):
                stop = start + self._database.piece
                await self._change_rows(batch, slice(start, stop), change, tally)
                start = stop
                await self._database.breathe()
        return tally

    async def selected(self, selection: CodeSelection, change: CodeChange) -> Tally:
        """Change the codes that the selection means now."""
        tally, now = Tally(), self._clock()

        def work(connection: Connection, part: Range) -> tuple[int, int]:
            # Looked up under the lock: nobody's hand is on them until they have changed.
            stopping.lock(connection, selection.promotion.id)
            seqs = code_selecting.codes_in(connection, selection, part, now)
            places = [(selection.promotion.id, seq) for seq in seqs]
            return len(seqs), stopping.change_places(connection, places, change, now)

        async for part in self._parts(selection, now):
            found, changed = await self._database.write(partial(work, part=part), heavy=True)
            tally.changed += changed
            tally.already += found - changed
            await self._database.breathe()
        return tally

    async def expire(self, batch_id: int, expires_at: datetime | None) -> int:
        """Give the codes of a batch this expiry of their own, or none; how many had another."""
        batch = await self._database.read(lambda connection: listing.batch_row(connection, batch_id))
        if batch is None:
            raise BadInput(InputProblem.NOT_FOUND, "No batch has this id.", field=("id",))
        changed, now = 0, self._clock()
        for part in code_selecting.windows([(batch.first_seq, batch.last_seq)], self._database.piece):
            act = partial(code_expiries.change, id_=batch.promotion_id, part=part, expires_at=expires_at, now=now)
            changed += await self._database.write(act, heavy=True)
            await self._database.breathe()
        return changed

    async def _change_rows(self, batch: Batch, part: slice, change: CodeChange, tally: Tally) -> None:
        now, keys = self._clock(), batch.keys[part]
        changed, unknown = await self._database.write(
            lambda connection: stopping.change_keys(connection, keys, change, now), heavy=True
        )
        for row, text, key in zip(batch.rows[part], batch.texts[part], keys, strict=True):
            if key in unknown:
                tally.miss(BadRow(row, text, _UNKNOWN))
        tally.changed += changed
        tally.already += sum(key not in unknown for key in keys) - changed

    async def _parts(self, selection: CodeSelection, now: datetime) -> AsyncIterator[Range]:
        """Windows of numbers in which there are codes that are meant; looked for without a lock."""
        ranges = await self._database.read(lambda connection: code_selecting.extent(connection, selection))
        for part in code_selecting.windows(ranges, self._database.piece):
            look = partial(code_selecting.codes_in, selection=selection, part=part, now=now)
            if await self._database.read(look, heavy=True):
                yield part


async def _read(chunks: Iterable[bytes], reading: Reading | None, columns: CodeColumns | None) -> AsyncIterator[Batch]:
    def batches() -> Iterator[Batch]:
        yield from read_codes(open_sheet(chunks, reading), columns, header=None if reading is None else reading.header)

    coming = batches()
    while (batch := await asyncio.to_thread(next, coming, None)) is not None:
        yield batch
