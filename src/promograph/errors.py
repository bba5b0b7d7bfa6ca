"""What can go wrong that is not a business *no* (those are `domain.refusals`).

Every message is one sentence for the person who can mend it; none carries a secret.
"""

from collections.abc import Sequence
from enum import StrEnum


class PromographError(Exception):
    """The root: its text may be shown to a client as it is."""


class InputProblem(StrEnum):
    """Why an input was turned down; the API shows it as the `code` of a user error."""

    INVALID = "INVALID"
    REQUIRED = "REQUIRED"
    TAKEN = "TAKEN"
    NOT_FOUND = "NOT_FOUND"
    TOO_MANY = "TOO_MANY"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    STATE = "STATE"
    KEY_REUSED = "KEY_REUSED"
    BUSY = "BUSY"


class BadInput(PromographError):
    """The caller can mend this by changing what was sent (or, for BUSY, by sending it again later).

    `field` is the path inside the input, outermost first; empty means the input as a whole.
    """

    def __init__(self, problem: InputProblem, message: str, *, field: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.problem = problem
        self.field = tuple(field)


class StoreError(PromographError):
    """The store did not do what was asked; nothing of the transaction remains."""


class StoreUnavailable(StoreError):
    """The store cannot be reached or is restarting; waiting mends it."""


class StoreReadOnly(StoreError):
    """The store can be read and not written."""


class StoreBusy(StoreError):
    """Another process holds the store's write lock for longer than we wait."""


class StoreOutdated(StoreError):
    """The tables are older or newer than this version expects; `promograph migrate` mends the former."""


class ConfigError(PromographError):
    """A setting has no usable value; the message names the setting."""
