"""Amounts of money in the schema: decimals outside, whole smallest units inside."""

from decimal import Decimal

import strawberry

from promograph.api.rights import EVERYBODY
from promograph.api.scalars import CurrencyCode
from promograph.domain import redeeming
from promograph.domain.currencies import from_minor, to_minor
from promograph.errors import BadInput, InputProblem

_MOST_DIGITS = 28
"""Decimal arithmetic rounds what has more."""


@strawberry.type(description="An amount of money.", directives=EVERYBODY)
class Money:
    amount: Decimal = strawberry.field(description="The amount, with the decimal places of its currency.")
    currency: CurrencyCode = strawberry.field(description="Of which currency.")


@strawberry.input(description="An amount of money.")
class MoneyInput:
    amount: Decimal = strawberry.field(description="The amount, with at most the decimal places of its currency.")
    currency: CurrencyCode = strawberry.field(description="Of which currency.")


def shown_money(money: redeeming.Money | None) -> Money | None:
    if money is None:
        return None
    return Money(amount=from_minor(money.minor, money.currency), currency=CurrencyCode(money.currency))


def read_money(money: MoneyInput | None, field: str) -> redeeming.Money | None:
    """BadInput for an amount that the currency cannot express."""
    if money is None:
        return None
    minor = to_minor(money.amount, money.currency, field)
    if len(money.amount.as_tuple().digits) > _MOST_DIGITS:
        raise BadInput(InputProblem.INVALID, f"{field} has more digits than money has.", field=(field, "amount"))
    return redeeming.Money(minor=minor, currency=money.currency)
