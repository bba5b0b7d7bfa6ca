"""Another code in the place of one that somebody has, and an unseen one back to its pool."""

import strawberry

from promograph.api.answering import Given, answered
from promograph.api.context import Asked
from promograph.api.issuance import Issuance, issuance_node
from promograph.api.rights import ISSUED
from promograph.api.user_errors import UserError, user_error
from promograph.domain.issuing import IssueOutcome
from promograph.domain.refusals import Refusal, RefusalCode, refuse
from promograph.domain.stock.replacing import ReplaceRequest
from promograph.domain.storable import is_storable

_KEY = "Repeat the call with the same key and you get the first answer: at most 128 characters."


@strawberry.input(description="Which code to replace.")
class CodeReplaceInput:
    code: str = strawberry.field(description="The code that its holder is to have no longer.")
    channel: str | None = strawberry.field(default=None, description="The channel that asks; that of before if none.")
    send: str | None = strawberry.field(default=None, description="The send's key; that of before if none.")
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.input(description="Which codes to replace.")
class CodesReplaceInput:
    codes: list[str] = strawberry.field(description="The codes, at most 10,000.")
    channel: str | None = strawberry.field(default=None, description="The channel that asks; that of before if none.")
    send: str | None = strawberry.field(default=None, description="The send's key; that of before if none.")
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.input(description="Which code to give back to its pool.")
class CodeReturnInput:
    code: str = strawberry.field(description="The code; its customer must not have seen it.")
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.type(description="The code in the place of the old one.", directives=ISSUED)
class CodeReplacePayload:
    issuance: Issuance | None = strawberry.field(description="The new code; none when it was refused.")
    replayed: bool = strawberry.field(description="Whether this answer was given before.")
    user_errors: list[UserError] = strawberry.field(description="Why there is none; then the old one is as it was.")


@strawberry.type(description="What became of one code of a call.", directives=ISSUED)
class CodeReplaceResult:
    code: str = strawberry.field(description="The old code, as it was given here.")
    issuance: Issuance | None = strawberry.field(description="The new code; none when it was refused.")
    error: UserError | None = strawberry.field(description="Why there is none; then the old one is as it was.")


@strawberry.type(description="What became of each code.", directives=ISSUED)
class CodesReplacePayload:
    replaced: int = strawberry.field(description="How many were replaced.")
    results: list[CodeReplaceResult] = strawberry.field(description="One a code, in the order asked.")
    user_errors: list[UserError] = strawberry.field(description="What was wrong, with the place in the list.")


@strawberry.type(description="The code that waits in its pool again.", directives=ISSUED)
class CodeReturnPayload:
    code: str | None = strawberry.field(description="The code; none when it was refused.")
    user_errors: list[UserError] = strawberry.field(description="Why it stays where it is.")


@strawberry.type
class CodeReplaceMutations:
    @strawberry.mutation(
        description="Make a code void and issue its holder another one, on the same occasion and with the same expiry.",
        directives=ISSUED,
    )
    async def code_replace(self, info: Asked, input: Given[CodeReplaceInput]) -> CodeReplacePayload:
        outcomes, errors = await _replaced(info, "codeReplace", [input.code], input)
        if not outcomes:
            return CodeReplacePayload(issuance=None, replayed=False, user_errors=errors)
        (outcome,) = outcomes
        return CodeReplacePayload(
            issuance=None if outcome.issuance is None else issuance_node(outcome.issuance),
            replayed=outcome.replayed,
            user_errors=[] if outcome.problem is None else [user_error(outcome.problem, "code")],
        )

    @strawberry.mutation(
        description="The same for many codes, in one transaction; one that is refused holds up no other.",
        directives=ISSUED,
    )
    async def codes_replace(self, info: Asked, input: Given[CodesReplaceInput]) -> CodesReplacePayload:
        outcomes, errors = await _replaced(info, "codesReplace", input.codes, input)
        results = [
            CodeReplaceResult(
                code=code,
                issuance=None if outcome.issuance is None else issuance_node(outcome.issuance),
                error=None if outcome.problem is None else user_error(outcome.problem, "codes", str(place)),
            )
            for place, (code, outcome) in enumerate(zip(input.codes, outcomes, strict=False))
        ]
        return CodesReplacePayload(
            replaced=sum(outcome.issuance is not None for outcome in outcomes),
            results=results,
            user_errors=errors + [result.error for result in results if result.error is not None],
        )

    @strawberry.mutation(
        description="Give an issued code that its customer has not seen back to its pool: the next one gets it.",
        directives=ISSUED,
    )
    async def code_return(self, info: Asked, input: Given[CodeReturnInput]) -> CodeReturnPayload:
        refusal, errors = await answered(_give_back(info, input))
        if refusal is not None or errors:
            found = errors if refusal is None else [user_error(refusal, "code")]
            return CodeReturnPayload(code=None, user_errors=found)
        return CodeReturnPayload(code=input.code, user_errors=[])


async def _give_back(info: Asked, input: CodeReturnInput) -> Refusal | None:
    if not is_storable(input.code):
        return refuse(RefusalCode.NOT_FOUND)
    return await info.context.services.replacing.give_back(input.code, key=input.idempotency_key)


async def _replaced(
    info: Asked, operation: str, codes: list[str], input: CodeReplaceInput | CodesReplaceInput
) -> tuple[list[IssueOutcome], list[UserError]]:
    # What no store could look for is no code.
    requests = [
        ReplaceRequest(code=code if is_storable(code) else "", channel=input.channel, send=input.send) for code in codes
    ]
    act = info.context.services.replacing.replace(requests, operation=operation, key=input.idempotency_key)
    outcomes, errors = await answered(act)
    return outcomes or [], errors
