"""What webhooks were told, and what came of it; dead letters, sent again."""

from datetime import datetime
from typing import Annotated

import strawberry

from promograph.api.answering import Given, answered
from promograph.api.connections import After, Before, Connection, First, Last, connection_of, slice_of
from promograph.api.context import Asked
from promograph.api.enums import described
from promograph.api.nodes import Node, global_id, read_number
from promograph.api.rights import ADMIN
from promograph.api.user_errors import UserError
from promograph.api.webhooks.endpoints import Webhook, webhook_node
from promograph.domain.webhooks.events import WebhookType
from promograph.domain.webhooks.retrying import DeliveryState
from promograph.errors import BadInput, InputProblem
from promograph.services.webhooks.listing import MOST_REPLAYED
from promograph.store.webhooks import deliveries
from promograph.store.webhooks.deliveries import DeliveryQuery

described(
    DeliveryState,
    "WebhookDeliveryState",
    "Where a delivery is in its life.",
    {
        "WAITING": "It is to be tried, again or for the first time.",
        "DELIVERED": "It was taken: answered with a status from 200 to 299.",
        "DEAD": "It was given up: three days of tries, or the answer 410. `webhookReplay` sends it again.",
    },
)


@strawberry.type(description="One thing that one webhook is told.", directives=ADMIN)
class WebhookDelivery(Node):
    webhook_id: strawberry.Private[int]

    event: str = strawberry.field(
        description="The `webhook-id`: the same at each try, and for all webhooks that are told of it."
    )
    type: WebhookType = strawberry.field(description="What it tells of.")
    body: str = strawberry.field(description="The payload, as JSON, to the byte.")
    happened_at: datetime = strawberry.field(description="When what it tells of happened.")
    state: DeliveryState = strawberry.field(description="Where it is in its life.")
    next_try_at: datetime | None = strawberry.field(description="When it is tried next, at the earliest.")
    tries: int = strawberry.field(description="How often it was tried, since it was sent again if it was.")
    last_tried_at: datetime | None = strawberry.field(description="When it was tried last.")
    last_status: int | None = strawberry.field(description="The HTTP status that the last try was answered with.")
    last_failure: str | None = strawberry.field(description="Why the last try failed.")

    @strawberry.field(description="Who is told.", directives=ADMIN)
    async def webhook(self, info: Asked) -> Webhook | None:
        found = await info.context.webhook(self.webhook_id)
        return None if found is None else webhook_node(found, info.context.now)


@strawberry.input(description="Which deliveries: all that is given must hold.")
class WebhookDeliveryFilter:
    webhook: strawberry.ID | None = strawberry.field(default=None, description="To this webhook.")
    states: list[DeliveryState] | None = strawberry.field(default=None, description="In one of these states.")
    types: list[WebhookType] | None = strawberry.field(default=None, description="Of one of these types.")
    since: datetime | None = strawberry.field(default=None, description="Of what happened then or later.")
    until: datetime | None = strawberry.field(default=None, description="Of what happened before then.")


@strawberry.input(description="What to send again: `deliveries`, or what `filter` means.")
class WebhookReplayInput:
    deliveries: list[strawberry.ID] | None = strawberry.field(
        default=None, description=f"These, at most {MOST_REPLAYED:,}."
    )
    filter: WebhookDeliveryFilter | None = strawberry.field(
        default=None,
        description=f"The oldest {MOST_REPLAYED:,} that this means; without `states`, of the dead ones.",
    )


@strawberry.type(description="How much is sent again.", directives=ADMIN)
class WebhookReplayPayload:
    replayed: int | None = strawberry.field(
        description="How many are sent again; those that waited anyway are not counted. None when something was wrong."
    )
    has_more: bool = strawberry.field(description="Whether the filter may mean more: call again.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing is sent again.")


@strawberry.type
class WebhookDeliveryQueries:
    @strawberry.field(
        description="What webhooks are told and were told of late, the latest first; `states: [DEAD]` are the dead "
        "letters.",
        directives=ADMIN,
    )
    async def webhook_deliveries(
        self,
        info: Asked,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Annotated[WebhookDeliveryFilter | None, strawberry.argument(description="Conditions.")] = None,
    ) -> Connection[WebhookDelivery]:
        part = slice_of(first, after, last, before, list_name="webhookDeliveries")
        query = _query(filter or WebhookDeliveryFilter(), "filter")
        page = await info.context.services.webhook_deliveries.page(query, part)
        return connection_of(page, "webhookDeliveries", delivery_node)


@strawberry.type
class WebhookReplayMutations:
    @strawberry.mutation(
        description="Send again what was given up, or what was delivered and got lost over there; under the same ids.",
        directives=ADMIN,
    )
    async def webhook_replay(self, info: Asked, input: Given[WebhookReplayInput]) -> WebhookReplayPayload:
        count, errors = await answered(_replay(info, input))
        has_more = input.filter is not None and count is not None and count >= MOST_REPLAYED
        return WebhookReplayPayload(replayed=count, has_more=has_more, user_errors=errors)


def delivery_node(delivery: deliveries.WebhookDelivery) -> WebhookDelivery:
    return WebhookDelivery(
        id=global_id("WebhookDelivery", delivery.id),
        webhook_id=delivery.webhook_id,
        event=delivery.event,
        type=delivery.type,
        body=delivery.body,
        happened_at=delivery.happened_at,
        state=delivery.state,
        next_try_at=delivery.next_try_at,
        tries=delivery.tries,
        last_tried_at=delivery.last_tried_at,
        last_status=delivery.status,
        last_failure=delivery.why,
    )


async def _replay(info: Asked, input: WebhookReplayInput) -> int:
    use = info.context.services.webhook_deliveries
    if (input.deliveries is None) == (input.filter is None):
        raise BadInput(InputProblem.REQUIRED, "Give either deliveries or a filter.", field=("deliveries",))
    if input.filter is not None:
        return await use.replay_all(_query(input.filter, "filter"))
    return await use.replay([_number(id_, place) for place, id_ in enumerate(input.deliveries or ())])


def _number(id_: str, place: int) -> int:
    try:
        return read_number(id_, "WebhookDelivery")
    except BadInput:
        sentence = "This is not the id of a delivery."
        raise BadInput(InputProblem.INVALID, sentence, field=("deliveries", str(place))) from None


def _query(filter: WebhookDeliveryFilter, at: str) -> DeliveryQuery:
    for name, instant in (("since", filter.since), ("until", filter.until)):
        if instant is not None and instant.utcoffset() is None:
            sentence = "An instant needs its offset, such as 2026-12-01T09:00:00Z."
            raise BadInput(InputProblem.INVALID, sentence, field=(at, name))
    return DeliveryQuery(
        webhook_id=None if filter.webhook is None else read_number(filter.webhook, "Webhook", at),
        states=frozenset(filter.states or ()),
        types=frozenset(filter.types or ()),
        since=filter.since,
        until=filter.until,
    )
