"""Use cases of privacy: all that is held of a person, and erasing them."""

from typing import Any

from promograph.domain.clock import Clock
from promograph.domain.keys import checked_key
from promograph.services.people import is_customer_id
from promograph.store.databases.database import Connection, Database
from promograph.store.people import dossiers, erasing
from promograph.store.people.erasing import Erased

_LOOKS = 3


class Erasing:
    """People by the caller's own ids."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def erase(self, id_: str) -> Erased:
        """How many rows the id stood in; none where nothing was known of them, or they were erased before.

        Looked for again until nothing is found: something may have been written while it was looked for.
        """
        checked_key(id_, "id")
        erased = Erased()
        for _ in range(_LOOKS):
            remains = await self._database.read(lambda connection: erasing.look_for(connection, id_), heavy=True)
            now = self._clock()

            def work(connection: Connection, remains: Any = remains, now: Any = now) -> Erased:
                return erasing.erase(connection, id_, remains, now)

            found = await self._database.write(work, heavy=True)
            erased += found
            if not found:
                break
        return erased

    async def dossier(self, id_: str) -> dict[str, Any]:
        """Everything that is held of a person, as plain JSON data; see `store.dossiers`."""
        if not is_customer_id(id_):
            return {}
        now = self._clock()
        return await self._database.snapshot(lambda connection: dossiers.read(connection, id_, now))
