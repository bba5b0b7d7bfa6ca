"""Setting a use aside while a checkout runs, and undoing a use."""

from datetime import datetime

import strawberry

from promograph.api.answering import Given, answered
from promograph.api.context import Asked
from promograph.api.discount import Discount, shown_discount
from promograph.api.enums import described
from promograph.api.money import Money, MoneyInput, read_money, shown_money
from promograph.api.nodes import read_global_id
from promograph.api.redeem_inputs import CodeHoldInput, hold_request
from promograph.api.redemption import Redemption, Rollback, redemption_node, shown_rollback
from promograph.api.rights import REDEEM, REDEEMED
from promograph.api.user_errors import UserError, user_error
from promograph.domain import redeeming
from promograph.domain.redeeming import HoldOutcome, HoldState, RollbackOutcome, RollbackRequest
from promograph.errors import BadInput, InputProblem
from promograph.store.holding import ReleaseOutcome

described(
    HoldState,
    "HoldState",
    "How a hold stands.",
    {
        "OPEN": "The use is set aside.",
        "REDEEMED": "It was used.",
        "RELEASED": "It was given back.",
        "LAPSED": "Its time is over: it counts for nothing.",
    },
)


@strawberry.type(description="A use set aside: it counts like a use until it lapses or is released.", directives=REDEEM)
class Hold:
    token: str = strawberry.field(description="Whoever has this redeems or releases it.")
    text: str | None = strawberry.field(description="The code, as it was added; none where no code was needed.")
    promotion_handle: str = strawberry.field(description="The handle of the promotion.")
    customer: str | None = strawberry.field(description="For whom, by the caller's own id.")
    state: HoldState = strawberry.field(description="How it stands.")
    held_at: datetime = strawberry.field(description="Since when.")
    expires_at: datetime = strawberry.field(description="When it lapses.")
    order: str | None = strawberry.field(description="The shop's reference of the order.")
    amount: Money | None = strawberry.field(description="How much money it sets aside.")
    discount: Discount | None = strawberry.field(description="How a discount that was worked out here is made up.")


@strawberry.input(description="Which hold to give back.")
class HoldReleaseInput:
    token: str = strawberry.field(description="The hold's token.")


@strawberry.input(description="Which redemption to undo, and how much of it.")
class RedemptionRollbackInput:
    id: strawberry.ID = strawberry.field(description="The redemption.")
    amount: MoneyInput | None = strawberry.field(
        default=None, description="So much of its discount; left out: all that is left, and the use with it."
    )
    reason: str | None = strawberry.field(default=None, description="Why, at most 500 characters.")
    idempotency_key: str | None = strawberry.field(
        default=None,
        description="Repeat the call with the same key and you get the first answer: at most 128 characters.",
    )


@strawberry.type(description="The setting aside of a use.", directives=REDEEM)
class CodeHoldPayload:
    hold: Hold | None = strawberry.field(description="The hold; none when it was refused.")
    replayed: bool = strawberry.field(description="Whether this answer was given before.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused.")


@strawberry.type(description="The end of a hold.", directives=REDEEM)
class HoldReleasePayload:
    hold: Hold | None = strawberry.field(description="The hold as it stands now.")
    user_errors: list[UserError] = strawberry.field(description="Why it cannot be given back.")


@strawberry.type(description="The undoing of a redemption.", directives=REDEEMED)
class RedemptionRollbackPayload:
    rollback: Rollback | None = strawberry.field(description="What was undone; none when it was refused.")
    redemption: Redemption | None = strawberry.field(description="The redemption.")
    replayed: bool = strawberry.field(description="Whether this answer was given before.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused.")


@strawberry.type
class HoldMutations:
    @strawberry.mutation(
        description="Set a use aside while a checkout runs, as codeRedeem would take it.", directives=REDEEM
    )
    async def code_hold(self, info: Asked, input: Given[CodeHoldInput]) -> CodeHoldPayload:
        outcome, errors = await answered(_hold(info, input))
        if outcome is None:
            return CodeHoldPayload(hold=None, replayed=False, user_errors=errors)
        if outcome.problem is not None:
            errors = [user_error(outcome.problem)]
        refusals = [user_error(refusal) for refusal in info.context.disclosed(outcome)]
        return CodeHoldPayload(
            hold=None if outcome.hold is None else _shown(outcome.hold, info.context.now),
            replayed=outcome.replayed,
            user_errors=errors + refusals,
        )

    @strawberry.mutation(
        description="Give a hold back. One that is released or has lapsed already is fine.", directives=REDEEM
    )
    async def hold_release(self, info: Asked, input: Given[HoldReleaseInput]) -> HoldReleasePayload:
        outcome, errors = await answered(_release(info, input))
        if outcome is None:
            return HoldReleasePayload(hold=None, user_errors=errors)
        return HoldReleasePayload(
            hold=None if outcome.hold is None else _shown(outcome.hold, info.context.now),
            user_errors=[user_error(refusal, "token") for refusal in outcome.refusals],
        )

    @strawberry.mutation(
        description="Undo a redemption, whole or in part, any time later and several times up to the whole. The money "
        "comes back at once, the use with the last of it.",
        directives=REDEEM,
    )
    async def redemption_rollback(
        self, info: Asked, input: Given[RedemptionRollbackInput]
    ) -> RedemptionRollbackPayload:
        outcome, errors = await answered(_roll_back(info, input))
        if outcome is None:
            return RedemptionRollbackPayload(rollback=None, redemption=None, replayed=False, user_errors=errors)
        if outcome.problem is not None:
            errors = [user_error(outcome.problem)]
        return RedemptionRollbackPayload(
            rollback=None if outcome.rollback is None else shown_rollback(outcome.rollback),
            redemption=None if outcome.redemption is None else redemption_node(outcome.redemption),
            replayed=outcome.replayed,
            user_errors=errors + [user_error(refusal, "id") for refusal in outcome.refusals],
        )


def _shown(hold: redeeming.Hold, now: datetime) -> Hold:
    return Hold(
        token=hold.token,
        text=hold.text,
        promotion_handle=hold.handle,
        customer=hold.customer,
        state=hold.state(now),
        held_at=hold.held_at,
        expires_at=hold.expires_at,
        order=hold.order,
        amount=shown_money(hold.discount),
        discount=shown_discount(hold.taken),
    )


async def _hold(info: Asked, input: CodeHoldInput) -> HoldOutcome:
    return await info.context.services.redeeming.hold(hold_request(input))


async def _release(info: Asked, input: HoldReleaseInput) -> ReleaseOutcome:
    return await info.context.services.redeeming.release(input.token)


async def _roll_back(info: Asked, input: RedemptionRollbackInput) -> RollbackOutcome:
    kind, numbers = read_global_id(input.id, "id")
    if kind != "Redemption" or len(numbers) != 2:
        raise BadInput(InputProblem.INVALID, "This is not the id of a redemption.", field=("id",))
    return await info.context.services.redeeming.roll_back(
        RollbackRequest(
            promotion_id=numbers[0],
            number=numbers[1],
            amount=read_money(input.amount, "amount"),
            reason=input.reason,
            idempotency_key=input.idempotency_key,
        )
    )
