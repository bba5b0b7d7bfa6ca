"""Webhooks: other systems, told of what happens."""

from datetime import datetime

import strawberry

from promograph.api.connections import After, Before, Connection, First, Last, connection_of, slice_of
from promograph.api.context import Asked
from promograph.api.enums import described
from promograph.api.nodes import Node, global_id
from promograph.api.rights import ADMIN
from promograph.domain.webhooks import endpoints
from promograph.domain.webhooks.events import WebhookType

described(
    WebhookType,
    "WebhookType",
    "What webhooks can be told of. In the payload's `type` a kind is written with a dot: `code.issued`.",
    {
        "CODE_ISSUED": "A customer was given a code, a fallback or the same again included.",
        "CODE_REPLACED": "A customer's code was made void and another given in its place.",
        "CODE_RETURNED": "A code that nobody had seen went back to its pool.",
        "CODE_REDEEMED": "A code, or a promotion without one, was used.",
        "REDEMPTION_ROLLED_BACK": "A use was undone, whole or in part.",
        "POOL_LOW": "An active promotion's pool has come down to its threshold.",
        "POOL_EMPTY": "Its pool is empty.",
        "POOL_REFILLED": "There are enough codes again.",
        "FALLBACK_ON": "Its pool is empty, and customers get the fallback code.",
        "PROMOTION_ENDED": "A promotion was ended, by hand or by a limit that it has reached; not by the clock.",
        "SALE_REFUSED": "A sale that was reported late could not be redeemed: its discount counts nowhere.",
        "MESSAGE_DELIVERED": "A message has reached its recipient.",
        "MESSAGE_BOUNCED": "A message was turned down for good.",
        "WEBHOOK_TEST": "What `webhookTest` sends; nobody has to ask for it.",
    },
)


@strawberry.type(
    description="Another system that is told of what happens, in the format of Standard Webhooks.", directives=ADMIN
)
class Webhook(Node):
    url: str = strawberry.field(description="The address that is called.")
    description: str = strawberry.field(description="What it is for, in somebody's words.")
    types: list[WebhookType] = strawberry.field(description="What it is told of.")
    is_enabled: bool = strawberry.field(
        description="Whether it is told of what happens now. While it is off, nothing is kept for it either."
    )
    off_because: str | None = strawberry.field(description="Why it is off, where an answer of its own did that.")
    rests_until: datetime | None = strawberry.field(
        description="Until when it is left alone because it was down, or asked for it."
    )
    failures: int = strawberry.field(description="How often in a row it was down.")
    old_secret_until: datetime | None = strawberry.field(
        description="Until when signatures are made with an old secret too."
    )
    created_at: datetime = strawberry.field(description="When it was set up.")
    updated_at: datetime = strawberry.field(description="When it was changed last.")


@strawberry.type
class WebhookQueries:
    @strawberry.field(description="All webhooks, the oldest first.", directives=ADMIN)
    async def webhooks(
        self, info: Asked, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Webhook]:
        part = slice_of(first, after, last, before, list_name="webhooks")
        page = await info.context.services.webhooks.page(part)
        return connection_of(page, "webhooks", lambda webhook: webhook_node(webhook, info.context.now))


def webhook_node(webhook: endpoints.Webhook, now: datetime) -> Webhook:
    return Webhook(
        id=global_id("Webhook", webhook.id),
        url=webhook.url,
        description=webhook.description,
        types=sorted(webhook.types),
        is_enabled=webhook.is_enabled,
        off_because=webhook.off_because,
        rests_until=webhook.rests_until,
        failures=webhook.failures,
        old_secret_until=max((old.until for old in webhook.old_secrets if now < old.until), default=None),
        created_at=webhook.created_at,
        updated_at=webhook.updated_at,
    )
