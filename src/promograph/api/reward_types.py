"""Reward types: set up once, named by promotions."""

from datetime import datetime
from typing import Any

import strawberry

from promograph.api.answering import KEY, Given, answered
from promograph.api.context import Asked
from promograph.api.rights import READ, WRITE
from promograph.api.user_errors import UserError
from promograph.domain import rewards
from promograph.domain.rewards import Effect
from promograph.store.reward_types import StoredRewardType


@strawberry.type(description="What rewards do, set up once; a promotion says how much of it.", directives=READ)
class RewardType:
    handle: str = strawberry.field(description="The unique name for programs; it never changes.")
    name: str = strawberry.field(description="The name for people.")
    effect: Effect = strawberry.field(description="What it does; it never changes.")
    created_at: datetime = strawberry.field(description="When it was set up.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")


@strawberry.input(description="A reward type to set up.")
class RewardTypeCreateInput:
    name: str = strawberry.field(description="The name for people, such as `Percentage off`: at most 200 characters.")
    effect: Effect = strawberry.field(description="What it does.")
    handle: str | None = strawberry.field(
        default=None, description="The unique name for programs, at most 64 characters; made from the name if left out."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="Which reward type to change, and how.")
class RewardTypeUpdateInput:
    handle: str = strawberry.field(description="The reward type.")
    name: str = strawberry.field(description="Its new name for people.")


@strawberry.input(description="Which reward type to delete.")
class RewardTypeDeleteInput:
    handle: str = strawberry.field(description="The reward type; no promotion may name it.")


@strawberry.type(description="The new reward type.", directives=WRITE)
class RewardTypeCreatePayload:
    reward_type: RewardType | None = strawberry.field(description="The type; none when something was wrong.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was changed.")


@strawberry.type(description="The reward type as changed.", directives=WRITE)
class RewardTypeUpdatePayload:
    reward_type: RewardType | None = strawberry.field(description="The type; none when something was wrong.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was changed.")


@strawberry.type(description="The reward type that was.", directives=WRITE)
class RewardTypeDeletePayload:
    reward_type: RewardType | None = strawberry.field(description="The type; none when something was wrong.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was changed.")


@strawberry.type
class RewardTypeQueries:
    @strawberry.field(description="All reward types, by name.", directives=READ)
    async def reward_types(self, info: Asked) -> list[RewardType]:
        return [shown_type(stored) for stored in await info.context.services.reward_types.every()]


@strawberry.type
class RewardTypeMutations:
    @strawberry.mutation(description="Set up a reward type.", directives=WRITE)
    async def reward_type_create(self, info: Asked, input: Given[RewardTypeCreateInput]) -> RewardTypeCreatePayload:
        new = rewards.RewardType(handle=input.handle or "", name=input.name, effect=input.effect)
        act = info.context.services.reward_types.create(new, key=input.idempotency_key)
        return RewardTypeCreatePayload(**_shown(*await answered(act)))

    @strawberry.mutation(description="Change how a reward type is called.", directives=WRITE)
    async def reward_type_update(self, info: Asked, input: Given[RewardTypeUpdateInput]) -> RewardTypeUpdatePayload:
        act = info.context.services.reward_types.rename(input.handle, input.name)
        return RewardTypeUpdatePayload(**_shown(*await answered(act)))

    @strawberry.mutation(description="Delete a reward type that no promotion names.", directives=WRITE)
    async def reward_type_delete(self, info: Asked, input: Given[RewardTypeDeleteInput]) -> RewardTypeDeletePayload:
        act = info.context.services.reward_types.delete(input.handle)
        return RewardTypeDeletePayload(**_shown(*await answered(act)))


def shown_type(stored: StoredRewardType) -> RewardType:
    return RewardType(
        handle=stored.type.handle,
        name=stored.type.name,
        effect=stored.type.effect,
        created_at=stored.created_at,
        updated_at=stored.updated_at,
    )


def _shown(stored: StoredRewardType | None, errors: list[UserError]) -> dict[str, Any]:
    """The fields of a payload."""
    return {"reward_type": None if stored is None else shown_type(stored), "user_errors": errors}
