"""What a payload says when something was not done."""

import strawberry
from strawberry.scalars import JSON

from promograph.api.enums import UserErrorCode
from promograph.api.rights import EVERYBODY
from promograph.domain.refusals import Refusal
from promograph.errors import BadInput

_CODES: dict[str, UserErrorCode] = {code.name: code for code in UserErrorCode}


@strawberry.type(description="Why something was not done, and what would mend it.", directives=EVERYBODY)
class UserError:
    code: UserErrorCode = strawberry.field(description="The reason, for programs.")
    field: list[str] | None = strawberry.field(description="The path of the input that it is about, from `input` on.")
    message: str = strawberry.field(description="The reason, for people.")
    data: JSON | None = strawberry.field(default=None, description="What a program needs to act on it.")


def user_error(problem: BadInput | Refusal, *at: str) -> UserError:
    """Of bad input or a refusal; `at` is where its field begins inside `input`."""
    if isinstance(problem, Refusal):
        field = ["input", *at] if at else None
        data = JSON(dict(problem.data)) if problem.data else None
        return UserError(code=_CODES[problem.code], field=field, message=problem.message, data=data)
    path = ["input", *at, *problem.field] if problem.field or at else None
    return UserError(code=_CODES[problem.problem], field=path, message=str(problem))


def kept_error(code: str, message: str, data: JSON | None) -> UserError:
    """Of what was turned down some time ago; `code` is that of a refusal or of bad input."""
    return UserError(code=_CODES[code], field=None, message=message, data=data or None)
