"""Promotions in shops: how they stand there."""

from datetime import datetime

import strawberry

from promograph.api.enums import described
from promograph.api.rights import WRITE
from promograph.domain.shops.pushes import PushState
from promograph.services.shops import Standing

described(
    PushState,
    "PushState",
    "How a promotion stands in a shop.",
    {
        "RUNNING": "A job is telling the shop.",
        "IN_STEP": "The shop knows all that there is to know.",
        "BEHIND": "Something has changed here since; the shop is told within seconds.",
        "FAILED": "The shop could not be told; `error` says why.",
    },
)


@strawberry.type(description="A promotion in a shop.", directives=WRITE)
class ShopPush:
    shop: str = strawberry.field(description="The shop's name.")
    state: PushState = strawberry.field(description="How it stands there.")
    pushed: int = strawberry.field(description="Codes that are there and work.")
    refused: int = strawberry.field(
        description="Codes that the shop would not take; the `download` of the job says which, and why."
    )
    remote_id: str | None = strawberry.field(description="The shop's own id of the discount, where it has one.")
    error: str | None = strawberry.field(description="Why the shop could not be told, the last time.")
    tried_at: datetime | None = strawberry.field(description="When it was told last, or could not be.")


def shown_push(standing: Standing) -> ShopPush:
    push = standing.push
    return ShopPush(
        shop=push.shop,
        state=standing.state,
        pushed=push.pushed,
        refused=push.refused,
        remote_id=push.remote,
        error=push.error,
        tried_at=push.tried_at,
    )
