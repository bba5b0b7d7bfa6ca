"""Who may do what: the scopes that a token carries."""

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """One right. The values are what `token create --scope` takes; `admin` includes all others."""

    INVENTORY_READ = "inventory:read"
    PROMOTIONS_WRITE = "promotions:write"
    CODES_ISSUE = "codes:issue"
    CODES_REDEEM = "codes:redeem"
    CUSTOMERS_WRITE = "customers:write"
    SENDS_WRITE = "sends:write"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever sent a request: the token's name and rights; nobody has an empty name and no rights."""

    name: str = ""
    scopes: frozenset[Scope] = frozenset()

    @property
    def is_known(self) -> bool:
        return bool(self.name)

    def may(self, *any_of: Scope) -> bool:
        """Whether the caller has one of `any_of` (or `admin`)."""
        return Scope.ADMIN in self.scopes or any(scope in self.scopes for scope in any_of)


NOBODY = Caller()
