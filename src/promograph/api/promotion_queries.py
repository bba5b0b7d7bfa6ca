"""Finding promotions, and anything by its global id."""

import asyncio
from typing import Annotated

import strawberry

from promograph.api.code import Code, CodeEvent, code_node, shown_event
from promograph.api.connections import After, Before, First, Last, slice_of
from promograph.api.context import Asked
from promograph.api.node_finding import found_node
from promograph.api.nodes import Node, read_global_id
from promograph.api.promotions.promotion import Promotion
from promograph.api.promotions.search import SORTED_BY, PromotionFilter, PromotionSort, query_of
from promograph.api.promotions.shared import PageAsked, PromotionConnection, SharedPromotions, asks_for
from promograph.api.rights import EVERYBODY, READ, WRITE
from promograph.domain.codes import MAX_LENGTH
from promograph.domain.keys import checked_key
from promograph.domain.storable import check_storable
from promograph.errors import BadInput, InputProblem

_MOST_IDS = 100


@strawberry.type
class PromotionQueries:
    @strawberry.field(description="A promotion, by its id or by its handle.", directives=READ)
    async def promotion(
        self,
        info: Asked,
        id: Annotated[strawberry.ID | None, strawberry.argument(description="Its global id.")] = None,
        handle: Annotated[str | None, strawberry.argument(description="Its handle, instead.")] = None,
    ) -> Promotion | None:
        if (id is None) == (handle is None):
            raise BadInput(InputProblem.INVALID, "Give either the id or the handle.", field=("id",))
        if handle is not None:
            checked = checked_key(handle, "handle")
            return await info.context.shared(SharedPromotions).by_handle(checked, numbers=asks_for(info, "inventory"))
        node = await found_node(info, *read_global_id(id or "", "id"))
        return node if isinstance(node, Promotion) else None

    @strawberry.field(description="The lobby: all promotions, searched and filtered.", directives=READ)
    async def promotions(
        self,
        info: Asked,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        search: Annotated[
            str | None, strawberry.argument(description="Text in the name, the handle or the description.")
        ] = None,
        filter: Annotated[PromotionFilter | None, strawberry.argument(description="Further conditions.")] = None,
        sort: Annotated[PromotionSort, strawberry.argument(description="The order.")] = PromotionSort.CREATED_AT,
        descending: Annotated[bool, strawberry.argument(description="Turn the order round.")] = False,
    ) -> PromotionConnection:
        query = query_of(search, filter, sort, descending=descending)
        order = f"promotions.{sort.value}.{'down' if descending else 'up'}"
        part = slice_of(first, after, last, before, list_name=order, sorted_by=SORTED_BY[sort])
        numbers = asks_for(info, "inventory")
        return await info.context.shared(SharedPromotions).page(
            PageAsked(query=query, part=part, list_name=order, numbers=numbers)
        )

    @strawberry.field(description="A code, by its text.", directives=WRITE)
    async def code(
        self, info: Asked, text: Annotated[str, strawberry.argument(description="The code, in any letter case.")]
    ) -> Code | None:
        if len(text) > 4 * MAX_LENGTH:
            return None
        check_storable(text, "text")
        found = await info.context.services.lookup.code(text)
        return None if found is None else code_node(found, info.context.now)

    @strawberry.field(
        description="What happened to a code, the latest first; at most the last 100 of each kind. Nothing for a text "
        "that is no code.",
        directives=WRITE,
    )
    async def code_history(
        self, info: Asked, text: Annotated[str, strawberry.argument(description="The code, in any letter case.")]
    ) -> list[CodeEvent]:
        check_storable(text, "text")
        lookup = info.context.services.lookup
        found = None if len(text) > 4 * MAX_LENGTH else await lookup.code(text)
        if found is None:
            return []
        return [shown_event(event) for event in await lookup.history(found.promotion_id, found.seq)]

    @strawberry.field(
        description="An object, by its global id. What may be read of it is what its type says.", directives=EVERYBODY
    )
    async def node(
        self, info: Asked, id: Annotated[strawberry.ID, strawberry.argument(description="The global id.")]
    ) -> Node | None:
        return await found_node(info, *read_global_id(id, "id"))

    @strawberry.field(
        description="Objects, by their global ids, in the order asked; none for an unknown id.", directives=EVERYBODY
    )
    async def nodes(
        self,
        info: Asked,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description=f"The ids, at most {_MOST_IDS}.")],
    ) -> list[Node | None]:
        if len(ids) > _MOST_IDS:
            raise BadInput(InputProblem.TOO_MANY, f"One call takes at most {_MOST_IDS} ids.", field=("ids",))
        read = [read_global_id(id_, "ids", str(place)) for place, id_ in enumerate(ids)]
        return await asyncio.gather(*(found_node(info, kind, numbers) for kind, numbers in read))
