"""Giving codes to customers."""

from collections.abc import Sequence
from typing import Any

import strawberry

from promograph.api.answering import Given, answered
from promograph.api.context import Asked
from promograph.api.issuance import Issuance, issuance_node
from promograph.api.rights import ISSUE
from promograph.api.user_errors import UserError, user_error
from promograph.domain.codes.placeholders import Purpose
from promograph.domain.issuing import IssueOutcome, IssueRequest
from promograph.domain.issuing_many import Alike, FirstIssues
from promograph.domain.refusals import Refusal
from promograph.errors import BadInput

_KEY = "Repeat the call with the same key and you get the first answer: at most 128 characters."
_PURPOSE = "Whether it is meant; TEST and PREVIEW give a placeholder and count nothing."
_CUSTOMER = ("customer",)


@strawberry.input(description="Who is to get a code of which promotion, on which occasion.")
class CodeIssueInput:
    promotion: str = strawberry.field(description="The promotion's handle.")
    customer: str = strawberry.field(description="The customer, by your own id.")
    send: str | None = strawberry.field(default=None, description="The send's key: the occasion under PER_SEND.")
    message: str | None = strawberry.field(
        default=None, description="The message's key: the occasion under PER_MESSAGE."
    )
    channel: str | None = strawberry.field(default=None, description="The channel that asks.")
    purpose: Purpose = strawberry.field(default=Purpose.LIVE, description=_PURPOSE)
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.input(description="Customers who are each to get a code of a promotion, on the same occasion.")
class CodesIssueInput:
    promotion: str = strawberry.field(description="The promotion's handle.")
    customers: list[str] = strawberry.field(description="The customers, by your own ids; at most 10,000.")
    send: str | None = strawberry.field(default=None, description="The send's key: the occasion under PER_SEND.")
    message: str | None = strawberry.field(
        default=None, description="The message's key: the occasion under PER_MESSAGE."
    )
    channel: str | None = strawberry.field(default=None, description="The channel that asks.")
    purpose: Purpose = strawberry.field(default=Purpose.LIVE, description=_PURPOSE)
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.input(description="Whose last code of a promotion to give again.")
class CodeReissueInput:
    promotion: str = strawberry.field(description="The promotion's handle.")
    customer: str = strawberry.field(description="The customer, by your own id.")
    send: str | None = strawberry.field(default=None, description="The send's key, for the record.")
    channel: str | None = strawberry.field(default=None, description="The channel that asks.")
    purpose: Purpose = strawberry.field(default=Purpose.LIVE, description=_PURPOSE)
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.type(description="A code for a customer.", directives=ISSUE)
class CodeIssuePayload:
    issuance: Issuance | None = strawberry.field(description="The code; none when it was refused.")
    replayed: bool = strawberry.field(description="Whether this answer was given before.")
    user_errors: list[UserError] = strawberry.field(description="Why there is none.")


@strawberry.type(description="The same code again.", directives=ISSUE)
class CodeReissuePayload:
    issuance: Issuance | None = strawberry.field(description="The code; none when it was refused.")
    replayed: bool = strawberry.field(description="Whether this answer was given before.")
    user_errors: list[UserError] = strawberry.field(description="Why there is none.")


@strawberry.type(description="A customer's part of a bulk issue.", directives=ISSUE)
class CodesIssueResult:
    customer: str = strawberry.field(description="The customer, by your own id.")
    issuance: Issuance | None = strawberry.field(description="The code; none when it was refused.")
    replayed: bool = strawberry.field(description="Whether this answer was given before.")
    error: UserError | None = strawberry.field(description="Why there is none.")


@strawberry.type(description="A code for each customer, in the order asked.", directives=ISSUE)
class CodesIssuePayload:
    outcomes: strawberry.Private[Sequence[IssueOutcome]]
    asked: strawberry.Private[list[str]]

    issued: int = strawberry.field(description="How many customers have a code now.")
    codes: list[str | None] = strawberry.field(
        description="The texts of the codes, in the order of the customers; none where refused. Cheaper than results."
    )
    user_errors: list[UserError] = strawberry.field(
        description="Why there are none: of the whole call, or of single customers by their place in `customers`."
    )

    @strawberry.field(description="All about each customer's code, in the order asked.", directives=ISSUE)
    def results(self) -> list[CodesIssueResult]:
        return [
            CodesIssueResult(
                customer=customer,
                issuance=None if outcome.issuance is None else issuance_node(outcome.issuance),
                replayed=outcome.replayed,
                error=None if outcome.problem is None else _error_at(place, outcome.problem),
            )
            for place, (customer, outcome) in enumerate(zip(self.asked, self.outcomes, strict=True))
        ]


@strawberry.type
class IssueMutations:
    @strawberry.mutation(
        description="Give a customer a code. The same occasion gets the same code, however often it is asked.",
        directives=ISSUE,
    )
    async def code_issue(self, info: Asked, input: Given[CodeIssueInput]) -> CodeIssuePayload:
        outcome = await info.context.services.issuing.issue(_request(input, input.customer, input.message))
        return CodeIssuePayload(**_shown(outcome))

    @strawberry.mutation(description="Give each of many customers a code, in one go.", directives=ISSUE)
    async def codes_issue(self, info: Asked, input: Given[CodesIssueInput]) -> CodesIssuePayload:
        requests = Alike(_request(input, "", input.message), input.customers)
        call = info.context.services.issuing.issue_many(requests, key=input.idempotency_key)
        outcomes, errors = await answered(call)
        if outcomes is None:
            return CodesIssuePayload(outcomes=[], asked=[], issued=0, codes=[], user_errors=errors)
        if isinstance(outcomes, FirstIssues):
            issued, codes, errors = len(outcomes), list[str | None](outcomes.texts), []
        else:
            issuances = [outcome.issuance for outcome in outcomes]
            issued = len({issuance.customer for issuance in issuances if issuance is not None})
            codes = [None if issuance is None else issuance.text for issuance in issuances]
            errors = _errors_of(outcomes)
        return CodesIssuePayload(
            outcomes=outcomes, asked=input.customers, issued=issued, codes=codes, user_errors=errors
        )

    @strawberry.mutation(
        description="Give a customer the promotion's code that they had last, again.", directives=ISSUE
    )
    async def code_reissue(self, info: Asked, input: Given[CodeReissueInput]) -> CodeReissuePayload:
        outcome = await info.context.services.issuing.reissue(_request(input, input.customer, None))
        return CodeReissuePayload(**_shown(outcome))


def _request(
    input: CodeIssueInput | CodesIssueInput | CodeReissueInput, customer: str, message: str | None
) -> IssueRequest:
    # The key of a call for many belongs to the call, not to each of its customers.
    is_one = not isinstance(input, CodesIssueInput)
    return IssueRequest(
        promotion=input.promotion,
        customer=customer,
        send=input.send,
        message=message if is_one else message or input.idempotency_key,
        channel=input.channel,
        purpose=input.purpose,
        idempotency_key=input.idempotency_key if is_one else None,
    )


def _errors_of(outcomes: Sequence[IssueOutcome]) -> list[UserError]:
    """What is wrong with the whole call stands there once, not once a customer."""
    errors: list[UserError] = []
    told = set[tuple[str, ...]]()
    for place, outcome in enumerate(outcomes):
        problem = outcome.problem
        if problem is None:
            continue
        if isinstance(problem, BadInput) and problem.field != _CUSTOMER:
            if problem.field in told:
                continue
            told.add(problem.field)
        errors.append(_error_at(place, problem))
    return errors


def _error_at(place: int, problem: Refusal | BadInput) -> UserError:
    """Of one customer: told with the place in `customers`, unless it is about what all of them share."""
    if isinstance(problem, Refusal):
        return user_error(problem, "customers", str(place))
    if problem.field == _CUSTOMER:
        problem = BadInput(problem.problem, str(problem), field=("customers", str(place)))
    return user_error(problem)


def _shown(outcome: IssueOutcome) -> dict[str, Any]:
    issuance = None if outcome.issuance is None else issuance_node(outcome.issuance)
    errors = [] if outcome.problem is None else [user_error(outcome.problem)]
    return {"issuance": issuance, "replayed": outcome.replayed, "user_errors": errors}
