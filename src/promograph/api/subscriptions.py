"""What can be watched."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry

from promograph.api.context import Asked
from promograph.api.nodes import read_number
from promograph.api.promotion import Inventory, shown_inventory
from promograph.api.rights import READ


@strawberry.type(
    description="What can be watched: the first value comes at once, later ones as they come about, the newest alone "
    "to those who are slow."
)
class Subscription:
    @strawberry.subscription(
        description="A promotion's numbers whenever they have moved, at most a few times a second.", directives=READ
    )
    async def inventory_changed(
        self, info: Asked, promotion: Annotated[strawberry.ID, strawberry.argument(description="The promotion.")]
    ) -> AsyncGenerator[Inventory, None]:
        id_ = read_number(promotion, "Promotion", "promotion")
        async with aclosing(info.context.services.watching.inventory(id_)) as changes:
            async for numbers in changes:
                yield shown_inventory(numbers)
