"""Promotions as many ask for them at once: each page is read, and made into nodes, once for all of them."""

from dataclasses import dataclass

import strawberry
from graphql import FieldNode, FragmentSpreadNode, SelectionSetNode

from promograph.api.connections import Connection, connection_of
from promograph.api.context import Asked
from promograph.api.promotions.promotion import Promotion, promotion_node
from promograph.api.rights import READ
from promograph.services.app import Services
from promograph.services.sharing import Sharing
from promograph.store.listing import PromotionQuery, Slice


@strawberry.type(description="One page of the promotions.", directives=READ)
class PromotionConnection(Connection[Promotion]):
    query: strawberry.Private[PromotionQuery]

    @strawberry.field(description="How many there are on all pages; counted when asked for.", directives=READ)
    async def total_count(self, info: Asked) -> int:
        return await info.context.services.lobby.count(self.query)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAsked:
    """A page of the promotions. With `numbers` their inventories are read along with them."""

    query: PromotionQuery
    part: Slice
    list_name: str
    numbers: bool


class SharedPromotions:
    """What is handed out is shared: nobody changes it."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._pages = Sharing(self._page)
        self._singles = Sharing(self._single)

    async def page(self, asked: PageAsked) -> PromotionConnection:
        return await self._pages.get(asked)

    async def by_handle(self, handle: str, *, numbers: bool) -> Promotion | None:
        return await self._singles.get((handle, numbers))

    async def _page(self, asked: PageAsked) -> PromotionConnection:
        lobby, now = self._services.lobby, self._services.clock()
        page, numbers = await lobby.page_with_numbers(asked.query, asked.part, numbers=asked.numbers)
        found: Connection[Promotion] = connection_of(
            page, asked.list_name, lambda facts: promotion_node(facts, now, numbers.get(facts.id))
        )
        return PromotionConnection(query=asked.query, edges=found.edges, nodes=found.nodes, page_info=found.page_info)

    async def _single(self, asked: tuple[str, bool]) -> Promotion | None:
        (handle, numbers), now = asked, self._services.clock()
        if numbers:
            both = await self._services.lobby.get_with_numbers(handle)
            return None if both is None else promotion_node(both[0], now, both[1])
        facts = await self._services.lobby.get(handle=handle)
        return None if facts is None else promotion_node(facts, now)


def asks_for(info: Asked, name: str) -> bool:
    """Whether a field of that name may stand somewhere below; what fragments hold is not looked at, and may."""
    nodes: list[FieldNode] = info._raw_info.field_nodes
    return any(_holds(node.selection_set, name) for node in nodes)


def _holds(selections: SelectionSetNode | None, name: str) -> bool:
    for selection in selections.selections if selections else ():
        if isinstance(selection, FragmentSpreadNode):
            return True
        if isinstance(selection, FieldNode) and selection.name.value == name:
            return True
        if _holds(selection.selection_set, name):  # type: ignore[attr-defined]
            return True
    return False
