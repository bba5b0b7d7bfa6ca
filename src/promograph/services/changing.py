"""Use cases that change codes which are there: block them, lift that, stop them for good."""

from collections.abc import Sequence

from promograph.domain.clock import Clock
from promograph.domain.code_changes import CodeChange
from promograph.domain.codes import normalise
from promograph.domain.terms import is_storable
from promograph.errors import BadInput, InputProblem
from promograph.store import stopping
from promograph.store.database import Database

MOST_LISTED = 10_000
_HEAVY = 500


class Changing:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def listed(self, texts: Sequence[str], change: CodeChange) -> tuple[int, list[int]]:
        """Change these codes: how many changed, and the places in `texts` of those that are no codes.

        All of them are known, or nothing changes.
        """
        if len(texts) > MOST_LISTED:
            raise BadInput(InputProblem.TOO_MANY, f"One call takes at most {MOST_LISTED:,} codes.", field=("codes",))
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
