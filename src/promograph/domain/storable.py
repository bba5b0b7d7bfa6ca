"""Texts that a store keeps as they are."""

import re

from promograph.errors import BadInput, InputProblem

_SURROGATE = re.compile("[\\ud800-\\udfff]")


def is_storable(text: str) -> bool:
    """Whether a store keeps it as text: no NUL, no halves of surrogate pairs."""
    return "\0" not in text and (text.isascii() or _SURROGATE.search(text) is None)


def check_storable(text: str, field: str) -> None:
    """BadInput for what no store keeps as text."""
    if not is_storable(text):
        raise BadInput(InputProblem.INVALID, f"{field} holds a character that cannot be stored.", field=(field,))
