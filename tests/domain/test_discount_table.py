"""What each reward takes off: numbers worked out by hand, and a grid against plain fractions."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from math import floor

import pytest

from promograph.domain.carts import Cart, Line, LineAttribute, LineFilter, Money
from promograph.domain.discounts import CurrencyMismatch, Discount, discount
from promograph.domain.rewards import (
    AmountOff,
    FixedPrice,
    FreeShipping,
    Gift,
    Percentage,
    Points,
    Single,
    Value,
    checked_reward,
)

NAMES = "abcdefgh"
SHOES = LineFilter(categories=("shoes",))
ACME = LineFilter(brands=("Acme",))
RED_SHOES = LineFilter(categories=("shoes",), attributes=(LineAttribute(name="colour", values=("red", "pink")),))


def eur(minor: int) -> Money:
    return Money(minor=minor, currency="EUR")


def jpy(minor: int) -> Money:
    return Money(minor=minor, currency="JPY")


def kwd(minor: int) -> Money:
    return Money(minor=minor, currency="KWD")


def percent(basis_points: int) -> Percentage:
    return Percentage(basis_points=basis_points)


def off(money: Money) -> AmountOff:
    return AmountOff(money=money)


def fixed(money: Money) -> FixedPrice:
    return FixedPrice(money=money)


def cart(currency: str, *amounts: int | tuple[int, int] | Line, shipping: int = 0) -> Cart:
    """Lines a, b, c …, each an amount of one unit, a pair of units and amount, or a line as it is."""
    return Cart(currency=currency, lines=tuple(map(line, NAMES, amounts)), shipping=shipping)


def line(name: str, given: int | tuple[int, int] | Line) -> Line:
    if isinstance(given, Line):
        return given
    quantity, amount = given if isinstance(given, tuple) else (1, given)
    return Line(id=name, sku=f"SKU-{name}", quantity=quantity, amount=amount)


def shoe(name: str, amount: int, quantity: int = 1) -> Line:
    attributes = {"colour": "red"} if name in "ac" else {}
    return Line(
        id=name,
        sku=f"S-{name}",
        quantity=quantity,
        amount=amount,
        categories=("sale", "shoes"),
        brand="Acme",
        attributes=attributes,
    )


def hat(name: str, amount: int, quantity: int = 1) -> Line:
    attributes = {"colour": "red"}
    return Line(id=name, sku=f"H-{name}", quantity=quantity, amount=amount, categories=("hats",), attributes=attributes)


HAND: list[tuple[str, Value, Cart, Money | None, LineFilter | None, dict[str, int]]] = [
    # a fifth, a tenth, and where the halves go
    ("20 % of 50.00", percent(2000), cart("EUR", 5000), None, None, {"a": 1000}),
    ("20 % of two lines", percent(2000), cart("EUR", 5000, 2500), None, None, {"a": 1000, "b": 500}),
    ("99.9 up", percent(1000), cart("EUR", 999), None, None, {"a": 100}),
    ("99.4 down", percent(1000), cart("EUR", 994), None, None, {"a": 99}),
    ("99.5 up", percent(1000), cart("EUR", 995), None, None, {"a": 100}),
    ("98.5 up, not to even", percent(1000), cart("EUR", 985), None, None, {"a": 99}),
    ("half a cent", percent(5000), cart("EUR", 1), None, None, {"a": 1}),
    ("a quarter of a cent", percent(2500), cart("EUR", 1), None, None, {}),
    ("a third of 100.00", percent(3333), cart("EUR", 10000), None, None, {"a": 3333}),
    ("everything", percent(10000), cart("EUR", 1999, 1), None, None, {"a": 1999, "b": 1}),
    ("the least percentage", percent(1), cart("EUR", 10000), None, None, {"a": 1}),
    ("the least, just below half", percent(1), cart("EUR", 4999), None, None, {}),
    ("the least, at half", percent(1), cart("EUR", 5000), None, None, {"a": 1}),
    # spreading: largest remainder, among equals the earlier
    ("100 over three equal", percent(1000), cart("EUR", 333, 333, 333), None, None, {"a": 34, "b": 33, "c": 33}),
    ("32 over three equal", percent(1000), cart("EUR", 105, 105, 105), None, None, {"a": 11, "b": 11, "c": 10}),
    ("825 over unequal", percent(1500), cart("EUR", 1999, 2999, 501), None, None, {"a": 300, "b": 450, "c": 75}),
    ("a line of nothing", percent(1000), cart("EUR", 0, 1000), None, None, {"b": 100}),
    ("lines of nothing", percent(1000), cart("EUR", 0, 0), None, None, {}),
    ("an empty cart", percent(1000), cart("EUR"), None, None, {}),
    ("quantities do not matter", percent(1000), cart("EUR", (7, 1000)), None, None, {"a": 100}),
    # at most
    ("at most 10.00", percent(2000), cart("EUR", 10000), eur(1000), None, {"a": 1000}),
    ("a maximum out of reach", percent(2000), cart("EUR", 10000), eur(5000), None, {"a": 2000}),
    ("the maximum exactly", percent(2000), cart("EUR", 10000), eur(2000), None, {"a": 2000}),
    ("a maximum is spread", percent(5000), cart("EUR", 100, 200), eur(100), None, {"a": 33, "b": 67}),
    # only some lines
    ("shoes", percent(1000), cart("EUR", shoe("a", 5000), hat("b", 3000)), None, SHOES, {"a": 500}),
    ("red shoes", percent(1000), cart("EUR", shoe("a", 500), shoe("b", 400), hat("c", 9)), None, RED_SHOES, {"a": 50}),
    ("no shoes", percent(1000), cart("EUR", hat("a", 3000)), None, SHOES, {}),
    ("one sku", percent(5000), cart("EUR", 300, 500), None, LineFilter(skus=("SKU-b",)), {"b": 250}),
    # yen have no decimals, dinars three
    ("198.5 yen up", percent(1000), cart("JPY", 1985), None, None, {"a": 199}),
    ("49.95 yen", percent(1500), cart("JPY", 333), None, None, {"a": 50}),
    ("8 % of yen", percent(800), cart("JPY", 550, 1100), None, None, {"a": 44, "b": 88}),
    ("at most 100 yen", percent(5000), cart("JPY", 980), jpy(100), None, {"a": 100}),
    ("100.5 fils up", percent(1000), cart("KWD", 1005), None, None, {"a": 101}),
    ("617.25 fils down", percent(500), cart("KWD", 12345), None, None, {"a": 617}),
    ("12.5 % of dinars", percent(1250), cart("KWD", 1250, 750), None, None, {"a": 156, "b": 94}),
    # an amount
    ("5.00 of 50.00", off(eur(500)), cart("EUR", 5000), None, None, {"a": 500}),
    ("5.00 of 3.00", off(eur(500)), cart("EUR", 300), None, None, {"a": 300}),
    ("in proportion", off(eur(1000)), cart("EUR", 3000, 1000), None, None, {"a": 750, "b": 250}),
    ("10.00 in three", off(eur(1000)), cart("EUR", 1000, 1000, 1000), None, None, {"a": 334, "b": 333, "c": 333}),
    ("a cent in three", off(eur(1)), cart("EUR", 1000, 1000, 1000), None, None, {"a": 1}),
    ("two cents of three", off(eur(2)), cart("EUR", 1, 1, 1), None, None, {"a": 1, "b": 1}),
    ("no more than Acme's", off(eur(1000)), cart("EUR", shoe("a", 400), hat("b", 5000)), None, ACME, {"a": 400}),
    ("500 yen", off(jpy(500)), cart("JPY", 980, 1480), None, None, {"a": 199, "b": 301}),
    ("1 dinar", off(kwd(1000)), cart("KWD", 2000, 1000, 500), None, None, {"a": 571, "b": 286, "c": 143}),
    ("of nothing", off(eur(500)), cart("EUR"), None, None, {}),
    # each unit at one price
    ("15.00 at 10.00", fixed(eur(1000)), cart("EUR", 1500), None, None, {"a": 500}),
    ("two units at 10.00", fixed(eur(1000)), cart("EUR", (2, 5000)), None, None, {"a": 3000}),
    ("cheaper already", fixed(eur(1000)), cart("EUR", 800), None, None, {}),
    ("one cheaper already", fixed(eur(1000)), cart("EUR", 1500, 800), None, None, {"a": 500}),
    ("three units a cent below", fixed(eur(1000)), cart("EUR", (3, 2999)), None, None, {}),
    ("at most 9.00", fixed(eur(1000)), cart("EUR", 1500, 2000), eur(900), None, {"a": 300, "b": 600}),
    ("shoes at 40.00", fixed(eur(4000)), cart("EUR", shoe("a", 5000), hat("b", 9000)), None, SHOES, {"a": 1000}),
    ("100 yen a unit", fixed(jpy(100)), cart("JPY", (5, 750)), None, None, {"a": 250}),
    ("half a dinar a unit", fixed(kwd(500)), cart("KWD", (2, 1250)), None, None, {"a": 250}),
]


@pytest.mark.parametrize(
    ("value", "of", "maximum", "only", "lines"), [row[1:] for row in HAND], ids=[row[0] for row in HAND]
)
def test_by_hand(value: Value, of: Cart, maximum: Money | None, only: LineFilter | None, lines: dict[str, int]) -> None:
    reward = Single(type="some", value=value, maximum=maximum, lines=only)
    assert checked_reward(reward) is reward
    taken = discount(reward, of)
    assert isinstance(taken, Discount)
    assert (taken.lines, taken.total, taken.shipping) == (lines, sum(lines.values()), 0)
    assert (taken.currency, taken.gift, taken.points) == (of.currency, None, 0)


@pytest.mark.parametrize(
    ("of", "maximum", "shipping"),
    [
        (cart("EUR", 5000, shipping=499), None, 499),
        (cart("EUR", 5000, shipping=499), eur(300), 300),
        (cart("EUR", 5000, shipping=499), eur(499), 499),
        (cart("EUR", 5000, shipping=499), eur(900), 499),
        (cart("EUR", 5000), None, 0),
        (cart("EUR", shipping=499), None, 499),
        (cart("JPY", 980, shipping=800), None, 800),
        (cart("KWD", 9000, shipping=1500), kwd(1000), 1000),
    ],
)
def test_shipping_by_hand(of: Cart, maximum: Money | None, shipping: int) -> None:
    taken = discount(Single(type="free", value=FreeShipping(), maximum=maximum), of)
    assert taken == Discount(currency=of.currency, eligible=of.shipping, shipping=shipping, total=shipping)


def test_gifts_and_points_take_nothing_off() -> None:
    of = cart("EUR", 5000, shipping=499)
    assert discount(Single(type="t", value=Gift(sku="MUG")), of) == Discount(currency="EUR", gift="MUG")
    assert discount(Single(type="t", value=Points(number=250)), of) == Discount(currency="EUR", points=250)


@pytest.mark.parametrize(
    ("value", "maximum", "given"),
    [
        (off(eur(500)), None, "USD"),
        (fixed(eur(500)), None, "JPY"),
        (fixed(eur(500)), eur(900), "KWD"),
        (percent(1000), eur(500), "JPY"),
        (FreeShipping(), eur(500), "USD"),
    ],
)
def test_money_of_another_currency(value: Value, maximum: Money | None, given: str) -> None:
    mismatch = discount(Single(type="t", value=value, maximum=maximum), cart(given, 5000, shipping=499))
    assert mismatch == CurrencyMismatch(expected="EUR", given=given)
    assert mismatch.data == {"expected": "EUR", "given": given}


# The grid: every kind of reward over carts of every shape, in currencies of 0, 2 and 3 decimals.
SHAPES: dict[str, Sequence[Line]] = {
    "one": [shoe("a", 4999)],
    "equal": [shoe(name, 333) for name in NAMES],
    "mixed": [shoe("a", 12_345, 3), hat("b", 1), shoe("c", 7_777, 2), hat("d", 0), shoe("e", 99)],
    "steep": [hat("a", 10**9, 1000), shoe("b", 1), shoe("c", 3, 3)],
    "hats": [hat("a", 1050, 7), hat("b", 2105, 2)],
}
CURRENCIES = ("EUR", "JPY", "KWD")
ONLY: dict[str, LineFilter | None] = {"all": None, "shoes": SHOES}
GRID = [
    (currency, shape, value, maximum, only)
    for currency, shape, only in product(CURRENCIES, SHAPES, ONLY)
    for value, maximum in [
        *product((percent(1), percent(1250), percent(6667), percent(10000)), (None, 77)),
        (off(Money(minor=100, currency=currency)), None),
        (off(Money(minor=10**6, currency=currency)), None),
        *product((fixed(Money(minor=37, currency=currency)), fixed(Money(minor=2500, currency=currency))), (None, 501)),
    ]
]


def plain(value: Value, lines: Sequence[Line], maximum: int | None) -> list[int]:
    """The same by fractions, written down as the rules say it."""
    exact: list[Fraction]
    match value:
        case Percentage():
            exact = [Fraction(each.amount * value.basis_points, 10_000) for each in lines]
        case FixedPrice():
            exact = [max(Fraction(0), Fraction(each.amount - each.quantity * value.money.minor)) for each in lines]
        case AmountOff():
            eligible = sum(each.amount for each in lines)
            rate = min(Fraction(1), Fraction(value.money.minor, eligible)) if eligible else Fraction(0)
            exact = [rate * each.amount for each in lines]
        case _:
            raise AssertionError(value)
    total = floor(sum(exact) + Fraction(1, 2))
    total = total if maximum is None else min(total, maximum)
    shares = [each * total / sum(exact) if sum(exact) else each for each in exact]
    parts = [floor(share) for share in shares]
    while sum(parts) < total:
        far = [share - part for share, part in zip(shares, parts, strict=True)]
        parts[far.index(max(far))] += 1
    return parts


@pytest.mark.parametrize(("currency", "shape", "value", "maximum", "only"), GRID)
def test_by_fractions(currency: str, shape: str, value: Value, maximum: int | None, only: str) -> None:
    lines = SHAPES[shape]
    most = None if maximum is None else Money(minor=maximum, currency=currency)
    taken = discount(
        Single(type="t", value=value, maximum=most, lines=ONLY[only]), Cart(currency=currency, lines=tuple(lines))
    )
    eligible = [each for each in lines if only == "all" or "shoes" in each.categories]
    parts = plain(value, eligible, maximum)
    assert isinstance(taken, Discount)
    assert taken.lines == {each.id: part for each, part in zip(eligible, parts, strict=True) if part}
    assert taken.total == sum(parts)
    assert taken.eligible == sum(each.amount for each in eligible)


def test_the_table_is_as_long_as_it_should_be() -> None:
    assert len(HAND) >= 40
    assert len(GRID) >= 120
