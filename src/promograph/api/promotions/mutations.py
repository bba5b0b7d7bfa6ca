"""Setting up promotions and moving them through their life."""

from collections.abc import Awaitable, Callable
from typing import Any

import strawberry

from promograph.api.answering import AS_NAMED, KEY, Given, Places, answered
from promograph.api.context import Asked
from promograph.api.nodes import read_number
from promograph.api.promotions.inputs import PromotionCreateInput, PromotionUpdateInput
from promograph.api.promotions.promotion import Promotion, promotion_node
from promograph.api.promotions.reading import Types, changed, draft_of, places_of
from promograph.api.rights import WRITE
from promograph.api.user_errors import UserError
from promograph.domain.promotions import Promotion as Facts


@strawberry.input(description="Which promotion.")
class PromotionActInput:
    id: strawberry.ID = strawberry.field(description="The promotion.")


@strawberry.input(description="Which promotion to end, and how.")
class PromotionEndInput:
    id: strawberry.ID = strawberry.field(description="The promotion.")
    stop_redeeming: bool = strawberry.field(
        default=False, description="Whether codes that people hold stop working too. This cannot be taken back."
    )


@strawberry.input(description="Which promotion to copy.")
class PromotionDuplicateInput:
    id: strawberry.ID = strawberry.field(description="The promotion.")
    name: str | None = strawberry.field(default=None, description="The copy's name.")
    handle: str | None = strawberry.field(default=None, description="The copy's handle.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type(description="The new draft.", directives=WRITE)
class PromotionCreatePayload:
    promotion: Promotion | None = strawberry.field(description="The promotion; none when something was wrong.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was changed.")


@strawberry.type(description="The promotion as changed.", directives=WRITE)
class PromotionUpdatePayload:
    promotion: Promotion | None = strawberry.field(description="The promotion; none when something was wrong.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was changed.")


@strawberry.type(description="The promotion, running or scheduled.", directives=WRITE)
class PromotionActivatePayload:
    promotion: Promotion | None = strawberry.field(description="The promotion; none when something was wrong.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was changed.")


@strawberry.type(description="The promotion, paused.", directives=WRITE)
class PromotionPausePayload:
    promotion: Promotion | None = strawberry.field(description="The promotion; none when something was wrong.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was changed.")


@strawberry.type(description="The promotion, ended.", directives=WRITE)
class PromotionEndPayload:
    promotion: Promotion | None = strawberry.field(description="The promotion; none when something was wrong.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was changed.")


@strawberry.type(description="The promotion, put away.", directives=WRITE)
class PromotionArchivePayload:
    promotion: Promotion | None = strawberry.field(description="The promotion; none when something was wrong.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was changed.")


@strawberry.type(description="The copy, a draft without codes.", directives=WRITE)
class PromotionDuplicatePayload:
    promotion: Promotion | None = strawberry.field(description="The promotion; none when something was wrong.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was changed.")


# What keeps a promotion from running is missing in it, not in the input, which names the promotion and no more.
_ON_ACTIVATING: Places = {"code": ("id",), "fallbackCode": ("id",)}


async def _done(info: Asked, act: Awaitable[Facts], places: Places = AS_NAMED) -> dict[str, Any]:
    """The fields of the payload of an act on a promotion."""
    facts, errors = await answered(act, places)
    promotion = None if facts is None else promotion_node(facts, info.context.now)
    return {"promotion": promotion, "user_errors": errors}


@strawberry.type
class PromotionMutations:
    @strawberry.mutation(description="Set up a promotion, as a draft.", directives=WRITE)
    async def promotion_create(self, info: Asked, input: Given[PromotionCreateInput]) -> PromotionCreatePayload:
        return PromotionCreatePayload(**await _done(info, _create(info, input), places_of(input)))

    @strawberry.mutation(description="Change a promotion, as far as it may still change.", directives=WRITE)
    async def promotion_update(self, info: Asked, input: Given[PromotionUpdateInput]) -> PromotionUpdatePayload:
        return PromotionUpdatePayload(**await _done(info, _update(info, input), places_of(input)))

    @strawberry.mutation(description="Let a draft or a paused promotion run.", directives=WRITE)
    async def promotion_activate(self, info: Asked, input: Given[PromotionActInput]) -> PromotionActivatePayload:
        act = _move(input, info.context.services.promoting.activate)
        return PromotionActivatePayload(**await _done(info, act, _ON_ACTIVATING))

    @strawberry.mutation(description="Stop a promotion for a while: it gives and redeems nothing.", directives=WRITE)
    async def promotion_pause(self, info: Asked, input: Given[PromotionActInput]) -> PromotionPausePayload:
        return PromotionPausePayload(**await _done(info, _move(input, info.context.services.promoting.pause)))

    @strawberry.mutation(description="End a promotion for good: it issues no more codes.", directives=WRITE)
    async def promotion_end(self, info: Asked, input: Given[PromotionEndInput]) -> PromotionEndPayload:
        return PromotionEndPayload(**await _done(info, _end(info, input)))

    @strawberry.mutation(description="Put away a promotion that has ended, or a draft.", directives=WRITE)
    async def promotion_archive(self, info: Asked, input: Given[PromotionActInput]) -> PromotionArchivePayload:
        return PromotionArchivePayload(**await _done(info, _move(input, info.context.services.promoting.archive)))

    @strawberry.mutation(description="Copy a promotion's terms into a new draft without codes.", directives=WRITE)
    async def promotion_duplicate(
        self, info: Asked, input: Given[PromotionDuplicateInput]
    ) -> PromotionDuplicatePayload:
        return PromotionDuplicatePayload(**await _done(info, _duplicate(info, input)))


async def _create(info: Asked, input: PromotionCreateInput) -> Facts:
    draft = draft_of(input, await _types(info, input))
    return await info.context.services.promoting.create(draft, key=input.idempotency_key)


async def _update(info: Asked, input: PromotionUpdateInput) -> Facts:
    promoting = info.context.services.promoting
    id_ = read_number(input.id, "Promotion")
    types = await _types(info, input)
    return await promoting.update(id_, lambda terms: changed(terms, input, types))


async def _types(info: Asked, input: PromotionCreateInput | PromotionUpdateInput) -> Types:
    """What is known of attributes, where there is a condition that may ask about some."""
    return await info.context.services.people.types() if input.condition else {}


async def _move(input: PromotionActInput, act: Callable[[int], Awaitable[Facts]]) -> Facts:
    return await act(read_number(input.id, "Promotion"))


async def _end(info: Asked, input: PromotionEndInput) -> Facts:
    return await info.context.services.promoting.end(
        read_number(input.id, "Promotion"), stop_redeeming=input.stop_redeeming
    )


async def _duplicate(info: Asked, input: PromotionDuplicateInput) -> Facts:
    return await info.context.services.promoting.duplicate(
        read_number(input.id, "Promotion"), handle=input.handle, name=input.name, key=input.idempotency_key
    )
