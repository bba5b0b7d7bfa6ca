"""Currencies and their smallest units, as ISO 4217 lists them (active codes, 2025)."""

from decimal import ROUND_HALF_UP, Context, Decimal, Inexact, InvalidOperation

from promograph.errors import BadInput, InputProblem

_TWO = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP "
    "CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES "
    "KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK "
    "NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB "
    "TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"
)
_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"

DIGITS: dict[str, int] = {
    code: digits for codes, digits in ((_TWO, 2), (_NONE, 0), (_THREE, 3)) for code in codes.split()
}
"""How many decimal places the smallest unit of each currency is away from its main unit."""

_UNITS = {code: Decimal(10) ** digits for code, digits in DIGITS.items()}
_LARGEST = 10**15
# Decimals are rounded to 28 digits without a word, and the smallest become zero: not here.
_EXACT = Context(traps=[Inexact])


def to_minor(amount: Decimal, currency: str, field: str) -> int:
    """The amount in the smallest unit; BadInput where it has decimals that the currency has not."""
    if not amount.is_finite() or amount.copy_abs() > _LARGEST:
        raise BadInput(InputProblem.OUT_OF_RANGE, f"{field} is not an amount of money.", field=(field, "amount"))
    minor = _exactly(amount, _UNITS[currency])
    if minor is None or minor != minor.to_integral_value():
        raise BadInput(
            InputProblem.INVALID,
            f"{currency} has {DIGITS[currency]} decimal places; {amount} has more.",
            field=(field, "amount"),
        )
    return int(minor)


def _exactly(amount: Decimal, unit: Decimal) -> Decimal | None:
    """The product; None where it has more digits than Decimal reckons with."""
    try:
        return _EXACT.multiply(amount, unit)
    except Inexact:
        return None


def nearest_minor(amount: str, currency: str) -> int:
    """The amount in the smallest unit, half up; ValueError for what is no amount, and for an unknown currency."""
    try:
        minor = Decimal(amount) * _UNITS[currency]
    except (InvalidOperation, KeyError):
        minor = Decimal("NaN")
    if not minor.is_finite() or abs(minor) > _LARGEST:
        raise ValueError(f"{amount!r} {currency!r} is not an amount of money")
    return int(minor.to_integral_value(ROUND_HALF_UP))


def from_minor(minor: int, currency: str) -> Decimal:
    """The amount in the main unit, with as many decimal places as the currency has."""
    return Decimal(minor).scaleb(-DIGITS[currency])
