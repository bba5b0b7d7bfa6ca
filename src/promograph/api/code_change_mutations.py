"""Stopping codes, for a while or for good, and lifting the former again."""

import strawberry

from promograph.api.answering import Given, answered
from promograph.api.context import Asked
from promograph.api.rights import WRITE
from promograph.api.user_errors import UserError, user_error
from promograph.domain.code_changes import CodeChange
from promograph.errors import BadInput, InputProblem

_CODES = "The codes, at most 10,000; all must exist, or nothing is changed."


@strawberry.input(description="Which codes to block.")
class CodesBlockInput:
    codes: list[str] = strawberry.field(description=_CODES)


@strawberry.input(description="Which codes to unblock.")
class CodesUnblockInput:
    codes: list[str] = strawberry.field(description=_CODES)


@strawberry.input(description="Which codes to stop for good.")
class CodesVoidInput:
    codes: list[str] = strawberry.field(description=_CODES)


@strawberry.type(description="How many codes were blocked.", directives=WRITE)
class CodesBlockPayload:
    changed: int = strawberry.field(description="How many were not blocked before.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was changed.")


@strawberry.type(description="How many codes were unblocked.", directives=WRITE)
class CodesUnblockPayload:
    changed: int = strawberry.field(description="How many were blocked before.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was changed.")


@strawberry.type(description="How many codes were made void.", directives=WRITE)
class CodesVoidPayload:
    changed: int = strawberry.field(description="How many were not void before.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong; then nothing was changed.")


@strawberry.type
class CodeChangeMutations:
    @strawberry.mutation(description="Stop codes: they are neither issued nor redeemed.", directives=WRITE)
    async def codes_block(self, info: Asked, input: Given[CodesBlockInput]) -> CodesBlockPayload:
        changed, errors = await _change(info, input.codes, CodeChange.BLOCK)
        return CodesBlockPayload(changed=changed, user_errors=errors)

    @strawberry.mutation(description="Let blocked codes work again.", directives=WRITE)
    async def codes_unblock(self, info: Asked, input: Given[CodesUnblockInput]) -> CodesUnblockPayload:
        changed, errors = await _change(info, input.codes, CodeChange.UNBLOCK)
        return CodesUnblockPayload(changed=changed, user_errors=errors)

    @strawberry.mutation(
        description="Stop codes for good: they are neither issued nor redeemed, and nothing brings them back.",
        directives=WRITE,
    )
    async def codes_void(self, info: Asked, input: Given[CodesVoidInput]) -> CodesVoidPayload:
        changed, errors = await _change(info, input.codes, CodeChange.VOID)
        return CodesVoidPayload(changed=changed, user_errors=errors)


async def _change(info: Asked, codes: list[str], change: CodeChange) -> tuple[int, list[UserError]]:
    # No code holds a NUL, and not every store could look for one.
    missing = [place for place, text in enumerate(codes) if "\0" in text]
    changed, errors = 0, list[UserError]()
    if not missing:
        result, errors = await answered(info.context.services.changing.listed(codes, change))
        changed, missing = result or (0, [])
    unknown = BadInput(InputProblem.NOT_FOUND, "There is no such code.")
    return changed, errors + [user_error(unknown, "codes", str(place)) for place in missing]
