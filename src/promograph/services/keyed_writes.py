"""Writes that a network may repeat: one under an idempotency key is done once, and answered the same ever after."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from promograph.errors import BadInput, InputProblem, PromographError
from promograph.store import replays
from promograph.store.databases.database import Connection, Database, Work
from promograph.store.tables.instants import to_micros

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Once(Generic[T]):
    """One call of `operation` under `key` (None: it is never a repeat). `asked`, as JSON can say it, is its content.

    `dump` and `load` turn the answer into what is kept of it, as JSON can say it, and back.
    """

    operation: str
    key: str | None
    asked: object
    now: datetime
    dump: Callable[[T], object]
    load: Callable[[Any], T]

    def answer(self, connection: Connection, make: Callable[[], T]) -> T:
        """What `make` makes, or what it made when the key came before; BadInput where that asked for other things."""
        kept = self.kept(connection)
        if kept is not None:
            return kept
        made = make()
        if self.key is None:
            return made
        replays.remember(connection, self.operation, self.key, self.asked, self.dump(made), to_micros(self.now))
        return made

    def kept(self, connection: Connection) -> T | None:
        """What the key made before, if it came before; BadInput where that asked for other things."""
        if self.key is None:
            return None
        found = replays.recall(connection, self.operation, self.key, self.asked)
        return None if found is None else self.load(found)


async def write_again(database: Database, work: Work[T], *, heavy: bool = False) -> T:
    """Run a transaction, and once more where it fell over what was written beside it: a handle, a key.

    What has taken a handle may have been this very call, sent twice: the second try then finds its answer.
    """
    try:
        return await database.write(work, heavy=heavy)
    except PromographError as failure:
        if not isinstance(failure, BadInput) or failure.problem is not InputProblem.TAKEN:
            raise
    except Exception:
        pass  # whatever it is, the second try will say it again
    return await database.write(work, heavy=heavy)
