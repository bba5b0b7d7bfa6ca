"""A code given to a customer, as the schema shows it."""

from datetime import datetime

import strawberry

from promograph.api.context import Asked
from promograph.api.nodes import Node, global_id
from promograph.api.rights import ISSUED
from promograph.domain import issuing
from promograph.domain.codes.placeholders import Purpose
from promograph.domain.codes.states import CodeState
from promograph.domain.issuing import IssuanceKind, IssuanceState


@strawberry.type(description="A code given to a customer.", directives=ISSUED)
class Issuance(Node):
    text: str = strawberry.field(description="The code, as the customer is to see it.")
    kind: IssuanceKind = strawberry.field(description="How the customer came by it.")
    promotion_handle: str = strawberry.field(description="The handle of the promotion.")
    customer: str = strawberry.field(description="The customer, by the caller's own id.")
    issued_at: datetime = strawberry.field(description="When it was given.")
    expires_at: datetime | None = strawberry.field(description="When the code stops working; none: never.")
    channel: str | None = strawberry.field(description="The channel that asked for it.")
    send: str | None = strawberry.field(description="The send that it was for.")
    purpose: Purpose = strawberry.field(description="Whether it is meant, or a placeholder.")
    state: IssuanceState = strawberry.field(description="Whether it stands, as of when it was read.")
    place: strawberry.Private[tuple[int, int]] = (0, 0)

    @strawberry.field(
        description="Where the code is in its life; of one that is shared, uses aside. None of a placeholder.",
        directives=ISSUED,
    )
    async def code_state(self, info: Asked) -> CodeState | None:
        if self.purpose is not Purpose.LIVE:
            return None
        return await info.context.services.lookup.state_of(*self.place)


def issuance_node(issuance: issuing.Issuance) -> Issuance:
    return Issuance(
        id=global_id("Issuance", issuance.promotion_id, issuance.number),
        place=(issuance.promotion_id, issuance.seq),
        text=issuance.text,
        kind=issuance.kind,
        promotion_handle=issuance.handle,
        customer=issuance.customer,
        issued_at=issuance.issued_at,
        expires_at=issuance.expires_at,
        channel=issuance.channel,
        send=issuance.send,
        purpose=issuance.purpose,
        state=issuance.state,
    )
