"""From bad input to `userErrors`."""

from collections.abc import Awaitable, Mapping
from types import MappingProxyType
from typing import Annotated, TypeVar

import strawberry

from promograph.api.user_errors import UserError, user_error
from promograph.errors import BadInput

T = TypeVar("T")

Given = Annotated[T, strawberry.argument(description="What to do.")]
"""The one argument of a mutation."""

Places = Mapping[str, tuple[str, ...]]
"""Where in the input the fields stand that the rules name otherwise: by one word, or by several with dots between."""

AS_NAMED: Places = MappingProxyType({})

KEY = "Repeat the call with the same key and it is done once: at most 128 characters."
"""What every `idempotencyKey` says of itself."""


async def answered(act: Awaitable[T], places: Places = AS_NAMED) -> tuple[T | None, list[UserError]]:
    """What `act` gave, or what is wrong with its input, told with the path that the caller wrote."""
    try:
        return await act, []
    except BadInput as problem:
        return None, [user_error(placed(problem, places))]


def placed(problem: BadInput, places: Places) -> BadInput:
    """The longest part of the path that `places` knows is what counts."""
    for length in range(len(problem.field), 0, -1):
        path = places.get(".".join(problem.field[:length]))
        if path is not None:
            return BadInput(problem.problem, str(problem), field=(*path, *problem.field[length:]))
    return problem
