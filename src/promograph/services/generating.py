"""Jobs that generate codes: exactly so many, however often they are interrupted."""

from collections.abc import Iterator
from contextlib import aclosing
from datetime import datetime

from promograph.domain.clock import Clock
from promograph.domain.codes import normalise
from promograph.domain.codes.formats import CodeFormat
from promograph.domain.codes.making import generate
from promograph.domain.codes.placeholders import is_placeholder
from promograph.domain.codes.words import Words
from promograph.domain.jobs import Result
from promograph.domain.stock.batches import BatchSource
from promograph.services.ahead import ahead
from promograph.services.jobs.loading import JobLoad
from promograph.services.jobs.runs import Run
from promograph.services.pacing import Pace
from promograph.store import loading
from promograph.store.databases.database import Connection, Database

_ROUND = 100_000
_SMALL_ROUND = 10_000
"""While others ask: making codes holds Python's lock for most of its time."""


class Generating:
    """The kind CODES_GENERATE. Its input: `format` (the fields of a CodeFormat), `count`, `channel`."""

    def __init__(self, database: Database, clock: Clock, words: Words) -> None:
        self._database = database
        self._clock = clock
        self._words = words

    async def run(self, run: Run) -> None:
        look, count = CodeFormat(**run.input["format"]), run.input["count"]
        load = JobLoad(self._database, run)
        while load.added < count:
            async with aclosing(ahead(self._rounds(look, count - load.added, run.pace), run.pace)) as rounds:
                async for texts, keys in rounds:
                    await load.put(texts, keys)
        now = self._clock()
        await run.finish(lambda connection: _publish(connection, load, run, now))

    async def undo(self, run: Run) -> None:
        await JobLoad(self._database, run).clear()

    def _rounds(self, look: CodeFormat, count: int, pace: Pace) -> Iterator[tuple[list[str], list[str]]]:
        """New texts with their keys, `count` of them or a few less."""
        made = 0
        while made < count:
            texts = generate(look, min(count - made, _SMALL_ROUND if pace.gives_way else _ROUND), words=self._words)
            made += len(texts)
            keys = _keys(texts)
            if any(map(is_placeholder, keys)):
                texts = [text for text, key in zip(texts, keys, strict=True) if not is_placeholder(key)]
                keys = _keys(texts)
            yield texts, keys


def _publish(connection: Connection, load: JobLoad, run: Run, now: datetime) -> Result:
    count, look = run.input["count"], CodeFormat(**run.input["format"])
    batch = loading.publish(
        connection,
        load.load,
        load.last,
        source=BatchSource.GENERATED,
        channel=run.input["channel"],
        report={"read": count, "added": count, "space": str(look.space())},  # JSON has no integers so large
        now=now,
    )
    return Result(batch_id=batch)


def _keys(texts: list[str]) -> list[str]:
    block = "\n".join(texts)
    if not block.isascii():
        return [normalise(text) for text in texts]
    upper = block.upper()  # of made texts, which have no space around them, this is the key
    return texts if upper == block else upper.split("\n")
