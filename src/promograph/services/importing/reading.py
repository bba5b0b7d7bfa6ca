"""The upload of an import, read as often as its parts need it."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from tempfile import TemporaryFile
from typing import IO

from promograph.domain.stock.checks import checked
from promograph.domain.stock.import_orders import ImportOrder
from promograph.domain.stock.lists import read_codes
from promograph.domain.stock.reports import Repeats, Tally
from promograph.domain.stock.rows import Batch
from promograph.services.ahead import ahead
from promograph.services.importing.sheet_files import open_sheet
from promograph.services.jobs.files import JobFiles
from promograph.services.pacing import Pace

_CHUNK = 1 << 20

_AT_ONCE = 100_000
"""Each transaction writes most pages of the index anew, however many codes come with it."""


class ImportFile:
    """The rows of an upload. Use as `async with`: a copy lies in a temporary file meanwhile."""

    def __init__(self, files: JobFiles, file_id: int, order: ImportOrder, time_zone: str) -> None:
        self._files = files
        self._file_id = file_id
        self._order = order
        self._time_zone = time_zone
        self._copy: IO[bytes] = TemporaryFile()  # noqa: SIM115 - closed by `__aexit__`
        self.tally = Tally()

    async def __aenter__(self) -> "ImportFile":
        async for part in self._files.parts(self._file_id):
            await asyncio.to_thread(self._copy.write, part)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._copy.close()

    async def portions(self, pace: Pace) -> AsyncGenerator[list[Batch], None]:
        """All of its batches, without repeats and reserved texts, some at a time; BadInput as from `read_codes`.

        `tally` counts them.
        """
        self.tally = Tally()
        async with aclosing(ahead(_gathered(checked(self._read(), Repeats()), pace), pace)) as coming:
            async for batches in coming:
                for batch in batches:
                    self.tally.add(batch)
                yield batches

    def _read(self) -> Iterator[Batch]:
        order = self._order
        self._copy.seek(0)
        sheet = open_sheet(iter(lambda: self._copy.read(_CHUNK), b""), order.reading)
        yield from read_codes(sheet, order.columns, header=order.reading.header, time_zone=self._time_zone)


def _gathered(batches: Iterator[Batch], pace: Pace) -> Iterator[list[Batch]]:
    """A transaction's worth of them at a time; while others ask, one."""
    waiting: list[Batch] = []
    for batch in batches:
        waiting.append(batch)
        if pace.gives_way or sum(len(each.keys) for each in waiting) >= _AT_ONCE:
            yield waiting
            waiting = []
    if waiting:
        yield waiting
