"""Events of the store, told to plugins: each by one server process, whichever of them looks first."""

import asyncio
import logging

from promograph.channels import Happening, HappeningKind
from promograph.domain.events import EventKind
from promograph.errors import StoreError
from promograph.services.telling import Telling
from promograph.store import events_untold
from promograph.store.databases.database import Database
from promograph.store.events_untold import Untold

logger = logging.getLogger("promograph.telling")

_LOOK_SECONDS = 2.0
# Events are seen in the order of their commits, which is not that of their ids.
_LATECOMERS = 200

_KINDS = {
    EventKind.STOCK_LOW: HappeningKind.POOL_LOW,
    EventKind.STOCK_EMPTY: HappeningKind.POOL_EMPTY,
    EventKind.STOCK_REFILLED: HappeningKind.POOL_REFILLED,
    EventKind.FALLBACK_ON: HappeningKind.FALLBACK_ON,
    EventKind.PROMOTION_ENDED: HappeningKind.PROMOTION_ENDED,
}


class EventTelling:
    """From `begin` on; what happened before is history."""

    def __init__(self, database: Database, telling: Telling) -> None:
        self._database = database
        self._telling = telling
        self._after = 0

    async def begin(self) -> None:
        self._after = await self._database.read(events_untold.newest)

    async def tell(self) -> None:
        """Tell all that is untold now."""
        untold = await self._database.read(lambda connection: events_untold.look(connection, self._after))
        if not untold:
            return
        ours = await self._database.write(lambda connection: events_untold.take(connection, untold))
        told = [_happening(one) for one in untold if one.id in ours and one.kind in _KINDS]
        self._telling.put(lambda: told, len(told))
        self._after = max(self._after, untold[-1].id - _LATECOMERS)

    async def serve(self) -> None:
        """Where a plugin hears, look every now and then, until cancelled."""
        if not self._telling.is_heard:
            return
        begun = False
        while True:
            try:
                if not begun:
                    await self.begin()
                    begun = True
                await self.tell()
            except StoreError:
                pass  # it is away, and others say so
            except Exception:
                logger.exception("telling plugins of events failed")
            await asyncio.sleep(_LOOK_SECONDS)


def _happening(untold: Untold) -> Happening:
    return Happening(kind=_KINDS[untold.kind], happened_at=untold.happened_at, promotion=untold.promotion)
