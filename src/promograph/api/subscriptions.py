"""What can be watched."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry

from promograph.api.context import Asked
from promograph.api.jobs import Job, job_node, visible_job
from promograph.api.nodes import read_number
from promograph.api.promotions.promotion import Inventory, shown_inventory
from promograph.api.rights import JOBS, READ, SENDS
from promograph.api.sends.send import SendProgress, shown_progress
from promograph.errors import BadInput, InputProblem


@strawberry.type(
    description="What can be watched: the first value comes at once, later ones as they come about, the newest alone "
    "to those who are slow."
)
class Subscription:
    @strawberry.subscription(
        description="A promotion's numbers whenever they have moved, at most a few times a second.", directives=READ
    )
    async def inventory_changed(
        self, info: Asked, promotion: Annotated[strawberry.ID, strawberry.argument(description="The promotion.")]
    ) -> AsyncGenerator[Inventory, None]:
        id_ = read_number(promotion, "Promotion", "promotion")
        async with aclosing(info.context.services.watching.inventory(id_)) as changes:
            async for numbers in changes:
                yield shown_inventory(numbers)

    @strawberry.subscription(
        description="How far a send is, at most a few times a second; ends with the send.", directives=SENDS
    )
    async def send_progress(
        self, info: Asked, send: Annotated[strawberry.ID, strawberry.argument(description="The send.")]
    ) -> AsyncGenerator[SendProgress, None]:
        id_ = read_number(send, "Send", "send")
        async with aclosing(info.context.services.watching.send(id_)) as states:
            async for state in states:
                yield shown_progress(state)

    @strawberry.subscription(
        description="A job as it gets on, at most a few times a second; ends with the job.", directives=JOBS
    )
    async def job_progress(
        self, info: Asked, job: Annotated[strawberry.ID, strawberry.argument(description="The job.")]
    ) -> AsyncGenerator[Job, None]:
        id_ = read_number(job, "Job", "job")
        if await visible_job(info, id_) is None:
            raise BadInput(InputProblem.NOT_FOUND, "No job has this id.", field=("job",))
        async with aclosing(info.context.services.jobs.watch(id_)) as states:
            async for state in states:
                yield job_node(state)
