"""From bad input to `userErrors`."""

from collections.abc import Awaitable
from typing import Annotated, TypeVar

import strawberry

from promograph.api.user_errors import UserError, user_error
from promograph.errors import BadInput

T = TypeVar("T")

Given = Annotated[T, strawberry.argument(description="What to do.")]
"""The one argument of a mutation."""


async def answered(act: Awaitable[T]) -> tuple[T | None, list[UserError]]:
    """What `act` gave, or what is wrong with its input."""
    try:
        return await act, []
    except BadInput as problem:
        return None, [user_error(problem)]
