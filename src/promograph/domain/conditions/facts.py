"""What a condition is asked about: a moment, a customer where one is known, a cart where there is one.

What is missing makes no comparison true: an attribute that a customer has not, the customer of an anonymous checkout,
the cart when a segment is counted. The leaf is then false, and `not` of it is true.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Self

from promograph.domain.carts import Cart
from promograph.domain.conditions.values import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKey:
    """Which issued codes are counted: those of `promotion` (its handle; None: of any) from `since` on (None: all)."""

    promotion: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerFacts:
    """A customer as the store knows them.

    `segments`, `held` (promotions of which they hold a code that is neither used up nor blocked) and `redeemed`
    (promotions of which they have used a code) are handles. No entry in `issued` means no code.
    """

    attributes: Mapping[str, Value] = field(default_factory=dict)
    segments: frozenset[str] = frozenset()
    issued: Mapping[IssuedKey, int] = field(default_factory=dict)
    held: frozenset[str] = frozenset()
    redeemed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """`now` has an offset; `time_zone` is the promotion's IANA name, in which weekdays and hours are meant."""

    now: datetime
    time_zone: str = "UTC"
    customer: CustomerFacts | None = None
    cart: Cart | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Which facts a condition looks at: what has to be fetched before it is asked, and nothing else.

    `day`: what it says changes when a day is over, by a day that moves; `clock`: it asks for the hour.
    """

    attributes: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()
    issued: frozenset[IssuedKey] = frozenset()
    held: frozenset[str] = frozenset()
    redeemed: frozenset[str] = frozenset()
    cart: bool = False
    clock: bool = False
    day: bool = False

    @property
    def customer(self) -> bool:
        return bool(self.attributes or self.segments or self.issued or self.held or self.redeemed)

    def __or__(self, other: Self) -> Self:
        return type(self)(**{part.name: getattr(self, part.name) | getattr(other, part.name) for part in fields(self)})
