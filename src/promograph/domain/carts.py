"""A shopper's cart as a checkout tells it, and which of its lines a rule is about."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from promograph.domain.currencies import DIGITS, from_minor, nearest_minor
from promograph.domain.keys import checked_key, checked_optional
from promograph.errors import BadInput, InputProblem

MOST_LINES = 1_000
LARGEST_QUANTITY = 1_000_000
LARGEST_AMOUNT = 10**12
"""In the smallest unit of the currency: of one line, of the shipping, of any money that a rule names."""

MOST_CATEGORIES = 100
MOST_ATTRIBUTES = 50
MOST_NAMED = 1_000
"""How many skus, categories, brands and values of attributes one filter may list together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """`minor` counts the currency's smallest unit (cents); `currency` is an ISO 4217 code."""

    minor: int
    currency: str

    @classmethod
    def nearest(cls, amount: str, currency: str) -> "Money":
        """From a decimal such as `8.00`, half up; ValueError for what is none, and for a currency that nobody knows."""
        return cls(minor=nearest_minor(amount, currency), currency=currency)

    @property
    def amount(self) -> str:
        """As a decimal, such as `8.00`."""
        return str(from_minor(self.minor, self.currency))

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """So many of one article. `amount` is what the whole line costs, in the smallest unit of the cart's currency."""

    id: str
    sku: str
    quantity: int
    amount: int
    categories: tuple[str, ...] = ()
    brand: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cart:
    """Amounts count the smallest unit of `currency`. None in `is_first_order` or `sales_channel` means not known."""

    currency: str
    lines: tuple[Line, ...] = ()
    shipping: int = 0
    sales_channel: str | None = None
    is_first_order: bool | None = None
    customer: str | None = None

    @property
    def subtotal(self) -> int:
        """What the lines cost together, without shipping."""
        return sum(line.amount for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineAttribute:
    """Lines whose attribute `name` has one of `values`."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFilter:
    """Which lines are meant: those that fit every part that is not empty, each part by any one of what it lists.

    `LineFilter(categories=("shoes", "hats"), brands=("Acme",))` are the shoes and hats of Acme.
    """

    skus: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    attributes: tuple[LineAttribute, ...] = ()


def select(lines: Sequence[Line], only: LineFilter | None) -> list[Line]:
    """The lines that `only` means, in their order; all of them for None."""
    if only is None:
        return list(lines)
    skus, categories, brands = set(only.skus), set(only.categories), set(only.brands)
    attributes = [(wanted.name, set(wanted.values)) for wanted in only.attributes]
    return [
        line
        for line in lines
        if (not skus or line.sku in skus)
        and (not categories or not categories.isdisjoint(line.categories))
        and (not brands or line.brand in brands)
        and all(line.attributes.get(name) in values for name, values in attributes)
    ]


def checked_cart(cart: Cart, *, path: Sequence[str] = ("cart",)) -> Cart:
    """The cart itself; BadInput whose field is the path of what needs mending: `cart, lines, 3, quantity`."""
    try:
        _check_cart(cart)
    except BadInput as bad:
        raise under(bad, *path) from None
    return cart


def checked_filter(only: LineFilter, *, path: Sequence[str] = ("lines",)) -> LineFilter:
    """The filter itself; BadInput where it names nothing, too much, or what no line can have."""
    try:
        _check_filter(only)
    except BadInput as bad:
        raise under(bad, *path) from None
    return only


def checked_money(money: Money, name: str, *, least: int = 1) -> Money:
    """The money itself; BadInput on `name` for an unknown currency or an amount below `least` or beyond all sense."""
    check_currency(money.currency, name)
    if not least <= money.minor <= LARGEST_AMOUNT:
        lowest, highest = (Money(minor=minor, currency=money.currency) for minor in (least, LARGEST_AMOUNT))
        raise BadInput(InputProblem.OUT_OF_RANGE, f"{name} must be from {lowest} to {highest}.", field=(name,))
    return money


def check_currency(currency: str, *path: str) -> None:
    if currency not in DIGITS:
        sentence = "A currency is an ISO 4217 code in upper case, such as EUR."
        raise BadInput(InputProblem.INVALID, sentence, field=(*path, "currency"))


def under(bad: BadInput, *path: str) -> BadInput:
    """The same complaint, its field seen from further out."""
    return BadInput(bad.problem, str(bad), field=(*path, *bad.field))


def dump_filter(only: LineFilter) -> dict[str, Any]:
    """As plain JSON data, without the parts that are empty."""
    attributes = [{"name": wanted.name, "values": list(wanted.values)} for wanted in only.attributes]
    texts = {"skus": list(only.skus), "categories": list(only.categories), "brands": list(only.brands)}
    return {name: part for name, part in {**texts, "attributes": attributes}.items() if part}


def load_filter(data: Mapping[str, Any]) -> LineFilter:
    """What `dump_filter` made; not for input from outside."""
    return LineFilter(
        skus=tuple(data.get("skus", ())),
        categories=tuple(data.get("categories", ())),
        brands=tuple(data.get("brands", ())),
        attributes=tuple(
            LineAttribute(name=wanted["name"], values=tuple(wanted["values"])) for wanted in data.get("attributes", ())
        ),
    )


def dump_cart(cart: Cart) -> dict[str, Any]:
    """As plain JSON data."""
    return asdict(cart)


def load_cart(data: Mapping[str, Any]) -> Cart:
    """What `dump_cart` made; not for input from outside."""
    lines = tuple(Line(**{**line, "categories": tuple(line["categories"])}) for line in data["lines"])
    return Cart(**{**data, "lines": lines})


def _check_cart(cart: Cart) -> None:
    check_currency(cart.currency)
    if len(cart.lines) > MOST_LINES:
        raise BadInput(InputProblem.TOO_MANY, f"A cart has at most {MOST_LINES:,} lines.", field=("lines",))
    _check_range(cart.shipping, "shipping", 0, LARGEST_AMOUNT)
    checked_optional(cart.sales_channel, "salesChannel")
    checked_optional(cart.customer, "customer")
    seen: set[str] = set()
    for place, line in enumerate(cart.lines):
        try:
            _check_line(line, seen)
        except BadInput as bad:
            raise under(bad, "lines", str(place)) from None
        seen.add(line.id)


def _check_line(line: Line, seen: Collection[str]) -> None:
    checked_key(line.id, "id")
    if line.id in seen:
        raise BadInput(InputProblem.TAKEN, "Another line of the cart has this id.", field=("id",))
    checked_key(line.sku, "sku")
    _check_range(line.quantity, "quantity", 1, LARGEST_QUANTITY)
    _check_range(line.amount, "amount", 0, LARGEST_AMOUNT)
    checked_optional(line.brand, "brand")
    _check_texts(line.categories, "categories", most=MOST_CATEGORIES)
    _check_number(len(line.attributes), "attributes", most=MOST_ATTRIBUTES)
    for name, value in line.attributes.items():
        checked_key(name, "attributes")
        checked_key(value, "attributes")


def _check_filter(only: LineFilter) -> None:
    if only == LineFilter():
        raise BadInput(InputProblem.REQUIRED, "This filter names nothing; leave it out to mean every line.")
    lists = [only.skus, only.categories, only.brands, *(wanted.values for wanted in only.attributes)]
    if sum(map(len, lists)) > MOST_NAMED:
        raise BadInput(InputProblem.TOO_MANY, f"A filter may list at most {MOST_NAMED:,} texts in all.")
    _check_texts(only.skus, "skus", most=MOST_NAMED)
    _check_texts(only.categories, "categories", most=MOST_NAMED)
    _check_texts(only.brands, "brands", most=MOST_NAMED)
    _check_number(len(only.attributes), "attributes", most=MOST_ATTRIBUTES)
    for place, wanted in enumerate(only.attributes):
        try:
            _check_attribute(wanted)
        except BadInput as bad:
            raise under(bad, "attributes", str(place)) from None


def _check_attribute(wanted: LineAttribute) -> None:
    checked_key(wanted.name, "name")
    if not wanted.values:
        raise BadInput(InputProblem.REQUIRED, "An attribute needs at least one value to look for.", field=("values",))
    _check_texts(wanted.values, "values", most=MOST_NAMED)


def _check_texts(texts: Sequence[str], name: str, *, most: int) -> None:
    _check_number(len(texts), name, most=most)
    for place, text in enumerate(texts):
        try:
            checked_key(text, name)
        except BadInput as bad:
            raise BadInput(bad.problem, str(bad), field=(name, str(place))) from None


def _check_number(number: int, name: str, *, most: int) -> None:
    if number > most:
        raise BadInput(InputProblem.TOO_MANY, f"{name} may list at most {most:,}.", field=(name,))


def _check_range(value: int, name: str, least: int, most: int) -> None:
    if not least <= value <= most:
        raise BadInput(InputProblem.OUT_OF_RANGE, f"{name} must be from {least:,} to {most:,}.", field=(name,))
