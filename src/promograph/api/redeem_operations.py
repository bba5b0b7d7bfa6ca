"""What a checkout asks: would this code work, and use it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import strawberry

from promograph.api.answering import Given, answered
from promograph.api.carts import CartInput, read_cart
from promograph.api.context import Asked
from promograph.api.discount import Discount, shown_discount
from promograph.api.redeem_inputs import (
    CodeRedeemInput,
    CodesRedeemInput,
    CodesValidateInput,
    CodeValidateInput,
    redeem_call,
    redeem_request,
    validate_request,
    validate_requests,
)
from promograph.api.redemption import Redemption, redemption_node
from promograph.api.rights import REDEEM, REDEEMED
from promograph.api.user_errors import UserError, user_error
from promograph.domain import redeeming
from promograph.domain.redeeming import RedeemOutcome


@strawberry.type(
    description="Whether a code would be redeemed now. Who neither manages promotions nor names the code's holder gets "
    "the same answer to a code that cannot be used as to one that does not exist.",
    directives=REDEEM,
)
class Validation:
    is_valid: bool = strawberry.field(description="Whether it would be redeemed.")
    text: str | None = strawberry.field(description="The code; none where no code is needed.")
    promotion_handle: str | None = strawberry.field(description="The handle of its promotion, when it is valid.")
    promotion_name: str | None = strawberry.field(description="The name of its promotion, when it is valid.")
    expires_at: datetime | None = strawberry.field(description="When it stops working, when it is valid.")
    uses_left: int | None = strawberry.field(description="How often it works yet, when it is valid; none: no limit.")
    discount: Discount | None = strawberry.field(
        description="What comes off the cart, when it is valid; none where only the shop knows."
    )
    user_errors: list[UserError] = strawberry.field(description="Every reason why not, the weightiest first.")


@strawberry.type(
    description="Whether all of these would be redeemed on one cart, as one: each takes its discount from what those "
    "of a higher priority leave.",
    directives=REDEEM,
)
class CartValidation:
    is_valid: bool = strawberry.field(description="Whether all would be redeemed.")
    results: list[Validation] = strawberry.field(description="Each, in the order asked: codes, then promotions.")
    user_errors: list[UserError] = strawberry.field(description="What is wrong with the question.")


@strawberry.type(description="The use of a code.", directives=REDEEMED)
class CodeRedeemPayload:
    redemption: Redemption | None = strawberry.field(description="The use; none when it was refused.")
    replayed: bool = strawberry.field(description="Whether this answer was given before.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused.")


@strawberry.type(description="The use of several codes on one order.", directives=REDEEMED)
class CodesRedeemPayload:
    redemptions: list[Redemption] = strawberry.field(description="The uses, in the order asked; all of them or none.")
    replayed: bool = strawberry.field(description="Whether this answer was given before.")
    user_errors: list[UserError] = strawberry.field(description="Why they were refused, each with the code's place.")


@strawberry.type
class RedeemQueries:
    @strawberry.field(
        description="Whether a code would be redeemed now, and if not, why. Changes nothing.", directives=REDEEM
    )
    async def code_validate(self, info: Asked, input: Given[CodeValidateInput]) -> Validation:
        answer, errors = await answered(_validate(info, input))
        return _refused(input.code, errors) if answer is None else _shown(info, input.code, answer)

    @strawberry.field(
        description="Whether several codes would be redeemed on one cart, as one. Changes nothing.", directives=REDEEM
    )
    async def codes_validate(self, info: Asked, input: Given[CodesValidateInput]) -> CartValidation:
        answers, errors = await answered(_validate_together(info, input))
        asked: Sequence[str | None] = [*input.codes, *(None for _ in input.promotions)]
        results = [_shown(info, text, answer) for text, answer in zip(asked, answers or (), strict=False)]
        valid = bool(results) and all(result.is_valid for result in results)
        return CartValidation(is_valid=valid, results=results, user_errors=errors)

    @strawberry.field(
        description="The promotions without codes that a cart is eligible for, each looked at by itself, in the order "
        "in which they would take their discounts.",
        directives=REDEEM,
    )
    async def promotions_for_cart(
        self,
        info: Asked,
        cart: Annotated[CartInput, strawberry.argument(description="The shopper's cart.")],
        customer: Annotated[str | None, strawberry.argument(description="Whose, by your own id.")] = None,
    ) -> list[Validation]:
        read = read_cart(cart, customer)
        assert read is not None
        found = await info.context.services.redeeming.promotions_for_cart(read, customer)
        return [_shown(info, None, answer) for answer in found]


@strawberry.type
class RedeemMutations:
    @strawberry.mutation(description="Use a code, once and for all.", directives=REDEEM)
    async def code_redeem(self, info: Asked, input: Given[CodeRedeemInput]) -> CodeRedeemPayload:
        outcome, errors = await answered(_redeem(info, input))
        if outcome is None:
            return CodeRedeemPayload(redemption=None, replayed=False, user_errors=errors)
        return CodeRedeemPayload(
            redemption=None if outcome.redemption is None else redemption_node(outcome.redemption),
            replayed=outcome.replayed,
            user_errors=_why_not(info, outcome),
        )

    @strawberry.mutation(description="Use several codes on one order: all of them, or none.", directives=REDEEM)
    async def codes_redeem(self, info: Asked, input: Given[CodesRedeemInput]) -> CodesRedeemPayload:
        outcomes, errors = await answered(_redeem_together(info, input))
        redeemed = [outcome.redemption for outcome in outcomes or () if outcome.redemption is not None]
        for place, outcome in enumerate(outcomes or ()):
            errors += _why_not(info, outcome, "codes", str(place))
        return CodesRedeemPayload(
            redemptions=[redemption_node(redemption) for redemption in redeemed],
            replayed=any(outcome.replayed for outcome in outcomes or ()),
            user_errors=errors,
        )


def _why_not(info: Asked, outcome: RedeemOutcome, *at: str) -> list[UserError]:
    if outcome.problem is not None:
        whole = "idempotencyKey" in outcome.problem.field
        return [user_error(outcome.problem, *(() if whole else at))]
    return [user_error(refusal, *at) for refusal in info.context.disclosed(outcome)]


def _shown(info: Asked, text: str | None, answer: redeeming.Validation) -> Validation:
    if not answer.is_valid or answer.promotion is None:
        return _refused(text, [user_error(refusal) for refusal in info.context.disclosed(answer)])
    return Validation(
        is_valid=True,
        text=answer.text,
        promotion_handle=answer.promotion.terms.handle,
        promotion_name=answer.promotion.terms.name,
        expires_at=answer.expires_at,
        uses_left=answer.uses_left,
        discount=shown_discount(answer.discount),
        user_errors=[],
    )


def _refused(text: str | None, errors: list[UserError]) -> Validation:
    return Validation(
        is_valid=False,
        text=text,
        promotion_handle=None,
        promotion_name=None,
        expires_at=None,
        uses_left=None,
        discount=None,
        user_errors=errors,
    )


async def _validate(info: Asked, input: CodeValidateInput) -> redeeming.Validation:
    return await info.context.services.redeeming.validate(validate_request(input))


async def _validate_together(info: Asked, input: CodesValidateInput) -> Sequence[redeeming.Validation]:
    return await info.context.services.redeeming.validate_together(validate_requests(input))


async def _redeem(info: Asked, input: CodeRedeemInput) -> RedeemOutcome:
    return await info.context.services.redeeming.redeem(redeem_request(input))


async def _redeem_together(info: Asked, input: CodesRedeemInput) -> list[RedeemOutcome]:
    return await info.context.services.redeeming.redeem_together(redeem_call(input))
