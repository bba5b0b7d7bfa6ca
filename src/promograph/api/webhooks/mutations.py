"""Webhooks set up, changed, tried out."""

from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

import strawberry

from promograph.api.answering import Given, answered
from promograph.api.context import Asked
from promograph.api.nodes import read_number
from promograph.api.rights import ADMIN
from promograph.api.scalars import Duration
from promograph.api.user_errors import UserError
from promograph.api.webhooks.endpoints import Webhook, webhook_node
from promograph.domain.webhooks import endpoints
from promograph.domain.webhooks.events import WebhookType
from promograph.services.webhooks.endpoints import WebhookChange


@strawberry.input(description="A webhook to set up.")
class WebhookCreateInput:
    url: str = strawberry.field(
        description="The address to call: https, in a public network, and no other webhook's; at most 2,000 characters."
    )
    types: list[WebhookType] = strawberry.field(description="What to tell it of; at least one.")
    description: str = strawberry.field(default="", description="What it is for; at most 500 characters.")
    is_enabled: bool = strawberry.field(default=True, description="Whether to begin at once.")


@strawberry.input(description="What to change of a webhook; what is left out stays.")
class WebhookUpdateInput:
    id: strawberry.ID = strawberry.field(description="The webhook.")
    url: str | None = strawberry.field(default=None, description="The address to call.")
    types: list[WebhookType] | None = strawberry.field(default=None, description="What to tell it of; at least one.")
    description: str | None = strawberry.field(default=None, description="What it is for.")
    is_enabled: bool | None = strawberry.field(
        default=None, description="Off: it is told nothing. On again: also what waited for it."
    )


@strawberry.input(description="Which webhook to delete.")
class WebhookDeleteInput:
    id: strawberry.ID = strawberry.field(description="The webhook.")


@strawberry.input(description="Which webhook to send a test.")
class WebhookTestInput:
    id: strawberry.ID = strawberry.field(description="The webhook; it must be on.")


@strawberry.input(description="Which webhook to give another secret.")
class WebhookSecretRotateInput:
    id: strawberry.ID = strawberry.field(description="The webhook.")
    overlap: Duration = strawberry.field(
        default=Duration(timedelta(days=1)),
        description="For how long the old secret signs too, so that the receiver can change over: PT0S to P30D.",
    )


@strawberry.type(description="The new webhook, with its secret.", directives=ADMIN)
class WebhookCreatePayload:
    webhook: Webhook | None = strawberry.field(description="The webhook; none when something was wrong.")
    secret: str | None = strawberry.field(description="What signatures are checked with; it is never shown again.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was changed.")


@strawberry.type(description="The webhook as it is then.", directives=ADMIN)
class WebhookUpdatePayload:
    webhook: Webhook | None = strawberry.field(description="The webhook; none when something was wrong.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was changed.")


@strawberry.type(description="The webhook that was.", directives=ADMIN)
class WebhookDeletePayload:
    webhook: Webhook | None = strawberry.field(description="The webhook; none when something was wrong.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was changed.")


@strawberry.type(description="The webhook with its new secret.", directives=ADMIN)
class WebhookSecretRotatePayload:
    webhook: Webhook | None = strawberry.field(description="The webhook; none when something was wrong.")
    secret: str | None = strawberry.field(description="What signatures are checked with; it is never shown again.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was changed.")


@strawberry.type(description="The webhook to which a test is sent.", directives=ADMIN)
class WebhookTestPayload:
    webhook: Webhook | None = strawberry.field(description="The webhook; none when something was wrong.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was changed.")


@strawberry.type
class WebhookMutations:
    @strawberry.mutation(description="Have another system told of what happens from now on.", directives=ADMIN)
    async def webhook_create(self, info: Asked, input: Given[WebhookCreateInput]) -> WebhookCreatePayload:
        act = info.context.services.webhooks.create(
            url=input.url, types=input.types, description=input.description, is_enabled=input.is_enabled
        )
        return WebhookCreatePayload(**await _done(info, act, secret=True))

    @strawberry.mutation(description="Change a webhook, switch it off or on.", directives=ADMIN)
    async def webhook_update(self, info: Asked, input: Given[WebhookUpdateInput]) -> WebhookUpdatePayload:
        change = WebhookChange(
            url=input.url, types=input.types, description=input.description, is_enabled=input.is_enabled
        )
        return WebhookUpdatePayload(**await _done(info, _update(info, input.id, change)))

    @strawberry.mutation(
        description="Delete a webhook, and with it what it was told and what waits for it.", directives=ADMIN
    )
    async def webhook_delete(self, info: Asked, input: Given[WebhookDeleteInput]) -> WebhookDeletePayload:
        return WebhookDeletePayload(**await _done(info, _delete(info, input.id)))

    @strawberry.mutation(description="Give a webhook another secret.", directives=ADMIN)
    async def webhook_secret_rotate(
        self, info: Asked, input: Given[WebhookSecretRotateInput]
    ) -> WebhookSecretRotatePayload:
        return WebhookSecretRotatePayload(**await _done(info, _rotate(info, input), secret=True))

    @strawberry.mutation(description="Send a webhook something that means nothing.", directives=ADMIN)
    async def webhook_test(self, info: Asked, input: Given[WebhookTestInput]) -> WebhookTestPayload:
        return WebhookTestPayload(**await _done(info, _test(info, input.id)))


async def _done(info: Asked, act: Awaitable[endpoints.Webhook], *, secret: bool = False) -> dict[str, Any]:
    """The fields of the payload."""
    webhook, errors = await answered(act)
    node = None if webhook is None else webhook_node(webhook, info.context.now)
    payload: dict[str, Any] = {"webhook": node, "user_errors": errors}
    return payload | {"secret": None if webhook is None else webhook.secret} if secret else payload


async def _update(info: Asked, id_: str, change: WebhookChange) -> endpoints.Webhook:
    return await info.context.services.webhooks.update(read_number(id_, "Webhook"), change)


async def _delete(info: Asked, id_: str) -> endpoints.Webhook:
    return await info.context.services.webhooks.delete(read_number(id_, "Webhook"))


async def _rotate(info: Asked, input: WebhookSecretRotateInput) -> endpoints.Webhook:
    return await info.context.services.webhooks.rotate_secret(read_number(input.id, "Webhook"), input.overlap)


async def _test(info: Asked, id_: str) -> endpoints.Webhook:
    return await info.context.services.webhooks.test(read_number(id_, "Webhook"))
