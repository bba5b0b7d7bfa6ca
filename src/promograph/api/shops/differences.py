"""What a shop says was used against what was redeemed."""

from datetime import datetime
from typing import Annotated

import strawberry

from promograph.api.answering import KEY, Given, answered
from promograph.api.connections import After, Before, Connection, First, Last, connection_of, slice_of
from promograph.api.context import Asked
from promograph.api.enums import described
from promograph.api.jobs import Job, job_node
from promograph.api.money import Money, shown_money
from promograph.api.nodes import read_number
from promograph.api.promotions.promotion import Promotion, promotion_node
from promograph.api.rights import READ, WRITE
from promograph.api.user_errors import UserError
from promograph.domain import jobs
from promograph.domain.shops import differences
from promograph.domain.shops.differences import DifferenceKind
from promograph.errors import BadInput, InputProblem

described(
    DifferenceKind,
    "ShopDifferenceKind",
    "What a shop and we do not agree on.",
    {
        "NOT_REDEEMED_HERE": "The code was used in an order there, and is not redeemed for it here.",
        "CANCELLED_THERE": "The order was cancelled there, and the redemption stands here.",
        "NOT_SOLD_THERE": "The code is redeemed for an order of which the shop has not told.",
        "OTHER_AMOUNT": "The discount there is another one than was redeemed.",
    },
)


@strawberry.type(description="A code in an order on which a shop and we do not agree.", directives=WRITE)
class ShopDifference:
    promotion_id: strawberry.Private[int]

    kind: DifferenceKind = strawberry.field(description="What does not agree.")
    order: str = strawberry.field(description="The shop's own id of the order.")
    code: str = strawberry.field(description="The code, in capitals.")
    there: Money | None = strawberry.field(description="The discount as the shop has it, where it says.")
    here: Money | None = strawberry.field(description="The discount as it was redeemed, where there is one.")
    why: str | None = strawberry.field(description="Why it is not redeemed here, where that is known.")
    is_mended: bool = strawberry.field(description="Whether the job has mended it.")

    @strawberry.field(description="The promotion that the code belongs to.", directives=READ)
    async def promotion(self, info: Asked) -> Promotion | None:
        found = await info.context.promotion(self.promotion_id)
        return None if found is None else promotion_node(found, info.context.now)


@strawberry.input(description="Which shop to hold against what was redeemed here.")
class ShopReconcileInput:
    shop: str = strawberry.field(description="The shop's name, as `shops` has it.")
    since: datetime = strawberry.field(description="Orders made or changed since then.")
    mend: bool = strawberry.field(
        default=False,
        description="Redeem what was used there and not here, and roll back what was cancelled there, as the shop's "
        "order events would have done.",
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type(description="The job that compares.", directives=WRITE)
class ShopReconcilePayload:
    job: Job | None = strawberry.field(
        description="The job: `shopDifferences` lists what it finds; `failed` counts, once it is done, what still does "
        "not agree, and its `download` is the list."
    )
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then there is no job.")


@strawberry.type
class DifferenceQueries:
    @strawberry.field(description="What a `shopReconcile` has found, in that order.", directives=WRITE)
    async def shop_differences(
        self,
        info: Asked,
        job: Annotated[strawberry.ID, strawberry.argument(description="The job.")],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[ShopDifference]:
        id_ = read_number(job, "Job", "job")
        list_name = f"shopDifferences.{id_}"
        part = slice_of(first, after, last, before, list_name=list_name)
        page = await info.context.services.reconciling.page(id_, part)
        return connection_of(page, list_name, difference_node)


@strawberry.type
class DifferenceMutations:
    @strawberry.mutation(
        description="Hold the orders of a shop against what was redeemed here, and list what does not agree.",
        directives=WRITE,
    )
    async def shop_reconcile(self, info: Asked, input: Given[ShopReconcileInput]) -> ShopReconcilePayload:
        job, errors = await answered(_reconcile(info, input))
        return ShopReconcilePayload(job=None if job is None else job_node(job), user_errors=errors)


def difference_node(one: differences.Difference) -> ShopDifference:
    return ShopDifference(
        promotion_id=one.promotion_id,
        kind=one.kind,
        order=one.order,
        code=one.code,
        there=None if one.there is None else shown_money(one.there),
        here=None if one.here is None else shown_money(one.here),
        why=one.why,
        is_mended=one.is_mended,
    )


async def _reconcile(info: Asked, input: ShopReconcileInput) -> jobs.Job:
    if input.since.utcoffset() is None:
        sentence = "An instant needs its offset, such as 2026-12-01T09:00:00Z."
        raise BadInput(InputProblem.INVALID, sentence, field=("since",))
    return await info.context.services.reconciling.begin(
        input.shop, input.since, mend=input.mend, key=input.idempotency_key
    )
