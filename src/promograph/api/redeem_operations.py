"""What a checkout asks: would this code work, and use it."""

from datetime import datetime

import strawberry

from promograph.api.answering import Given, answered
from promograph.api.context import Asked
from promograph.api.money import MoneyInput, read_money
from promograph.api.redemption import Redemption, redemption_node
from promograph.api.rights import REDEEM, REDEEMED
from promograph.api.user_errors import UserError, user_error
from promograph.domain.redeeming import RedeemOutcome, RedeemRequest, ValidateRequest

_CUSTOMER = "Who uses it, by your own id. Naming the holder of the code also gets you the exact reason of a refusal."


@strawberry.input(description="Which code, for whom.")
class CodeValidateInput:
    code: str = strawberry.field(description="The code as entered; letter case and spaces around it do not matter.")
    customer: str | None = strawberry.field(default=None, description=_CUSTOMER)


@strawberry.input(description="Which code to use, for whom, on which order.")
class CodeRedeemInput:
    code: str = strawberry.field(description="The code as entered; letter case and spaces around it do not matter.")
    customer: str | None = strawberry.field(default=None, description=_CUSTOMER)
    order: str | None = strawberry.field(default=None, description="Your reference of the order.")
    order_amount: MoneyInput | None = strawberry.field(default=None, description="What the order comes to.")
    discount: MoneyInput | None = strawberry.field(default=None, description="What you took off for the code.")
    channel: str | None = strawberry.field(default=None, description="Where it is used.")
    idempotency_key: str | None = strawberry.field(
        default=None,
        description="Repeat the call with the same key and you get the first answer: at most 128 characters.",
    )


@strawberry.type(
    description="Whether a code would be redeemed now. Who neither manages promotions nor names the code's holder gets "
    "the same answer to a code that cannot be used as to one that does not exist.",
    directives=REDEEM,
)
class Validation:
    is_valid: bool = strawberry.field(description="Whether it would be redeemed.")
    text: str = strawberry.field(description="The code.")
    promotion_handle: str | None = strawberry.field(description="The handle of its promotion, when it is valid.")
    promotion_name: str | None = strawberry.field(description="The name of its promotion, when it is valid.")
    expires_at: datetime | None = strawberry.field(description="When it stops working, when it is valid.")
    uses_left: int | None = strawberry.field(description="How often it works yet, when it is valid; none: no limit.")
    user_errors: list[UserError] = strawberry.field(description="Every reason why not, the weightiest first.")


@strawberry.type(description="The use of a code.", directives=REDEEMED)
class CodeRedeemPayload:
    redemption: Redemption | None = strawberry.field(description="The use; none when it was refused.")
    replayed: bool = strawberry.field(description="Whether this answer was given before.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused.")


@strawberry.type
class RedeemQueries:
    @strawberry.field(
        description="Whether a code would be redeemed now, and if not, why. Changes nothing.", directives=REDEEM
    )
    async def code_validate(self, info: Asked, input: Given[CodeValidateInput]) -> Validation:
        request = ValidateRequest(code=input.code, customer=input.customer)
        answer, errors = await answered(info.context.services.redeeming.validate(request))
        if answer is None or not answer.is_valid or answer.promotion is None:
            refusals = [] if answer is None else [user_error(refusal) for refusal in info.context.disclosed(answer)]
            return Validation(
                is_valid=False,
                text=input.code,
                promotion_handle=None,
                promotion_name=None,
                expires_at=None,
                uses_left=None,
                user_errors=errors + refusals,
            )
        return Validation(
            is_valid=True,
            text=answer.text,
            promotion_handle=answer.promotion.terms.handle,
            promotion_name=answer.promotion.terms.name,
            expires_at=answer.expires_at,
            uses_left=answer.uses_left,
            user_errors=[],
        )


@strawberry.type
class RedeemMutations:
    @strawberry.mutation(description="Use a code, once and for all.", directives=REDEEM)
    async def code_redeem(self, info: Asked, input: Given[CodeRedeemInput]) -> CodeRedeemPayload:
        outcome, errors = await answered(_redeem(info, input))
        if outcome is None:
            return CodeRedeemPayload(redemption=None, replayed=False, user_errors=errors)
        if outcome.problem is not None:
            errors = [user_error(outcome.problem)]
        return CodeRedeemPayload(
            redemption=None if outcome.redemption is None else redemption_node(outcome.redemption),
            replayed=outcome.replayed,
            user_errors=errors + [user_error(refusal) for refusal in info.context.disclosed(outcome)],
        )


async def _redeem(info: Asked, input: CodeRedeemInput) -> RedeemOutcome:
    request = RedeemRequest(
        code=input.code,
        customer=input.customer,
        order=input.order,
        order_amount=read_money(input.order_amount, "orderAmount"),
        discount=read_money(input.discount, "discount"),
        channel=input.channel,
        idempotency_key=input.idempotency_key,
    )
    return await info.context.services.redeeming.redeem(request)
