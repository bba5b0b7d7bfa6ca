"""Whether a text that was typed shows by itself that it was mistyped."""

from time import monotonic

from promograph.domain.codes import normalise
from promograph.domain.codes.formats import CodeFormat
from promograph.store import code_looks
from promograph.store.databases.database import Database

_FRESH_SECONDS = 5.0


class TypingErrors:
    """Asked only of texts that were refused, of which a guesser sends thousands: the looks are kept for a moment."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._looks: list[CodeFormat] = []
        self._read_at = -_FRESH_SECONDS

    async def is_one(self, text: str) -> bool:
        """Whether it looks like a code that has a check character, and has a wrong one."""
        if monotonic() - self._read_at > _FRESH_SECONDS:
            self._looks = await self._database.read(code_looks.read)
            self._read_at = monotonic()
        key = normalise(text)
        return any(look.is_mistyped(key) for look in self._looks)
