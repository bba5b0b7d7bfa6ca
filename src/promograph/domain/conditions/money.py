"""Money in a condition: `{"amount": "50.00", "currency": "EUR"}` as JSON, and what is told when some is missing."""

from promograph.domain.carts import Cart, Money, check_currency, checked_money, under
from promograph.domain.conditions.reading import Place
from promograph.domain.conditions.value_reading import read_number
from promograph.domain.conditions.verdicts import Gap
from promograph.domain.currencies import from_minor, to_minor
from promograph.errors import BadInput


def read_money(place: Place) -> Money:
    """The amount may be a number too; it is more than nothing."""
    fields = place.fields("amount", "currency")
    amount = read_number(place.needed("amount", fields))
    currency = place.needed("currency", fields).text()
    check_currency(currency, *place.path)
    try:
        return checked_money(Money(minor=to_minor(amount, currency, place.name), currency=currency), place.name)
    except BadInput as bad:
        raise under(bad, *place.path[:-1]) from None


def dump_money(money: Money) -> dict[str, str]:
    return {"amount": _amount(money), "currency": money.currency}


def missing_money(missing: Money) -> dict[str, str | int]:
    return {"missing": _amount(missing), "currency": missing.currency}


def money_gap(missing: Money) -> Gap:
    return Gap(size=missing.minor, unit=missing.currency)


def other_currency(asked: Money, cart: Cart) -> dict[str, str | int]:
    """What a CURRENCY_MISMATCH tells."""
    return {"expected": asked.currency, "given": cart.currency}


def _amount(money: Money) -> str:
    return f"{from_minor(money.minor, money.currency):f}"
