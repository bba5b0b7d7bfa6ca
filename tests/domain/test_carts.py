"""What a cart may hold, and which lines a filter means."""

from dataclasses import replace

import orjson
import pytest

from promograph.domain.carts import (
    Cart,
    Line,
    LineAttribute,
    LineFilter,
    Money,
    checked_cart,
    checked_filter,
    checked_money,
    dump_cart,
    dump_filter,
    load_cart,
    load_filter,
    select,
)
from promograph.errors import BadInput

SHIRT = Line(
    id="1", sku="SHIRT", quantity=2, amount=3998, categories=("tops", "sale"), brand="Acme", attributes={"size": "M"}
)
SHOES = Line(id="2", sku="SHOES", quantity=1, amount=8900, categories=("shoes",), brand="Fleet")
BAG = Line(id="3", sku="BAG", quantity=1, amount=0)
CART = Cart(currency="EUR", lines=(SHIRT, SHOES, BAG), shipping=490, sales_channel="web", is_first_order=True)


def cart_of(line: Line) -> Cart:
    return Cart(currency="EUR", lines=(BAG, line))


def line(**given: object) -> Line:
    return replace(SHIRT, **given)  # type: ignore[arg-type]


def test_the_subtotal_is_that_of_the_lines() -> None:
    assert CART.subtotal == 12_898
    assert Cart(currency="JPY").subtotal == 0


@pytest.mark.parametrize(
    "cart",
    [
        CART,
        Cart(currency="JPY"),
        Cart(currency="EUR", customer="C-1", lines=tuple(line(id=str(number)) for number in range(1000))),
        cart_of(line(quantity=1_000_000, amount=10**12)),
        cart_of(line(amount=0, quantity=1)),
    ],
)
def test_good_carts(cart: Cart) -> None:
    assert checked_cart(cart) is cart


@pytest.mark.parametrize(
    ("cart", "field", "problem"),
    [
        (replace(CART, currency="euro"), "cart currency", "INVALID"),
        (replace(CART, currency=""), "cart currency", "INVALID"),
        (replace(CART, shipping=-1), "cart shipping", "OUT_OF_RANGE"),
        (replace(CART, shipping=10**12 + 1), "cart shipping", "OUT_OF_RANGE"),
        (replace(CART, sales_channel=""), "cart salesChannel", "REQUIRED"),
        (replace(CART, customer="a\nb"), "cart customer", "INVALID"),
        (replace(CART, lines=tuple(line(id=str(number)) for number in range(1001))), "cart lines", "TOO_MANY"),
        (cart_of(line(id="3")), "cart lines 1 id", "TAKEN"),
        (cart_of(line(id="")), "cart lines 1 id", "REQUIRED"),
        (cart_of(line(sku=" A")), "cart lines 1 sku", "INVALID"),
        (cart_of(line(sku="A" * 129)), "cart lines 1 sku", "OUT_OF_RANGE"),
        (cart_of(line(quantity=0)), "cart lines 1 quantity", "OUT_OF_RANGE"),
        (cart_of(line(quantity=-1)), "cart lines 1 quantity", "OUT_OF_RANGE"),
        (cart_of(line(quantity=1_000_001)), "cart lines 1 quantity", "OUT_OF_RANGE"),
        (cart_of(line(amount=-1)), "cart lines 1 amount", "OUT_OF_RANGE"),
        (cart_of(line(amount=10**12 + 1)), "cart lines 1 amount", "OUT_OF_RANGE"),
        (cart_of(line(brand="")), "cart lines 1 brand", "REQUIRED"),
        (cart_of(line(categories=("tops", ""))), "cart lines 1 categories 1", "REQUIRED"),
        (cart_of(line(categories=("c",) * 101)), "cart lines 1 categories", "TOO_MANY"),
        (cart_of(line(attributes={"": "M"})), "cart lines 1 attributes", "REQUIRED"),
        (cart_of(line(attributes={"size": "\0"})), "cart lines 1 attributes", "INVALID"),
        (cart_of(line(attributes={str(number): "M" for number in range(51)})), "cart lines 1 attributes", "TOO_MANY"),
    ],
)
def test_bad_carts_name_the_place(cart: Cart, field: str, problem: str) -> None:
    with pytest.raises(BadInput) as bad:
        checked_cart(cart)
    assert (" ".join(bad.value.field), bad.value.problem) == (field, problem)
    assert str(bad.value).endswith(".")


def test_the_path_of_a_cart_inside_something() -> None:
    with pytest.raises(BadInput) as bad:
        checked_cart(cart_of(line(quantity=0)), path=("input", "cart"))
    assert bad.value.field == ("input", "cart", "lines", "1", "quantity")


@pytest.mark.parametrize(
    ("only", "ids"),
    [
        (None, "123"),
        (LineFilter(skus=("BAG", "SHIRT", "HAT")), "13"),
        (LineFilter(categories=("sale",)), "1"),
        (LineFilter(categories=("shoes", "tops")), "12"),
        (LineFilter(categories=("Tops",)), ""),
        (LineFilter(brands=("Acme", "Fleet")), "12"),
        (LineFilter(brands=("Acme",), categories=("shoes",)), ""),
        (LineFilter(brands=("Acme",), categories=("tops",), skus=("SHIRT",)), "1"),
        (LineFilter(attributes=(LineAttribute(name="size", values=("S", "M")),)), "1"),
        (LineFilter(attributes=(LineAttribute(name="size", values=("S",)),)), ""),
        (
            LineFilter(
                attributes=(LineAttribute(name="size", values=("M",)), LineAttribute(name="colour", values=("red",)))
            ),
            "",
        ),
    ],
)
def test_a_filter_means_lines_that_fit_every_part(only: LineFilter | None, ids: str) -> None:
    assert "".join(chosen.id for chosen in select(CART.lines, only)) == ids


@pytest.mark.parametrize(
    ("only", "field", "problem"),
    [
        (LineFilter(), "lines", "REQUIRED"),
        (LineFilter(skus=("A", " ")), "lines skus 1", "INVALID"),
        (LineFilter(brands=("",)), "lines brands 0", "REQUIRED"),
        (LineFilter(categories=("c",) * 1001), "lines", "TOO_MANY"),
        (
            LineFilter(skus=("s",) * 400, attributes=(LineAttribute(name="s", values=("M",) * 601),)),
            "lines",
            "TOO_MANY",
        ),
        (LineFilter(attributes=(LineAttribute(name="", values=("M",)),)), "lines attributes 0 name", "REQUIRED"),
        (LineFilter(attributes=(LineAttribute(name="size", values=()),)), "lines attributes 0 values", "REQUIRED"),
        (LineFilter(attributes=(LineAttribute(name="s", values=("",)),)), "lines attributes 0 values 0", "REQUIRED"),
        (LineFilter(attributes=(LineAttribute(name="s", values=("M",)),) * 51), "lines attributes", "TOO_MANY"),
    ],
)
def test_bad_filters_name_the_place(only: LineFilter, field: str, problem: str) -> None:
    with pytest.raises(BadInput) as bad:
        checked_filter(only)
    assert (" ".join(bad.value.field), bad.value.problem) == (field, problem)


@pytest.mark.parametrize(
    ("money", "says"),
    [
        (Money(minor=0, currency="EUR"), "0.01 EUR to 10000000000.00 EUR"),
        (Money(minor=-5, currency="JPY"), "1 JPY to 1000000000000 JPY"),
        (Money(minor=10**12 + 1, currency="KWD"), "0.001 KWD"),
        (Money(minor=1, currency="XXX"), "ISO 4217"),
    ],
)
def test_money_within_reason(money: Money, says: str) -> None:
    with pytest.raises(BadInput, match=says) as bad:
        checked_money(money, "value")
    assert bad.value.field[0] == "value"


def test_money_as_text() -> None:
    shown = [str(Money(minor=5, currency=currency)) for currency in ("EUR", "JPY", "KWD")]
    assert shown == ["0.05 EUR", "5 JPY", "0.005 KWD"]


def test_a_cart_and_a_filter_come_back_from_json() -> None:
    assert load_cart(orjson.loads(orjson.dumps(dump_cart(CART)))) == CART
    assert load_cart(orjson.loads(orjson.dumps(CART))) == CART
    for only in (LineFilter(skus=("A", "B")), LineFilter(attributes=(LineAttribute(name="size", values=("M",)),))):
        assert load_filter(orjson.loads(orjson.dumps(dump_filter(only)))) == only
