"""Telling shops."""

import strawberry

from promograph.api.answering import KEY, Given, answered
from promograph.api.context import Asked
from promograph.api.jobs import Job, job_node
from promograph.api.nodes import read_number
from promograph.api.rights import WRITE
from promograph.api.user_errors import UserError
from promograph.domain import jobs


@strawberry.type(description="A shop that can be told of promotions and their codes.", directives=WRITE)
class Shop:
    name: str = strawberry.field(description="Its key.")
    title: str = strawberry.field(description="What people call it.")


@strawberry.type
class ShopQueries:
    @strawberry.field(description="The shops that can be told of promotions, by name.", directives=WRITE)
    async def shops(self, info: Asked) -> list[Shop]:
        return [Shop(name=shop.name, title=shop.title) for shop in info.context.services.shops.shops.values()]


@strawberry.input(description="Which shop to tell of which promotion.")
class PromotionPushInput:
    promotion: strawberry.ID = strawberry.field(description="The promotion.")
    shop: str = strawberry.field(description="The shop's name, as `shops` has it.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type(description="The job that tells the shop.", directives=WRITE)
class PromotionPushPayload:
    job: Job | None = strawberry.field(
        description="The job. When it is done, its `download` lists the codes that the shop would not take."
    )
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then there is no job.")


@strawberry.type
class ShopMutations:
    @strawberry.mutation(
        description="Tell a shop of a promotion and its codes: all that the shop does not know yet, and nothing twice. "
        "From then on the shop is kept in step by itself.",
        directives=WRITE,
    )
    async def promotion_push(self, info: Asked, input: Given[PromotionPushInput]) -> PromotionPushPayload:
        job, errors = await answered(_push(info, input))
        return PromotionPushPayload(job=None if job is None else job_node(job), user_errors=errors)


async def _push(info: Asked, input: PromotionPushInput) -> jobs.Job:
    id_ = read_number(input.promotion, "Promotion", "promotion")
    return await info.context.services.shops.push(id_, input.shop, key=input.idempotency_key)
