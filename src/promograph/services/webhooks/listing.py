"""Use cases of those who look at what webhooks were told, and have it told again."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from promograph.domain.clock import Clock
from promograph.domain.webhooks.retrying import DeliveryState
from promograph.errors import BadInput, InputProblem
from promograph.services.webhooks.couriers import Couriers
from promograph.store.databases.database import Connection, Database
from promograph.store.listing import Page, Slice
from promograph.store.webhooks import deliveries
from promograph.store.webhooks.deliveries import DeliveryQuery, WebhookDelivery

MOST_REPLAYED = 10_000


class WebhookDeliveries:
    """Deliveries by id. BadInput with its field."""

    def __init__(self, database: Database, clock: Clock, couriers: Couriers) -> None:
        self._database = database
        self._clock = clock
        self._couriers = couriers

    async def page(self, query: DeliveryQuery, part: Slice) -> Page:
        """`WebhookDelivery`s, the latest first."""
        return await self._database.read(lambda connection: deliveries.page(connection, query, part), heavy=True)

    async def get(self, id_: int) -> WebhookDelivery | None:
        return await self._database.read(lambda connection: deliveries.by_id(connection, id_))

    async def replay(self, ids: Sequence[int]) -> int:
        """Have these told again under the same ids; how many do not wait for that anyway. All of them, or none."""
        if not 1 <= len(ids) <= MOST_REPLAYED:
            problem = InputProblem.TOO_MANY if ids else InputProblem.REQUIRED
            raise BadInput(problem, f"Name 1 to {MOST_REPLAYED:,} deliveries.", field=("deliveries",))
        now = self._clock()

        def work(connection: Connection) -> int:
            known = deliveries.known(connection, ids)
            for place, id_ in enumerate(ids):
                if id_ not in known:
                    sentence = "No delivery has this id; what is old is forgotten."
                    raise BadInput(InputProblem.NOT_FOUND, sentence, field=("deliveries", str(place)))
            return deliveries.again(connection, sorted(known), now)

        return await self._replayed(work)

    async def replay_all(self, query: DeliveryQuery) -> int:
        """The same with the oldest 10,000 that it means; the dead ones, unless it says which states."""
        wanted = query if query.states else replace(query, states=frozenset({DeliveryState.DEAD}))
        wanted = replace(wanted, states=wanted.states - {DeliveryState.WAITING})
        if not wanted.states:
            raise BadInput(InputProblem.INVALID, "What waits is sent anyway.", field=("filter", "states"))
        now = self._clock()

        def work(connection: Connection) -> int:
            ids = deliveries.find(connection, wanted, most=MOST_REPLAYED)
            return deliveries.again(connection, ids, now) if ids else 0

        return await self._replayed(work)

    async def _replayed(self, work: Callable[[Connection], int]) -> int:
        count = await self._database.write(work, heavy=True)
        self._couriers.wake()
        return count
