"""A condition over some of the cart's lines."""

from dataclasses import dataclass
from typing import Any, Self

from promograph.domain.carts import (
    LARGEST_QUANTITY,
    MOST_ATTRIBUTES,
    MOST_LINES,
    MOST_NAMED,
    Cart,
    LineAttribute,
    LineFilter,
    Money,
    checked_filter,
    dump_filter,
    select,
)
from promograph.domain.conditions.facts import Facts, Needs
from promograph.domain.conditions.money import dump_money, missing_money, money_gap, other_currency, read_money
from promograph.domain.conditions.nodes import Condition, Names
from promograph.domain.conditions.reading import Place
from promograph.domain.conditions.values import quoted
from promograph.domain.conditions.verdicts import Failure, FailureKind, Gap


@dataclass(frozen=True, slots=True, kw_only=True)
class HasLines(Condition):
    """The lines that `only` means (None: all) hold at least `quantity` units and, if asked, cost at least `amount`."""

    only: LineFilter | None = None
    quantity: int = 1
    amount: Money | None = None

    @classmethod
    def read(cls, place: Place) -> Self:
        fields = place.fields("filter", "quantity", "amount")
        return cls(
            only=_read_filter(fields["filter"]) if "filter" in fields else None,
            quantity=fields["quantity"].count(1, LARGEST_QUANTITY * MOST_LINES) if "quantity" in fields else 1,
            amount=read_money(fields["amount"]) if "amount" in fields else None,
        )

    def holds(self, facts: Facts) -> bool:
        if facts.cart is None or self._in_other_currency(facts.cart):
            return False
        units, money = self._short(facts.cart)
        return units <= 0 and money <= 0

    def failures(self, facts: Facts, names: Names) -> tuple[Failure, ...]:
        cart = facts.cart
        if cart is None:
            return (self.failure(facts, names),)
        if self.amount is not None and self._in_other_currency(cart):
            kind, details = FailureKind.CURRENCY_MISMATCH, other_currency(self.amount, cart)
            return (self.failure(facts, names, kind=kind, details=details),)
        units, money = self._short(cart)
        missing = Money(minor=money, currency=cart.currency)
        details = missing_money(missing) if money > 0 else {}
        gap = money_gap(missing)
        if units > 0:
            details["missing_quantity"] = units
            gap = Gap(size=units, unit="units")
        return (self.failure(facts, names, details=details, gap=gap),)

    def needs(self) -> Needs:
        return Needs(cart=True)

    def dump(self) -> dict[str, Any]:
        return {
            "lines": {
                "filter": None if self.only is None else dump_filter(self.only),
                "quantity": self.quantity,
                "amount": None if self.amount is None else dump_money(self.amount),
            }
        }

    def render(self, names: Names) -> str:
        units = "1 unit" if self.quantity == 1 else f"{self.quantity:,} units"
        worth = "" if self.amount is None else f" for at least {self.amount}"
        return f"cart has at least {units}{'' if self.only is None else show_filter(self.only)}{worth}"

    def _in_other_currency(self, cart: Cart) -> bool:
        return self.amount is not None and self.amount.currency != cart.currency

    def _short(self, cart: Cart) -> tuple[int, int]:
        """How many units and how much money (smallest unit) are missing; nothing is where it is 0 or less."""
        lines = select(cart.lines, self.only)
        asked = 0 if self.amount is None else self.amount.minor
        return self.quantity - sum(line.quantity for line in lines), asked - sum(line.amount for line in lines)


def _read_filter(place: Place) -> LineFilter:
    fields = place.fields("skus", "categories", "brands", "attributes")
    texts = {name: part.keys(most=MOST_NAMED) for name, part in fields.items() if name != "attributes"}
    attributes = fields["attributes"].items(most=MOST_ATTRIBUTES) if "attributes" in fields else []
    return checked_filter(
        LineFilter(**texts, attributes=tuple(_read_attribute(item) for item in attributes)), path=place.path
    )


def _read_attribute(place: Place) -> LineAttribute:
    fields = place.fields("name", "values")
    return LineAttribute(
        name=place.needed("name", fields).key(),
        values=place.needed("values", fields).keys(most=MOST_NAMED),
    )


def show_filter(only: LineFilter) -> str:
    parts = [("sku", only.skus), ("category", only.categories), ("brand", only.brands)]
    parts += [(wanted.name, wanted.values) for wanted in only.attributes]
    texts = (f"{name} {' or '.join(map(quoted, values))}" for name, values in parts if values)
    return f" of {' and '.join(texts)}"
