"""Names that callers bring along: of customers, sends, messages, orders, channels, idempotency."""

import re
from collections.abc import Sequence

from promograph.errors import BadInput, InputProblem

LONGEST = 128

_HANDLE = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")


def checked_key(value: str, field: str, *, longest: int = LONGEST) -> str:
    """The value itself; BadInput unless it is 1 to `longest` printable characters with no space at either end."""
    if not value:
        raise BadInput(InputProblem.REQUIRED, f"{field} must not be empty.", field=(field,))
    if len(value) > longest:
        raise BadInput(InputProblem.OUT_OF_RANGE, f"{field} must be at most {longest} characters.", field=(field,))
    if not value.isprintable() or value != value.strip():
        raise BadInput(
            InputProblem.INVALID, f"{field} must be printable characters, with no space at either end.", field=(field,)
        )
    return value


def are_keys(values: Sequence[str], *, longest: int = LONGEST) -> bool:
    """Whether `checked_key` would take them all, asked of thousands at once."""
    if not values:
        return True
    if set(map(type, values)) != {str} or not all(values) or len(max(values, key=len)) > longest:
        return False
    together = "".join(values)
    # A space is the only one of those that `strip` takes away that can be printed.
    return together.isprintable() and (" " not in together or list(map(str.strip, values)) == list(values))


def checked_optional(value: str | None, field: str, *, longest: int = LONGEST) -> str | None:
    return None if value is None else checked_key(value, field, longest=longest)


def checked_handle(value: str, field: str = "handle") -> str:
    """The value itself; BadInput unless it can stand in templates, addresses and conditions as it is."""
    if not _HANDLE.fullmatch(value):
        raise BadInput(
            InputProblem.INVALID,
            "A handle is 1 to 64 characters: a-z, 0-9, and . _ - in between; give one, or a name with Latin letters.",
            field=(field,),
        )
    return value
