"""Telling webhooks: what is due is taken by whichever server process looks first, tried, and its outcome written down.

Each webhook has so many places at once in a process, so that one that hangs holds up no other. What was taken and not
settled comes again when its time is over: a process that is killed loses nothing, and may have told something twice.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from random import random
from time import monotonic

from promograph.domain.clock import Clock
from promograph.domain.webhooks.endpoints import Webhook
from promograph.domain.webhooks.retrying import Answer
from promograph.domain.webhooks.signing import signed_headers
from promograph.errors import StoreError
from promograph.services.batching import Gatherer
from promograph.services.pacing import Pace
from promograph.services.quietly import quietly
from promograph.services.webhooks.posting import Poster
from promograph.services.webhooks.rules import WebhookRules
from promograph.store.databases.database import Connection, Database
from promograph.store.webhooks import deliveries, due
from promograph.store.webhooks.due import Due, Tried

logger = logging.getLogger("promograph.webhooks")

_LOOKING = "looking for what webhooks are to be told"

_LOOK_SECONDS = 0.5
_PLACES = 32
_PLACES_IN_ALL = 256
_PROBES = 1  # of one that was down: whether it is up again takes one request
_PRUNE_SECONDS = 60.0
_PRUNED_AT_ONCE = 1_000
_CLOSE_SECONDS = 3.0
_LEASE_MARGIN = 2.0
_HEADERS = {"content-type": "application/json", "user-agent": "promograph-webhooks"}


class Couriers:
    """One process's. `rules` may be set anew before `serve`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self.rules = WebhookRules()
        self._poster: Poster | None = None
        self._in_hand: Counter[int] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._settler = Gatherer(self._settle)
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look at once: something was just written here."""
        self._woken.set()

    async def serve(self) -> None:
        """Tell whatever is due, until cancelled; `close` comes next."""
        prunes_at = 0.0
        while True:
            self._woken.clear()
            if monotonic() > prunes_at:
                prunes_at = monotonic() + _PRUNE_SECONDS
                await quietly(self.prune(), logger, _LOOKING)
            await quietly(self.look(), logger, _LOOKING)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), _LOOK_SECONDS)

    async def work(self) -> int:
        """Tell all that is due now, and wait for what comes of it; how much that was."""
        count = await self.look()
        while self._tasks:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            count += await self.look()
        return count

    async def look(self) -> int:
        """Begin with what is due, as far as there are places; with how much."""
        now = self._clock()
        count = 0
        for webhook in await self._database.read(lambda connection: due.ready(connection, now)):
            room = self._room(webhook)
            if room:
                taken = await self._take(webhook.id, room)
                count += len(taken)
                for one in taken:
                    self._begin(webhook, one)
        return count

    async def prune(self) -> None:
        """Delete what is old, a little at a time."""
        before, pace = self._clock() - self.rules.keep, Pace(self._database)

        def work(connection: Connection) -> bool:
            return deliveries.prune(connection, before, most=_PRUNED_AT_ONCE)

        while await pace.write(work):
            pass

    async def close(self) -> None:
        """Give what is in hand a moment, and the connections back."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=_CLOSE_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._poster is not None:
            poster, self._poster = self._poster, None
            await poster.close()

    def _room(self, webhook: Webhook) -> int:
        """For how many more there are places; 0 too while there are few, so that they are taken together."""
        places = _PROBES if webhook.failures else _PLACES
        room = min(places - self._in_hand[webhook.id], _PLACES_IN_ALL - self._in_hand.total())
        return room if room >= min(places, _PLACES // 2) else 0

    async def _take(self, webhook_id: int, most: int) -> list[Due]:
        now = self._clock()
        # Twice as long as the try may take: clocks of different machines are not quite the same.
        until = now + timedelta(seconds=2 * self.rules.seconds + _LEASE_MARGIN)
        return await self._database.write(
            lambda connection: due.take(connection, webhook_id, now, most=most, until=until)
        )

    def _begin(self, webhook: Webhook, taken: Due) -> None:
        self._in_hand[webhook.id] += 1
        task = asyncio.create_task(self._tell(webhook, taken))
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._end(webhook, done))

    def _end(self, webhook: Webhook, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._in_hand[webhook.id] -= 1
        if self._in_hand[webhook.id] <= _PLACES // 2:
            self._woken.set()

    async def _tell(self, webhook: Webhook, taken: Due) -> None:
        try:
            answer = await self._try(webhook, taken)
            await self._settler.submit(Tried(taken, answer, random()))
        except StoreError:
            pass  # it comes again
        except Exception:
            logger.exception("telling webhook %s failed", webhook.id)

    async def _try(self, webhook: Webhook, taken: Due) -> Answer:
        if self._poster is None:
            self._poster = Poster(to_private=self.rules.to_private, seconds=self.rules.seconds)
        now = self._clock()
        signed = signed_headers(taken.event, now, taken.body, webhook.valid_secrets(now))
        return await self._poster.post(webhook.url, {**_HEADERS, **signed}, taken.body)

    async def _settle(self, tried: Sequence[Tried]) -> Sequence[None]:
        now = self._clock()
        await self._database.write(lambda connection: due.settle(connection, tried, now))
        return [None] * len(tried)
