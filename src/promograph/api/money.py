"""Amounts of money in the schema: decimals outside, whole smallest units inside."""

from decimal import Decimal
from typing import overload

import strawberry

from promograph.api.rights import EVERYBODY
from promograph.api.scalars import CurrencyCode
from promograph.domain import carts
from promograph.domain.currencies import from_minor, to_minor


@strawberry.type(description="An amount of money.", directives=EVERYBODY)
class Money:
    amount: Decimal = strawberry.field(description="The amount, with the decimal places of its currency.")
    currency: CurrencyCode = strawberry.field(description="Of which currency.")


@strawberry.input(description="An amount of money.")
class MoneyInput:
    amount: Decimal = strawberry.field(description="The amount, with at most the decimal places of its currency.")
    currency: CurrencyCode = strawberry.field(description="Of which currency.")


@overload
def shown_money(money: carts.Money) -> Money: ...


@overload
def shown_money(money: carts.Money | None) -> Money | None: ...


def shown_money(money: carts.Money | None) -> Money | None:
    if money is None:
        return None
    return Money(amount=from_minor(money.minor, money.currency), currency=CurrencyCode(money.currency))


def read_money(money: MoneyInput | None, field: str) -> carts.Money | None:
    """BadInput for an amount that the currency cannot express."""
    if money is None:
        return None
    return carts.Money(minor=to_minor(money.amount, money.currency, field), currency=money.currency)
