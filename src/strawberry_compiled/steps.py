"""Where a value stands in the answer. Plain tuples while all goes well; the library's Path where something fails."""

from typing import Any, TypeAlias

from graphql.pyutils import Path

Step: TypeAlias = tuple[Any, str | int, str | None] | None
"""The step before, the key or the index, and the type that has the field (None for an index); None is the root."""


def path_of(step: Step) -> Path | None:
    return None if step is None else Path(path_of(step[0]), step[1], step[2])


def field_step(step: Step) -> Step:
    """The field whose list the step leads into."""
    while step is not None and isinstance(step[1], int):
        step = step[0]
    return step
