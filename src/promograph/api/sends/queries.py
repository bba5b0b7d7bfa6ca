"""Sends, listed."""

from typing import Annotated

import strawberry

from promograph.api.connections import After, Before, Connection, First, Last, connection_of, slice_of
from promograph.api.context import Asked
from promograph.api.nodes import read_number
from promograph.api.rights import SENDS
from promograph.api.sends.send import Send, SendConnection, send_node
from promograph.domain.sending.sends import SendStatus


@strawberry.type
class SendQueries:
    @strawberry.field(description="Sends, the latest first.", directives=SENDS)
    async def sends(
        self,
        info: Asked,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        status: Annotated[SendStatus | None, strawberry.argument(description="Only sends in this state.")] = None,
    ) -> SendConnection:
        part = slice_of(first, after, last, before, list_name="sends")
        page = await info.context.services.sends.page(part, status)
        found: Connection[Send] = connection_of(page, "sends", send_node)
        return SendConnection(edges=found.edges, nodes=found.nodes, page_info=found.page_info)

    @strawberry.field(description="A send.", directives=SENDS)
    async def send(
        self, info: Asked, id: Annotated[strawberry.ID, strawberry.argument(description="The send.")]
    ) -> Send | None:
        found = await info.context.services.sends.get(read_number(id, "Send"))
        return None if found is None else send_node(found)
