"""A promotion's review before it runs."""

from typing import Annotated

import strawberry

from promograph.api.context import Asked
from promograph.api.enums import described
from promograph.api.nodes import read_number
from promograph.api.promotions.promotion import Promotion, promotion_node
from promograph.api.rights import WRITE
from promograph.domain.keys import checked_key
from promograph.domain.reviews.findings import OBSTACLES, Concern, Finding
from promograph.domain.reviews.summarising import SetUpStep, SummaryStep
from promograph.errors import BadInput, InputProblem

described(
    SetUpStep,
    "SetUpStep",
    "A step of setting up a promotion.",
    {
        "DETAILS": "What it is called.",
        "PROPERTIES": "Its free properties.",
        "REWARD": "What its codes are worth, on which condition, and what else may share the cart.",
        "LIMITS": "When it runs, and how much of it there is: budget, caps, uses.",
        "CODES": "The kind of its codes, how many there are, how they are allocated, and what follows the last.",
    },
)
described(
    Concern,
    "PromotionConcern",
    "What may not be meant, or what is missing.",
    {
        "SINGLE_CODE_MISSING": "A SINGLE promotion has no code.",
        "FALLBACK_MISSING": "onEmpty is FALLBACK, and there is no fallback code.",
        "NO_CODES": "There are no codes, and none are made on demand.",
        "CAP_ABOVE_POOL": "More customers may get a code than there are codes.",
        "ALREADY_OVER": "The window is over before the promotion has begun.",
        "STARTS_IN_PAST": "The window began in the past.",
        "NO_LIMIT": "It never ends, and nothing bounds it as a whole.",
        "FALLBACK_WITHOUT_LIMIT": "Nothing bounds the uses of the fallback code.",
        "APPLIES_TO_EVERYBODY": "It needs neither a code nor a condition, and nothing bounds its uses.",
        "BUDGET_BELOW_DISCOUNT": "A single use may take more than the whole budget.",
        "TAKES_EVERYTHING": "The whole cart is free.",
        "NO_MINIMUM": "An amount is taken off carts that may cost less.",
        "AMOUNT_ABOVE_MINIMUM": "The amount taken off is as large as the minimum that the condition asks for.",
        "CURRENCIES_DIFFER": "The condition is about another currency than the rest, and no cart is in both.",
        "CUSTOMER_NEEDED": "Its uses are anonymous, and something asks who the customer is.",
        "UNKNOWN_REFERENCE": "The condition names a promotion or a segment that is not there.",
        "WITHOUT_EFFECT": "A setting has no effect beside the others.",
    },
)


@strawberry.type(description="One thing to look at before a promotion runs.", directives=WRITE)
class PromotionWarning:
    code: Concern = strawberry.field(description="What it is, for programs.")
    message: str = strawberry.field(description="What it is, for people.")
    setting: str | None = strawberry.field(description="The field of PromotionUpdateInput that is about it.")
    blocks_activation: bool = strawberry.field(description="Whether the promotion cannot be activated like this.")


@strawberry.type(description="What one step of the set-up decided, in plain words.", directives=WRITE)
class PromotionSummaryStep:
    step: SetUpStep = strawberry.field(description="Which step.")
    lines: list[str] = strawberry.field(description="What it decided; each line says one thing.")


@strawberry.type(description="All that was decided about a promotion, for review.", directives=WRITE)
class PromotionSummary:
    promotion: Promotion = strawberry.field(description="The promotion, for programs.")
    steps: list[PromotionSummaryStep] = strawberry.field(description="The promotion, for people: all five steps.")
    warnings: list[PromotionWarning] = strawberry.field(
        description="What may not be meant, what blocks its activation first; none once it has ended."
    )


@strawberry.type
class PromotionSummaryQueries:
    @strawberry.field(description="The review of a promotion, by its id or by its handle.", directives=WRITE)
    async def promotion_summary(
        self,
        info: Asked,
        id: Annotated[strawberry.ID | None, strawberry.argument(description="Its global id.")] = None,
        handle: Annotated[str | None, strawberry.argument(description="Its handle, instead.")] = None,
    ) -> PromotionSummary | None:
        if (id is None) == (handle is None):
            raise BadInput(InputProblem.INVALID, "Give either the id or the handle.", field=("id",))
        number = None if id is None else read_number(id, "Promotion")
        named = None if handle is None else checked_key(handle, "handle")
        found = await info.context.services.reviewing.summary(id_=number, handle=named)
        if found is None:
            return None
        return PromotionSummary(
            promotion=promotion_node(found.promotion, info.context.now),
            steps=[_shown_step(step) for step in found.steps],
            warnings=[_shown_finding(finding) for finding in found.findings],
        )


def _shown_step(step: SummaryStep) -> PromotionSummaryStep:
    return PromotionSummaryStep(step=step.step, lines=list(step.lines))


def _shown_finding(finding: Finding) -> PromotionWarning:
    return PromotionWarning(
        code=finding.concern,
        message=finding.message,
        setting=finding.setting,
        blocks_activation=finding.concern in OBSTACLES,
    )
