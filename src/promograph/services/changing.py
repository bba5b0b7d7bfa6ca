"""Use cases that change codes which are there: those of a list are stopped or let go; a batch gets another expiry.

Those of a file, or of a kind, are changed by a job: `changing_many`.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from promograph.domain.clock import Clock
from promograph.domain.codes import normalise
from promograph.domain.stock.changes import CodeChange
from promograph.domain.storable import is_storable
from promograph.errors import BadInput, InputProblem
from promograph.services.pacing import Pace
from promograph.store import listing
from promograph.store.codes import expiries as code_expiries
from promograph.store.codes import selecting as code_selecting
from promograph.store.codes import stopping
from promograph.store.databases.database import Database

MOST_LISTED = 10_000
_HEAVY = 500


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

    async def expire(self, batch_id: int, expires_at: datetime | None) -> int:
        """Give the codes of a batch this expiry of their own, or none; how many had another."""
        batch = await self._database.read(lambda connection: listing.batch_row(connection, batch_id))
        if batch is None:
            raise BadInput(InputProblem.NOT_FOUND, "No batch has this id.", field=("id",))
        changed, now, pace = 0, self._clock(), Pace(self._database)
        for part in code_selecting.windows([(batch.first_seq, batch.last_seq)], lambda: self._database.piece):
            act = partial(code_expiries.change, id_=batch.promotion_id, part=part, expires_at=expires_at, now=now)
            changed += await pace.write(act)
        return changed
