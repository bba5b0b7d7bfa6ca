"""Conditions over the cart as a whole: what it comes to, whose first it is, where it is bought."""

from dataclasses import dataclass
from typing import Any, Self

from promograph.domain.carts import MOST_NAMED, Money
from promograph.domain.conditions.facts import Facts, Needs
from promograph.domain.conditions.money import dump_money, missing_money, money_gap, other_currency, read_money
from promograph.domain.conditions.nodes import Condition, Names
from promograph.domain.conditions.reading import Place
from promograph.domain.conditions.values import COMPARING, Op, compares, phrase, quoted
from promograph.domain.conditions.verdicts import Failure, FailureKind


@dataclass(frozen=True, slots=True, kw_only=True)
class SubtotalIs(Condition):
    """How what the lines cost together, before discounts and shipping, compares; false of another currency."""

    op: Op
    value: Money

    @classmethod
    def read(cls, place: Place) -> Self:
        fields = place.fields("op", "value")
        op = place.needed("op", fields).choice(Op, COMPARING)
        return cls(op=op, value=read_money(place.needed("value", fields)))

    def holds(self, facts: Facts) -> bool:
        cart = facts.cart
        if cart is None or cart.currency != self.value.currency:
            return False
        return compares(self.op, cart.subtotal, self.value.minor)

    def failures(self, facts: Facts, names: Names) -> tuple[Failure, ...]:
        cart = facts.cart
        if cart is None:
            return (self.failure(facts, names),)
        if cart.currency != self.value.currency:
            kind, details = FailureKind.CURRENCY_MISMATCH, other_currency(self.value, cart)
            return (self.failure(facts, names, kind=kind, details=details),)
        if self.op not in (Op.GT, Op.GTE):
            return (self.failure(facts, names),)
        short = self.value.minor - cart.subtotal + (self.op is Op.GT)  # "over" asks for one unit more
        missing = Money(minor=short, currency=cart.currency)
        kind, details = FailureKind.MINIMUM_NOT_MET, missing_money(missing)
        return (self.failure(facts, names, kind=kind, details=details, gap=money_gap(missing)),)

    def needs(self) -> Needs:
        return Needs(cart=True)

    def dump(self) -> dict[str, Any]:
        return {"subtotal": {"op": str(self.op), "value": dump_money(self.value)}}

    def render(self, names: Names) -> str:
        return f"cart subtotal {phrase(self.op)} {self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstOrder(Condition):
    """Whether it is the customer's first order is `expected`; where the checkout does not say, neither holds."""

    expected: bool = True

    @classmethod
    def read(cls, place: Place) -> Self:
        return cls(expected=place.truth())

    def holds(self, facts: Facts) -> bool:
        return facts.cart is not None and facts.cart.is_first_order is self.expected

    def needs(self) -> Needs:
        return Needs(cart=True)

    def dump(self) -> dict[str, Any]:
        return {"firstOrder": self.expected}

    def render(self, names: Names) -> str:
        return "customer's first order" if self.expected else "customer has ordered before"


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesChannelIn(Condition):
    """The cart is bought through one of these channels."""

    channels: tuple[str, ...]

    @classmethod
    def read(cls, place: Place) -> Self:
        return cls(channels=place.keys(most=MOST_NAMED))

    def holds(self, facts: Facts) -> bool:
        return facts.cart is not None and facts.cart.sales_channel in self.channels

    def needs(self) -> Needs:
        return Needs(cart=True)

    def dump(self) -> dict[str, Any]:
        return {"salesChannel": list(self.channels)}

    def render(self, names: Names) -> str:
        return f"sales channel {' or '.join(map(quoted, self.channels))}"
