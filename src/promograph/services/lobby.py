"""Promotions as they are: one, many, or a page of the lobby, with their numbers."""

from promograph.domain.clock import Clock
from promograph.domain.promotions import Promotion
from promograph.domain.storable import is_storable
from promograph.store import budgets, inventories, promotions, shared_codes
from promograph.store.budgets import Spending
from promograph.store.databases.database import Connection, Database
from promograph.store.inventories import Inventory
from promograph.store.listing import Page, PromotionQuery, Slice, count_promotions, promotion_page


class Lobby:
    """Reads, and changes nothing."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def get(self, *, id_: int | None = None, handle: str | None = None) -> Promotion | None:
        if handle is not None and not is_storable(handle):
            return None

        def work(connection: Connection) -> Promotion | None:
            if id_ is not None:
                return promotions.by_id(connection, [id_]).get(id_)
            return promotions.by_handle(connection, [str(handle)]).get(str(handle))

        return await self._database.read(work)

    async def get_with_numbers(self, handle: str) -> tuple[Promotion, Inventory] | None:
        """The promotion of that handle, and its numbers as of the same moment."""
        if not is_storable(handle):
            return None
        now = self._clock()

        def work(connection: Connection) -> tuple[Promotion, Inventory] | None:
            found = promotions.by_handle(connection, [handle]).get(handle)
            return None if found is None else (found, inventories.of(connection, {found.id: found}, now)[found.id])

        return await self._database.read(work)

    async def get_many(self, ids: list[int]) -> dict[int, Promotion]:
        return await self._database.read(lambda connection: promotions.by_id(connection, sorted(set(ids))))

    async def inventories(self, ids: list[int]) -> dict[int, Inventory]:
        """By promotion id; the cost does not depend on how many codes there are."""
        now = self._clock()
        return await self._database.read(lambda connection: inventories.read(connection, sorted(set(ids)), now))

    async def budgets(self, ids: list[int]) -> dict[int, Spending]:
        """By promotion id, of those that have a budget."""
        now = self._clock()
        return await self._database.read(lambda connection: budgets.read(connection, sorted(set(ids)), now))

    async def shared_codes(self, ids: list[int]) -> dict[int, str]:
        found = await self._database.read(lambda connection: shared_codes.many(connection, sorted(set(ids))))
        return {id_: code.text for id_, code in found.items()}

    async def page(self, query: PromotionQuery, part: Slice) -> Page:
        page, _ = await self.page_with_numbers(query, part, numbers=False)
        return page

    async def page_with_numbers(
        self, query: PromotionQuery, part: Slice, *, numbers: bool = True
    ) -> tuple[Page, dict[int, Inventory]]:
        """A page, and the numbers of its promotions as of the same moment; without `numbers`, none."""
        if query.search is not None and not is_storable(query.search):
            return Page([]), {}
        now = self._clock()

        def work(connection: Connection) -> tuple[Page, dict[int, Inventory]]:
            page = promotion_page(connection, query, part, now)
            found = {promotion.id: promotion for _, promotion in page.rows} if numbers else {}
            return page, inventories.of(connection, found, now)

        return await self._database.read(work)

    async def count(self, query: PromotionQuery) -> int:
        now = self._clock()
        return await self._database.read(lambda connection: count_promotions(connection, query, now))
